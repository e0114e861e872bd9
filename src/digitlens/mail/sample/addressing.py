"""Addresses written, or printed, onto an envelope."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.mail.sample.letters import Script, draw_script, width_of, write
from digitlens.writing.fonts import find_fonts
from digitlens.writing.hand import Hand, draw_hand
from digitlens.writing.lettering import lay
from digitlens.writing.style import STYLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.mail.sample.people import Address
    from digitlens.writing.dice import Dice
    from digitlens.writing.glyphs import Glyphs
    from digitlens.writing.written import Grey

    Colour = NDArray[np.uint8]
    Box = tuple[int, int, int, int]

DOTS = 150
"""Dots per inch: about what a sorting machine's camera gives."""

STYLE = replace(
    STYLES["clean"],
    slant=(0.1, 0.16),
    slant_jitter=0.04,
    size_jitter=0.06,
    baseline_jitter=0.04,
    turn_jitter=0.04,
    slope=0.008,
    pen=(1.4, 3.2),
    habits=0.15,
    one_hand=1.0,
    joined=0.0,
    spacing=(("usual", 0.55), ("tight", 0.3), ("wide", 0.05), ("touching", 0.1)),
)
"""How ZIPs are written: by one hand, with some of the forms that `digitlens.writing` has."""


def _hand(glyphs: Glyphs, dice: Dice, low: float, high: float) -> Hand:
    return draw_hand(glyphs, dice, replace(STYLE, height=(low, high)), "0123456789")


def write_receiver(glyphs: Glyphs, dice: Dice, ink: Grey, to: Address) -> Box:
    """Write the receiver's address; return the box of its ZIP."""
    high, wide = ink.shape
    size = dice.even(0.17, 0.25) * DOTS
    hand = draw_hand(
        glyphs, dice, replace(STYLE, height=(1.05 * size, 1.25 * size)), "0123456789"
    )
    script = draw_script(dice, size, hand.slant, max(1.6, hand.stroke * dice.even(0.8, 1.05)))
    room = wide * 0.94
    number, _, street = to.street.partition(" ")
    digits = 10 if to.four else 5
    while True:
        longest = max(
            width_of(to.name, script),
            width_of(to.street, script) + size,
            width_of(to.town, script)
            + size
            + hand.height * digits * (0.75 + max(hand.gap, 0.0)),
        )
        left = max(0.3 * wide, min(dice.even(0.36, 0.46) * wide, room - longest))
        if left + longest <= room or script.size < 14:
            break
        script = replace(script, size=0.92 * script.size, gap=0.95 * script.gap)
        size = script.size
        hand = replace(hand, height=0.92 * hand.height)
    step = dice.even(1.65, 2.05) * size
    row = min(dice.even(0.5, 0.6) * high, high - 2.9 * step)
    margin = dice.normal(0.0, 0.25) * size
    write(ink, dice, to.name, (left, row), script)
    row += step
    end: float
    if number.isdigit():
        end = _put_digits(glyphs, dice, ink, number, (left + margin, row), hand)[2]
        write(ink, dice, street, (end + 0.6 * size, row), script)
    else:
        end = write(ink, dice, "PO Box", (left + margin, row), script)
        _put_digits(glyphs, dice, ink, to.street.split()[-1], (end + 0.6 * size, row), hand)
    row += step
    end = write(ink, dice, to.town, (left + 2 * margin, row), script)
    if dice.hit(0.8):
        end += dice.even(0.5, 1.0) * size
    else:  # the ZIP on a line of its own
        end, row = left + 2 * margin, row + 0.9 * step
    box = _put_digits(glyphs, dice, ink, to.place.zip, (end, row), hand)
    if to.four:
        end = write(ink, dice, "-", (box[2] + 0.25 * size, row), replace(script, gap=0.0))
        four = _put_digits(glyphs, dice, ink, to.four, (end + 0.2 * size, row), hand)
        box = (box[0], min(box[1], four[1]), four[2], max(box[3], four[3]))
    return box


def sloping(ink: Grey, box: Box, slope: float) -> tuple[Grey, Box]:
    """Let the lines fall by `slope` rows per column, as few people write quite level."""
    matrix = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -slope * box[0]]])
    sheared = cv2.warpAffine(ink, matrix, (ink.shape[1], ink.shape[0]))
    fall = round(slope * (box[2] - box[0]))
    spread = box[0], box[1] + min(fall, 0), box[2], box[3] + max(fall, 0)
    return np.asarray(sheared, np.uint8), spread


def _put_digits(
    glyphs: Glyphs, dice: Dice, ink: Grey, text: str, place: tuple[float, float], hand: Hand
) -> Box:
    """Write digits onto `ink` from `place` (column, row of the line); return their box."""
    laid = lay(glyphs, dice, text, hand, STYLE)
    boxes = np.array(laid.boxes)
    left, top = int(boxes[:, 0].min()), int(boxes[:, 1].min())
    right, bottom = int(boxes[:, 2].max()) + 1, int(boxes[:, 3].max()) + 1
    patch = laid.ink[top : bottom + 1, left : right + 1]
    # MNIST's edges are two pixels soft; a pen's are not, at this size.
    patch = np.clip((patch.astype(np.float32) - 60) * 1.5 + 60, 0, 255).astype(np.uint8)
    x = round(place[0])
    y = round(place[1] - (laid.line_at((left + right) / 2) - top))
    x = max(0, min(x, ink.shape[1] - patch.shape[1]))
    y = max(0, min(y, ink.shape[0] - patch.shape[0]))
    spot = ink[y : y + patch.shape[0], x : x + patch.shape[1]]
    np.maximum(spot, patch, out=spot)
    return x, y, x + patch.shape[1], y + patch.shape[0]


def write_sender(glyphs: Glyphs, dice: Dice, ink: Grey, sender: Address) -> None:
    """Write the sender's address, small, into the upper left corner."""
    size = dice.even(0.09, 0.13) * DOTS
    hand = draw_hand(
        glyphs, dice, replace(STYLE, height=(1.1 * size, 1.2 * size)), "0123456789"
    )
    script: Script = draw_script(dice, size, hand.slant, max(1.4, 0.8 * hand.stroke))
    left, row = dice.even(0.2, 0.35) * DOTS, dice.even(0.3, 0.4) * DOTS
    write(ink, dice, sender.name, (left, row), script)
    write(ink, dice, sender.street, (left, row + 1.7 * size), script)
    end = write(ink, dice, sender.town, (left, row + 3.4 * size), script)
    place = end + 0.6 * size, row + 3.4 * size
    _put_digits(glyphs, dice, ink, sender.place.zip, place, hand)


def print_sender(dice: Dice, paper: Colour, sender: Address) -> None:
    """Print the sender's address into the upper left corner of the paper."""
    from PIL import Image, ImageDraw, ImageFont

    fonts = find_fonts()
    size = round(dice.even(0.085, 0.12) * DOTS)
    font = ImageFont.truetype(dice.pick(fonts), size) if fonts else ImageFont.load_default(size)
    image = Image.fromarray(paper)
    drawing = ImageDraw.Draw(image)
    last = f"{sender.town} {sender.place.zip}" + (f"-{sender.four}" if sender.four else "")
    left, row = round(dice.even(0.2, 0.4) * DOTS), round(dice.even(0.2, 0.35) * DOTS)
    tone = dice.share((((40, 40, 44), 0.6), ((30, 60, 110), 0.25), ((110, 40, 40), 0.15)))
    for at, line in enumerate((sender.name, sender.street, last)):
        drawing.text((left, row + round(1.3 * at * size)), line, fill=tone, font=font)
    paper[:] = np.asarray(image)
