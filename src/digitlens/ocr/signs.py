"""Numbers told from words: of each line the parts that are numbers, cut out.

A small network says of each frame of a line whether its ink is a digit's, a letter's, a dash's
or slash's, a point's or another mark's. Connected ink gets the mean of its frames, and digits
that follow each other are a number: letters, marks, separators and wide gaps part them, points
and commas do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import cv2
import numpy as np

from digitlens.errors import UsageError
from digitlens.imaging.crop import PITCH, input_width
from digitlens.ocr.select import is_one_line, may_be_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.geometry import Gray
    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.ocr.network import SignRecognizer

    Parting: TypeAlias = Literal["usual", "join", "split"]
    """What parts numbers: with "join" only words and marks, with "split" also points."""


DIGIT, LETTER, SEPARATOR, POINT, MARK = range(5)
"""The network's classes."""

INK = 96
"""Ink, of 255, that counts as written."""

MIN_UNIT_HEIGHT = 0.3
"""Connected ink lower than this share of the line's height is a point, dash or speck."""

CHANGE_COST, WORD_CHANGE_COST, MARK_CHANGE_COST = 3.5, 1.2, 3.2
"""Nats that it costs to go from digits to other writing or back, within a word, between two,
and where no letter is in sight: a doubtful glyph is what its neighbors are."""

CLIP = (0.001, 0.99)
"""Probabilities of a digit beyond these are not believed: no glyph alone outweighs a word."""

WORD_GAP = 0.25
"""Paper between words, in heights of the line."""

CLEARLY_FOREIGN, CLEARLY_SEVERAL, MIN_FOREIGN = 6.5, 10.0, 5.0
"""Nats: where no line of a page says so clearly that it is more than a number, all is read;
where a picture of one line does not, that is read from edge to edge; of a line that says so
less clearly than the last nothing is cut off: it is read whole, and not surely."""

CLEAR = (0.01, 0.9)
"""A line with no glyph that may be a digit with a probability between these is clear."""

MIN_LINE_HEIGHT = 0.5
"""In a picture of one line, what is lower than this share of the tallest is no part of it."""

DOUBTFUL_CERTAINTY = 0.5
"""The most that is given to such a line."""

DASH_BAND, DASH_ASPECT = (0.2, 0.85), 1.3
"""Where a dash lies between the tops of digits and their feet, and its least breadth to height;
elsewhere it is a point."""

MAX_COMMA = 0.5
"""What is lower than this share of the line's height, and below its middle, is no digit."""

MAX_DIGIT_HEIGHT, SLASH_DOUBT, ONE_DOUBT = 1.1, 0.05, 0.01
"""What leans, is no higher than digits, and may be a 1 with the first probability, is no slash;
with the second it parts numbers, but these are not sure."""

LIST_GAP = 0.35
"""Paper after a comma that parts the numbers of a list, in their height."""

MAX_GAP = 0.8
"""Digits are of two numbers where more paper than this lies between, in their height, ..."""

MAX_GAP_RATIO = 1.5
"""... unless gaps so wide recur, all within this factor: in printed boxes, say."""

MIXED, MIN_BREADTH = (0.15, 0.85), 0.9
"""Connected ink so broad, in heights of the line, with a share of digits between these is cut
where its signs change."""

MAX_DASH = 2.5
"""What is longer than this, in heights of the line, and low is a rule, not a dash."""


def choose_parting(*, join: bool, split: bool) -> Parting:
    """Return what parts numbers; `UsageError` where both are asked for."""
    if join and split:
        raise UsageError("join and split are opposites: one of them at most")
    return "join" if join else "split" if split else "usual"


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

    @property
    def height(self) -> int:
        """In pixels of the crop."""
        return self.bottom - self.top

    @property
    def center(self) -> float:
        """Twice its middle column."""
        return self.left + self.right


def keep_numbers(
    network: SignRecognizer | None,
    layout: PageLayout,
    parting: Parting = "usual",
    *,
    may_be_line: bool = False,
) -> PageLayout:
    """Return a layout whose crops are numbers: parts of lines, where words stand beside them.

    Lines without a digit are its `words`. A line that is a number as a whole stays as it is,
    and so do its parts, of which `digitlens.ocr.select` may choose; so does all where nothing
    is clearly other writing, or without a network. `may_be_line` says that the picture shows
    one line, if it has the shape of one: what is small is then none.
    """
    # A picture of a single glyph shows a digit, or nobody would read it.
    is_lone = len(layout.crops) == 1 and layout.crops[0].components == 1
    if network is None or is_lone:
        return layout
    lines = {crop: examine(network, crop) for crop in layout.crops if not crop.part}
    inked = sum(crop.ink.shape[1] for crop in lines)
    clarity = sum(line.clarity * crop.ink.shape[1] for crop, line in lines.items())
    layout = replace(layout, clarity=clarity / max(1, inked))
    least, bar = 0.0, CLEARLY_FOREIGN
    if may_be_line and (is_one_line(layout) or may_be_one_line(layout)):
        bar = CLEARLY_SEVERAL
        least = MIN_LINE_HEIGHT * max((crop.height for crop in lines), default=0.0)
    main = [line for crop, line in lines.items() if crop.height >= least]
    if all(line.foreign < (MIN_FOREIGN if line.is_clear() else bar) for line in main):
        return layout
    kept: list[LineCrop] = []
    words: list[LineCrop] = []
    is_whole, certainty = True, 1.0
    for crop in layout.crops:
        if crop.part:
            # The parts of a line that was cut here, or is a word, say nothing more.
            if is_whole and parting != "join":
                kept.append(replace(crop, certainty=certainty))
            continue
        numbers = cut_examined(lines[crop], parting)
        is_whole = len(numbers) == 1 and numbers[0].ink is crop.ink
        certainty = min((number.certainty for number in numbers), default=1.0)
        kept += numbers
        if not numbers:
            words.append(crop)
    return replace(layout, crops=tuple(kept), words=tuple(words))


def holds_only_numbers(layout: PageLayout, numbers: PageLayout) -> bool:
    """Say whether `keep_numbers` left a layout as it was."""
    before = {id(crop.ink) for crop in layout.crops}
    return not numbers.words and all(id(crop.ink) in before for crop in numbers.crops)


@dataclass(frozen=True, eq=False)
class Examined:
    """A line and what its ink is."""

    crop: LineCrop
    labels: NDArray[np.int32]  # (h, w): connected ink, from 1
    units: list[Unit]  # from left to right
    height: float  # of its writing, in pixels of the crop
    clarity: float  # 0..1: the mean probability of what is likeliest in each frame with ink

    @property
    def foreign(self) -> float:
        """How clearly something is no digit: the log odds of all such ink, in nats.

        A clear dash or slash between digits says it alone.
        """
        digits = [unit.center for unit in self.units if unit.sign == DIGIT]
        parted = any(
            unit.sign == SEPARATOR
            and unit.certainty < SLASH_DOUBT
            and digits[0] < unit.center < digits[-1]
            for unit in self.units
            if digits
        )
        others = [unit.certainty for unit in self.glyphs if unit.sign != DIGIT]
        shares = np.clip(others, *CLIP)
        return float(np.sum(np.log((1 - shares) / shares))) + CLEARLY_SEVERAL * parted

    @property
    def glyphs(self) -> list[Unit]:
        """What may be a digit or a letter: all but dashes, points and specks."""
        return [unit for unit in self.units if _is_glyph(unit, self.height)]

    def is_clear(self) -> bool:
        """Say whether of every glyph it is known whether it is a digit."""
        return all(not CLEAR[0] < unit.certainty < CLEAR[1] for unit in self.glyphs)


def examine(network: SignRecognizer, crop: LineCrop) -> Examined:
    """Ask the network what the ink of a line is."""
    probs = np.exp(network.log_probs(crop.picture))
    labels, units, height = find_units(crop.ink, probs)
    return Examined(crop, labels, units, height, _measure_clarity(crop.ink, probs))


def _measure_clarity(ink: Gray, probs: NDArray[np.float32]) -> float:
    inked = np.interp(
        np.arange(len(probs)), np.linspace(0, len(probs), ink.shape[1]), ink.max(axis=0)
    )
    best = probs.max(axis=1)[inked > INK]
    return float(best.mean()) if best.size else 0.0


def cut_numbers(
    network: SignRecognizer, crop: LineCrop, parting: Parting = "usual"
) -> list[LineCrop]:
    """Return the numbers of a line: none, the line itself, or parts that were cut out."""
    return cut_examined(examine(network, crop), parting)


def cut_examined(line: Examined, parting: Parting = "usual") -> list[LineCrop]:
    """Return the numbers of a line that was examined, as `cut_numbers` does."""
    crop, labels, units, height = line.crop, line.labels, line.units, line.height
    tall = line.glyphs
    other = [unit.certainty for unit in tall if unit.sign != DIGIT]
    if other and line.foreign < MIN_FOREIGN and not crop.boxed:
        share = float(np.mean([unit.certainty for unit in tall]))
        return [replace(crop, certainty=min(share, DOUBTFUL_CERTAINTY))]
    runs = group_digits(units, height, parting)
    if not runs:
        return []
    if crop.boxed and 2 * sum(map(len, runs)) > len(units):
        return [crop]  # who prints boxes expects digits in all of them
    if len(runs) == 1 and not any(_is_foreign(unit, runs[0], height) for unit in units):
        return [replace(crop, certainty=min(unit.certainty for unit in runs[0]))]
    # Whether gaps part a line of digits alone is decided where its parts have been read.
    if parting != "join" and not crop.boxed:
        points = [unit for unit in units if unit.sign == POINT and parting == "usual"]
        runs = [piece for run in runs for piece in _split_at_gaps(run, crop, height, points)]
    numbers = [_cut(crop, labels, units, run) for run in runs]
    is_doubtful = any(_may_be_one(unit, height, ONE_DOUBT) for unit in units)
    most = DOUBTFUL_CERTAINTY if is_doubtful else 1.0
    return [replace(item, certainty=min(item.certainty, most)) for item in numbers]


def _may_be_one(unit: Unit, height: float, doubt: float) -> bool:
    """Say whether a slash is as high as a digit, and a leaning 1 with this probability."""
    is_slash = unit.sign == SEPARATOR and _is_tall(unit, height)
    return is_slash and unit.height <= MAX_DIGIT_HEIGHT * height and unit.certainty >= doubt


def _is_foreign(unit: Unit, run: Sequence[Unit], height: float) -> bool:
    """Say whether a unit must not be read along: words, marks, and dashes between digits."""
    if unit.sign == SEPARATOR:
        return run[0].center < unit.center < run[-1].center
    return unit.sign in (LETTER, MARK) and _is_tall(unit, height)


def _is_tall(unit: Unit, height: float) -> bool:
    return unit.height >= MIN_UNIT_HEIGHT * height


def _is_glyph(unit: Unit, height: float) -> bool:
    return _is_tall(unit, height) and unit.sign not in (SEPARATOR, POINT)


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
            unit = Unit(index, left, top, right, bottom, sign, certainty)
            units.append(_check_place(unit, height, band))
    return labels, decide_digits(sorted(units, key=lambda unit: unit.center), height), height


def _check_place(unit: Unit, height: float, band: tuple[float, float]) -> Unit:
    """Return a unit as it is, unless it has not the place and shape of what it seems to be."""
    if unit.sign == DIGIT:
        is_comma = unit.height < MAX_COMMA * height and unit.top > 0.5 * (band[0] + band[1])
        return replace(unit, sign=POINT) if is_comma else unit
    if unit.sign != SEPARATOR:
        return unit
    if _is_tall(unit, height):
        return replace(unit, sign=MARK) if _may_be_one(unit, height, SLASH_DOUBT) else unit
    middle = (0.5 * (unit.top + unit.bottom) - band[0]) / max(band[1] - band[0], 1.0)
    is_dash = unit.right - unit.left >= DASH_ASPECT * unit.height
    return (
        unit
        if is_dash and DASH_BAND[0] <= middle <= DASH_BAND[1]
        else replace(unit, sign=POINT)
    )


def decide_digits(units: Sequence[Unit], height: float) -> list[Unit]:
    """Return the units with their signs decided together.

    The likeliest sequence of digits and other writing, by Viterbi's algorithm (1967): of tall
    units, separators and points left out.
    """
    chain = [i for i, unit in enumerate(units) if _is_glyph(unit, height)]
    if not chain:
        return list(units)
    shares = np.clip([units[i].certainty for i in chain], *CLIP)
    odds = np.log(shares / (1 - shares))
    gaps = [units[two].left - units[one].right for one, two in pairwise(chain)]
    costs = [CHANGE_COST if gap < WORD_GAP * height else WORD_CHANGE_COST for gap in gaps]
    if not any(units[i].sign == LETTER for i in chain):
        costs = [MARK_CHANGE_COST] * len(gaps)
    # The best score of either state, other writing or digits, and where it came from.
    scores, origins = np.array([0.0, odds[0]]), []
    for odd, cost in zip(odds[1:], costs, strict=True):
        changed = scores[::-1] - cost
        origins.append(changed > scores)
        scores = np.maximum(scores, changed) + np.array([0.0, odd])
    states = [int(scores[1] > scores[0])]
    for origin in reversed(origins):
        states.append(states[-1] ^ int(origin[states[-1]]))
    states.reverse()
    result, beside = list(units), [0.0, *costs, 0.0]
    for place, (i, state) in enumerate(zip(chain, states, strict=True)):
        if not state:
            sign = units[i].sign if units[i].sign != DIGIT else LETTER
            result[i] = replace(units[i], sign=sign)
            continue
        support = sum(
            cost * (1 if states[other] else -1)
            for other, cost in zip(
                (place - 1, place + 1), beside[place : place + 2], strict=True
            )
            if 0 <= other < len(states)
        )
        certainty = 1 / (1 + np.exp(-odds[place] - support))
        result[i] = replace(units[i], sign=DIGIT, certainty=float(certainty))
    return result


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
        place = left + start, top + int(rows[0]), left + end, top + int(rows[-1]) + 1
        units.append(Unit(index, *place, sign, float(share[DIGIT])))
    return units


def group_digits(units: Sequence[Unit], height: float, parting: Parting) -> list[list[Unit]]:
    """Return the digits of each number, from left to right."""
    runs: list[list[Unit]] = []
    blocked = True
    for unit in units:
        if unit.sign == DIGIT and _is_tall(unit, height):
            if blocked:
                runs.append([])
            runs[-1].append(unit)
            blocked = False
        elif runs and _parts(unit, height, parting):
            blocked = True
    return runs


def _parts(unit: Unit, height: float, parting: Parting) -> bool:
    """Say whether a unit parts the digits on both sides of it."""
    is_rule = unit.right - unit.left > MAX_DASH * height and not _is_tall(unit, height)
    if is_rule or unit.sign == DIGIT:
        return False
    if unit.sign == SEPARATOR:
        return parting != "join"
    if unit.sign == POINT:
        return parting == "split"
    return _is_tall(unit, height)


def _split_at_gaps(
    run: list[Unit], crop: LineCrop, height: float, points: Sequence[Unit]
) -> list[list[Unit]]:
    """Part digits where wide paper lies between, or paper after a comma."""
    reached = np.maximum.accumulate([unit.right for unit in run])[:-1]
    starts = np.array([unit.left for unit in run[1:]], int)
    gaps = (crop.columns[starts] - crop.columns[reached]) / height
    is_cut = np.zeros(len(gaps), bool)
    for index, (one, two) in enumerate(pairwise(run)):
        between = [unit.right for unit in points if one.center < unit.center < two.center]
        if between:
            paper = crop.columns[two.left] - crop.columns[max(between)]
            is_cut[index], gaps[index] = paper > LIST_GAP * height, 0.0
    large = np.sort(gaps[gaps > MAX_GAP])
    if len(large) < 2 or large[-1] > MAX_GAP_RATIO * large[0]:
        is_cut |= gaps > MAX_GAP
    cuts = (np.flatnonzero(is_cut) + 1).tolist()
    return [run[start:end] for start, end in pairwise([0, *cuts, len(run)])]


def _cut(
    crop: LineCrop, labels: NDArray[np.int32], units: Sequence[Unit], run: Sequence[Unit]
) -> LineCrop:
    """Cut one number out of a line: its digits and what is small between them, no more."""
    left, right = min(unit.left for unit in run), max(unit.right for unit in run)
    top, bottom = min(unit.top for unit in run), max(unit.bottom for unit in run)
    mine = {id(unit) for unit in run}
    kept = np.zeros(labels.shape, np.uint8)
    for unit in units:
        inside = left <= unit.left and unit.right <= right
        if id(unit) in mine or (inside and unit.sign in (DIGIT, POINT)):
            part = slice(unit.top, unit.bottom), slice(unit.left, unit.right)
            kept[part] |= (labels[part] == unit.label).astype(np.uint8)
    other, nib = ((labels > 0) & (kept == 0)).astype(np.uint8), np.ones((3, 3), np.uint8)
    near = (cv2.dilate(other, nib) > cv2.dilate(kept, nib)) | (other > 0)
    room = (left, labels.shape[1] - right, top, labels.shape[0] - bottom)
    margin = min(max(2, crop.margin), *room)
    rows, columns = slice(top - margin, bottom + margin), slice(left - margin, right + margin)
    ink = np.where(near, 0, crop.ink)[rows, columns].astype(np.uint8)
    shift = np.array([[1.0, 0, 0], [0, 1, rows.start], [0, 0, 1]])
    scale = float(np.linalg.norm(crop.to_picture[:, 1]))
    return replace(
        crop,
        ink=np.ascontiguousarray(ink),
        columns=crop.columns[columns.start : columns.stop + 1],
        to_picture=crop.to_picture @ shift,
        height=(bottom - top) * scale,
        components=len(run),
        margin=margin,
        part=False,
        certainty=min(unit.certainty for unit in run),
    )
