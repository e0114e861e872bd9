"""The result for a whole picture, and as plain values."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from digitlens.ctc import Line, LineDigit
from digitlens.imaging.sheets import Sheet
from digitlens.ocr import FormField, Page, Table

BOX = (1.26, 2.0, 30.0, 40.04)
LINE = Line("7", 0.5, BOX, (LineDigit("7", 0.5, BOX),))


def test_a_table_shows_its_texts() -> None:
    """Texts are row by row, empty where nothing stands."""
    table = Table(2, 3, (LINE, None, None, None, None, LINE))
    assert table.texts == (("7", "", ""), ("", "", "7"))


def test_a_page_is_plain_values() -> None:
    """A page as JSON holds size, turn, lines and tables, and survives being written."""
    table = Table(1, 2, (LINE, None))
    page = Page((LINE,), (table,), (700, 500), 269.96, (("1-seen", np.zeros((2, 2))),), ("a",))
    plain = page.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain == {
        "size": [700, 500],
        "turn": 270.0,
        "lines": [LINE.as_dict()],
        "tables": [{"rows": 1, "columns": 2, "cells": [LINE.as_dict(), None]}],
        "words": [],
    }


def test_pictures_of_steps_are_not_printed() -> None:
    """The pictures of the steps do not fill the screen when a page is shown."""
    page = Page((), stages=(("1-seen", np.zeros((500, 500), np.uint8)),))
    assert "1-seen" not in repr(page)


def test_an_empty_page_is_plain_values_too() -> None:
    """A page without anything on it has no lines and no tables."""
    empty = {"size": [0, 0], "turn": 0.0, "lines": [], "tables": [], "words": []}
    assert Page(()).as_dict() == empty


def test_a_field_need_not_say_anything() -> None:
    """A field is any number anywhere, unless more is known."""
    assert FormField() == FormField(count=None, area=None, boxes=False)


def test_single_digits_around_sheets_are_not_sure() -> None:
    """The grain of a desk reads as 1; where a number stands beside them they may be writing."""
    corners = np.array([[0, 0], [50, 0], [50, 50], [0, 50]], float)
    ground = Sheet(np.zeros((50, 50), np.uint8), corners, np.eye(3), is_ground=True)
    lone = replace(LINE, confidence=0.99)
    number = Line("77", 0.97, BOX, LINE.digits * 2)
    for lines, is_ground, wanted in (
        ((lone, lone), True, [0.5, 0.5]),
        ((lone, lone), False, [0.99, 0.99]),
        ((lone, number), True, [0.99, 0.97]),
    ):
        page = Page(lines).on_sheet(replace(ground, is_ground=is_ground))
        assert [line.confidence for line in page.lines] == wanted
