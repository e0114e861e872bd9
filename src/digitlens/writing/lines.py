"""From a number to a picture of it: the generator of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.errors import UsageError
from digitlens.writing.camera import photograph
from digitlens.writing.dice import Dice
from digitlens.writing.glyphs import Glyphs, ready
from digitlens.writing.hand import Hand, draw_hand
from digitlens.writing.lettering import lay
from digitlens.writing.negatives import draw_negative
from digitlens.writing.number import check_text, draw_number
from digitlens.writing.page import draw_page, light, put_ink
from digitlens.writing.printed import Field, print_cells, print_frame, print_rules
from digitlens.writing.style import Style, named_style
from digitlens.writing.surroundings import add_label, add_neighbours
from digitlens.writing.written import Written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digitlens.digits import Digits
    from digitlens.writing.lettering import Laid
    from digitlens.writing.page import Page
    from digitlens.writing.written import Boxes, Grey

CHUNK = 256
"""Lines that are written from one generator: what workers share among themselves."""


def write_line(
    glyphs: Digits | Glyphs,
    chance: np.random.Generator,
    *,
    text: str | None = None,
    style: Style | str = "training",
) -> Written:
    """Write one line of digits, and take a picture of it as a camera or scanner would.

    Parameters
    ----------
    glyphs
        Digits to write with: uint8 (N, 28, 28), 0 = paper, 255 = ink, each of 0 to 9 among
        them. Where their writers are known, most lines are by one writer.
    chance
        Decides everything; the same generator writes the same line. As many numbers as are
        needed are drawn from it, in blocks.
    text
        The digits to write; None draws a number, or a picture without one for the share
        `style.negatives`, and ``""`` always gives a picture without a number.
    style
        Ranges and shares, or the name of a style in `STYLES`.

    Raises
    ------
    UsageError
        `text` holds something else than digits, or there is no such style.
    DataError
        A digit 0 to 9 is missing among the glyphs.
    """
    return _write(ready(glyphs), Dice(chance), named_style(style), text)


def write_chunk(
    glyphs: Digits | Glyphs,
    index: int,
    *,
    seed: int = 0,
    style: Style | str = "training",
    size: int = CHUNK,
) -> list[Written]:
    """Write chunk `index` of `seed`: the same lines whoever writes it, and in any order.

    Parameters
    ----------
    glyphs, style
        As `write_line` has them.
    index, seed
        0 or more.
    size
        Lines in a chunk; the first lines of a larger chunk are those of a smaller one.

    Raises
    ------
    UsageError
        A negative index, seed or size.
    """
    if min(index, seed, size) < 0:
        raise UsageError(
            "index, seed and size of a chunk must be 0 or more",
            seen=f"index {index}, seed {seed}, size {size}",
        )
    prepared, chosen = ready(glyphs), named_style(style)
    dice = Dice(np.random.default_rng([seed, index]))
    return [_write(prepared, dice, chosen, None) for _ in range(size)]


def write_lines(
    glyphs: Digits | Glyphs,
    count: int,
    *,
    seed: int = 0,
    style: Style | str = "training",
) -> Iterator[Written]:
    """Write `count` lines, chunk by chunk: chunks 0, 1, 2 ... of `seed`.

    To write on several cores, let process i of n call `write_chunk` for the chunks i, i + n,
    i + 2 n and so on. (Threads share one interpreter, and gain little.)

    Raises
    ------
    UsageError, DataError
        As `write_chunk` and `write_line` have it, at the first line.
    """
    for index in range(-(-count // CHUNK)):
        size = min(CHUNK, count - index * CHUNK)
        yield from write_chunk(glyphs, index, seed=seed, style=style, size=size)


def _write(glyphs: Glyphs, dice: Dice, style: Style, text: str | None) -> Written:
    if text is None:
        text = "" if dice.hit(style.negatives) else draw_number(dice, style)
    check_text(text)
    hand = draw_hand(glyphs, dice, style, text)
    if not text:
        return _without_number(glyphs, dice, style, hand)
    laid = lay(glyphs, dice, text, hand, style)
    ink, boxes, field = _cropped(laid, dice, style, hand)
    if dice.hit(style.neighbours):
        free = float(boxes[:, 1].min()), ink.shape[0] - float(boxes[:, 3].max())
        add_neighbours(ink, glyphs, dice, hand.height, free)
    if dice.hit(style.labels):
        row = field.base + field.slope * field.left
        add_label(ink, dice, style, (field.left, field.right), row)
    page = draw_page(dice, style, ink.shape)
    _print(dice, style, page, field)
    return _taken(dice, style, page, (ink, text, boxes), hand)


def _cropped(laid: Laid, dice: Dice, style: Style, hand: Hand) -> tuple[Grey, Boxes, Field]:
    """Cut the picture out of the canvas, tightly or loosely, and move all places along."""
    boxes = np.array(laid.boxes, np.float32)
    top, bottom = float(boxes[:, 1].min()), float(boxes[:, 3].max())
    left, right = min(laid.left, float(boxes[0, 0])), laid.right
    if laid.pitch and dice.hit(0.85):
        left, right = laid.first, max(right, laid.first + laid.pitch * len(boxes))
    high = hand.height
    # Tight above mostly means tight below: whoever cut the line out did both.
    least, most = style.margins
    loose = (most - least) * dice.even(0.1, 1.0)
    upper, lower = (least + loose * dice.even()) * high, (least + loose * dice.even()) * high
    # Two drawn, the smaller taken: loose crops to the sides are rarer than tight ones.
    before = min(dice.within(style.sides), dice.within(style.sides)) * high
    behind = min(dice.within(style.sides), dice.within(style.sides)) * high
    y, x = max(0, round(top - upper)), max(0, round(left - before))
    ink = laid.ink[y : max(y + 6, round(bottom + lower)), x : max(x + 6, round(right + behind))]
    boxes -= np.array([x, y, x, y], np.float32)
    field = Field(
        left=left - x,
        right=right - x,
        base=laid.base + laid.slope * x - y,
        slope=laid.slope,
        height=high,
        first=laid.first - x,
        pitch=laid.pitch,
        count=len(boxes),
    )
    return np.ascontiguousarray(ink), boxes, field


def _print(dice: Dice, style: Style, page: Page, field: Field) -> None:
    if dice.hit(style.rules):
        print_rules(dice, page, field)
    if field.pitch and style.frames and dice.hit(max(style.frames, 0.8)):
        print_cells(dice, page, field)
    elif dice.hit(style.frames):
        print_frame(dice, page, field)


def _without_number(glyphs: Glyphs, dice: Dice, style: Style, hand: Hand) -> Written:
    kind, ink = draw_negative(dice, style, hand)
    rows, columns = ink.shape
    margin = 0.5 * (rows - hand.height)
    if dice.hit(style.neighbours):
        add_neighbours(ink, glyphs, dice, hand.height, (margin, margin))
    page = draw_page(dice, style, (rows, columns))
    first, pitch = hand.height * dice.even(0.0, 0.5), hand.height * dice.even(0.6, 1.3)
    field = Field(
        left=hand.height * 0.4,
        right=columns - hand.height * 0.4,
        base=rows - max(margin, 0.15 * hand.height),
        slope=hand.slope,
        height=hand.height,
        first=first,
        pitch=pitch,
        count=max(1, int((columns - first) / pitch)),
    )
    if kind == "cells":
        print_cells(dice, page, field)
    elif kind == "frame" or dice.hit(style.frames * 0.5):
        print_frame(dice, page, field)
    if dice.hit(style.rules):
        print_rules(dice, page, field)
    return _taken(dice, style, page, (ink, "", np.zeros((0, 4), np.float32)), hand)


def _taken(
    dice: Dice, style: Style, page: Page, written: tuple[Grey, str, Boxes], hand: Hand
) -> Written:
    """Bring ink to paper, light on it, and take the picture; boxes keep to its edges."""
    ink, text, boxes = written
    if hand.height > 20:
        # MNIST's edges are two pixels soft; enlarged they would be softer than any pen's.
        ink = np.asarray(cv2.LUT(ink, _crisp(hand.height)), np.uint8)
    picture = light(dice, style, put_ink(dice, style, page, ink))
    image, scale = photograph(dice, style, picture, hand.height, page.contrast)
    rows, columns = image.shape
    boxes = boxes * np.float32(scale)
    np.clip(boxes, 0, np.array([columns, rows, columns, rows], np.float32), out=boxes)
    return Written(image, text, boxes)


def _crisp(height: float) -> Grey:
    gain = min(2.2, height / 18)
    levels = (np.arange(256) - 110) * gain + 110
    return np.asarray(np.clip(levels, 0, 255), np.uint8)
