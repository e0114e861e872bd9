"""Mail as it is read: whichever way up it lies, and without the sender's lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlens.ctc import Line
from digitlens.geometry import rotate_upright
from digitlens.mail.barcode_images import render_pixels
from digitlens.mail.barcodes import IntelligentMail, encode_imb
from digitlens.mail.candidates import read_mail
from digitlens.mail.directory import ZIP_LENGTHS, Directory
from digitlens.mail.sample import draw_digits, draw_mail
from digitlens.ocr import Reader
from digitlens.ocr.page import Page

SIZE = (900, 400)
SENDER, RECEIVER = (20.0, 40.0, 90.0, 60.0), (520.0, 262.0, 600.0, 290.0)


class Told:
    """A reader that knows which lines are on a page, and what it was asked."""

    def __init__(self, *lines: Line, turn: float = 0.0) -> None:
        """Keep the lines; they stand as on an envelope that lies turned by ``-turn``."""
        self.all, self.turn = lines, turn

    def page(self, picture: Any, lengths: Any, *, where: Callable[..., bool]) -> Page:
        """Return all lines, as rows of a table come back without being asked for."""
        size = SIZE if round(self.turn / 90) % 2 == 0 else SIZE[::-1]
        self.lengths = lengths
        self.wanted = [where(*rotate_upright(line.box, size, self.turn)) for line in self.all]
        return Page(self.all, size=size, turn=self.turn)


def turn_box(box: tuple[float, float, float, float], turn: int) -> tuple[float, ...]:
    """Return where a box of the upright envelope is when it must be turned by `turn`."""
    return rotate_upright(box, SIZE, -turn)[0]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_senders_lines_are_neither_read_nor_taken(
    line: Callable[..., Line], turn: int
) -> None:
    """What counts is where lines stand once the envelope is upright; boxes stay in place."""
    sender = line("10001", 0.99, box=turn_box(SENDER, turn))
    above = line("20002", 0.9, box=turn_box((520.0, 132.0, 600.0, 160.0), turn))
    receiver = line("02134", 0.6, box=turn_box(RECEIVER, turn))
    reader: Any = Told(sender, above, receiver, turn=turn + 3.5)
    result = read_mail(reader, BLANK)
    assert reader.lengths == ZIP_LENGTHS == (5, 9)
    assert reader.wanted == [False, True, True]
    assert [item.line for item in result] == [receiver, above]
    assert result[0].share > 0.9


BLANK = np.full((64, 64), 255, np.uint8)


def test_nothing_read_is_nothing_found() -> None:
    """A picture without lines has no candidates."""
    reader: Any = Told()
    assert read_mail(reader, BLANK) == ()


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return the published reader."""
    return Reader()


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_mail_is_read_whichever_way_it_lies(
    directory: Directory, reader: Reader, turn: int
) -> None:
    """Drawn envelopes, turned by quarters: the receiver's ZIP is found in its place."""
    for envelope in draw_mail(2, directory, digits=draw_digits(4), seed=5):
        picture = np.ascontiguousarray(np.rot90(envelope.picture, turn))
        line = read_mail(reader, picture)[0].line
        assert line.text == envelope.to.place.zip
        assert line.confidence > 0.9
        height, width = envelope.picture.shape[:2]
        (left, top, right, bottom), _ = rotate_upright(envelope.box, (width, height), 90 * turn)
        assert left < (line.box[0] + line.box[2]) / 2 < right
        assert top < (line.box[1] + line.box[3]) / 2 < bottom


def test_a_barcode_stands_beside_the_lines(directory: Directory, reader: Reader) -> None:
    """An envelope with a barcode: what it says comes last, where it lies."""
    (envelope,) = draw_mail(1, directory, digits=draw_digits(4), seed=5)
    code = render_pixels(encode_imb(IntelligentMail("0" * 20, "123456789")), dots=150)
    picture = envelope.picture.copy()
    height, width = code.shape
    top, left = picture.shape[0] - height - 4, 40
    picture[top : top + height, left : left + width] = code[..., None]
    result = read_mail(reader, picture)
    assert [item.is_barcode for item in result][-2:] == [False, True]
    x0, y0, x1, y1 = result[-1].line.box
    assert result[-1].line.text == "123456789"
    assert left <= x0 < x1 <= left + width
    assert top <= y0 < y1 <= top + height
