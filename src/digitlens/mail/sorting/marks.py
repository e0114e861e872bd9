"""Where the digits of a piece stand on its picture: kept, so that a person need not search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.reading import Line
    from digitlens.reading.line import Box

PLACES = 6


def marks_of(line: Line | None) -> dict[str, Any]:
    """Return what the state keeps of the line that was taken for the ZIP, as plain values.

    ``digits`` are the confidences of its digits, ``box`` is where it stands (None without
    digits) and ``boxes`` where each of them does: left, top, right, bottom in pixels of the
    picture as it lies.
    """
    digits = () if line is None else line.digits
    return {
        "digits": [round(digit.confidence, PLACES) for digit in digits],
        "box": _edges(line.box) if line is not None and digits else None,
        "boxes": [_edges(digit.box) for digit in digits],
    }


def _edges(box: Box) -> list[float]:
    return [round(float(edge), 1) for edge in box]


def turn_of(boxes: Sequence[Box]) -> int:
    """Return how a picture must be turned for its digits to run to the right.

    Returns
    -------
    Degrees, counter-clockwise: 0, 90, 180 or 270.

    Examples
    --------
    >>> turn_of([(90.0, 10.0, 99.0, 30.0), (10.0, 11.0, 19.0, 31.0)])
    180
    """
    if len(boxes) < 2:
        return 0
    first, last = boxes[0], boxes[-1]
    right = last[0] + last[2] - first[0] - first[2]
    down = last[1] + last[3] - first[1] - first[3]
    if abs(down) > abs(right):
        return 90 if down > 0 else 270
    return 180 if right < 0 else 0


def box_of(edges: Any) -> Box | None:
    """Return a box as `marks_of` kept it; None where none was kept."""
    if not edges:
        return None
    left, top, right, bottom = map(float, edges)
    return left, top, right, bottom
