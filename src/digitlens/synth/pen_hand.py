"""A writer's digits drawn from strokes: the same forms, pen and rhythm through a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.synth.pen import Drawn, Pen, Stroke, draw_nib
from digitlens.synth.random import Random
from digitlens.synth.rule_forms import STRAIGHT
from digitlens.synth.strokes import (
    HIGH,
    SkeletonStroke,
    move_skeleton,
    parse_skeletons,
    refine_stroke,
    skeletons,
)

FINE = 3  # pixels drawn for one of the line; then they are averaged
RULED = 0.3  # so often a hand writes a digit in a form made by rule instead of its writer's

# Of what would shrink the upper part of a writer's digit, a form made by rule gets so much (as
# an exponent): more would leave a 9 no head.
RULED_POWER = 0.3

# Forms that others take for another digit, written as those of `synth.strokes`: a 2 that begins
# with a hook or loop, a 1 that is mostly upstroke, a narrow loop or leans like a slash, a 9
# with a small or open head, an open 0, a 7 with a wave or a bar, an 8 with a straight back.
_TEXT = """
0 ~ .3 .02  .05 .2  0 .7  .3 1  .6 .75  .62 .3  .45 .1
0 ~ .35 .05  0 .3  .05 .9  .4 1  .65 .6  .5 .1  .3 .12  .6 .25  1.1 .12
0 ~ .55 .1  .3 0  .03 .3  .05 .85  .35 1  .62 .7  .6 .25  .4 .02
1 / -.9 .98  .05 0  0 1
1 / -.7 .5  0 0  -.12 1
1 ~ -.6 .75  -.2 .3  .1 0 / .1 0  -.1 1
1 / .35 0  -.3 1
1 / .2 0  -.1 1
1 / -.25 .3  .05 0  0 1
1 ~ -.35 .45  -.05 .1  .1 0  .06 .4  0 1
1 ~ -.5 .95  -.1 .6  .22 .12  .18 -.02  .05 .05  -.05 .5  -.08 1
1 ~ 0 1  .2 .15  .17 0  .05 .12  -.1 .7  -.12 1
1 ~ .03 .95  .2 .3  .2 .02  .1 .06  -.04 .5  -.08 .95  .06 1
1 ~ -.55 .9  -.15 .5  .1 0 / .1 0  .02 1 / -.35 1.02  .35 1
2 ~ .32 .38  .1 .42  0 .22  .2 0  .55 .02  .62 .3  .3 .7  0 1 / 0 1  .75 .97
2 ~ .2 .1  .34 .3  .12 .42  -.02 .2  .25 0  .6 .1  .5 .5  .1 .95  0 .85  .15 .8  .8 1
2 ~ .3 .2  .2 .35  0 .3  .05 .05  .4 0  .62 .2  .45 .6  .05 1  .4 .92  .9 1
2 ~ .15 .3  0 .25  .05 .08  .3 0  .55 .1  .55 .35  0 1 / 0 1  .6 1
2 ~ .25 .42  .05 .4  .02 .15  .3 0  .6 .15  .55 .45  .25 .85  .02 .95  .1 .8  .35 .9  .8 .85
3 / 0 .05  .58 0  .22 .42 ~ .22 .42  .6 .45  .6 .85  .3 1  0 .92
4 / .15 0  0 .55  .8 .5 / .6 .1  .45 1
4 ~ .1 0  .02 .45  .1 .6  .7 .5 / .6 .05  .5 1
4 / .1 0  .05 .5  .6 .5 / .55 .15  .55 1
5 / .65 0  .12 .02  .08 .42 ~ .08 .42  .45 .36  .6 .65  .4 1  0 .95
6 ~ .5 0  .15 .35  0 .75  .2 1  .4 .85  .3 .65  .03 .75
7 / 0 .2  .05 0  .62 .02  .3 1 / .05 .5  .75 .45
7 ~ .15 .25  0 .15  .08 0  .35 .1  .68 0 / .68 0  .25 1 bar
7 / 0 .02  .6 0  .55 .3  .4 1 bar
7 / -.02 .12  .4 .1 / .42 0  .28 1 / .02 .5  .85 .42
7 ~ 0 .3  .12 .1  .4 .22  .6 .05 / .6 .05  .3 1 / .1 .55  .75 .5
8 / 0 .02  .02 1 ~ .02 .02  .5 .05  .5 .4  .08 .46  .6 .6  .5 .98  .02 .98
8 ~ .5 .05  .12 .1  .05 .9  .4 1  .6 .75  .2 .48  .5 .3  .45 .05  .25 .08
8 ~ .45 .1  .15 0  .1 .25  .4 .45  .55 .8  .2 1  .02 .75  .3 .5  .55 .2  .5 0
8 ~ .3 .42  .08 .2  .3 0  .5 .2  .3 .42 / .3 .42  .02 .75  .3 1  .58 .75  .3 .42
8 ~ .62 .05  .3 0  .1 .2  .3 .45  .6 .75  .3 1  0 .75  .4 .4  .7 0
9 ~ .45 .12  .25 0  .08 .14  .25 .3  .45 .12 / .45 .08  .35 1
9 ~ .4 .06  .2 0  .1 .14  .2 .26  .42 .1  .42 .5  .1 1
9 ~ .5 .05  .15 .05  .05 .3  .25 .42  .5 .2 / .52 0  .42 1
9 ~ .55 .2  .3 0  .02 .2  .22 .42  .5 .18 / .55 .05  .5 .75  .3 1.1  .05 1
9 ~ .2 0  .02 .15  .15 .35  .4 .2  .22 .02 / .42 .1  .28 1
9 ~ .35 .05  .12 .02  .02 .2  .2 .32  .4 .05  .4 .4  .3 .9  .55 .8
"""

RARE = parse_skeletons(_TEXT)

# How often a hand begins a digit with a loop or hook.
LOOPS = {2: 0.3, 7: 0.12, 3: 0.08, 0: 0.08, 8: 0.05, 9: 0.05}


# Digits that end where their bowl closes, and how much of their last stroke may be left out,
# so that it stays open; more would make a C of a 6. Others end in their tail.
CUTS = {0: 0.22, 6: 0.12, 8: 0.16}


class Habit(NamedTuple):
    """How a hand writes one digit along a line."""

    samples: Sequence[Sequence[Stroke]]  # strokes of this writer
    skeleton: list[SkeletonStroke]  # of a form made by rule, which is then written instead
    power: float = 1.0  # above 1 the upper part is smaller than the writer's own
    loop: tuple[float, float, float] = (0.0, 0.0, 1.0)  # turn (0 for none), radius, flattening
    flag: tuple[float, float] = (0.0, 0.0)  # breadth and depth of an upstroke; 0 for none
    bar: bool = False
    cut: float = 0.0  # share of the last stroke that is left out
    size: float = 1.0  # its height among the other digits


@dataclass(frozen=True)
class PenHand:
    """One writer for one line; `links` is how often the pen stays down between digits."""

    habits: dict[int, Habit]
    pen: Pen
    pressure: float
    wave: float
    links: float
    zero_links: float
    even: bool = False

    def draw(
        self, rng: Random, label: int, height: float, shape: NDArray[np.float64], width: float
    ) -> Drawn:
        """Write one digit.

        height: of the digit, in pixels
        shape: float64 (2, 2): what makes it slanted, broad and turned
        width: of the stroke, in pixels
        """
        habit = self.habits[label]
        strokes = [_bend(rng, stroke, self.wave) for stroke in _form(rng, habit)]
        matrix = shape * (height * habit.size * FINE)
        placed = [np.asarray(stroke @ matrix.T, np.float32) for stroke in strokes]
        points = np.concatenate(placed)
        low, high = points.min(axis=0), points.max(axis=0)
        thick = max(1.0, width * FINE)
        edge = thick / 2 + FINE
        size = np.ceil((high - low + 2 * edge) / FINE).astype(int)
        canvas = np.zeros((int(size[1]) * FINE, int(size[0]) * FINE), np.uint8)
        for stroke in placed:
            self._draw(canvas, stroke - low + edge, thick)
        ink = cv2.resize(canvas, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        start, end = ((point - low + edge) / FINE for point in (placed[0][0], placed[-1][-1]))
        return Drawn(
            np.asarray(ink, np.uint8),
            start=(float(start[0]), float(start[1])),
            end=(float(end[0]), float(end[1])),
        )

    def _draw(self, canvas: NDArray[np.uint8], stroke: Stroke, width: float) -> None:
        if not self.pressure or len(stroke) < 4:
            draw_nib(canvas, stroke, width, self.pen)
            return
        # A quick stroke is thin, a slow one thick.
        steps = np.hypot(*np.diff(stroke, axis=0).T)
        speed = np.convolve(np.pad(steps, 2, mode="edge"), np.full(5, 0.2), mode="valid")
        factors = np.clip(
            1 - self.pressure * (speed / max(float(speed.mean()), 1e-6) - 1), 0.5, 1.4
        )
        places = np.rint(stroke * 16).astype(np.int32)
        for (start, stop), factor in zip(pairwise(places.tolist()), factors, strict=True):
            cv2.line(
                canvas, start, stop, 255, max(1, round(width * factor)), cv2.LINE_8, shift=4
            )


def sample_pen_hand(
    rng: Random, samples: Sequence[Sequence[Sequence[Stroke]]], text: str
) -> PenHand:
    """Draw one writer's line: forms for the digits of `text`, pen, pressure, joins."""
    joint = rng.weighted((("round", 0.84), ("square", 0.06), ("broad", 0.1)))
    return PenHand(
        {label: _habit(rng, label, samples[label]) for label in map(int, dict.fromkeys(text))},
        Pen(joint=joint, angle=rng.uniform(15, 60)),
        rng.uniform(0.1, 0.6) if joint == "round" and rng.bernoulli(0.5) else 0.0,
        abs(rng.normal(0.0, 0.03)),
        rng.uniform(0.05, 0.7) if rng.bernoulli(0.3) else 0.0,
        rng.uniform(0.5, 1.0) if rng.bernoulli(0.4) else 0.0,
    )


def _habit(rng: Random, label: int, samples: Sequence[Sequence[Stroke]]) -> Habit:
    skeleton: list[SkeletonStroke] = []
    if rng.bernoulli(RULED):
        kind = rng.weighted((("rare", 0.55), ("usual", 0.37), ("straight", 0.08)))
        if kind == "straight":
            skeleton = rng.choice(STRAIGHT[label])
        else:
            forms = RARE if kind == "rare" and label in RARE else skeletons()
            skeleton = rng.choice(forms[label])
    # A writer has two or three ways to write a digit, close to each other.
    own = [rng.choice(samples) for _ in range(2)]
    spread = {9: 0.3, 6: 0.25, 8: 0.2}.get(label, 0.15)
    power = math.exp(rng.normal(0.0, spread))
    if label == 9 and rng.bernoulli(0.25):
        power = rng.uniform(1.3, 2.0)
    if skeleton:  # its head is as small already as anybody makes it
        power = power**RULED_POWER
    loop = 0.0, 0.0, 1.0
    if rng.bernoulli(LOOPS.get(label, 0.0)):
        loop = rng.uniform(1.5, 7.0), rng.uniform(0.06, 0.2), rng.uniform(0.5, 1.1)
    flag = 0.0, 0.0
    if label == 1 and rng.bernoulli(0.35):
        flag = rng.uniform(0.1, 0.7), rng.uniform(0.1, 1.0)
    elif label in (0, 7, 9, 2, 3) and rng.bernoulli(0.08):
        flag = rng.uniform(0.05, 0.3), rng.uniform(-0.1, 0.3)
    return Habit(
        own,
        skeleton,
        power,
        loop,
        flag,
        bar=label == 7 and rng.bernoulli(0.25),
        cut=rng.uniform(0.03, CUTS[label]) if label in CUTS and rng.bernoulli(0.2) else 0.0,
        size=rng.uniform(0.5, 0.9) if label == 0 and rng.bernoulli(0.25) else 1.0,
    )


def _form(rng: Random, habit: Habit) -> list[Stroke]:
    """Return the strokes of one digit, its highest point at 0 and its lowest at 1."""
    if habit.skeleton:
        ways = [np.array(way, np.float32) for way in move_skeleton(rng, habit.skeleton)]
        strokes = [refine_stroke(way / np.float32(HIGH), 4) for way in ways]
        lowest = max(float(stroke[:, 1].max()) for stroke in strokes)
        highest = min(float(stroke[:, 1].min()) for stroke in strokes)
        strokes = [
            np.asarray((stroke - (0, highest)) / (lowest - highest), np.float32)
            for stroke in strokes
        ]
    else:
        strokes = [stroke.copy() for stroke in rng.choice(habit.samples)]
    for stroke in strokes:
        stroke[:, 1] = np.clip(stroke[:, 1], 0, 1) ** habit.power
    if habit.cut and len(strokes[-1]) > 12:
        strokes[-1] = _cut_end(strokes[-1], habit.cut)
    if habit.loop[0]:
        strokes[0] = np.concatenate([_loop(strokes[0], *habit.loop), strokes[0]])
    elif habit.flag[0]:
        begin = strokes[0][0] + np.array([-habit.flag[0], habit.flag[1]], np.float32)
        way = np.stack([begin, strokes[0][0]]) + np.float32(rng.normal(0.0, 0.03))
        strokes[0] = np.concatenate([refine_stroke(way.astype(np.float32), 4), strokes[0]])
    if habit.bar and len(strokes) == 1:
        points = strokes[0]
        row = rng.uniform(0.4, 0.6)
        middle = float(points[np.abs(points[:, 1] - row).argmin(), 0])
        tilt = rng.normal(0.03, 0.05)
        bar = [
            (middle - rng.uniform(0.15, 0.4), row + tilt),
            (middle + rng.uniform(0.15, 0.4), row - tilt),
        ]
        strokes.append(refine_stroke(np.array(bar, np.float32), 4))
    return strokes


def _cut_end(stroke: Stroke, share: float) -> Stroke:
    """Leave out the end of a stroke: a share of its length, as a quick end has few points."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return stroke[: max(2, int(np.searchsorted(along, (1 - share) * along[-1])))]


def _loop(stroke: Stroke, turn: float, radius: float, flat: float) -> Stroke:
    """Return a clockwise spiral that leads into the beginning of `stroke`."""
    ahead = stroke[min(len(stroke) - 1, max(1, len(stroke) // 12))] - stroke[0]
    angle = math.atan2(float(ahead[1]), float(ahead[0])) if len(stroke) > 1 else 0.0
    # The centre lies to the right of the way; the spiral ends where the stroke begins.
    steps = np.linspace(0.0, 1.0, 14)[:-1]
    around = angle - math.pi / 2 - turn * (1 - steps)
    reach = radius * (0.55 + 0.45 * steps)
    centre = stroke[0] + radius * np.array([-math.sin(angle), math.cos(angle)])
    points = np.stack([np.cos(around), np.sin(around)], axis=1) * reach[:, None]
    points = points * np.array([flat, 1.0]) + centre
    # Flattening must not part it from the stroke.
    points += (stroke[0] - points[-1]) * (steps**3)[:, None]
    return np.asarray(points, np.float32)


def _bend(rng: Random, stroke: Stroke, amount: float) -> Stroke:
    """Return a stroke bent smoothly: no hand writes a digit twice alike."""
    x, y = stroke[:, 0], stroke[:, 1]
    first, second = rng.normal(0.0, amount), rng.normal(0.0, amount)
    third = rng.normal(0.0, amount)
    begin = rng.uniform(0.0, 6.3), rng.uniform(0.0, 6.3)
    moved = [
        x + first * np.sin(5.0 * y + begin[0]) + third * np.sin(9.0 * y + begin[1]),
        y + second * np.sin(5.0 * x + begin[1]),
    ]
    return np.stack(moved, axis=1).astype(np.float32)
