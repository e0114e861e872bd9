"""Letters as a pen writes them: strokes through a few points, no two the same.

A glyph is strokes separated by ``|``; a stroke is points of two digits, columns to the right
and rows up; the baseline is row 3, a capital's top row 9, a small letter's row 7. A point with
``!`` is a corner, all others are rounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from digitlens.synth.strokes import draw_strokes

if TYPE_CHECKING:
    from digitlens.synth.random import Random
    from digitlens.synth.sample import Gray


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
def _glyphs() -> dict[str, list[list[tuple[float, float, bool]]]]:
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
    table = _glyphs()
    return table.get(letter) or table.get(letter.upper()) or []


def measure_width(text: str, script: Script) -> float:
    """Return about how wide `text` becomes, in pixels."""
    return sum(_advance(letter, script) for letter in _cased(text, script))


def _cased(text: str, script: Script) -> str:
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
    for letter in _cased(text, script):
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
