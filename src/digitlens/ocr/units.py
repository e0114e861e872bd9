"""Connected ink of a line, and what each piece of it is: digit, letter, dash, point or mark.

A small network says it of each frame of the line, and connected ink gets the mean of its
frames. What place and shape rule out is mended, the slashes of a date are told from 1s, and
which glyphs are digits is decided along the line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.imaging.crop import PITCH, input_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.geometry import Gray


DIGIT, LETTER, SEPARATOR, POINT, MARK = range(5)
"""The network's classes."""

INK = 96
"""Ink, of 255, that counts as written."""

MIN_UNIT_HEIGHT = 0.3
"""Connected ink lower than this share of the line's height is a point, dash or speck."""

CHANGE_COST, WORD_CHANGE_COST, MARK_CHANGE_COST = 3.5, 1.2, 0.7
"""Nats that it costs to go from digits to letters or back, within a word and between two, and
from digits to marks or back: a doubtful glyph is what its neighbors are, but marks stand beside
digits as brackets and currency signs do."""

IS_DIGIT = 2
"""The last of the three states: letters, marks, digits."""

CLIP = (0.001, 0.99)
"""Probabilities of a digit beyond these are not believed: no glyph alone outweighs a word."""

WORD_GAP = 0.25
"""Paper between words, in heights of the line."""

DASH_BAND, DASH_ASPECT = (0.2, 0.85), 1.3
"""Where a dash lies between the tops of digits and their feet, and its least breadth to height;
elsewhere it is a point."""

MIN_DASH = 0.25
"""What is less broad than this share of the line's height is no dash but a point: a dot inside
an amount may stand at half height where the line slopes, and be three pixels high."""

MAX_COMMA = 0.5
"""What is lower than this share of the line's height, and below its middle, is no digit."""

MAX_DIGIT_HEIGHT, SLASH_DOUBT, ONE_DOUBT = 1.1, 0.05, 0.01
"""What leans, is no higher than digits, and may be a 1 with the first probability, is no slash;
with the second it parts numbers, but these are not sure."""

LOWERED, MIN_SLASH, LIKELY_SLASH, PROBABLE_SLASH = 0.2, 0.01, 0.3, 0.3
"""A stroke whose top is this much lower than its neighbours', in their height, may be a slash
of a date from the first probability on; any other stroke from the second; and from the last on
a number in which it stands as a 1 is not sure."""

COLON_ASPECT, COLON_LEAN, COLON_GAP = 2.0, 0.2, 0.08
"""A colon's specks are less broad than this, in their height; its upper one stands no farther
aside, and so much above the lower, in heights of the line."""

MIN_DIGIT = 0.2
"""What stands beside the slashes of a date is a digit with this probability at least; and ink
that a digit runs out in is no dash with this probability of a digit."""

DOUBTFUL_CERTAINTY = 0.5
"""The most that is given to a line of which it is not known what is a digit."""

DATES = ((1, 2), (1, 2), (2, 4)), ((4, 4), (1, 2), (1, 2))
"""Fewest and most digits of a date's parts: two slashes that may be 1s stand between them."""

MIXED, MIN_BREADTH = (0.15, 0.85), 0.9
"""Connected ink so broad, in heights of the line, with a share of digits between these is cut
where its signs change."""


@dataclass(frozen=True)
class Unit:
    """Connected ink of a line, or a piece of it between two columns.

    Columns and rows are those of the crop.
    """

    label: int  # of the connected ink
    left: int
    top: int
    right: int
    bottom: int
    sign: int  # `DIGIT` .. `MARK`
    # 0..1: how probably it is a digit, of a number's with regard to its neighbors.
    certainty: float
    slash: float = 0.0  # 0..1: how probably it is a dash or slash, looked at alone
    mark: float = 0.0  # 0..1: and a mark of any kind, these among them
    alone: float = 1.0  # 0..1: how probably it is a digit, looked at alone

    @property
    def height(self) -> int:
        """In pixels of the crop."""
        return self.bottom - self.top

    @property
    def center(self) -> float:
        """Twice its middle column."""
        return self.left + self.right


def find_units(
    ink: Gray, probs: NDArray[np.float32]
) -> tuple[NDArray[np.int32], list[Unit], float]:
    """Find connected ink and what each piece of it is.

    ink: uint8 (h, w), 255 = full ink; probs: float32 (T, 5), of each frame

    Returns the labels of connected ink, int32 (h, w); its units, from left to right; and the
    line's height.
    """
    count, label_image, stats, _ = cv2.connectedComponentsWithStats(
        (ink > INK).astype(np.uint8), connectivity=8
    )
    labels = np.asarray(label_image, np.int32)
    if count < 2:
        return labels, [], 1.0
    rows, columns = ink.shape
    frames = np.arange(columns) * (input_width(rows, columns) / columns / PITCH)
    by_column = probs[np.minimum(frames.astype(int), len(probs) - 1)]
    spots = np.flatnonzero(labels.ravel())
    owner, column = labels.ravel()[spots], spots % columns
    sums = np.stack(
        [
            np.bincount(owner, weights=by_column[column, sign], minlength=count)
            for sign in range(5)
        ]
    )
    shares = (sums / np.maximum(stats[:, 4], 1))[:, 1:].T
    boxes = stats[1:, :4].astype(int)
    boxes[:, 2:] += boxes[:, :2]
    heights = boxes[:, 3] - boxes[:, 1]
    tall = heights >= MIN_UNIT_HEIGHT * heights.max()
    height = float(np.quantile(heights[tall], 0.75))
    band = float(np.median(boxes[tall, 1])), float(np.median(boxes[tall, 3]))
    units: list[Unit] = []
    for index, (box, share) in enumerate(zip(boxes.tolist(), shares, strict=True), start=1):
        low, high = MIXED
        if low < share[DIGIT] < high and box[2] - box[0] > MIN_BREADTH * height:
            units += _split(labels, index, by_column, box)
        else:
            left, top, right, bottom = box
            sign, certainty = int(np.argmax(share)), float(share[DIGIT])
            slash, mark = float(share[SEPARATOR]), float(share[SEPARATOR:].sum())
            unit = Unit(
                index, left, top, right, bottom, sign, certainty, slash, mark, certainty
            )
            units.append(_check_place(unit, height, band))
    units = part_times(sorted(units, key=lambda unit: unit.center), height)
    units = part_dates(units, height, band)
    return labels, decide_digits(units, height), height


def part_times(units: Sequence[Unit], height: float) -> list[Unit]:
    """Return the units with colons as what parts numbers: two specks, one above the other."""
    result = list(units)
    specks = [
        i
        for i, unit in enumerate(units)
        if not is_tall(unit, height) and unit.right - unit.left < COLON_ASPECT * unit.height
    ]
    for i, j in pairwise(specks):
        upper, lower = sorted((units[i], units[j]), key=lambda unit: unit.top)
        is_stacked = abs(upper.center - lower.center) < 2 * COLON_LEAN * height
        is_stacked &= lower.top - upper.bottom > COLON_GAP * height
        if is_stacked and max(upper.slash, lower.slash) > LIKELY_SLASH:
            for place in (i, j):
                result[place] = replace(result[place], sign=SEPARATOR, certainty=0.0)
    return result


def part_dates(units: Sequence[Unit], height: float, band: tuple[float, float]) -> list[Unit]:
    """Return the units with the slashes of dates as such, which by themselves may be 1s.

    band: rows between which the line's writing mostly stands
    """
    tall = [i for i, unit in enumerate(units) if is_tall(unit, height)]
    lowered = [
        i
        for i in tall
        if units[i].slash >= MIN_SLASH and units[i].top - band[0] > LOWERED * height
    ]
    likely = [i for i in tall if units[i].slash >= LIKELY_SLASH]
    for slashes in (lowered, sorted({*lowered, *likely})):
        if _are_of_a_date(units, tall, slashes):
            return [
                replace(unit, sign=SEPARATOR, certainty=0.0) if i in slashes else unit
                for i, unit in enumerate(units)
            ]
    return list(units)


def _are_of_a_date(units: Sequence[Unit], tall: Sequence[int], slashes: Sequence[int]) -> bool:
    """Say whether two strokes stand among nothing but digits, as many as a date has."""
    digits = [i for i in tall if i not in slashes]
    if len(slashes) != 2 or any(units[i].certainty < MIN_DIGIT for i in digits):
        return False
    parts = np.bincount(np.searchsorted(slashes, digits), minlength=3)
    return any(
        all(least <= part <= most for part, (least, most) in zip(parts, date, strict=True))
        for date in DATES
    )


def _check_place(unit: Unit, height: float, band: tuple[float, float]) -> Unit:
    """Return a unit as it is, unless it has not the place and shape of what it seems to be."""
    middle = (0.5 * (unit.top + unit.bottom) - band[0]) / max(band[1] - band[0], 1.0)
    is_dash = unit.right - unit.left >= max(DASH_ASPECT * unit.height, MIN_DASH * height)
    is_dash = is_dash and DASH_BAND[0] <= middle <= DASH_BAND[1]
    if unit.sign == DIGIT:
        if is_dash and not is_tall(unit, height) and unit.slash >= MIN_SLASH:
            return replace(unit, sign=SEPARATOR, certainty=0.0)
        is_comma = unit.height < MAX_COMMA * height and unit.top > 0.5 * (band[0] + band[1])
        return replace(unit, sign=POINT) if is_comma else unit
    if unit.sign != SEPARATOR:
        return unit
    if is_tall(unit, height):
        return replace(unit, sign=MARK) if may_be_one(unit, height, SLASH_DOUBT) else unit
    return unit if is_dash else replace(unit, sign=POINT)


def may_be_one(unit: Unit, height: float, doubt: float) -> bool:
    """Say whether a slash is as high as a digit, and a leaning 1 with this probability."""
    is_slash = unit.sign == SEPARATOR and is_tall(unit, height)
    return is_slash and unit.height <= MAX_DIGIT_HEIGHT * height and unit.certainty >= doubt


def is_tall(unit: Unit, height: float) -> bool:
    """Say whether a unit is more than a point, dash or speck in a line of this height."""
    return unit.height >= MIN_UNIT_HEIGHT * height


def is_glyph(unit: Unit, height: float) -> bool:
    """Say whether a unit may be a digit or a letter: all but dashes, points and specks."""
    return is_tall(unit, height) and unit.sign not in (SEPARATOR, POINT)


def decide_digits(units: Sequence[Unit], height: float) -> list[Unit]:
    """Return the units with their signs decided together.

    The likeliest sequence of letters, marks and digits, by Viterbi's algorithm (1967): of tall
    units, separators and points left out.
    """
    chain = [i for i, unit in enumerate(units) if is_glyph(unit, height)]
    if not chain:
        return list(units)
    digits = np.clip([units[i].certainty for i in chain], *CLIP)
    marks = np.clip([units[i].mark for i in chain], *CLIP)
    letters = np.clip(1 - digits - marks, *CLIP)
    odds = np.log(digits / (1 - digits))
    shares = np.log(np.column_stack([letters, marks, digits]))
    gaps = [units[two].left - units[one].right for one, two in pairwise(chain)]
    costs = [_costs_of(gap, height) for gap in gaps]
    # The best score of each state, and where it came from.
    scores, origins = shares[0], []
    for share, cost in zip(shares[1:], costs, strict=True):
        ways = scores[:, None] - cost
        origins.append(ways.argmax(axis=0))
        scores = ways.max(axis=0) + share
    states = [int(scores.argmax())]
    for origin in reversed(origins):
        states.append(int(origin[states[-1]]))
    states.reverse()
    result = list(units)
    for place, (i, state) in enumerate(zip(chain, states, strict=True)):
        if state != IS_DIGIT:
            sign = units[i].sign if units[i].sign != DIGIT else (LETTER, MARK)[state]
            result[i] = replace(units[i], sign=sign)
            continue
        # What the neighbors say: it costs as much to be something else beside a digit.
        support = 0.0
        for other, way in ((place - 1, place - 1), (place + 1, place)):
            if 0 <= other < len(states):
                is_beside = states[other] == IS_DIGIT
                cost = costs[way][0 if is_beside else states[other], IS_DIGIT]
                support += cost if is_beside else -cost
        certainty = 1 / (1 + np.exp(-odds[place] - support))
        result[i] = replace(units[i], sign=DIGIT, certainty=float(certainty))
    return result


def _costs_of(gap: float, height: float) -> NDArray[np.float64]:
    """Return what it costs to go from letters, marks, digits to each of these: (3, 3)."""
    change = CHANGE_COST if gap < WORD_GAP * height else WORD_CHANGE_COST
    return np.array(
        [[0.0, 0.0, change], [0.0, 0.0, MARK_CHANGE_COST], [change, MARK_CHANGE_COST, 0.0]]
    )


def _split(
    labels: NDArray[np.int32],
    index: int,
    by_column: NDArray[np.float32],
    box: list[int],
) -> list[Unit]:
    """Cut connected ink where digits end and something else begins."""
    left, top, right, bottom = box
    mask = labels[top:bottom, left:right] == index
    room = max(1, (bottom - top) // 4) | 1
    smooth = cv2.blur(by_column[left:right, DIGIT].reshape(1, -1), (2 * room + 1, 1))[0]
    is_digit = smooth >= 0.5
    cuts = [0, *(np.flatnonzero(np.diff(is_digit)) + 1).tolist(), right - left]
    units = []
    for start, end in pairwise(cuts):
        rows = np.flatnonzero(mask[:, start:end].any(axis=1))
        if not len(rows):
            continue
        share = by_column[left + start : left + end].mean(axis=0)
        sign = DIGIT if is_digit[start] else LETTER + int(np.argmax(share[LETTER:]))
        if sign == SEPARATOR and share[DIGIT] >= MIN_DIGIT:
            sign = POINT  # the tail of an 8, say: a dash that touches a digit is clearer
        place = left + start, top + int(rows[0]), left + end, top + int(rows[-1]) + 1
        units.append(Unit(index, *place, sign, float(share[DIGIT])))
    return units
