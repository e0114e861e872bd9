"""Addresses: made-up people at made-up streets of real towns, written onto an envelope.

Letters are strokes of a pen through a few points, no two the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.synth.compose import compose_line
from digitlens.synth.fonts import find_fonts
from digitlens.synth.strokes import draw_strokes
from digitlens.synth.style import STYLES
from digitlens.synth.writer import WriterStyle, sample_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Gray
    from digitlens.mail.directory import Directory, Place
    from digitlens.synth.glyphs import Glyphs
    from digitlens.synth.random import Random

    Color = NDArray[np.uint8]
    Box = tuple[int, int, int, int]


# A glyph is strokes separated by `|`; a stroke is points of two digits, columns to the right
# and rows up; the baseline is row 3, a capital's top row 9, a small letter's row 7. A point
# with `!` is a corner, all others are rounded.
BASELINE, CAPITAL = 3, 6.0

_CAPITALS = """
A 03 29! 43|15 35;B 09! 03|09! 28 37 26! 06|16! 36 45 33 03;C 48 39 19 07 05 13 33 44
D 09! 03|09! 29 47 45 23 03;E 49 09! 03! 43|06 36;F 49 09! 03|06 36
G 48 39 19 07 05 13 33 45! 46! 26;H 09 03|49 43|06 46;I 29 23;J 39! 34 23 13 04
K 09 03|49 06! 43;L 09 03! 43;M 03 09! 26! 49! 43;N 03 09! 43! 49
O 29 06 23 46 29 17;P 03 09! 39 47 36 06;Q 29 06 23 46 29 17|35 52
R 03 09! 39 47 36 06|26! 43;S 48 39 19 08 17 36 45 44 33 13 04;T 09 49|29 23
U 09! 05 13 33 45 49!;V 09 23! 49;W 09 13! 27! 33! 49;X 09 43|49 03;Y 09 26! 49|26 23
Z 09 49! 03! 43
"""
_SMALL = """
a 36 27 17 05 04 13 24 36|37! 34 43;b 09! 03|05 17 27 36 34 13 03;c 36 27 17 05 04 13 23 34
d 36 17 05 04 13 23 35|39! 34 43;e 05! 35 36 27 17 05 04 13 23 34;f 38 29 18 13|06 26
g 36 17 05 14 24 36|37! 32 21 11 02;h 09! 03|05 17 26 35 33;i 17 14 23|19 19
j 27 22 11 01|29 29;k 09 03|36 05! 33;l 19 14 23;m 07 03|05 17 26 23|25 37 46 43
n 07 03|05 17 26 35 33;o 17 05 04 13 23 34 36 27 17;p 07 00|06 17 27 36 34 13 04
q 36 17 05 04 13 24 36|37! 30;r 07 03|05 17 27 36;s 36 27 17 06 15 25 34 23 13 04
t 19 14 13 23 34|07 37;u 07 04 13 23 35|37! 34 43;v 07 13! 27;w 07 13! 26! 33! 47
x 07 33|37 03;y 07 05 14 24 36|37! 32 21 11 02;z 07 37! 03! 33
"""
_SIGNS = """
0 29 06 23 46 29 17;1 17 29! 23;2 07 19 29 38 36 04! 03! 43;3 08 29 47 26! 45 33 13 04
4 29 05! 45|38 33;5 49 09! 06! 27 46 44 23 03;6 39 16 04 23 45 26 05;7 09 49! 23
8 48 29 07 26 45 23 04 26 47 39;9 47 26 07 29 48! 46 33;. 13 13;, 13 12 01
- 06 36;# 13 39|33 59|05 55|07 57;' 29 27;& 43 18 29 38 05 14 23 45;/ 02 49
"""


@dataclass(frozen=True)
class Script:
    """How a person writes letters.

    `size` is the height of a capital and `pen` the width of strokes, in pixels; `slant` columns
    to the right per row up; `width` that of letters, 1.0 as in the tables above; `loose` how
    far letters stray and `gap` the room between them, in capital heights; `capitals` whether
    all letters are.
    """

    size: float
    slant: float
    width: float
    pen: float
    loose: float
    capitals: bool
    gap: float


def draw_script(rng: Random, size: float, slant: float, pen: float) -> Script:
    """Draw a way to write, for letters `size` pixels high."""
    return Script(
        size,
        slant,
        rng.uniform(0.72, 1.0),
        pen,
        rng.uniform(0.015, 0.045),
        rng.bernoulli(0.4),
        rng.uniform(0.16, 0.28),
    )


@cache
def _parse_glyphs() -> dict[str, list[list[tuple[float, float, bool]]]]:
    """Return for each letter its strokes: (column, row above the line, corner)."""
    result: dict[str, list[list[tuple[float, float, bool]]]] = {}
    for entry in (_CAPITALS + _SMALL + _SIGNS).replace("\n", ";").split(";"):
        if not entry:
            continue
        letter, _, strokes = entry.partition(" ")
        first = min(int(index[0]) for index in strokes.replace("|", " ").split())
        result[letter] = [
            [
                (int(index[0]) - first, int(index[1]) - BASELINE, index.endswith("!"))
                for index in stroke.split()
            ]
            for stroke in strokes.split("|")
        ]
    return result


def find_strokes(letter: str) -> list[list[tuple[float, float, bool]]]:
    """Return the strokes of `letter`; where there are none, those of its capital."""
    table = _parse_glyphs()
    return table.get(letter) or table.get(letter.upper()) or []


def measure_width(text: str, script: Script) -> float:
    """Return about how wide `text` becomes, in pixels."""
    return sum(_advance(letter, script) for letter in _set_case(text, script))


def _set_case(text: str, script: Script) -> str:
    return text.upper() if script.capitals else text


def _advance(letter: str, script: Script) -> float:
    unit = script.size / CAPITAL
    if letter == " ":
        return 3.2 * unit * script.width + script.gap * script.size
    right = max((x for stroke in find_strokes(letter) for x, _, _ in stroke), default=2.0)
    return right * unit * script.width + script.gap * script.size


def write_script(
    ink: Gray, rng: Random, text: str, place: tuple[float, float], script: Script
) -> float:
    """Write `text` onto `ink`, from `place` (column, row of the line); return its right end."""
    column, row = place
    unit = script.size / CAPITAL
    wave, phase = rng.uniform(0.0, 0.05) * script.size, rng.uniform(0.0, 6.0)
    for letter in _set_case(text, script):
        # Every letter is a little larger, more slanted, rotated or raised than the last.
        size = unit * rng.normal(1.0, 0.05)
        lean = script.slant + rng.normal(0.0, 0.05)
        turn = rng.normal(0.0, 0.03)
        line = row + rng.normal(0.0, script.loose) * script.size
        line += wave * math.sin(column / (4 * script.size) + phase)
        for stroke in find_strokes(letter):
            points = []
            for x, y, corner in stroke:
                across = x * size * script.width + rng.normal(0.0, script.loose) * script.size
                up = y * size + rng.normal(0.0, script.loose) * script.size
                points.append(
                    (column + across + lean * up - turn * up, line - up - turn * across, corner)
                )
            draw_strokes(ink, round_stroke(points), script.pen * rng.normal(1.0, 0.06))
        column += _advance(letter, script) * rng.normal(1.0, 0.05)
    return column


def round_stroke(
    points: list[tuple[float, float, bool]], steps: int = 6
) -> list[tuple[float, float]]:
    """Return the curve through `points` (column, row, corner): Catmull and Rom's splines.

    At a corner and at either end the curve starts anew.
    """
    if len(points) < 3:
        return [point[:2] for point in points]
    places = np.array([point[:2] for point in points])
    result = [points[0][:2]]
    for index in range(len(points) - 1):
        start, end = places[index], places[index + 1]
        before = start if index == 0 or points[index][2] else places[index - 1]
        last = index + 2 == len(points)
        behind = end if last or points[index + 1][2] else places[index + 2]
        for step in range(1, steps + 1):
            t = step / steps
            curve = 0.5 * (
                2 * start
                + (end - before) * t
                + (2 * before - 5 * start + 4 * end - behind) * t**2
                + (3 * start - before - 3 * end + behind) * t**3
            )
            result.append((float(curve[0]), float(curve[1])))
    return result


def _split(text: str, separator: str | None = None) -> list[str]:
    return [item.strip() for item in text.split(separator)]


FIRST_NAMES = _split(
    "Ada Ben Clara David Ella Frank Grace Henry Iris James Karen Leo Maria Nora Oscar "
    "Paula Quinn Rosa Sam Tara Ulla Victor Wendy Xavier Yuki Zoe Amir Beatriz Chen Dmitri"
)
LAST_NAMES = _split(
    "Adams Baker Carter Diaz Evans Fisher Garcia Hughes Irving Johnson Kelly Lopez Miller "
    "Nguyen Olson Parker Quigley Rivera Smith Turner Upton Vargas Walker Young Zhang "
    "Novak"
)
STREETS = _split(
    "Maple Oak Cedar Elm Pine Main Park Lake Hill Church Mill River Spring Washington "
    "Lincoln Jackson Franklin Highland Sunset Prospect Chestnut Walnut Meadow Union "
    "Center Bridge"
)
STREET_KINDS = _split("St Ave Rd Ln Dr Blvd Ct Way")
FIRMS = _split(
    "First County Bank; Green Valley Farms; City Water Works; Dr. Lee Dental; Harbor "
    "Insurance; Alumni Office; Public Library; Northern Gas Co.; Hillside Books; Tax "
    "Service",
    ";",
)


@dataclass(frozen=True)
class Address:
    """An address as it stands on an envelope: two lines, and a third with town and ZIP.

    `plus4` is the digits behind the dash, or ``""``.
    """

    name: str
    street: str
    place: Place
    plus4: str = ""

    @property
    def town(self) -> str:
        """The last line, up to the ZIP."""
        return f"{self.place.city}, {self.place.state}"


def draw_address(rng: Random, directory: Directory, *, firm: bool = False) -> Address:
    """Draw an address in any ZIP of the directory; one in eight has a ZIP+4."""
    place = directory.place(rng.choice(directory.zips))
    assert place is not None, "it was drawn from the directory"
    name = rng.choice(FIRMS) if firm else f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    if rng.bernoulli(0.12):
        street = f"PO Box {1 + rng.integers(2999)}"
    else:
        number = 1 + rng.integers(
            9 if rng.bernoulli(0.05) else 990 if rng.bernoulli(0.5) else 9900
        )
        street = f"{number} {rng.choice(STREETS)} {rng.choice(STREET_KINDS)}"
    four = f"{rng.integers(10_000):04d}" if rng.bernoulli(0.125) else ""
    return Address(name, street, place, four)


# About what a sorting machine's camera gives.
DPI = 150
# How ZIPs are written: by one writer, with some of the digit forms of `digitlens.synth`.
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


def _sample_hand(glyphs: Glyphs, rng: Random, low: float, high: float) -> WriterStyle:
    return sample_writer(glyphs, rng, replace(STYLE, height=(low, high)), "0123456789")


def write_receiver(glyphs: Glyphs, rng: Random, ink: Gray, to: Address) -> Box:
    """Write the receiver's address; return the box of its ZIP."""
    height, width = ink.shape
    size = rng.uniform(0.17, 0.25) * DPI
    writer = _sample_hand(glyphs, rng, 1.05 * size, 1.25 * size)
    script = draw_script(
        rng, size, writer.slant, max(1.6, writer.stroke * rng.uniform(0.8, 1.05))
    )
    # Make the writing smaller until the longest line fits.
    room = width * 0.94
    number, _, street = to.street.partition(" ")
    digits = 10 if to.plus4 else 5
    while True:
        longest = max(
            measure_width(to.name, script),
            measure_width(to.street, script) + size,
            measure_width(to.town, script)
            + size
            + writer.height * digits * (0.75 + max(writer.gap, 0.0)),
        )
        left = max(0.3 * width, min(rng.uniform(0.36, 0.46) * width, room - longest))
        if left + longest <= room or script.size < 14:
            break
        script = replace(script, size=0.92 * script.size, gap=0.95 * script.gap)
        size = script.size
        writer = replace(writer, height=0.92 * writer.height)
    # Name.
    step = rng.uniform(1.65, 2.05) * size
    row = min(rng.uniform(0.5, 0.6) * height, height - 2.9 * step)
    margin = rng.normal(0.0, 0.25) * size
    write_script(ink, rng, to.name, (left, row), script)
    # Number and street, or a box.
    row += step
    end: float
    if number.isdigit():
        end = _put_digits(glyphs, rng, ink, number, (left + margin, row), writer)[2]
        write_script(ink, rng, street, (end + 0.6 * size, row), script)
    else:
        end = write_script(ink, rng, "PO Box", (left + margin, row), script)
        _put_digits(glyphs, rng, ink, to.street.split()[-1], (end + 0.6 * size, row), writer)
    # Town and ZIP.
    row += step
    end = write_script(ink, rng, to.town, (left + 2 * margin, row), script)
    if rng.bernoulli(0.8):
        end += rng.uniform(0.5, 1.0) * size
    else:  # the ZIP on a line of its own
        end, row = left + 2 * margin, row + 0.9 * step
    box = _put_digits(glyphs, rng, ink, to.place.zip, (end, row), writer)
    if to.plus4:
        end = write_script(ink, rng, "-", (box[2] + 0.25 * size, row), replace(script, gap=0.0))
        four = _put_digits(glyphs, rng, ink, to.plus4, (end + 0.2 * size, row), writer)
        box = (box[0], min(box[1], four[1]), four[2], max(box[3], four[3]))
    return box


def shear_lines(ink: Gray, box: Box, slope: float) -> tuple[Gray, Box]:
    """Let the lines fall by `slope` rows per column, as few people write exactly level."""
    matrix = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -slope * box[0]]])
    sheared = cv2.warpAffine(ink, matrix, (ink.shape[1], ink.shape[0]))
    fall = round(slope * (box[2] - box[0]))
    spread = box[0], box[1] + min(fall, 0), box[2], box[3] + max(fall, 0)
    return np.asarray(sheared, np.uint8), spread


def _put_digits(
    glyphs: Glyphs,
    rng: Random,
    ink: Gray,
    text: str,
    place: tuple[float, float],
    writer: WriterStyle,
) -> Box:
    """Write digits onto `ink` from `place` (column, row of the line); return their box."""
    # Compose the digits, and cut out what is inked.
    line = compose_line(glyphs, rng, text, writer, STYLE)
    boxes = np.array(line.boxes)
    left, top = int(boxes[:, 0].min()), int(boxes[:, 1].min())
    right, bottom = int(boxes[:, 2].max()) + 1, int(boxes[:, 3].max()) + 1
    patch = line.ink[top : bottom + 1, left : right + 1]
    # MNIST's edges are two pixels soft; a pen's are not, at this size.
    patch = np.clip((patch.astype(np.float32) - 60) * 1.5 + 60, 0, 255).astype(np.uint8)
    # Put them on the line at the place, inside the paper.
    x = round(place[0])
    y = round(place[1] - (line.line_at((left + right) / 2) - top))
    x = max(0, min(x, ink.shape[1] - patch.shape[1]))
    y = max(0, min(y, ink.shape[0] - patch.shape[0]))
    spot = ink[y : y + patch.shape[0], x : x + patch.shape[1]]
    np.maximum(spot, patch, out=spot)
    return x, y, x + patch.shape[1], y + patch.shape[0]


def write_sender(glyphs: Glyphs, rng: Random, ink: Gray, sender: Address) -> None:
    """Write the sender's address, small, into the upper left corner."""
    size = rng.uniform(0.09, 0.13) * DPI
    writer = _sample_hand(glyphs, rng, 1.1 * size, 1.2 * size)
    script: Script = draw_script(rng, size, writer.slant, max(1.4, 0.8 * writer.stroke))
    left, row = rng.uniform(0.2, 0.35) * DPI, rng.uniform(0.3, 0.4) * DPI
    write_script(ink, rng, sender.name, (left, row), script)
    write_script(ink, rng, sender.street, (left, row + 1.7 * size), script)
    end = write_script(ink, rng, sender.town, (left, row + 3.4 * size), script)
    place = end + 0.6 * size, row + 3.4 * size
    _put_digits(glyphs, rng, ink, sender.place.zip, place, writer)


def print_sender(rng: Random, paper: Color, sender: Address) -> None:
    """Print the sender's address into the upper left corner of the paper."""
    from PIL import Image, ImageDraw, ImageFont

    fonts = find_fonts()
    size = round(rng.uniform(0.085, 0.12) * DPI)
    font = (
        ImageFont.truetype(rng.choice(fonts), size) if fonts else ImageFont.load_default(size)
    )
    image = Image.fromarray(paper)
    drawing = ImageDraw.Draw(image)
    last = f"{sender.town} {sender.place.zip}" + (f"-{sender.plus4}" if sender.plus4 else "")
    left, row = round(rng.uniform(0.2, 0.4) * DPI), round(rng.uniform(0.2, 0.35) * DPI)
    tone = rng.weighted((((40, 40, 44), 0.6), ((30, 60, 110), 0.25), ((110, 40, 40), 0.15)))
    for index, line in enumerate((sender.name, sender.street, last)):
        drawing.text((left, row + round(1.3 * index * size)), line, fill=tone, font=font)
    paper[:] = np.asarray(image)
