"""Where the digits of a piece stand on its picture: kept, so that a person need not search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlens.reading import Line
    from digitlens.reading.line import Box

PLACES = 6


def marks_of(line: Line | None) -> dict[str, Any]:
    """Return what the state keeps of the line that was taken for the ZIP, as plain values.

    ``digits`` are the confidences of its digits, ``box`` is where it stands (None without
    digits) and ``boxes`` where each of them does: left, top, right, bottom in pixels of the
    upright picture.
    """
    digits = () if line is None else line.digits
    return {
        "digits": [round(digit.confidence, PLACES) for digit in digits],
        "box": _edges(line.box) if line is not None and digits else None,
        "boxes": [_edges(digit.box) for digit in digits],
    }


def _edges(box: Box) -> list[float]:
    return [round(float(edge), 1) for edge in box]


def box_of(edges: Any) -> Box | None:
    """Return a box as `marks_of` kept it; None where none was kept."""
    if not edges:
        return None
    left, top, right, bottom = map(float, edges)
    return left, top, right, bottom
