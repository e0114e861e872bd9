"""A sudoku of which only the bold lines were seen: its nine blocks, parted into cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.grids import Lattice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.uint8]"

BLOCKS = 3
"""Blocks on each side of a sudoku, and cells on each side of a block."""

SMALLEST = 8.0
"""The least side of a cell in pixels of the view."""

SEEN = 0.6
"""The share of a table's thin lines that must be darker than the paper beside them."""

DARKER = 1.5
"""Ink, of 255, by which a line must be: the median along it, so digits do not count."""


def parted(lattice: Lattice, ink: Grey) -> Lattice:
    """Return a table of nine cells a side where `lattice` has three and thin lines part them.

    Thin lines, blurred by a photo, may be too faint to be marks, but along their whole length
    they are darker than what is beside them.

    Parameters
    ----------
    ink
        uint8 (h, w), 0 = paper, of the view.
    """
    if (lattice.rows, lattice.columns) != (BLOCKS, BLOCKS):
        return lattice
    side = float(np.linalg.norm(lattice.at(BLOCKS, 0) - lattice.at(0, 0))) / BLOCKS**2
    if side < SMALLEST:
        return lattice
    seen = [
        _darker(lattice, ink, at, block, across)
        for across in (False, True)
        for at in range(BLOCKS**2)
        if at % BLOCKS
        for block in range(BLOCKS)
    ]
    if float(np.mean(seen)) < SEEN:
        return lattice
    shrink = np.diag([1 / BLOCKS, 1 / BLOCKS, 1.0])
    return Lattice(BLOCKS**2, BLOCKS**2, lattice.to_view @ shrink, ())


def _darker(lattice: Lattice, ink: Grey, at: int, block: int, across: bool) -> bool:
    """Say whether there is a line where cells `at` - 1 and `at` meet, along one block."""
    along = block + np.linspace(0.06, 0.94, 40)
    levels = []
    # On the line, give or take where it is bent to, and in the cells on both sides.
    for off in (-0.5, -0.12, -0.06, 0.0, 0.06, 0.12, 0.5):
        place = np.full_like(along, (at + off) / BLOCKS)
        spots = np.column_stack([along, place] if across else [place, along])
        levels.append(_median(lattice, ink, spots))
    beside = (levels[0] + levels[-1]) / 2
    return max(levels[1:-1]) > beside + DARKER


def _median(lattice: Lattice, ink: Grey, spots: NDArray[np.float64]) -> float:
    found = np.column_stack([spots, np.ones(len(spots))]) @ lattice.to_view.T
    places = np.floor(found[:, :2] / found[:, 2:]).astype(int)
    inside = (places >= 0).all(axis=1) & (places < ink.shape[::-1]).all(axis=1)
    return float(np.median(ink[places[inside, 1], places[inside, 0]])) if inside.any() else 0.0
