"""An envelope as a scanner sees it: paper, two addresses, stamp, postmark, light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.mail.barcode_images import render_pixels
from digitlens.mail.barcodes import encode_postnet
from digitlens.mail.sample.address import (
    DPI,
    Address,
    draw_address,
    print_sender,
    shear_lines,
    write_receiver,
    write_sender,
)
from digitlens.synth.textures import EVEN, crop_texture, fadings, lights, noises, papers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Gray
    from digitlens.mail.directory import Directory
    from digitlens.synth.glyphs import Glyphs
    from digitlens.synth.random import Random

    Color = NDArray[np.uint8]
    Box = tuple[int, int, int, int]


SKIES = ((231, 214, 178), (188, 214, 240), (214, 196, 226), (250, 226, 170), (196, 226, 214))
GROUNDS = ((74, 110, 66), (120, 84, 52), (52, 84, 120), (140, 60, 60), (90, 90, 110))
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
LETTERING = cv2.FONT_HERSHEY_SIMPLEX


def draw_stamp(rng: Random, dots: float) -> tuple[Color, NDArray[np.uint8]]:
    """Draw a stamp: its colors uint8 (H, W, 3), and a mask that is 255 where it is."""
    short, long = round(rng.uniform(0.82, 0.92) * dots), round(rng.uniform(0.95, 1.1) * dots)
    upright = not rng.bernoulli(0.4)
    # Three times as large as wanted, made smaller at the end: that smooths all edges.
    scale = 3
    sides = (long, short) if upright else (short, long)
    shape = sides[0] * scale, sides[1] * scale
    paper = np.full((*shape, 3), 250, np.uint8)
    inner = paper[9 * scale : -9 * scale, 9 * scale : -9 * scale]
    _draw_scene(rng, inner)
    height = inner.shape[0]
    words = rng.choice(("FOREVER", "USA", "FOREVER USA", "USA 55c"))
    size = 0.28 * scale * dots / 150 * 1.4
    low = rng.bernoulli(0.5)
    index = (7 * scale, height - 7 * scale if low else 16 * scale)
    under = inner[index[1] - 6 * scale : index[1], index[0] : index[0] + 30 * scale]
    tone = (245, 245, 240) if under.mean() < 150 else (30, 30, 40)
    cv2.putText(inner, words, index, LETTERING, size, tone, scale, cv2.LINE_AA)
    # Perforation: half holes along all four edges.
    mask = np.full(shape, 255, np.uint8)
    pitch, hole = 0.062 * dots * scale, round(0.019 * dots * scale)
    for along, across, turned in ((shape[1], shape[0], False), (shape[0], shape[1], True)):
        for step in range(round(along / pitch) + 1):
            spot = round(step * along / round(along / pitch))
            for side in (0, across - 1):
                cv2.circle(mask, (side, spot) if turned else (spot, side), hole, 0, -1)
    small = cv2.resize(paper, sides[::-1], interpolation=cv2.INTER_AREA)
    cut_out = cv2.resize(mask, sides[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.asarray(cut_out, np.uint8)


def _draw_scene(rng: Random, field: Color) -> None:
    """Paint a sky, a sun and hills, or stripes and a star field, into `field`."""
    rows, columns = field.shape[:2]
    sky, ground = np.array(rng.choice(SKIES)), np.array(rng.choice(GROUNDS))
    # One in four has stripes and a field of stars.
    if rng.bernoulli(0.25):
        for index in range(7):
            tone = (178, 44, 52) if index % 2 == 0 else (244, 240, 232)
            field[index * rows // 7 : (index + 1) * rows // 7] = tone
        field[: 4 * rows // 7, : columns // 2] = (44, 58, 110)
        for _ in range(14):
            place = rng.integers(columns // 2), rng.integers(4 * rows // 7)
            cv2.circle(field, place, max(2, rows // 60), (240, 240, 240), -1, cv2.LINE_AA)
        return
    # The others have a sky, a sun and three rows of hills.
    fall = np.linspace(0.9, 1.1, rows)[:, None, None]
    field[:] = np.clip(sky * fall, 0, 255)
    sun = round(rng.uniform(0.2, 0.8) * columns), round(rng.uniform(0.2, 0.4) * rows)
    cv2.circle(
        field, sun, round(rng.uniform(0.08, 0.16) * rows), (250, 214, 120), -1, cv2.LINE_AA
    )
    for layer in range(3):
        base, shade = rows * (0.55 + 0.14 * layer), ground * (1.25 - 0.25 * layer)
        phase, waves = rng.uniform(0, 6), rng.uniform(1.0, 2.6)
        ridge = [
            (x, round(base + 0.09 * rows * math.sin(phase + waves * 2 * math.pi * x / columns)))
            for x in range(0, columns + 8, 8)
        ]
        outline = np.array([(0, rows), *ridge, (columns, rows)], np.int32)
        red, green, blue = (float(min(255, item)) for item in shade)
        cv2.fillPoly(field, [outline], (red, green, blue), cv2.LINE_AA)


def draw_postmark(rng: Random, town: str, dots: float) -> NDArray[np.uint8]:
    """Draw a postmark: a ring with town and date, and waves to its right.

    Returns how much ink lies there: uint8 (H, W), 255 = full.
    """
    scale = 2
    radius = round(0.44 * dots * scale)
    ink = np.zeros((2 * radius + 8 * scale, round(3.1 * dots * scale)), np.uint8)
    middle = radius + 4 * scale
    thin = max(2, round(0.012 * dots * scale))
    # The ring, sometimes with a second one inside, and the town along it.
    for share in (1.0, 0.6) if rng.bernoulli(0.5) else (1.0,):
        spot = middle, middle
        cv2.circle(ink, spot, round(radius * share), 255, thin, cv2.LINE_AA)
    _write_around(ink, town.upper()[:22], (middle, middle), 0.79 * radius, dots * scale)
    # Time and date in the middle.
    size = 0.0021 * dots * scale
    lines = (
        "PM" if rng.bernoulli(0.5) else "AM",
        f"{rng.integers(28) + 1:02d} {rng.choice(MONTHS)}",
        f"20{24 + rng.integers(3)}",
    )
    for index, line in enumerate(lines):
        (width, _), _ = cv2.getTextSize(line, LETTERING, size, thin)
        row = middle + round((index - 0.68) * 0.34 * radius)
        cv2.putText(
            ink, line, (middle - width // 2, row), LETTERING, size, 255, thin, cv2.LINE_AA
        )
    # Waves to the right, which cancel the stamp.
    for wave in range(5 + rng.integers(3)):
        level = middle + (wave - 2.6) * 0.26 * radius
        x = np.arange(middle + radius + 6 * scale, ink.shape[1] - 4, 4)
        y = level + 0.07 * radius * np.sin(x / (0.16 * radius))
        way = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(ink, [way], False, 255, thin, cv2.LINE_AA)
    # A little rotated and unevenly inked, as stamps are.
    turned = cv2.warpAffine(
        ink,
        cv2.getRotationMatrix2D((middle, middle), rng.normal(0.0, 5.0), 1.0),
        (ink.shape[1], ink.shape[0]),
    )
    shape = round(ink.shape[1] / scale), round(ink.shape[0] / scale)
    small = np.asarray(cv2.resize(turned, shape, interpolation=cv2.INTER_AREA), np.uint8)
    patchy = crop_texture(rng, fadings(), small.shape)
    return np.asarray(
        cv2.multiply(small, patchy, scale=rng.uniform(0.55, 0.95) / 255), np.uint8
    )


def _write_around(
    ink: NDArray[np.uint8], text: str, middle: tuple[int, int], radius: float, dots: float
) -> None:
    """Write `text` along the upper half of a circle."""
    size = 0.0023 * dots
    side = round(0.2 * dots)
    step = min(0.088 * dots / radius, 4.6 / max(len(text), 1))
    angle = -math.pi / 2 - step * (len(text) - 1) / 2
    for letter in text:
        tile = np.zeros((side, side), np.uint8)
        (width, height), _ = cv2.getTextSize(letter, LETTERING, size, 2)
        place = (side - width) // 2, (side + height) // 2
        cv2.putText(
            tile, letter, place, LETTERING, size, 255, max(2, round(0.01 * dots)), cv2.LINE_AA
        )
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), -math.degrees(angle) - 90, 1.0)
        tile = np.asarray(cv2.warpAffine(tile, turn, (side, side)), np.uint8)
        left = round(middle[0] + radius * math.cos(angle) - side / 2)
        top = round(middle[1] + radius * math.sin(angle) - side / 2)
        spot = ink[max(top, 0) : top + side, max(left, 0) : left + side]
        np.maximum(spot, tile[-spot.shape[0] :, -spot.shape[1] :], out=spot)
        angle += step


# Envelopes in inches (No. 10, No. 6 3/4, A7, No. 9), and how often each.
ENVELOPE_SIZES = (
    ((9.5, 4.125), 0.4),
    ((6.5, 3.625), 0.3),
    ((7.25, 5.25), 0.2),
    ((8.875, 3.875), 0.1),
)
# White, cream, brown, bluish, pink and greenish paper, and how often each.
PAPERS = (
    *(((250, 249, 246), 0.5), ((244, 236, 216), 0.2), ((214, 186, 146), 0.12)),
    *(((232, 236, 242), 0.1), ((238, 222, 226), 0.04), ((222, 234, 218), 0.04)),
)
# Black, blue, pencil and red, and how often each.
INKS = (((24, 26, 34), 0.4), ((28, 46, 120), 0.4), ((60, 62, 70), 0.12), ((110, 30, 36), 0.08))


@dataclass(frozen=True, eq=False)
class Envelope:
    """A picture of an envelope, uint8 (H, W, 3), red, green, blue, and what stands on it.

    `sender` is None where none is written; `box` is that of the receiver's ZIP: left, top,
    right, bottom in pixels.
    """

    picture: Color
    to: Address
    sender: Address | None
    box: Box


def draw_envelope(glyphs: Glyphs, rng: Random, directory: Directory) -> Envelope:
    """Draw an envelope; `glyphs` write its digits, and `rng` decides everything."""
    # What is written on which paper.
    width, height = (round(inches * DPI) for inches in rng.weighted(ENVELOPE_SIZES))
    paper = _draw_paper(rng, (height, width))
    to = draw_address(rng, directory)
    sender = (
        draw_address(rng, directory, firm=rng.bernoulli(0.4)) if rng.bernoulli(0.75) else None
    )
    # The addresses, the receiver's always in pen.
    ink = np.zeros((height, width), np.uint8)
    box = write_receiver(glyphs, rng, ink, to)
    ink, box = shear_lines(ink, box, rng.normal(0.0, 0.012))
    if sender is not None and rng.bernoulli(0.5):
        print_sender(rng, paper, sender)
    elif sender is not None:
        write_sender(glyphs, rng, ink, sender)
    # Ink that is not equally strong everywhere, then stamp, postmark and barcode.
    faded = cv2.multiply(ink, crop_texture(rng, fadings(), ink.shape), scale=1 / 255)
    uneven = cv2.addWeighted(ink, 0.6, faded, 0.4, 0.0)
    picture = _apply_ink(
        paper, np.asarray(uneven, np.uint8), rng.weighted(INKS), rng.uniform(0.75, 0.95)
    )
    picture = _add_postage(rng, picture, sender.town if sender else to.town)
    if rng.bernoulli(0.12):
        _print_postnet(picture, to)
    return _scan(rng, picture, to, sender, box)


def _draw_paper(rng: Random, shape: tuple[int, int]) -> Color:
    # Brown paper shows its grain more than white.
    tint = np.array(rng.weighted(PAPERS), np.float32)
    grain = crop_texture(rng, papers(), shape).astype(np.float32) - EVEN
    grain *= rng.uniform(0.02, 0.09) if tint.min() > 200 else rng.uniform(0.12, 0.3)
    # The flap behind shows through as a soft shade, and its edge as a line.
    shade = np.zeros(shape, np.float32)
    if rng.bernoulli(0.5):
        depth = round(rng.uniform(0.35, 0.6) * shape[0])
        flap = np.array([(0, 0), (shape[1] // 2, depth), (shape[1], 0)], np.int32)
        cv2.fillPoly(shade, [flap], -rng.uniform(1.0, 4.0))
        shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), 2.5), np.float32)
    return np.clip(tint + (grain + shade)[..., None], 0, 255).astype(np.uint8)


def _apply_ink(paper: Color, ink: Gray, tone: tuple[int, int, int], strength: float) -> Color:
    share = (ink.astype(np.float32) / 255 * strength)[..., None]
    return (paper * (1 - share) + np.array(tone, np.float32) * share).round().astype(np.uint8)


def _add_postage(rng: Random, picture: Color, town: str) -> Color:
    """Lay a stamp into the upper right corner, and a postmark over it."""
    width = picture.shape[1]
    colors, mask = draw_stamp(rng, DPI)
    turned = cv2.getRotationMatrix2D(
        (mask.shape[1] / 2, mask.shape[0] / 2), rng.normal(0.0, 1.2), 1.0
    )
    size = mask.shape[1], mask.shape[0]
    colors = np.asarray(cv2.warpAffine(colors, turned, size, borderMode=cv2.BORDER_REPLICATE))
    mask = np.asarray(cv2.warpAffine(mask, turned, size), np.uint8)
    # The stamp, with a soft shadow around it.
    left = width - size[0] - round(rng.uniform(0.15, 0.35) * DPI)
    top = round(rng.uniform(0.12, 0.3) * DPI)
    spot = picture[top : top + size[1], left : left + size[0]]
    around = cv2.GaussianBlur(mask, (0, 0), 2.0)[..., None] / 255.0 * 0.16
    spot[:] = (spot * (1 - around)).astype(np.uint8)
    share = mask[..., None] / 255.0
    spot[:] = (spot * (1 - share) + colors * share).astype(np.uint8)
    # The postmark reaches over the stamp from its left.
    if rng.bernoulli(0.85):
        mark = draw_postmark(rng, town, DPI)
        x = max(0, left - round(rng.uniform(1.05, 1.5) * DPI))
        y = max(0, top + round(rng.uniform(-0.05, 0.25) * DPI))
        place = picture[y : y + mark.shape[0], x : x + mark.shape[1]]
        mark = mark[: place.shape[0], : place.shape[1]]
        place[:] = _apply_ink(place, mark, (36, 36, 44), 0.8)
    return picture


def _print_postnet(picture: Color, to: Address) -> None:
    """Print the older barcode into the lower right corner, as sorting machines did."""
    bars = render_pixels(encode_postnet(to.place.zip + to.plus4), dots=2 * DPI)
    small = cv2.resize(bars, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    height, width = picture.shape[:2]
    top, left = height - small.shape[0] - round(0.1 * DPI), width - small.shape[1] - 40
    place = picture[top : top + small.shape[0], left : left + small.shape[1]]
    place[:] = _apply_ink(place, 255 - np.asarray(small, np.uint8), (30, 30, 36), 0.9)


def _scan(
    rng: Random, picture: Color, to: Address, sender: Address | None, box: Box
) -> Envelope:
    """Put the envelope on a scanner's bed, a little rotated, under its light and noise."""
    height, width = picture.shape[:2]
    # A dark or a light bed shows around the envelope.
    rim = round(rng.uniform(0.02, 0.12) * DPI)
    shape = height + 2 * rim, width + 2 * rim
    bed = 24.0 if rng.bernoulli(0.6) else 236.0
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0.0, 0.5), 1.0)
    matrix[:, 2] += rim
    scanned = cv2.warpAffine(
        picture, matrix, shape[::-1], flags=cv2.INTER_LINEAR, borderValue=(bed, bed, bed)
    )
    # The box of the ZIP moves with the picture.
    corners = np.array([[x, y, 1] for x in box[::2] for y in box[1::2]], np.float64)
    spots = corners @ matrix.T
    # Uneven light, then noise, then a lens that is not quite sharp.
    field = crop_texture(rng, lights(), shape).astype(np.float32) / 255
    depth = rng.uniform(0.0, 0.12)
    lit = scanned.astype(np.float32) * (1 - depth + depth * field)[..., None]
    noise = crop_texture(rng, noises(), shape).astype(np.float32) - EVEN
    lit += (noise * rng.uniform(0.02, 0.12))[..., None]
    soft = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.35, 0.75))
    low, top = spots.min(axis=0), spots.max(axis=0)
    where = int(low[0]), int(low[1]), int(top[0]) + 1, int(top[1]) + 1
    return Envelope(np.clip(soft, 0, 255).round().astype(np.uint8), to, sender, where)
