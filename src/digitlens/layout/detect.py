"""From a picture to the lines on it that may be numbers: `find_lines`, and reading order."""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.errors import ShapeError, UsageError
from digitlens.imaging.binarize import COLOR_CHANNELS
from digitlens.imaging.io import MAX_PIXELS, load_image
from digitlens.layout.analysis import PageAnalysis, analyze_page, prepare_image, rotate_image
from digitlens.layout.connected import estimate_rotation
from digitlens.layout.grouping import (
    PageStatistics,
    TextLine,
    attach_small,
    bounds,
    group_boxed_lines,
    group_into_lines,
    line_height,
    measure_strong_ink,
    number_likelihood,
    split_at_gaps,
)
from digitlens.layout.line_crops import (
    MAX_SLOPE,
    CropSource,
    crop_line,
    crop_table,
    draw_line_region,
    line_slope,
)
from digitlens.layout.page_layout import PageLayout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

    from digitlens.geometry import Box, Floats, Pixels
    from digitlens.imaging.io import ImageSource, LoadedImage
    from digitlens.layout.page_layout import LineCrop

    Candidate: TypeAlias = tuple[TextLine, float, float]
    """A line, its slope and its score."""


# Lines that are cut out, those of the highest scores; `PageLayout.about` says what was left
# out.
MAX_CROPS = 60
# The least score of a line that is cut out, in the best one's: what is paler, smaller and of
# more uneven shapes costs a reader time and holds no number.
MIN_RELATIVE_SCORE = 0.25
# Of the area to look at, in pixels.
MIN_AREA_SIDE = 5
# Bare paper between columns, in line heights, and lines of a column: two numbers to the right
# of others are no column.
MIN_COLUMN_GAP, MIN_COLUMN_LINES = 1.2, 3


def find_lines(
    picture: ImageSource | LoadedImage,
    *,
    count: int | None = None,
    area: Box | None = None,
    boxes: bool = False,
    rotation: float | None = None,
    quarters: int | None = None,
    inverted: bool | None = None,
    stages: bool = False,
    parted: Callable[[PageLayout], Collection[LineCrop]] | None = None,
) -> PageLayout:
    """Find the lines of writing on a photo or scan that may be numbers.

    picture: a path, bytes, a Pillow picture, an array uint8 (H, W) or (H, W, 3), or what
        `digitlens.imaging.io.load_image` returned
    count: how many digits are wanted; changes only the scores
    area: left, top, right, bottom in pixels of the picture: only what lies there is examined
    boxes: whether the digits are known to stand in a row of printed boxes
    rotation: degrees, counter-clockwise, to turn the picture by; None finds out whether it lies
        on its side or slopes. Whether it is upside down, only reading can tell.
    quarters: quarter turns, counter-clockwise, where only the slope is to be found out
    inverted: whether the ink is lighter than the paper; None finds out
    stages: whether `PageLayout.stages` is filled
    parted: says of whole lines of which of them the parts are cut out, too; None for all

    Raises MissingDataError, DataError, CorruptFileError, ShapeError: as `load_image` has it; an
    array of more than `MAX_PIXELS` pixels is refused too; UsageError: an area outside the
    picture or not of numbers, a count below 1.
    """
    # Load, and check what was asked for.
    image = load_image(picture)
    _check(image, count)
    offset, pixels = _crop_area(image.pixels, area)

    # Prepare -> binarize -> boxes; once more if the page turns out to lie askew.
    view = prepare_image(pixels, rotation or 90.0 * (quarters or 0))
    page = analyze_page(view, inverted=inverted, expect_boxes=boxes)
    doubtful = False
    if rotation is None:
        has_boxes = bool(page.lattices or page.box_rows)
        sideways = None if quarters is None else False
        angle, doubtful = estimate_rotation(page.components, boxed=has_boxes, sideways=sideways)
        if angle:
            view = rotate_image(view, -angle)
            known = page.background.inverted
            page = analyze_page(view, inverted=known, expect_boxes=boxes)

    # Tables first: what stands in them is in no line.
    source = CropSource(pixels, page)
    free = np.ones(len(page.components.boxes), bool)
    grids = [crop_table(page, source, lattice, free) for lattice in page.lattices]

    # Lines -> rank -> crop.
    lines = _group_lines(page, free)
    candidates = _rank_lines(page, lines, count)
    chosen = _select_likeliest(candidates)
    cut_out = partial(_cut_out, page, source, offset)
    whole = {id(item[0]): cut_out(item) for item in chosen if not item[0].part}
    layout = PageLayout(
        crops=tuple(crop for crop in whole.values() if crop is not None),
        size=(image.pixels.shape[1], image.pixels.shape[0]),
        rotation=view.rotation,
        inverted=page.background.inverted,
        doubtful=doubtful,
        grids=tuple(grid.shift(offset) for grid in grids),
        about=(image.about, *_describe(page, len(candidates), len(chosen))),
    )
    chosen = _drop_parts(chosen, whole, layout.crops if parted is None else parted(layout))
    crops = (whole[id(item[0])] if id(item[0]) in whole else cut_out(item) for item in chosen)
    layout = replace(layout, crops=tuple(crop for crop in crops if crop is not None))
    if stages:
        from digitlens.layout.debug import draw_stages

        layout = replace(layout, stages=draw_stages(page, layout, offset))
    return layout


def _cut_out(
    page: PageAnalysis, source: CropSource, offset: tuple[int, int], candidate: Candidate
) -> LineCrop | None:
    """Return the crop of a line, in pixels of the picture; None where nothing of it is left."""
    line, slope, score = candidate
    crop = crop_line(page, source, draw_line_region(page, line, slope=slope, score=score))
    return None if crop is None else crop.shift(offset)


def _drop_parts(
    candidates: list[Candidate],
    whole: Mapping[int, LineCrop | None],
    parted: Collection[LineCrop],
) -> list[Candidate]:
    """Leave out parts unless a whole line beside them in the order, theirs, is `parted`."""
    places = [index for index, (line, _, _) in enumerate(candidates) if not line.part]
    kept = [whole[id(candidates[place][0])] in (*parted, None) for place in places]
    return [
        item
        for index, item in enumerate(candidates)
        for place in [bisect(places, index)]
        if not item[0].part or not places or any(kept[max(0, place - 1) : place + 1])
    ]


def _check(image: LoadedImage, count: int | None) -> None:
    height, width = image.pixels.shape[:2]
    if height * width > MAX_PIXELS:
        raise ShapeError(
            f"{image.name} is too large: at most {MAX_PIXELS:,} pixels are looked at",
            seen=f"{width:,} x {height:,} = {width * height:,} pixels",
            try_="make it smaller: digits of 30 pixels are large enough",
        )
    if count is not None and count < 1:
        raise UsageError("the count of digits must be 1 or more", seen=f"{count}")


def _crop_area(pixels: Pixels, area: Box | None) -> tuple[tuple[int, int], Pixels]:
    """Return where the area begins, and its pixels; all of them without an area."""
    if area is None:
        return (0, 0), pixels
    height, width = pixels.shape[:2]
    if not all(map(math.isfinite, area)):
        raise UsageError(
            "the area must be left, top, right, bottom in pixels, four numbers", seen=f"{area}"
        )
    left, top = max(0, round(area[0])), max(0, round(area[1]))
    right, bottom = min(width, round(area[2])), min(height, round(area[3]))
    if right - left < MIN_AREA_SIDE or bottom - top < MIN_AREA_SIDE:
        raise UsageError(
            "the area must be left, top, right, bottom within the picture, "
            f"{MIN_AREA_SIDE} pixels at least",
            seen=f"{area}; the picture is {width} x {height}",
        )
    return (left, top), np.ascontiguousarray(pixels[top:bottom, left:right])


def _group_lines(page: PageAnalysis, free: NDArray[np.bool_]) -> list[TextLine]:
    """Return the lines in reading order."""
    components = page.components
    lines = group_boxed_lines(components, page.boxes, page.box_rows, free)
    lines += group_into_lines(components, free)
    lines = [line for line in lines if line.members]
    attach_small(components, lines)
    boxes = np.array([bounds(components, line.members) for line in lines]).reshape(-1, 4)
    return [lines[index] for index in reading_order(boxes)]


def _rank_lines(
    page: PageAnalysis, lines: list[TextLine], count: int | None
) -> list[Candidate]:
    """Return each line, and its parts after it."""
    components = page.components
    tallest = max((line_height(components, line.members) for line in lines), default=1.0)
    statistics = PageStatistics(page.mask.shape, tallest, measure_strong_ink(components), count)
    own_slopes = [line_slope(components.boxes[line.members]) for line in lines]
    page_slope = _estimate_page_slope(lines, own_slopes)
    ranked = []
    for line, own_slope in zip(lines, own_slopes, strict=True):
        slope = _estimate_slope(line, own_slope, page_slope)
        parts = split_at_gaps(components, line)
        attach_small(components, parts)
        ranked += [
            (item, slope, number_likelihood(components, item, statistics))
            for item in (line, *parts)
        ]
    return ranked


def _estimate_page_slope(lines: list[TextLine], own_slopes: list[tuple[float, float]]) -> float:
    """Return the slope that most lines have: the median, weighted by their length."""
    pairs = zip(lines, own_slopes, strict=True)
    slopes = [own_slope for line, own_slope in pairs if len(line.members) > 2]
    half, cumulated = sum(length for _, length in slopes) / 2, 0.0
    for slope, length in sorted(slopes) if half else ():
        cumulated += length
        if cumulated >= half:
            return float(np.clip(slope, -MAX_SLOPE, MAX_SLOPE))
    return 0.0


def _estimate_slope(line: TextLine, own_slope: tuple[float, float], page_slope: float) -> float:
    """Return a line's own slope, drawn the more to the page's the shorter it is.

    `own_slope` is what `line_slope` returned: the slope, and the line's length in heights.
    """
    slope, length = own_slope
    weight = max(length - 0.5, 0.0)
    if len(line.members) <= 2:
        weight *= 0.3
    mean = (weight * slope + 1.5 * page_slope) / (weight + 1.5)
    return float(np.clip(mean, -MAX_SLOPE, MAX_SLOPE))


def _select_likeliest(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates of the highest scores, in reading order."""
    scores = [score for _, _, score in candidates]
    best = sorted(range(len(scores)), key=lambda index: -scores[index])[:MAX_CROPS]
    best = [index for index in best if scores[index] >= MIN_RELATIVE_SCORE * scores[best[0]]]
    return [candidates[index] for index in sorted(best)]


def _describe(page: PageAnalysis, total: int, cropped: int) -> list[str]:
    """Return in words how many lines there are, and what was dropped or left out."""
    notes = [f"{total} lines"]
    if page.dropout.channel is not None:
        channel = COLOR_CHANNELS[page.dropout.channel]
        notes.append(f"coloured print dropped: the {channel} channel")
    if total > cropped:
        notes.append(f"{total - cropped} of them, the least likely, left out")
    if page.components.dropped:
        notes.append(f"{page.components.dropped} of the smallest marks left out")
    return notes


def reading_order(boxes: Floats) -> list[int]:
    """Return the order in which lines are read.

    The page is cut across where bare paper runs through, into blocks; a block is cut downwards
    where bare paper at least `MIN_COLUMN_GAP` lines wide runs through and all sides have three
    lines or more (G. Nagy and S. Seth, recursive X-Y cuts, 1984). What stands side by side
    otherwise is read from left to right.

    >>> page = [[x, y, x + 40, y + 10] for y in (0, 20, 40) for x in (60, 0)]
    >>> reading_order(np.array(page, float))
    [1, 3, 5, 0, 2, 4]
    """
    if not len(boxes):
        return []
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    return _order(boxes, list(range(len(boxes))), height)


def _order(boxes: Floats, group: list[int], height: float) -> list[int]:
    if len(group) < 2:
        return group
    columns = _cut(boxes, group, 0, MIN_COLUMN_GAP * height)
    counts = [len(_cut(boxes, column, 1, 0.0)) for column in columns]
    if len(columns) > 1 and min(counts) >= MIN_COLUMN_LINES:
        return [index for column in columns for index in _order(boxes, column, height)]
    bands = _cut(boxes, group, 1, 0.0)
    if len(bands) > 1:
        return [index for band in bands for index in _order(boxes, band, height)]
    return _order_rows(boxes, group)


def _cut(boxes: Floats, group: list[int], axis: int, min_gap: float) -> list[list[int]]:
    """Split a group where nothing lies for more than `min_gap` pixels along an axis."""
    order = sorted(group, key=lambda index: float(boxes[index, axis]))
    parts = [[order[0]]]
    end = float(boxes[order[0], axis + 2])
    for index in order[1:]:
        if boxes[index, axis] - end > min_gap:
            parts.append([])
        parts[-1].append(index)
        end = max(end, float(boxes[index, axis + 2]))
    return parts


def _order_rows(boxes: Floats, group: list[int]) -> list[int]:
    """Order what cannot be cut: by rows whose middles overlap, each from the left."""
    middles = boxes[:, 1] + boxes[:, 3]  # twice as far down as they are
    rest = sorted(group, key=lambda index: float(middles[index]))
    ordered: list[int] = []
    while rest:
        top, bottom = boxes[rest[0], 1], boxes[rest[0], 3]
        row = [index for index in rest if 2 * top <= middles[index] <= 2 * bottom]
        ordered += sorted(row, key=lambda index: float(boxes[index, 0]))
        rest = [index for index in rest if index not in row]
    return ordered
