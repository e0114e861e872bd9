"""From a picture to its lines: `find_lines`."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.errors import ShapeError, UsageError
from digitlens.ink.opening import MOST_PIXELS, open_picture
from digitlens.layout.boxed import boxed_rows
from digitlens.layout.colour import CHANNELS
from digitlens.layout.cut import STEEPEST, Source, cut, piece_of, slope_of
from digitlens.layout.found import Layout
from digitlens.layout.order import reading_order
from digitlens.layout.rank import Page, score, strongest
from digitlens.layout.rows import Row, attach, bounds, height_of, link, parts_of
from digitlens.layout.scene import Scene, take_apart
from digitlens.layout.tables import read_table
from digitlens.layout.turning import direction
from digitlens.layout.view import look, turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.ink.opening import Picture
    from digitlens.layout.found import Grid, Strip

    Grey: TypeAlias = "NDArray[np.uint8]"
    Box: TypeAlias = "tuple[float, float, float, float]"

MOST_STRIPS = 60
"""The most strips that are cut, those of the highest score; what is dropped is said in
`Layout.about`."""


WORTH = 0.25
"""The least score of a line that is cut, in the best one's: what is paler, smaller and of more
uneven shapes than that costs a reader time and holds no number."""


def find_lines(
    picture: Picture,
    *,
    count: int | None = None,
    area: Box | None = None,
    boxes: bool = False,
    turn: float | None = None,
    light: bool | None = None,
    stages: bool = False,
) -> Layout:
    """Find the lines of writing on a photo or scan that may be numbers.

    Parameters
    ----------
    picture
        What `digitlens.ink.opening.open_picture` opens: a path, bytes, a Pillow picture, or an
        array uint8 (H, W) or (H, W, 3).
    count
        How many digits are wanted; changes only the scores.
    area
        Left, top, right, bottom in pixels of the picture: only what lies there is looked at.
    boxes
        Whether the digits are known to stand in a row of printed boxes.
    turn
        Degrees, counter-clockwise, to turn the picture by; None finds out whether it lies on
        its side or slopes. Whether it stands on its head, nothing but reading can tell.
    light
        Whether ink is lighter than paper; None finds out.
    stages
        Whether `Layout.stages` is filled.

    Raises
    ------
    MissingDataError, DataError, CorruptFileError, ShapeError
        As `open_picture` has it; an array of more than `MOST_PIXELS` pixels is refused too.
    UsageError
        An area outside the picture or not of numbers, a count below 1.
    """
    opened = open_picture(picture)
    pixels = opened.pixels
    _check(pixels, count, opened.name)
    size = pixels.shape[1], pixels.shape[0]
    off = (0, 0)
    if area is not None:
        off, pixels = _cut_area(pixels, area)
    view = look(pixels, turn or 0.0)
    scene = take_apart(view, light=light, expect_boxes=boxes)
    if turn is None:
        angle = direction(scene.marks, boxed=bool(scene.lattices or scene.boxes))
        if angle:
            view = turned(view, -angle)
            scene = take_apart(view, light=scene.paper.light, expect_boxes=boxes)
    found = _strips(scene, pixels, count=count)
    layout = Layout(
        strips=tuple(_moved(strip, off) for strip in found[0]),
        size=size,
        turn=view.turn,
        light=scene.paper.light,
        grids=tuple(_moved_grid(grid, off) for grid in found[1]),
        about=(opened.about, *found[2]),
    )
    if stages:
        from digitlens.layout.stages import draw_stages

        layout = replace(layout, stages=draw_stages(scene, layout, off))
    return layout


def _check(pixels: Grey, count: int | None, name: str) -> None:
    height, width = pixels.shape[:2]
    if height * width > MOST_PIXELS:
        raise ShapeError(
            f"{name} is too large: at most {MOST_PIXELS:,} pixels are looked at",
            seen=f"{width:,} x {height:,} = {width * height:,} pixels",
            try_="make it smaller: digits of 30 pixels are large enough",
        )
    if count is not None and count < 1:
        raise UsageError("the count of digits must be 1 or more", seen=f"{count}")


def _cut_area(pixels: Grey, area: Box) -> tuple[tuple[int, int], Grey]:
    height, width = pixels.shape[:2]
    if not all(map(math.isfinite, area)):
        raise UsageError(
            "the area must be left, top, right, bottom in pixels, four numbers", seen=f"{area}"
        )
    left, top = max(0, round(area[0])), max(0, round(area[1]))
    right, bottom = min(width, round(area[2])), min(height, round(area[3]))
    if right - left < 5 or bottom - top < 5:
        raise UsageError(
            "the area must be left, top, right, bottom within the picture, 5 pixels at least",
            seen=f"{area}; the picture is {width} x {height}",
        )
    return (left, top), np.ascontiguousarray(pixels[top:bottom, left:right])


def _strips(
    scene: Scene, pixels: Grey, *, count: int | None
) -> tuple[list[Strip], list[Grid], list[str]]:
    marks = scene.marks
    source = Source(pixels, scene)
    free = np.ones(len(marks.boxes), bool)
    grids = [read_table(scene, source, lattice, free) for lattice in scene.lattices]
    rows = boxed_rows(marks, scene.cells, scene.boxes, free) + link(marks, free)
    rows = [row for row in rows if row.marks]
    attach(marks, rows)
    tallest = max((height_of(marks, row.marks) for row in rows), default=1.0)
    place = reading_order(np.array([bounds(marks, row.marks) for row in rows]).reshape(-1, 4))
    listed = []
    tilt = _page_slope(scene, rows)
    page = Page(scene.mask.shape, tallest, strongest(marks), count)
    for at in place:
        row = rows[at]
        slope = _slope(scene, row, tilt)
        parts = parts_of(marks, row)
        attach(marks, parts)
        listed += [(each, slope, score(marks, each, page)) for each in [row, *parts]]
    best = sorted(range(len(listed)), key=lambda at: -listed[at][2])[:MOST_STRIPS]
    best = [at for at in best if listed[at][2] >= WORTH * listed[best[0]][2]]
    notes = [f"{len(listed)} lines"]
    if scene.dropped.channel is not None:
        notes.append(f"coloured print dropped: the {CHANNELS[scene.dropped.channel]} channel")
    if len(listed) > len(best):
        notes.append(f"{len(listed) - len(best)} of them, the least likely, left out")
    if marks.dropped:
        notes.append(f"{marks.dropped} of the smallest marks left out")
    pieces = (listed[at] for at in sorted(best))
    cuts = [
        cut(scene, source, piece_of(scene, row, slope=slope, score=value))
        for row, slope, value in pieces
    ]
    return [strip for strip in cuts if strip is not None], grids, notes


def _page_slope(scene: Scene, rows: list[Row]) -> float:
    """Return the slope that most lines have, weighted by their length."""
    known = [slope_of(scene.marks.boxes[row.marks]) for row in rows if len(row.marks) > 2]
    total = sum(long for _, long in known)
    if not total:
        return 0.0
    order = sorted(known)
    half, so_far = total / 2, 0.0
    for slope, long in order:
        so_far += long
        if so_far >= half:
            return float(np.clip(slope, -STEEPEST, STEEPEST))
    return 0.0


def _slope(scene: Scene, row: Row, page: float) -> float:
    """Return a line's own slope, the shorter it is the more drawn to the page's."""
    slope, long = slope_of(scene.marks.boxes[row.marks])
    weight = max(long - 0.5, 0.0) if len(row.marks) > 2 else 0.3 * max(long - 0.5, 0.0)
    return float(np.clip((weight * slope + 1.5 * page) / (weight + 1.5), -STEEPEST, STEEPEST))


def _moved(strip: Strip, off: tuple[int, int]) -> Strip:
    if off == (0, 0):
        return strip
    move = np.zeros((2, 3))
    move[:, 2] = off
    return replace(strip, to_picture=strip.to_picture + move)


def _moved_grid(grid: Grid, off: tuple[int, int]) -> Grid:
    return replace(
        grid,
        cells=tuple(
            replace(
                cell,
                corners=cell.corners + np.array(off),
                strip=_moved(cell.strip, off) if cell.strip is not None else None,
            )
            for cell in grid.cells
        ),
    )
