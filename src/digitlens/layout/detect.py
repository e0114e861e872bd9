"""From a picture to its lines: `find_lines`.

* Reading order: columns from left to right, in each the lines from top to bottom.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.errors import ShapeError, UsageError
from digitlens.imaging.io import MAX_PIXELS, load_image
from digitlens.layout.analysis import PageAnalysis, analyze_page, prepare_image, rotate_image
from digitlens.layout.color import CHANNELS
from digitlens.layout.connected import estimate_rotation
from digitlens.layout.grouping import (
    PageStatistics,
    TextLine,
    attach_small,
    bounds,
    boxed_rows,
    group_into_lines,
    line_height,
    number_likelihood,
    select_likeliest,
    split_at_gaps,
)
from digitlens.layout.line_crops import (
    STEEPEST,
    CropSource,
    crop_line,
    crop_table,
    line_mask,
    line_slope,
)
from digitlens.layout.types import PageLayout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Box
    from digitlens.imaging.io import ImageSource, LoadedImage
    from digitlens.layout.types import Grid, LineCrop

    Table = NDArray[np.float64]
    Gray: TypeAlias = "NDArray[np.uint8]"


GUTTER = 1.2
"""The least width of bare paper between columns, in line heights."""

LEAST = 3
"""The least lines of a column: two numbers to the right of others are no column."""


def reading_order(boxes: Table) -> list[int]:
    """Return the order in which lines are read.

    The page is cut across where bare paper runs through, into blocks; a block is cut
    downwards where bare paper at least `GUTTER` lines wide runs through and all sides have
    three lines or more (G. Nagy and S. Seth, recursive X-Y cuts, 1984). What stands side by
    side otherwise is read from left to right.

    Parameters
    ----------
    boxes
        float64 (n, 4): left, top, right, bottom.

    Examples
    --------
    >>> page = [[x, y, x + 40, y + 10] for y in (0, 20, 40) for x in (60, 0)]
    >>> reading_order(np.array(page, float))
    [1, 3, 5, 0, 2, 4]
    """
    if not len(boxes):
        return []
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    return _ordered(boxes, list(range(len(boxes))), height)


def _ordered(boxes: Table, group: list[int], height: float) -> list[int]:
    if len(group) < 2:
        return group
    columns = _cut(boxes, group, 0, GUTTER * height)
    if len(columns) > 1 and all(_lines(boxes, column) >= LEAST for column in columns):
        return [index for column in columns for index in _ordered(boxes, column, height)]
    bands = _cut(boxes, group, 1, 0.0)
    if len(bands) > 1:
        return [index for band in bands for index in _ordered(boxes, band, height)]
    return _rows(boxes, group)


def _cut(boxes: Table, group: list[int], axis: int, least: float) -> list[list[int]]:
    """Part a group where nothing lies, for at least `least` pixels along an axis."""
    order = sorted(group, key=lambda index: float(boxes[index, axis]))
    parts = [[order[0]]]
    end = float(boxes[order[0], axis + 2])
    for index in order[1:]:
        if boxes[index, axis] - end > least:
            parts.append([])
        parts[-1].append(index)
        end = max(end, float(boxes[index, axis + 2]))
    return parts


def _lines(boxes: Table, group: list[int]) -> int:
    """Return how many lines stand one below the other."""
    return len(_cut(boxes, group, 1, 0.0))


def _rows(boxes: Table, group: list[int]) -> list[int]:
    """Order what cannot be parted: by rows whose middles overlap, each from the left."""
    rest = sorted(group, key=lambda index: float(boxes[index, 1] + boxes[index, 3]))
    result: list[int] = []
    while rest:
        first = rest[0]
        row = [
            index
            for index in rest
            if 2 * boxes[first, 1] <= boxes[index, 1] + boxes[index, 3] <= 2 * boxes[first, 3]
        ]
        result += sorted(row, key=lambda index: float(boxes[index, 0]))
        rest = [index for index in rest if index not in row]
    return result


MAX_CROPS = 60
"""The most crops that are cut, those of the highest score; what is dropped is said in
`PageLayout.about`."""


WORTH = 0.25
"""The least score of a line that is cut, in the best one's: what is paler, smaller and of more
uneven shapes than that costs a reader time and holds no number."""


def find_lines(
    picture: ImageSource | LoadedImage,
    *,
    count: int | None = None,
    area: Box | None = None,
    boxes: bool = False,
    rotation: float | None = None,
    inverted: bool | None = None,
    stages: bool = False,
) -> PageLayout:
    """Find the lines of writing on a photo or scan that may be numbers.

    Parameters
    ----------
    picture
        What `digitlens.imaging.io.load_image` opens: a path, bytes, a Pillow picture, or an
        array uint8 (H, W) or (H, W, 3).
    count
        How many digits are wanted; changes only the scores.
    area
        Left, top, right, bottom in pixels of the picture: only what lies there is looked at.
    boxes
        Whether the digits are known to stand in a row of printed boxes.
    rotation
        Degrees, counter-clockwise, to turn the picture by; None finds out whether it lies on
        its side or slopes. Whether it stands on its head, nothing but reading can tell.
    inverted
        Whether ink is lighter than paper; None finds out.
    stages
        Whether `PageLayout.stages` is filled.

    Raises
    ------
    MissingDataError, DataError, CorruptFileError, ShapeError
        As `load_image` has it; an array of more than `MAX_PIXELS` pixels is refused too.
    UsageError
        An area outside the picture or not of numbers, a count below 1.
    """
    opened = load_image(picture)
    pixels = opened.pixels
    _check(pixels, count, opened.name)
    size = pixels.shape[1], pixels.shape[0]
    offset = (0, 0)
    if area is not None:
        offset, pixels = _cut_area(pixels, area)
    view = prepare_image(pixels, rotation or 0.0)
    scene = analyze_page(view, inverted=inverted, expect_boxes=boxes)
    if rotation is None:
        angle = estimate_rotation(scene.marks, boxed=bool(scene.lattices or scene.boxes))
        if angle:
            view = rotate_image(view, -angle)
            scene = analyze_page(view, inverted=scene.paper.inverted, expect_boxes=boxes)
    result = _strips(scene, pixels, count=count)
    layout = PageLayout(
        crops=tuple(_moved(crop, offset) for crop in result[0]),
        size=size,
        rotation=view.rotation,
        inverted=scene.paper.inverted,
        grids=tuple(_moved_grid(grid, offset) for grid in result[1]),
        about=(opened.about, *result[2]),
    )
    if stages:
        from digitlens.layout.debug import draw_stages

        layout = replace(layout, stages=draw_stages(scene, layout, offset))
    return layout


def _check(pixels: Gray, count: int | None, name: str) -> None:
    height, width = pixels.shape[:2]
    if height * width > MAX_PIXELS:
        raise ShapeError(
            f"{name} is too large: at most {MAX_PIXELS:,} pixels are looked at",
            seen=f"{width:,} x {height:,} = {width * height:,} pixels",
            try_="make it smaller: digits of 30 pixels are large enough",
        )
    if count is not None and count < 1:
        raise UsageError("the count of digits must be 1 or more", seen=f"{count}")


def _cut_area(pixels: Gray, area: Box) -> tuple[tuple[int, int], Gray]:
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
    scene: PageAnalysis, pixels: Gray, *, count: int | None
) -> tuple[list[LineCrop], list[Grid], list[str]]:
    marks = scene.marks
    source = CropSource(pixels, scene)
    free = np.ones(len(marks.boxes), bool)
    grids = [crop_table(scene, source, lattice, free) for lattice in scene.lattices]
    rows = boxed_rows(marks, scene.cells, scene.boxes, free) + group_into_lines(marks, free)
    rows = [row for row in rows if row.marks]
    attach_small(marks, rows)
    tallest = max((line_height(marks, row.marks) for row in rows), default=1.0)
    place = reading_order(np.array([bounds(marks, row.marks) for row in rows]).reshape(-1, 4))
    listed = []
    tilt = _page_slope(scene, rows)
    page = PageStatistics(scene.mask.shape, tallest, select_likeliest(marks), count)
    for index in place:
        row = rows[index]
        slope = _slope(scene, row, tilt)
        parts = split_at_gaps(marks, row)
        attach_small(marks, parts)
        listed += [
            (item, slope, number_likelihood(marks, item, page)) for item in [row, *parts]
        ]
    best = sorted(range(len(listed)), key=lambda index: -listed[index][2])[:MAX_CROPS]
    best = [index for index in best if listed[index][2] >= WORTH * listed[best[0]][2]]
    notes = [f"{len(listed)} lines"]
    if scene.dropped.channel is not None:
        notes.append(f"coloured print dropped: the {CHANNELS[scene.dropped.channel]} channel")
    if len(listed) > len(best):
        notes.append(f"{len(listed) - len(best)} of them, the least likely, left out")
    if marks.dropped:
        notes.append(f"{marks.dropped} of the smallest marks left out")
    pieces = (listed[index] for index in sorted(best))
    cuts = [
        crop_line(scene, source, line_mask(scene, row, slope=slope, score=value))
        for row, slope, value in pieces
    ]
    return [crop for crop in cuts if crop is not None], grids, notes


def _page_slope(scene: PageAnalysis, rows: list[TextLine]) -> float:
    """Return the slope that most lines have, weighted by their length."""
    known = [line_slope(scene.marks.boxes[row.marks]) for row in rows if len(row.marks) > 2]
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


def _slope(scene: PageAnalysis, row: TextLine, page: float) -> float:
    """Return a line's own slope, the shorter it is the more drawn to the page's."""
    slope, long = line_slope(scene.marks.boxes[row.marks])
    weight = max(long - 0.5, 0.0) if len(row.marks) > 2 else 0.3 * max(long - 0.5, 0.0)
    return float(np.clip((weight * slope + 1.5 * page) / (weight + 1.5), -STEEPEST, STEEPEST))


def _moved(crop: LineCrop, offset: tuple[int, int]) -> LineCrop:
    if offset == (0, 0):
        return crop
    move = np.zeros((2, 3))
    move[:, 2] = offset
    return replace(crop, to_picture=crop.to_picture + move)


def _moved_grid(grid: Grid, offset: tuple[int, int]) -> Grid:
    return replace(
        grid,
        cells=tuple(
            replace(
                cell,
                corners=cell.corners + np.array(offset),
                crop=_moved(cell.crop, offset) if cell.crop is not None else None,
            )
            for cell in grid.cells
        ),
    )
