"""Whole pictures: wanted string found, ranked first, all lines right, cells of grids.

result
    Every wanted string is among the lines. What a peer reads counts in three ways, as it may
    have read a word or a separator beside the number, or parted it: all digits of a piece,
    each run of digits within it, and all digits of the pieces that stand side by side.
ranked first
    Told the length of a wanted string, the reader gives it before all others; where several
    wanted strings have this length, they are the first so many, in any order. Readers that
    take no length have no such figure.
all lines
    What is read is what stands there: the same strings as often, in any order, nothing
    missing and nothing added. Pieces without a digit are left out; of a peer it also counts
    when its pieces make the lines once those side by side are joined.
cells
    The digits of a grid that are read: as many as it holds, less the edit distance between
    them and the digits that were read, both row by row; not below 0. Empty cells (0 in the
    truth of a grid) are left out. The reader's order and that of rows by place are tried, and
    the better counts.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from readers.score_lines import digits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readers.protocol import Piece

EMPTY = "0"
"""An empty cell in the truth of a grid."""


def wanted_found(pieces: Sequence[Piece], wanted: Sequence[str], *, joined: bool) -> bool:
    """Say whether every wanted string is among the lines; with `joined` also parts and rows."""
    seen = Counter(digits_of(piece["text"]) for piece in pieces)
    if joined:
        for piece in pieces:
            runs = re.findall(r"[0-9]+", piece["text"])
            seen.update(runs if len(runs) > 1 else [])
        seen.update("".join(row) for row in _rows(pieces) if len(row) > 1)
    return not Counter(wanted) - seen


def ranked_first(by_length: dict[int, Sequence[Piece]], wanted: Sequence[str]) -> bool:
    """Say whether wanted strings come first when their length is told.

    Parameters
    ----------
    by_length
        What was read when this length was told.
    wanted
        Strings of digits.
    """
    for length, pieces in by_length.items():
        these = Counter(text for text in wanted if len(text) == length)
        first = [digits_of(piece["text"]) for piece in pieces[: these.total()]]
        if Counter(first) != these:
            return False
    return True


def all_lines(pieces: Sequence[Piece], truth: Sequence[str], *, joined: bool) -> bool:
    """Say whether exactly these lines were read; with `joined` also once rows are joined."""
    given = [digits_of(piece["text"]) for piece in pieces]
    forms = [given, ["".join(row) for row in _rows(pieces)]] if joined else [given]
    wanted = Counter(truth)
    return any(Counter(text for text in form if text) == wanted for form in forms)


def cells(pieces: Sequence[Piece], rows: Sequence[str]) -> tuple[int, int]:
    """Return how many digits of a grid were read, and how many there are."""
    truth = "".join(rows).replace(EMPTY, "")
    orders = [
        "".join(digits_of(piece["text"]) for piece in pieces),
        "".join("".join(row) for row in _rows(pieces)),
    ]
    fewest = min(edit_distance(truth, order) for order in orders)
    return max(0, len(truth) - fewest), len(truth)


def edit_distance(one: str, other: str) -> int:
    """Return the fewest characters to change, add or take away to make one into the other.

    Examples
    --------
    >>> edit_distance("1234", "134"), edit_distance("12", "21"), edit_distance("", "7")
    (1, 2, 1)
    """
    before = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        row = [index]
        for place, second in enumerate(other):
            swapped = before[place] + (letter != second)
            row.append(min(swapped, before[place + 1] + 1, row[place] + 1))
        before = row
    return before[-1]


def _rows(pieces: Sequence[Piece]) -> list[list[str]]:
    """Return the digits of pieces in rows, top to bottom, each left to right.

    A piece stands in a row when half of the lower of both heights is shared with the row's
    first piece.
    """
    rows: list[list[Piece]] = []
    kept = [piece for piece in pieces if digits_of(piece["text"])]
    for piece in sorted(kept, key=lambda item: item["box"][1] + item["box"][3]):
        if rows and _side_by_side(rows[-1][0]["box"], piece["box"]):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [
        [digits_of(piece["text"]) for piece in sorted(row, key=lambda item: item["box"][0])]
        for row in rows
    ]


def _side_by_side(one: list[float], other: list[float]) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared >= 0.5 * min(one[3] - one[1], other[3] - other[1])
