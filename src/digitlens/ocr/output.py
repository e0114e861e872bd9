"""What was read, as text, CSV and JSON, on an annotated picture, and as pictures of the steps.

See docs/reading.md for each key and column.
"""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens.geometry import enclosing_box
from digitlens.metrics.formatting import certainty
from digitlens.storage import make_folder, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from digitlens.ctc.line import Line
    from digitlens.geometry import Box
    from digitlens.ocr.options import PageResult, ReadOptions
    from digitlens.ocr.page import Page, Stage

    Rectangle: TypeAlias = "tuple[float, float, float, float]"
    Size: TypeAlias = "tuple[float, float]"
    Pixels: TypeAlias = "NDArray[np.uint8]"
    Font: TypeAlias = "FreeTypeFont | ImageFont"
    Spot: TypeAlias = "tuple[float, float]"


FORMAT = 1
"""Another number when a key of the JSON or a column of the CSV changes its meaning."""

COLUMNS = (
    "file",
    "page",
    "field",
    "text",
    "confidence",
    "sure",
    "left",
    "top",
    "right",
    "bottom",
)

WIDTH = 12
"""Columns for a number in the text: longer ones push the rest aside."""


def format_text(result: PageResult, options: ReadOptions, width: int = 0) -> list[str]:
    """Return a row for each number of a page.

    Parameters
    ----------
    result
        Of the page; one that could not be read has no rows.
    options
        Say what is sure, and what fields are called.
    width
        Columns for the file's name.
    """
    name_width = max((len(field.name) for field in options.fields), default=0)
    rows = []
    for index, line in enumerate(result.lines):
        name = options.field_name(index)
        field = "" if name is None else f"{name:{name_width}}   "
        text = line.text or "nothing"
        sure = "" if options.is_sure(line, index) else "   ? not sure"
        confidence = f"{certainty(line.confidence):>8}{sure}"
        rows.append(f"{result.name:{width}}   {field}{text:{WIDTH}}   {confidence}")
    return rows


def csv_head() -> str:
    """Return the names of the CSV's columns."""
    return _csv(COLUMNS)


def format_csv(result: PageResult, options: ReadOptions) -> list[str]:
    """Return a CSV row for each number of a page."""
    rows = []
    for index, line in enumerate(result.lines):
        field = options.field_name(index) or ""
        sure = "true" if options.is_sure(line, index) else "false"
        edges = [f"{edge:.1f}" for edge in line.box]
        page = "" if result.number is None else result.number
        rows.append(
            _csv([result.file, page, field, line.text, f"{line.confidence:.6f}", sure, *edges])
        )
    return rows


def _csv(row: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def json_head(model: str, options: ReadOptions, max_error: float | None) -> str:
    """Return the JSON up to the first picture."""
    bars = [
        {
            "field": options.field_name(index),
            "confidence": None if threshold is None else round(threshold, 6),
        }
        for index, threshold in enumerate(options.thresholds)
    ]
    head = {"format": FORMAT, "model": model, "max_error": max_error, "bars": bars}
    return _json(head)[:-1] + ', "pictures": ['


def json_tail(rejected: list[PageResult]) -> str:
    """Return the rest of the JSON: what was rejected."""
    rows = [
        {"file": item.file, "page": item.number, "error": str(item.error)} for item in rejected
    ]
    return f'], "rejected": {_json(rows)}}}'


def format_json(result: PageResult, options: ReadOptions) -> str:
    """Return a page that was read as one line of JSON."""
    assert result.page is not None, "the page was read"
    page = result.page.as_dict()
    lines = [
        {"field": options.field_name(index), "sure": options.is_sure(line, index)}
        | _drop_format(item)
        for index, (line, item) in enumerate(
            zip(result.page.lines, page.pop("lines"), strict=True)
        )
    ]
    tables = [
        table | {"cells": [item and _drop_format(item) for item in table["cells"]]}
        for table in page.pop("tables")
    ]
    head = {"file": result.file, "page": result.number}
    return _json(head | page | {"lines": lines, "tables": tables})


def _drop_format(line: dict[str, Any]) -> dict[str, Any]:
    """Leave out a line's own format number: that of the whole file covers it."""
    return {key: value for key, value in line.items() if key != "format"}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


GAP = 3.0
"""Pixels between a box and its label."""


def place_labels(
    boxes: Sequence[Rectangle],
    sizes: Sequence[Size],
    room: Size,
    others: Sequence[Rectangle] = (),
) -> tuple[list[Spot], float]:
    """Return for each box where the upper left corner of its label goes.

    Above the box or below, from its left or up to its right, or beside it: the first place
    that is on the sheet and touches no box and no label before it; else that which covers
    least of them.

    Parameters
    ----------
    boxes
        Left, top, right, bottom.
    sizes
        Width and height of each box's label.
    room
        Width and height of the sheet.
    others
        What else is not to be covered.

    Returns
    -------
    The places, and how many pixels of boxes and labels are covered by labels.

    Examples
    --------
    >>> place_labels([(50, 50, 90, 70)], [(30, 10)], (200, 200))
    ([(50.0, 37.0)], 0.0)
    >>> place_labels([(50, 0, 90, 20)], [(30, 10)], (200, 200))
    ([(50.0, 23.0)], 0.0)
    """
    taken = np.array([*boxes, *others], np.float64).reshape(-1, 4)
    result, hidden = [], 0.0
    for box, (width, height) in zip(boxes, sizes, strict=True):
        corners = _around(box, width, height)
        corners[:, 0] = np.clip(corners[:, 0], 0, max(0.0, room[0] - width))
        corners[:, 1] = np.clip(corners[:, 1], 0, max(0.0, room[1] - height))
        labels = np.column_stack([corners, corners + np.array([width, height])])
        covered = _covered(labels, taken)
        best = int(np.argmin(covered))
        taken = np.vstack([taken, labels[best]])
        hidden += float(covered[best])
        result.append((float(labels[best, 0]), float(labels[best, 1])))
    return result, hidden


def _around(box: Rectangle, width: float, height: float) -> NDArray[np.float64]:
    left, top, right, bottom = box
    above, below, middle = top - GAP - height, bottom + GAP, (top + bottom - height) / 2
    upright = [(x, y) for x in (left, right - width) for y in (above, below)]
    beside = [(right + GAP, middle), (left - GAP - width, middle)]
    return np.array([*upright, *beside], np.float64)


def _covered(labels: NDArray[np.float64], taken: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many pixels of what is taken each label would cover: float64 (N,)."""
    low = np.maximum(labels[:, None, :2], taken[None, :, :2])
    height = np.minimum(labels[:, None, 2:], taken[None, :, 2:])
    sides = np.maximum(height - low, 0.0)
    return np.asarray((sides[..., 0] * sides[..., 1]).sum(axis=1), np.float64)


def write_stages(stages: Sequence[Stage], folder: Path) -> int:
    """Write each step into `folder`, which is made, as ``1-seen.png`` and so on.

    Returns how many there were.

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    make_folder(folder)
    for index, (name, picture) in enumerate(stages, 1):
        number, dash, _ = name.partition("-")
        whole = name if dash and number.isdigit() else f"{index}-{name}"
        write_bytes(folder / f"{whole}.png", png(picture))
    return len(stages)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return uint8 (H, W) or (H, W, 3) as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    # Level 3 of 9: half the time of the usual 6, and files a tenth larger.
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=3)
    return file.getvalue()


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
class Annotation:
    """A number as it is drawn."""

    line: Line
    words: str
    sure: bool
    cell: bool = False


def annotated_png(pixels: Pixels, page: Page, options: ReadOptions) -> bytes:
    """Draw what was read on a picture.

    Parameters
    ----------
    pixels
        uint8 (H, W) or (H, W, 3): the picture that was read.
    page
        What was read.
    options
        Say what is sure, and what fields are called.

    Returns
    -------
    A PNG file. Around each number goes a box, green where it is sure, amber with a question
    mark where it is not; on the box stand text and confidence; each digit has a thin box of
    its own. In tables each cell shows its digit. Large pictures are made smaller and small
    ones larger, so that the words can be read.
    """
    marks = [*_lines(page, options), *_cells(page, options)]
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


def _lines(page: Page, options: ReadOptions) -> Iterator[Annotation]:
    """Return the lines, those left out that are rows of tables: their cells are drawn."""
    in_cells = {digit for table in page.tables for cell in table.cells if cell
                for digit in cell.digits}  # fmt: skip
    for index, line in enumerate(page.lines):
        if line.digits and in_cells.issuperset(line.digits):
            continue
        sure = options.is_sure(line, index)
        words = f"{line.text}  {certainty(line.confidence, 0)}" if line.text else "nothing"
        name = options.field_name(index)
        label = "" if name is None else f"{name}: "
        yield Annotation(line, label + words + ("" if sure else " ?"), sure)


def _cells(page: Page, options: ReadOptions) -> Iterator[Annotation]:
    for table in page.tables:
        for cell in table.cells:
            if cell is not None:
                sure = options.is_sure(cell)
                yield Annotation(cell, cell.text + ("" if sure else " ?"), sure, cell=True)


def _drawn(pixels: Pixels, marks: list[Annotation], scale: float) -> Image:
    from PIL import Image, ImageDraw

    width, height = (max(1, round(side * scale)) for side in pixels.shape[1::-1])
    fonts = [_font(mark, scale) for mark in marks]
    sizes = [_size(mark, font) for mark, font in zip(marks, fonts, strict=True)]
    boxes, spots, edges = _laid(marks, sizes, scale, (width, height))
    room = width + 2 * edges[0], height + 2 * edges[1]
    sheet = Image.new("RGB", room, MARGIN_GREY)
    smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    sheet.paste(picture.resize((width, height), smooth), edges)
    draw = ImageDraw.Draw(sheet)
    for mark, box in zip(marks, boxes, strict=True):
        color = GREEN if mark.sure else AMBER
        if not mark.cell:
            for digit in mark.line.digits:
                draw.rectangle(_there(digit.box, scale, edges, 1), outline=color, width=1)
        draw.rectangle(box, outline=color, width=1 if mark.cell else 3)
    for mark, spot, size, font in zip(marks, spots, sizes, fonts, strict=True):
        color, ink = (GREEN, WHITE) if mark.sure else (AMBER, BLACK)
        draw.rectangle((*spot, spot[0] + size[0], spot[1] + size[1]), fill=color)
        middle = spot[0] + size[0] / 2, spot[1] + size[1] / 2
        draw.text(middle, mark.words, fill=ink, font=font, anchor="mm")
    return sheet


def _laid(
    marks: list[Annotation], sizes: list[Spot], scale: float, size: tuple[int, int]
) -> tuple[list[Box], list[Spot], tuple[int, int]]:
    """Return the boxes and labels on the sheet, and its margins at the sides and above.

    The margin is as wide as a label is high; where labels would hide something, it is so wide
    at the sides that they have room there.
    """
    upright = math.ceil(max((tall for _, tall in sizes), default=0)) + 6
    widest = math.ceil(max((long for long, _ in sizes), default=0)) + 6
    rows = [index for index, mark in enumerate(marks) if not mark.cell]
    for beside in (upright, max(upright, widest)):
        edges = beside, upright
        boxes = [_there(_whole(mark.line), scale, edges, 3) for mark in marks]
        # Cells stand close: each has its label at the same place, so that one sees whose it is.
        spots = [
            (box[2] - 4, box[1] - tall / 2) for box, (_, tall) in zip(boxes, sizes, strict=True)
        ]
        result, hidden = place_labels(
            [boxes[index] for index in rows],
            [sizes[index] for index in rows],
            (size[0] + 2 * beside, size[1] + 2 * upright),
            [box for box, mark in zip(boxes, marks, strict=True) if mark.cell],
        )
        for index, spot in zip(rows, result, strict=True):
            spots[index] = spot
        if not hidden:
            break
    return boxes, spots, edges


def _font(mark: Annotation, scale: float) -> Font:
    from PIL import ImageFont

    share = 0.4 if mark.cell else 0.7
    wanted = share * _height(mark.line) * scale
    return ImageFont.load_default(round(min(max(wanted, LETTERS[0]), LETTERS[1])))


def _size(mark: Annotation, font: Font) -> Spot:
    left, _, right, _ = font.getbbox(mark.words)
    _, top, _, bottom = font.getbbox("0?%")
    room = (4.0, 4.0) if mark.cell else (10.0, 8.0)
    return right - left + room[0], bottom - top + room[1]


def _whole(line: Line) -> Box:
    """Return the box around a line and its digits."""
    return enclosing_box([line.box, *(digit.box for digit in line.digits)])


def _there(box: Box, scale: float, edges: tuple[int, int], more: int) -> Box:
    """Return where a box of the picture lies on the sheet, `more` pixels farther out."""
    left, right = (side * scale + edges[0] for side in box[::2])
    top, bottom = (side * scale + edges[1] for side in box[1::2])
    return left - more, top - more, right + more, bottom + more
