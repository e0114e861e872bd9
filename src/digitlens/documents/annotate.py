"""A page with what was read on it: a box around each number and digit, text and confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.documents.labels import places
from digitlens.documents.stages import png
from digitlens.reading.places import around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from digitlens.documents.job import Job
    from digitlens.reader import Page
    from digitlens.reading.line import Box, Line

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Font: TypeAlias = "FreeTypeFont | ImageFont"
    Spot: TypeAlias = "tuple[float, float]"

GREEN, AMBER = (0, 120, 60), (255, 176, 0)
"""Of what is sure, and of what is not: apart in lightness, too, and the latter with a ?."""

WHITE, BLACK, MARGIN_GREY = (255, 255, 255), (0, 0, 0), (236, 236, 236)

SMALL, LARGE = 800, 2000
"""Pictures are drawn with their longer side within these, in pixels..."""

LEGIBLE = 24
"""... but never so small that a usual line is lower than this, if it is not in the picture."""

MOST_TIMES = 8.0
"""Small pictures are enlarged no more than this."""

LETTERS = (15, 32)
"""The least and most height of letters; between them they are 0.7 of the digits' height."""


@dataclass(frozen=True)
class Mark:
    """A number as it is drawn."""

    line: Line
    words: str
    sure: bool
    cell: bool = False


def annotated_png(pixels: Pixels, page: Page, job: Job) -> bytes:
    """Draw what was read on a picture.

    Parameters
    ----------
    pixels
        uint8 (H, W) or (H, W, 3): the picture that was read.
    page
        What was read.
    job
        Says what is sure, and what fields are called.

    Returns
    -------
    A PNG file. Around each number goes a box, green where it is sure, amber with a question
    mark where it is not; on the box stand text and confidence; each digit has a thin box of
    its own. In tables each cell shows its digit. Large pictures are made smaller and small
    ones larger, so that the words can be read.
    """
    marks = [*_lines(page, job), *_cells(page, job)]
    heights = [_height(mark.line) for mark in marks]
    scale = scale_of(pixels.shape[1], pixels.shape[0], median(heights) if heights else None)
    return png(np.asarray(_drawn(pixels, marks, scale)))


def scale_of(width: int, height: int, line: float | None) -> float:
    """Return by how much a picture is enlarged, whose lines are `line` pixels high.

    Examples
    --------
    >>> scale_of(4000, 3000, 60), scale_of(8000, 3000, 30), scale_of(90, 40, 30)
    (0.5, 0.8, 8.0)
    """
    longer = max(width, height)
    if longer < SMALL:
        return min(MOST_TIMES, SMALL / longer)
    scale = min(1.0, LARGE / longer)
    return max(scale, min(1.0, LEGIBLE / line)) if line else scale


def _height(line: Line) -> float:
    """Return how high the digits are: the box of a line that slopes is higher."""
    boxes = [digit.box for digit in line.digits] or [line.box]
    return max(1.0, median(bottom - top for _, top, _, bottom in boxes))


def _lines(page: Page, job: Job) -> Iterator[Mark]:
    """Return the lines, those left out that are rows of tables: their cells are drawn."""
    in_cells = {digit for table in page.tables for cell in table.cells if cell
                for digit in cell.digits}  # fmt: skip
    for at, line in enumerate(page.lines):
        if line.digits and in_cells.issuperset(line.digits):
            continue
        sure = job.sure(line, at)
        words = f"{line.text}  {percent(line.confidence)}" if line.text else "nothing"
        name = f"{job.wanted[at].name}: " if job.wanted else ""
        yield Mark(line, name + words + ("" if sure else " ?"), sure)


def _cells(page: Page, job: Job) -> Iterator[Mark]:
    for table in page.tables:
        for cell in table.cells:
            if cell is not None:
                sure = job.sure(cell)
                yield Mark(cell, cell.text + ("" if sure else " ?"), sure, cell=True)


def percent(confidence: float) -> str:
    """Return a confidence in whole per cent; never 100 %, as no reading is certain.

    Examples
    --------
    >>> percent(0.873), percent(0.9999)
    ('87 %', '>99 %')
    """
    return f"{100 * confidence:.0f} %" if confidence < 0.995 else ">99 %"


def _drawn(pixels: Pixels, marks: list[Mark], scale: float) -> Image:
    from PIL import Image, ImageDraw

    wide, high = (max(1, round(side * scale)) for side in pixels.shape[1::-1])
    fonts = [_font(mark, scale) for mark in marks]
    sizes = [_size(mark, font) for mark, font in zip(marks, fonts, strict=True)]
    boxes, spots, edges = _laid(marks, sizes, scale, (wide, high))
    room = wide + 2 * edges[0], high + 2 * edges[1]
    sheet = Image.new("RGB", room, MARGIN_GREY)
    smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    sheet.paste(picture.resize((wide, high), smooth), edges)
    draw = ImageDraw.Draw(sheet)
    for mark, box in zip(marks, boxes, strict=True):
        colour = GREEN if mark.sure else AMBER
        if not mark.cell:
            for digit in mark.line.digits:
                draw.rectangle(_there(digit.box, scale, edges, 1), outline=colour, width=1)
        draw.rectangle(box, outline=colour, width=1 if mark.cell else 3)
    for mark, spot, size, font in zip(marks, spots, sizes, fonts, strict=True):
        colour, ink = (GREEN, WHITE) if mark.sure else (AMBER, BLACK)
        draw.rectangle((*spot, spot[0] + size[0], spot[1] + size[1]), fill=colour)
        middle = spot[0] + size[0] / 2, spot[1] + size[1] / 2
        draw.text(middle, mark.words, fill=ink, font=font, anchor="mm")
    return sheet


def _laid(
    marks: list[Mark], sizes: list[Spot], scale: float, size: tuple[int, int]
) -> tuple[list[Box], list[Spot], tuple[int, int]]:
    """Return the boxes and labels on the sheet, and its margins at the sides and above.

    The margin is as wide as a label is high; where labels would hide something, it is so wide
    at the sides that they have room there.
    """
    upright = math.ceil(max((tall for _, tall in sizes), default=0)) + 6
    widest = math.ceil(max((long for long, _ in sizes), default=0)) + 6
    rows = [at for at, mark in enumerate(marks) if not mark.cell]
    for beside in (upright, max(upright, widest)):
        edges = beside, upright
        boxes = [_there(_whole(mark.line), scale, edges, 3) for mark in marks]
        # Cells stand close: each has its label at the same place, so that one sees whose it is.
        spots = [
            (box[2] - 4, box[1] - tall / 2) for box, (_, tall) in zip(boxes, sizes, strict=True)
        ]
        found, hidden = places(
            [boxes[at] for at in rows],
            [sizes[at] for at in rows],
            (size[0] + 2 * beside, size[1] + 2 * upright),
            [box for box, mark in zip(boxes, marks, strict=True) if mark.cell],
        )
        for at, spot in zip(rows, found, strict=True):
            spots[at] = spot
        if not hidden:
            break
    return boxes, spots, edges


def _font(mark: Mark, scale: float) -> Font:
    from PIL import ImageFont

    share = 0.4 if mark.cell else 0.7
    wanted = share * _height(mark.line) * scale
    return ImageFont.load_default(round(min(max(wanted, LETTERS[0]), LETTERS[1])))


def _size(mark: Mark, font: Font) -> Spot:
    left, _, right, _ = font.getbbox(mark.words)
    _, top, _, bottom = font.getbbox("0?%")
    room = (4.0, 4.0) if mark.cell else (10.0, 8.0)
    return right - left + room[0], bottom - top + room[1]


def _whole(line: Line) -> Box:
    """Return the box around a line and its digits."""
    return around([line.box, *(digit.box for digit in line.digits)])


def _there(box: Box, scale: float, edges: tuple[int, int], more: int) -> Box:
    """Return where a box of the picture lies on the sheet, `more` pixels farther out."""
    left, right = (side * scale + edges[0] for side in box[::2])
    top, bottom = (side * scale + edges[1] for side in box[1::2])
    return left - more, top - more, right + more, bottom + more
