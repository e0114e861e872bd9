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

from digitlens.errors import printable
from digitlens.geometry import enclosing_box
from digitlens.metrics.formatting import certainty
from digitlens.ocr.page import ReadOptions
from digitlens.storage import make_folder, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from digitlens.ctc.line import Line
    from digitlens.geometry import Box
    from digitlens.ocr.page import Page, PageResult, Stage

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Font: TypeAlias = "FreeTypeFont | ImageFont"
    Point: TypeAlias = "tuple[float, float]"
    LabelSize: TypeAlias = "tuple[float, float]"
    """Width and height."""


FORMAT = 1  # another number when a key of the JSON or a column of the CSV changes its meaning

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

NUMBER_WIDTH = 12  # columns for a number in the text output; longer ones push the rest aside


def format_text(result: PageResult, options: ReadOptions, width: int = 0) -> list[str]:
    """Return a row for each number of a page, the file's name in `width` columns."""
    name_width = max((len(field.name) for field in options.fields), default=0)
    rows = []
    for index, line in options.shown(result.lines):
        name = options.field_name(index)
        field = "" if name is None else f"{name:{name_width}}   "
        text = line.text or "nothing"
        sure = "" if options.is_sure(line, index) else "   ? not sure"
        confidence = f"{certainty(line.confidence):>8}{sure}"
        rows.append(
            f"{printable(result.name):{width}}   {field}{text:{NUMBER_WIDTH}}   {confidence}"
        )
    return rows


def csv_head() -> str:
    """Return the names of the CSV's columns."""
    return _csv(COLUMNS)


def format_csv(result: PageResult, options: ReadOptions) -> list[str]:
    """Return a CSV row for each number of a page."""
    rows = flat_rows(result, options)
    return [_csv(csv_cells(row, COLUMNS)) for row in rows if "text" in row]


def flat_rows(result: PageResult, options: ReadOptions) -> list[dict[str, Any]]:
    """Return a row for each number of a page, with `COLUMNS` as keys; at least one row.

    A page without numbers, and one that could not be read, have a row with few keys.
    """
    head: dict[str, Any] = {"file": result.file, "page": result.number}
    if result.error is not None:
        return [head | result.error.as_dict()]
    rows = []
    for index, line in options.shown(result.lines):
        values: tuple[object, ...] = (options.field_name(index), line.text)
        values += round(line.confidence, 6), options.is_sure(line, index)
        edges = [round(float(edge), 1) for edge in line.box]
        rows.append(head | dict(zip(COLUMNS[2:], (*values, *edges), strict=True)))
    return rows or [head]


def csv_cells(row: Mapping[str, object], columns: Iterable[str]) -> list[str]:
    """Return what stands in a CSV of a row's values: shares with six decimals, edges with one.

    >>> csv_cells({"confidence": 0.5, "sure": True}, ("confidence", "sure", "page"))
    ['0.500000', 'true', '']
    """
    cells = []
    for name in columns:
        value = row.get(name)
        if isinstance(value, float):
            cells.append(f"{value:.{1 if name in COLUMNS[-4:] else 6}f}")
        elif isinstance(value, bool):
            cells.append(str(value).lower())
        else:
            cells.append("" if value is None else str(value))
    return cells


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
    return _json(page_row(result, options))


def page_row(result: PageResult, options: ReadOptions) -> dict[str, Any]:
    """Return a page that was read as plain values; one that was not, with its error."""
    head = {"file": result.file, "page": result.number}
    if result.error is not None:
        return head | result.error.as_dict()
    assert result.page is not None, "the page was read"
    page = result.page.as_dict()
    rows = page.pop("lines")
    lines = [
        {"field": options.field_name(index), "sure": options.is_sure(line, index)}
        | _drop_format(rows[index])
        for index, line in options.shown(result.page.lines)
    ]
    tables = [
        table | {"cells": [item and _drop_format(item) for item in table["cells"]]}
        for table in page.pop("tables")
    ]
    words = page.pop("words")
    return head | page | {"lines": lines, "tables": tables, "words": words}


def _drop_format(line: dict[str, Any]) -> dict[str, Any]:
    """Leave out a line's own format number: that of the whole file covers it."""
    return {key: value for key, value in line.items() if key != "format"}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


LABEL_GAP = 3.0  # pixels between a box and its label


def place_labels(
    boxes: Sequence[Box],
    sizes: Sequence[LabelSize],
    sheet: LabelSize,
    others: Sequence[Box] = (),
) -> tuple[list[Point], float]:
    """Return for each box where the upper left corner of its label goes.

    Above the box or below, from its left or up to its right, or at its side: the first place
    on the sheet that touches no box and no earlier label; else the one that covers least of
    them.

    `others` are boxes without a label that are not to be covered either. Returned are the
    places, and how many pixels of boxes and labels are covered by labels.

    >>> place_labels([(50, 50, 90, 70)], [(30, 10)], (200, 200))
    ([(50.0, 37.0)], 0.0)
    >>> place_labels([(50, 0, 90, 20)], [(30, 10)], (200, 200))
    ([(50.0, 23.0)], 0.0)
    """
    taken = np.array([*boxes, *others], np.float64).reshape(-1, 4)
    result, hidden = [], 0.0
    for box, (width, height) in zip(boxes, sizes, strict=True):
        # All places, moved onto the sheet where they would leave it.
        corners = _list_places(box, width, height)
        corners[:, 0] = np.clip(corners[:, 0], 0, max(0.0, sheet[0] - width))
        corners[:, 1] = np.clip(corners[:, 1], 0, max(0.0, sheet[1] - height))
        labels = np.column_stack([corners, corners + np.array([width, height])])
        covered = _measure_overlaps(labels, taken)
        # The first of those that cover least; later labels avoid this one.
        best = int(np.argmin(covered))
        taken = np.vstack([taken, labels[best]])
        hidden += float(covered[best])
        result.append((float(labels[best, 0]), float(labels[best, 1])))
    return result, hidden


def _list_places(box: Box, width: float, height: float) -> NDArray[np.float64]:
    left, top, right, bottom = box
    above, below, middle = (
        top - LABEL_GAP - height,
        bottom + LABEL_GAP,
        (top + bottom - height) / 2,
    )
    upright = [(x, y) for x in (left, right - width) for y in (above, below)]
    beside = [(right + LABEL_GAP, middle), (left - LABEL_GAP - width, middle)]
    return np.array([*upright, *beside], np.float64)


def _measure_overlaps(
    labels: NDArray[np.float64], taken: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how many pixels of what is taken each label would cover: float64 (N,)."""
    start = np.maximum(labels[:, None, :2], taken[None, :, :2])
    end = np.minimum(labels[:, None, 2:], taken[None, :, 2:])
    sides = np.maximum(end - start, 0.0)
    return np.asarray((sides[..., 0] * sides[..., 1]).sum(axis=1), np.float64)


def write_stages(stages: Sequence[Stage], folder: Path) -> int:
    """Write each step into a new folder as ``1-seen.png`` and so on; return how many."""
    make_folder(folder)
    for index, (name, picture) in enumerate(stages, 1):
        number, dash, _ = name.partition("-")
        stem = name if dash and number.isdigit() else f"{index}-{name}"
        write_bytes(folder / f"{stem}.png", encode_png(picture))
    return len(stages)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return uint8 (H, W) or (H, W, 3) as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    # Level 3 of 9: half the time of the usual 6, and files a tenth larger.
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=3)
    return file.getvalue()


GREEN, AMBER = (0, 120, 60), (255, 176, 0)
"""Colours of what is sure and what is not; they differ in lightness, too."""

WHITE, BLACK, MARGIN_GREY = (255, 255, 255), (0, 0, 0), (236, 236, 236)

MIN_LONG_SIDE, MAX_LONG_SIDE = 800, 2000
"""Pictures are scaled for their longer side to lie within these, in pixels, ..."""

MIN_LINE_HEIGHT = 24  # ... but never down so far that the median line is lower than this.
MAX_ENLARGEMENT = 8.0  # small pictures are enlarged no more than this

FONT_SIZES = (15, 32)
"""Smallest and largest; between them letters are 0.7 of the digits' height."""


@dataclass(frozen=True)
class Annotation:
    """A number as it is drawn."""

    line: Line
    words: str
    sure: bool
    cell: bool = False


def annotated_png(pixels: Pixels, page: Page, options: ReadOptions) -> bytes:
    """Draw what was read on a picture.

    pixels: uint8 (H, W) or (H, W, 3): the picture that was read
    page: what was read
    options: say what is sure, and what fields are called

    Returns a PNG file. Around each number goes a box, green where it is sure, amber with a
    question mark where it is not; on the box stand text and confidence; each digit has a thin
    box of its own. In tables each cell shows its digit. Large pictures are made smaller and
    small ones larger, so that the words can be read.
    """
    annotations = [*_annotate_lines(page, options), *_annotate_cells(page, options)]
    heights = [_digit_height(item.line) for item in annotations]
    height, width = pixels.shape[:2]
    scale = choose_picture_scale(width, height, median(heights) if heights else None)
    return encode_png(np.asarray(_draw(pixels, annotations, scale)))


def page_png(page: Page) -> bytes | None:
    """Return `annotated_png` of a page that kept its pixels; None for others."""
    return None if page.pixels is None else annotated_png(page.pixels, page, ReadOptions())


def choose_picture_scale(width: int, height: int, line: float | None) -> float:
    """Return by how much a picture is enlarged, whose lines are `line` pixels high.

    >>> sizes = (4000, 3000, 60), (8000, 3000, 30), (90, 40, 30)
    >>> [choose_picture_scale(*size) for size in sizes]
    [0.5, 0.8, 8.0]
    """
    longer = max(width, height)
    if longer < MIN_LONG_SIDE:
        return min(MAX_ENLARGEMENT, MIN_LONG_SIDE / longer)
    scale = min(1.0, MAX_LONG_SIDE / longer)
    return max(scale, min(1.0, MIN_LINE_HEIGHT / line)) if line else scale


def _digit_height(line: Line) -> float:
    """Return how high the digits are: the box of a line that slopes is higher."""
    boxes = [digit.box for digit in line.digits] or [line.box]
    return max(1.0, median(bottom - top for _, top, _, bottom in boxes))


def _annotate_lines(page: Page, options: ReadOptions) -> Iterator[Annotation]:
    """Yield the lines that are no rows of tables; of these the cells are drawn."""
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


def _annotate_cells(page: Page, options: ReadOptions) -> Iterator[Annotation]:
    for table in page.tables:
        for cell in table.cells:
            if cell is not None:
                sure = options.is_sure(cell)
                yield Annotation(cell, cell.text + ("" if sure else " ?"), sure, cell=True)


def _draw(pixels: Pixels, annotations: list[Annotation], scale: float) -> Image:
    from PIL import Image, ImageDraw

    width, height = (max(1, round(side * scale)) for side in pixels.shape[1::-1])
    # Lay out the labels first: they say how much margin the sheet needs.
    fonts = [_choose_font(item, scale) for item in annotations]
    sizes = [_measure_label(item, font) for item, font in zip(annotations, fonts, strict=True)]
    boxes, spots, edges = _lay_out(annotations, sizes, scale, (width, height))
    size = width + 2 * edges[0], height + 2 * edges[1]
    sheet = Image.new("RGB", size, MARGIN_GREY)
    # The picture.
    smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    sheet.paste(picture.resize((width, height), smooth), edges)
    # Boxes, and on top of all of them the labels.
    draw = ImageDraw.Draw(sheet)
    for item, box in zip(annotations, boxes, strict=True):
        color = GREEN if item.sure else AMBER
        if not item.cell:
            for digit in item.line.digits:
                draw.rectangle(_to_sheet(digit.box, scale, edges, 1), outline=color, width=1)
        draw.rectangle(box, outline=color, width=1 if item.cell else 3)
    for item, spot, size, font in zip(annotations, spots, sizes, fonts, strict=True):
        color, ink = (GREEN, WHITE) if item.sure else (AMBER, BLACK)
        draw.rectangle((*spot, spot[0] + size[0], spot[1] + size[1]), fill=color)
        middle = spot[0] + size[0] / 2, spot[1] + size[1] / 2
        draw.text(middle, item.words, fill=ink, font=font, anchor="mm")
    return sheet


def _lay_out(
    annotations: list[Annotation], sizes: list[LabelSize], scale: float, size: tuple[int, int]
) -> tuple[list[Box], list[Point], tuple[int, int]]:
    """Return the boxes and labels on the sheet, and its margins at the sides and above.

    The margin is as wide as a label is high; where labels would hide something, the sides are
    wide enough for them.
    """
    upright = math.ceil(max((tall for _, tall in sizes), default=0)) + 6
    widest = math.ceil(max((long for long, _ in sizes), default=0)) + 6
    rows = [index for index, item in enumerate(annotations) if not item.cell]
    # Narrow sides first; wide ones only where a label would hide something.
    for beside in (upright, max(upright, widest)):
        edges = beside, upright
        boxes = [_to_sheet(_full_box(item.line), scale, edges, 3) for item in annotations]
        # Cells stand close: labels at the same place of each show whose they are.
        spots = [
            (box[2] - 4, box[1] - tall / 2) for box, (_, tall) in zip(boxes, sizes, strict=True)
        ]
        result, hidden = place_labels(
            [boxes[index] for index in rows],
            [sizes[index] for index in rows],
            (size[0] + 2 * beside, size[1] + 2 * upright),
            [box for box, item in zip(boxes, annotations, strict=True) if item.cell],
        )
        for index, spot in zip(rows, result, strict=True):
            spots[index] = spot
        if not hidden:
            break
    return boxes, spots, edges


def _choose_font(item: Annotation, scale: float) -> Font:
    from PIL import ImageFont

    share = 0.4 if item.cell else 0.7
    wanted = share * _digit_height(item.line) * scale
    return ImageFont.load_default(round(min(max(wanted, FONT_SIZES[0]), FONT_SIZES[1])))


def _measure_label(item: Annotation, font: Font) -> LabelSize:
    left, _, right, _ = font.getbbox(item.words)
    _, top, _, bottom = font.getbbox("0?%")
    room = (4.0, 4.0) if item.cell else (10.0, 8.0)
    return right - left + room[0], bottom - top + room[1]


def _full_box(line: Line) -> Box:
    """Return the box around a line and its digits."""
    return enclosing_box([line.box, *(digit.box for digit in line.digits)])


def _to_sheet(box: Box, scale: float, edges: tuple[int, int], more: int) -> Box:
    """Return where a box of the picture lies on the sheet, `more` pixels larger all round."""
    left, right = (side * scale + edges[0] for side in box[::2])
    top, bottom = (side * scale + edges[1] for side in box[1::2])
    return left - more, top - more, right + more, bottom + more
