"""What was read, drawn on the picture."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from digitlens.ctc import Line, LineDigit
from digitlens.metrics.formatting import certainty
from digitlens.ocr import FormField, Page, Reader, Table
from digitlens.ocr.output import AMBER, GREEN, annotated_png, choose_picture_scale
from digitlens.ocr.page import ReadOptions

Strokes = Callable[..., np.ndarray]


def _drawn(pixels: np.ndarray, page: Page, job: ReadOptions) -> np.ndarray:
    with Image.open(io.BytesIO(annotated_png(pixels, page, job))) as picture:
        return np.asarray(picture.convert("RGB"))


def _count(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    return int((picture == color).all(axis=2).sum())


def _line(text: str, confidence: float, left: float, top: float) -> Line:
    boxes = [
        (left + 20 * index, top, left + 20 * index + 16, top + 30) for index in range(len(text))
    ]
    digits = [LineDigit(t, confidence, box) for t, box in zip(text, boxes, strict=True)]
    return Line(text, confidence, (left, top, boxes[-1][2], top + 30), tuple(digits))


def test_sure_is_green_and_unsure_amber(strokes: Strokes, stroke_network: object) -> None:
    """Numbers over the bar are drawn in green alone, those below it in amber alone."""
    pixels = strokes("171", "14")
    page = Reader(stroke_network).page(pixels)
    assert len(page.lines) == 2
    sure = _drawn(pixels, page, ReadOptions(thresholds=(0.0,)))
    assert _count(sure, GREEN) > 500
    assert _count(sure, AMBER) == 0
    unsure = _drawn(pixels, page, ReadOptions(thresholds=(None,)))
    assert _count(unsure, AMBER) > 500
    assert _count(unsure, GREEN) == 0


def test_each_line_has_its_own_bar() -> None:
    """With fields the first bar is that of the first number."""
    page = Page((_line("12", 0.8, 50, 50), _line("34", 0.8, 50, 200)), size=(400, 300))
    fields = (FormField(name="a"), FormField(name="b"))
    pixels = np.full((300, 400), 255, np.uint8)
    both = _drawn(pixels, page, ReadOptions(fields=fields, thresholds=(0.9, 0.7)))
    rows = np.arange(len(both))[:, None]
    green, amber = ((both == color).all(axis=2) for color in (GREEN, AMBER))
    assert (rows * green).max() > (rows * amber).max() > 0


def test_a_field_without_a_number_is_drawn_too() -> None:
    """A field in which nothing was read has an amber box."""
    page = Page((Line("", 0.0, (20, 20, 90, 60)),), size=(100, 80))
    job = ReadOptions(fields=(FormField(name="zip"),))
    assert _count(_drawn(np.full((80, 100), 255, np.uint8), page, job), AMBER) > 100


def test_the_cells_of_a_table_are_drawn_instead_of_its_rows() -> None:
    """The rows of a table are lines as well; drawn is each cell, once."""
    cells = (_line("1", 0.95, 40, 40), None, _line("2", 0.95, 240, 40))
    row = Line("12", 0.9, (40, 40, 256, 70), cells[0].digits + cells[2].digits)
    pixels = np.full((200, 300), 255, np.uint8)
    table = Table(1, 3, cells)
    alone = _drawn(pixels, Page((), (table,)), ReadOptions())
    assert np.array_equal(alone, _drawn(pixels, Page((row,), (table,)), ReadOptions()))
    assert not np.array_equal(alone, _drawn(pixels, Page((row,)), ReadOptions()))


def test_nothing_read_leaves_the_picture_as_it_is() -> None:
    """A page without numbers comes out with its pixels, in a margin."""
    pixels = np.random.default_rng(0).integers(0, 256, (900, 1000, 3), dtype=np.uint8)
    drawn = _drawn(pixels, Page(()), ReadOptions())
    assert drawn.shape == (912, 1012, 3)
    assert np.array_equal(drawn[6:-6, 6:-6], pixels)


def test_any_size_can_be_read() -> None:
    """Small pictures are enlarged, large ones made smaller, but lines stay legible."""
    assert choose_picture_scale(20, 10, 8) == 8
    assert choose_picture_scale(1000, 700, 20) == 1
    assert choose_picture_scale(4000, 3000, None) == 0.5
    assert choose_picture_scale(8000, 6000, 12) == 1
    for width, height in ((9, 5), (5, 400), (3000, 6)):
        drawn = _drawn(np.zeros((height, width), np.uint8), Page(()), ReadOptions())
        assert max(drawn.shape) < 2100


def test_no_reading_is_certain() -> None:
    """Confidence is in whole per cent and never 100."""
    assert [certainty(item, 0) for item in (0.0, 0.994, 0.995, 1.0)] == [
        "0 %",
        "99 %",
        ">99 %",
        ">99 %",
    ]


def test_only_what_is_wanted_changes() -> None:
    """The same page and job give the same bytes."""
    page, pixels = Page((_line("12", 0.8, 50, 50),)), np.full((90, 190), 255, np.uint8)
    first = annotated_png(pixels, page, ReadOptions())
    assert first == annotated_png(pixels.copy(), page, ReadOptions())
    assert first != annotated_png(pixels, page, replace(ReadOptions(), thresholds=(0.7,)))
