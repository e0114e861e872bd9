"""What is known of a view before lines are looked for: paper, ink, marks, lines, boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.boxed import completed
from digitlens.layout.cells import (
    Cells,
    alone,
    find_cells,
    frames_of,
    inked,
    rows_of,
    together,
)
from digitlens.layout.colour import Dropped, drop_print, grey_of
from digitlens.layout.grids import Lattice, find_lattices
from digitlens.layout.level import Paper, enlarged, find_paper, ink_of, threshold
from digitlens.layout.marks import Marks, find_marks
from digitlens.layout.masks import both, either, without
from digitlens.layout.rules import remove_rules
from digitlens.layout.thirds import parted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.view import View

    Grey: TypeAlias = "NDArray[np.uint8]"
    Mask: TypeAlias = "NDArray[np.uint8]"


@dataclass(frozen=True, eq=False)
class Scene:
    """A view taken apart.

    Parameters
    ----------
    view
        The view.
    dropped
        Which channel is looked at, and what coloured print that drops.
    paper
        The paper in that channel.
    grey
        uint8 (h, w): that channel.
    ink
        uint8 (h, w), 0 = paper, 255 = all light taken away.
    inked
        uint8 (h, w), 1 = ink or coloured print, lines included.
    mask
        uint8 (h, w), 1 = ink without lines and frames.
    marks
        Connected pieces of `mask`.
    cells, boxes
        Printed boxes, and which of them stand in rows for one digit each.
    lattices
        Tables of boxes.
    """

    view: View
    dropped: Dropped
    paper: Paper
    grey: Grey
    ink: Grey
    inked: Mask
    mask: Mask
    marks: Marks
    cells: Cells
    boxes: list[list[int]]
    lattices: list[Lattice]


def take_apart(view: View, *, light: bool | None, expect_boxes: bool) -> Scene:
    """Find paper, ink, marks, lines and boxes of a view.

    Parameters
    ----------
    light
        Whether the ink is lighter than the paper; None finds out.
    expect_boxes
        Whether digits are known to stand in printed boxes: then rows of empty-looking boxes
        count too.
    """
    grey = grey_of(view.pixels, None)
    paper = find_paper(grey, light)
    light = paper.light
    dropped = drop_print(view.pixels, light=light)
    if dropped.channel is not None:
        grey = grey_of(view.pixels, dropped.channel)
        paper = find_paper(grey, light)
    ink = ink_of(grey, enlarged(paper.small, grey.shape), light=light)
    marked = threshold(ink, paper.noise)
    if view.inside is not None:
        marked = both(marked, view.inside)
    printed = marked
    if dropped.print_ is not None:
        printed = either(marked, dropped.print_)
    cells = find_cells(printed)
    if dropped.print_ is not None:
        cells = together(find_cells(dropped.print_), cells)
    written = inked(cells, marked)
    rows = rows_of(cells)
    tables = find_lattices(cells)
    in_tables = {at for lattice in tables for at in lattice.members}
    lattices = [parted(lattice, ink) for lattice in tables]
    least = 1 if expect_boxes else 2
    boxes = [
        row
        for row in rows
        if not in_tables & set(row) and sum(bool(written[at]) for at in row) >= least
    ]
    cells, boxes = completed(cells, boxes, printed)
    framed = sorted({at for row in boxes for at in row} | in_tables)
    framed += alone(cells, printed, set(np.flatnonzero(written).tolist()) - set(framed))
    frames = frames_of(cells, framed, marked)
    if dropped.print_ is not None:
        marked, frames = without(marked, dropped.print_), np.zeros_like(frames)
    ruled = remove_rules(without(marked, frames))
    marks = find_marks(replace(ruled, lines=either(ruled.lines, frames)), ink)
    return Scene(
        view, dropped, paper, grey, ink, printed, ruled.mask, marks, cells, boxes, lattices
    )
