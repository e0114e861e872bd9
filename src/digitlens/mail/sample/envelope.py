"""An envelope as a scanner sees it: paper, two addresses, stamp, postmark, light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.mail.barcodes import encode_postnet, pixels
from digitlens.mail.sample.addressing import (
    DOTS,
    print_sender,
    sloping,
    write_receiver,
    write_sender,
)
from digitlens.mail.sample.people import Address, draw_address
from digitlens.mail.sample.postage import postmark, stamp
from digitlens.writing.textures import EVEN, cut, fadings, lights, noises, papers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.mail.directory import Directory
    from digitlens.writing.dice import Dice
    from digitlens.writing.glyphs import Glyphs
    from digitlens.writing.written import Grey

    Colour = NDArray[np.uint8]
    Box = tuple[int, int, int, int]

FORMATS = (((9.5, 4.125), 0.4), ((6.5, 3.625), 0.3), ((7.25, 5.25), 0.2), ((8.875, 3.875), 0.1))
"""Envelopes in inches (No. 10, No. 6 3/4, A7, No. 9), and how often each."""

PAPERS = (
    *(((250, 249, 246), 0.5), ((244, 236, 216), 0.2), ((214, 186, 146), 0.12)),
    *(((232, 236, 242), 0.1), ((238, 222, 226), 0.04), ((222, 234, 218), 0.04)),
)
"""White, cream, brown, bluish, pink and greenish paper, and how often each."""

INKS = (((24, 26, 34), 0.4), ((28, 46, 120), 0.4), ((60, 62, 70), 0.12), ((110, 30, 36), 0.08))
"""Black, blue, pencil and red, and how often each."""


@dataclass(frozen=True, eq=False)
class Envelope:
    """A picture of an envelope, and what stands on it.

    Parameters
    ----------
    picture
        uint8 (H, W, 3), red, green, blue.
    to, sender
        The addresses; `sender` is None where none is written.
    box
        Of the receiver's ZIP: left, top, right, bottom in pixels.
    """

    picture: Colour
    to: Address
    sender: Address | None
    box: Box


def draw_envelope(glyphs: Glyphs, dice: Dice, directory: Directory) -> Envelope:
    """Draw an envelope; `glyphs` write its digits, and `dice` decide everything."""
    wide, high = (round(inches * DOTS) for inches in dice.share(FORMATS))
    paper = _paper(dice, (high, wide))
    to = draw_address(dice, directory)
    sender = draw_address(dice, directory, firm=dice.hit(0.4)) if dice.hit(0.75) else None
    ink = np.zeros((high, wide), np.uint8)
    box = write_receiver(glyphs, dice, ink, to)
    ink, box = sloping(ink, box, dice.normal(0.0, 0.012))
    if sender is not None and dice.hit(0.5):
        print_sender(dice, paper, sender)
    elif sender is not None:
        write_sender(glyphs, dice, ink, sender)
    faded = cv2.multiply(ink, cut(dice, fadings(), ink.shape), scale=1 / 255)
    kept = cv2.addWeighted(ink, 0.6, faded, 0.4, 0.0)
    picture = _inked(paper, np.asarray(kept, np.uint8), dice.share(INKS), dice.even(0.75, 0.95))
    picture = _postage(dice, picture, sender.town if sender else to.town)
    if dice.hit(0.12):
        _sprayed(picture, to)
    return _scanned(dice, picture, to, sender, box)


def _paper(dice: Dice, shape: tuple[int, int]) -> Colour:
    tint = np.array(dice.share(PAPERS), np.float32)
    grain = cut(dice, papers(), shape).astype(np.float32) - EVEN
    grain *= dice.even(0.02, 0.09) if tint.min() > 200 else dice.even(0.12, 0.3)
    # The flap behind shows through as a soft shade, and its edge as a line.
    shade = np.zeros(shape, np.float32)
    if dice.hit(0.5):
        depth = round(dice.even(0.35, 0.6) * shape[0])
        flap = np.array([(0, 0), (shape[1] // 2, depth), (shape[1], 0)], np.int32)
        cv2.fillPoly(shade, [flap], -dice.even(1.0, 4.0))
        shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), 2.5), np.float32)
    return np.clip(tint + (grain + shade)[..., None], 0, 255).astype(np.uint8)


def _inked(paper: Colour, ink: Grey, tone: tuple[int, int, int], strength: float) -> Colour:
    share = (ink.astype(np.float32) / 255 * strength)[..., None]
    return (paper * (1 - share) + np.array(tone, np.float32) * share).round().astype(np.uint8)


def _postage(dice: Dice, picture: Colour, town: str) -> Colour:
    """Lay a stamp into the upper right corner, and a postmark over it."""
    wide = picture.shape[1]
    colours, mask = stamp(dice, DOTS)
    turned = cv2.getRotationMatrix2D(
        (mask.shape[1] / 2, mask.shape[0] / 2), dice.normal(0.0, 1.2), 1.0
    )
    size = mask.shape[1], mask.shape[0]
    colours = np.asarray(cv2.warpAffine(colours, turned, size, borderMode=cv2.BORDER_REPLICATE))
    mask = np.asarray(cv2.warpAffine(mask, turned, size), np.uint8)
    left = wide - size[0] - round(dice.even(0.15, 0.35) * DOTS)
    top = round(dice.even(0.12, 0.3) * DOTS)
    spot = picture[top : top + size[1], left : left + size[0]]
    around = cv2.GaussianBlur(mask, (0, 0), 2.0)[..., None] / 255.0 * 0.16
    spot[:] = (spot * (1 - around)).astype(np.uint8)
    share = mask[..., None] / 255.0
    spot[:] = (spot * (1 - share) + colours * share).astype(np.uint8)
    if dice.hit(0.85):
        mark = postmark(dice, town, DOTS)
        x = max(0, left - round(dice.even(1.05, 1.5) * DOTS))
        y = max(0, top + round(dice.even(-0.05, 0.25) * DOTS))
        place = picture[y : y + mark.shape[0], x : x + mark.shape[1]]
        mark = mark[: place.shape[0], : place.shape[1]]
        place[:] = _inked(place, mark, (36, 36, 44), 0.8)
    return picture


def _sprayed(picture: Colour, to: Address) -> None:
    """Print the older barcode into the lower right corner, as sorting machines did."""
    bars = pixels(encode_postnet(to.place.zip + to.four), dots=2 * DOTS)
    small = cv2.resize(bars, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    high, wide = picture.shape[:2]
    top, left = high - small.shape[0] - round(0.1 * DOTS), wide - small.shape[1] - 40
    place = picture[top : top + small.shape[0], left : left + small.shape[1]]
    place[:] = _inked(place, 255 - np.asarray(small, np.uint8), (30, 30, 36), 0.9)


def _scanned(
    dice: Dice, picture: Colour, to: Address, sender: Address | None, box: Box
) -> Envelope:
    """Lay the envelope on a scanner's bed, a little askew, under its light and noise."""
    high, wide = picture.shape[:2]
    rim = round(dice.even(0.02, 0.12) * DOTS)
    shape = high + 2 * rim, wide + 2 * rim
    bed = 24.0 if dice.hit(0.6) else 236.0
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), dice.normal(0.0, 0.5), 1.0)
    matrix[:, 2] += rim
    laid = cv2.warpAffine(
        picture, matrix, shape[::-1], flags=cv2.INTER_LINEAR, borderValue=(bed, bed, bed)
    )
    corners = np.array([[x, y, 1] for x in box[::2] for y in box[1::2]], np.float64)
    spots = corners @ matrix.T
    field = cut(dice, lights(), shape).astype(np.float32) / 255
    depth = dice.even(0.0, 0.12)
    lit = laid.astype(np.float32) * (1 - depth + depth * field)[..., None]
    noise = cut(dice, noises(), shape).astype(np.float32) - EVEN
    lit += (noise * dice.even(0.02, 0.12))[..., None]
    soft = cv2.GaussianBlur(lit, (0, 0), dice.even(0.35, 0.75))
    low, top = spots.min(axis=0), spots.max(axis=0)
    where = int(low[0]), int(low[1]), int(top[0]) + 1, int(top[1]) + 1
    return Envelope(np.clip(soft, 0, 255).round().astype(np.uint8), to, sender, where)
