"""Numbers told from words: of each line the parts that are numbers, cut out.

A small network says of each frame of a line whether its ink is a digit's, a letter's, a dash's
or slash's, a point's or another mark's. Connected ink gets the mean of its frames, and digits
that follow each other are a number: letters, marks, separators and wide gaps part them, points
and commas do not.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import cv2
import numpy as np

from digitlens.errors import UsageError
from digitlens.ocr.examined import FEW_LINES, Examined, examine, is_rather_none
from digitlens.ocr.select import is_likely_line
from digitlens.ocr.units import (
    DIGIT,
    DOUBTFUL_CERTAINTY,
    LETTER,
    MARK,
    ONE_DOUBT,
    POINT,
    SEPARATOR,
    is_tall,
    may_be_one,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.ocr.network import SignRecognizer
    from digitlens.ocr.units import Unit

    Parting: TypeAlias = Literal["usual", "join", "split"]
    """What parts numbers: with "join" only words and marks, with "split" also points."""


MIN_LINE_HEIGHT = 0.5
"""In a picture of one line, what is lower than this share of the tallest is no part of it."""

LIST_GAP, MONO_GAP = 0.35, 0.7
"""Paper after a comma that parts the numbers of a list, in their height. Where the groups of
digits read as an amount (1,234.56) more is needed, as in a face where every sign is as broad as
the next it has so much; below that much it is read as one number, and not surely."""

NEAR, OTHER_DOUBT = 0.5, 0.05
"""A letter or mark so near to a number, in its height, that may be a digit with this
probability leaves the number unsure."""

MAX_GAP = 0.8
"""Digits are of two numbers where more paper than this lies between, in their height, ..."""

MAX_GAP_RATIO = 1.5
"""... unless gaps so wide recur, all within this factor: in printed boxes, say."""


MAX_DASH = 2.5
"""What is longer than this, in heights of the line, and low is a rule, not a dash."""


def choose_parting(*, join: bool, split: bool) -> Parting:
    """Return what parts numbers; `UsageError` where both are asked for."""
    if join and split:
        raise UsageError("join and split are opposites: one of them at most")
    return "join" if join else "split" if split else "usual"


def keep_numbers(
    network: SignRecognizer | None,
    layout: PageLayout,
    parting: Parting = "usual",
    *,
    may_be_line: bool = False,
) -> PageLayout:
    """Return a layout whose crops are numbers: parts of lines, where words stand beside them.

    Lines without a digit are its `words`. A line that is a number as a whole stays as it is,
    and so do its parts, of which `digitlens.ocr.select` may choose, unless points stand in all
    gaps that led to them; so does all else where nothing is clearly other writing, and all
    without a network. `may_be_line` says that the picture shows
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
    is_single = may_be_line and is_likely_line(layout)
    tallest = max((crop.height for crop in lines), default=0.0) if is_single else 0.0
    least = MIN_LINE_HEIGHT * tallest
    main = [line for crop, line in lines.items() if crop.height >= least]
    bridged = {crop for crop, line in lines.items() if _is_bridged(line, parting)}
    if not any(line.says_more(is_single=is_single) for line in main):
        are_few = len(main) <= FEW_LINES
        doubted = {crop for crop, line in lines.items() if line.is_doubtful(are_few=are_few)}
        if not bridged and not doubted:
            return layout
        return replace(layout, crops=_doubt(_drop_parts(layout.crops, bridged), doubted))
    kept: list[LineCrop] = []
    words: list[LineCrop] = []
    is_whole, certainty = True, 1.0
    for crop in _drop_parts(layout.crops, bridged):
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


def _drop_parts(
    crops: Sequence[LineCrop], wholes: AbstractSet[LineCrop]
) -> tuple[LineCrop, ...]:
    """Return the crops without the parts of these lines, which follow their lines."""
    kept, whole = [], None
    for crop in crops:
        whole = whole if crop.part else crop
        if not crop.part or whole not in wholes:
            kept.append(crop)
    return tuple(kept)


def _doubt(crops: Sequence[LineCrop], wholes: AbstractSet[LineCrop]) -> tuple[LineCrop, ...]:
    """Return the crops; these lines, and their parts, which follow them, are not sure."""
    result, is_doubted = [], False
    for crop in crops:
        is_doubted = is_doubted if crop.part else crop in wholes
        most = DOUBTFUL_CERTAINTY if is_doubted else 1.0
        result.append(replace(crop, certainty=min(crop.certainty, most)))
    return tuple(result)


def holds_only_numbers(layout: PageLayout, numbers: PageLayout) -> bool:
    """Say whether `keep_numbers` left a layout as it was."""
    before = {id(crop.ink) for crop in layout.crops}
    return not numbers.words and all(id(crop.ink) in before for crop in numbers.crops)


def _is_bridged(line: Examined, parting: Parting) -> bool:
    """Say whether digits that stand far apart are one number, as points stand between."""
    runs = group_digits(line.units, line.height, parting)
    if len(runs) != 1 or parting != "usual" or line.crop.boxed:
        return False
    parted = _split_at_gaps(runs[0], line.crop, line.height, line.points)
    return parted.is_bridged and len(parted.pieces) == 1


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
    is_unclear = bool(other) and line.foreign < line.min_foreign and not crop.boxed
    if is_unclear and not line.has_only_marks():
        share = float(np.mean([unit.certainty for unit in tall]))
        return [replace(crop, certainty=min(share, DOUBTFUL_CERTAINTY))]
    runs = group_digits(units, height, parting)
    if not runs:
        return []
    if crop.boxed and 2 * sum(map(len, runs)) > len(units):
        return [crop]  # who prints boxes expects digits in all of them
    is_alone = len(runs) == 1 and not any(_is_foreign(unit, runs[0], height) for unit in units)
    most = DOUBTFUL_CERTAINTY if is_unclear else 1.0
    if parting != "join" and not crop.boxed:
        points = line.points if parting == "usual" else []
        # Whether gaps part a line of digits alone is decided where its parts have been read.
        parted = [
            _split_at_gaps(run, crop, height, points, by_paper=not is_alone) for run in runs
        ]
        runs = [piece for item in parted for piece in item.pieces]
        most = most if all(item.is_clear for item in parted) else DOUBTFUL_CERTAINTY
    if is_alone and len(runs) == 1:
        return [replace(crop, certainty=min(most, _least_certain(runs[0])))]
    numbers = [
        replace(_cut(crop, labels, units, run), certainty=_certainty_of(run, line))
        for run in runs
    ]
    if any(may_be_one(unit, height, ONE_DOUBT) for unit in units):
        most = DOUBTFUL_CERTAINTY
    return [replace(item, certainty=min(item.certainty, most)) for item in numbers]


def _least_certain(run: Sequence[Unit]) -> float:
    """Return how probably all of these are digits."""
    certainty = min(unit.certainty for unit in run)
    return min(certainty, DOUBTFUL_CERTAINTY) if any(map(is_rather_none, run)) else certainty


def _certainty_of(run: Sequence[Unit], line: Examined) -> float:
    """Return how probably this is a number, and all of it.

    A digit at its end that was taken for a mark, or a letter that was taken for a digit, would
    make another number of it.
    """
    certainty = _least_certain(run)
    tall = [unit for unit in line.units if is_tall(unit, line.height)]
    places = [place for place, unit in enumerate(tall) if any(unit is item for item in run)]
    columns = line.crop.columns
    for one, two in pairwise(tall[max(0, places[0] - 1) : places[-1] + 2]):
        is_near = columns[two.left] - columns[one.right] < NEAR * line.height
        for other in (one, two):
            is_other = other.sign in (LETTER, MARK) and other.certainty >= OTHER_DOUBT
            if is_near and is_other:
                certainty = min(certainty, DOUBTFUL_CERTAINTY)
    return certainty


def _is_foreign(unit: Unit, run: Sequence[Unit], height: float) -> bool:
    """Say whether a unit must not be read along: words, marks, and dashes between digits."""
    if unit.sign == SEPARATOR:
        return run[0].center < unit.center < run[-1].center
    return unit.sign in (LETTER, MARK) and is_tall(unit, height)


def group_digits(units: Sequence[Unit], height: float, parting: Parting) -> list[list[Unit]]:
    """Return the digits of each number, from left to right."""
    runs: list[list[Unit]] = []
    blocked = True
    for unit in units:
        if unit.sign == DIGIT and is_tall(unit, height):
            if blocked:
                runs.append([])
            runs[-1].append(unit)
            blocked = False
        elif runs and _parts(unit, height, parting):
            blocked = True
    return runs


def _parts(unit: Unit, height: float, parting: Parting) -> bool:
    """Say whether a unit parts the digits on both sides of it."""
    is_rule = unit.right - unit.left > MAX_DASH * height and not is_tall(unit, height)
    if is_rule or unit.sign == DIGIT:
        return False
    if unit.sign == SEPARATOR:
        return parting != "join"
    if unit.sign == POINT:
        return parting == "split"
    return is_tall(unit, height)


class Parted(NamedTuple):
    """Digits of a line, parted at wide paper."""

    pieces: list[list[Unit]]
    is_clear: bool  # whether no comma is in sight that may be of a list or an amount
    is_bridged: bool  # whether there is a gap that would part them, but for a point in it


def _split_at_gaps(
    run: list[Unit],
    crop: LineCrop,
    height: float,
    points: Sequence[Unit],
    *,
    by_paper: bool = True,
) -> Parted:
    """Part digits at paper after a comma and, `by_paper`, where wide paper lies between."""
    reached = np.maximum.accumulate([unit.right for unit in run])[:-1]
    starts = np.array([unit.left for unit in run[1:]], int)
    gaps = (crop.columns[starts] - crop.columns[reached]) / height
    is_cut, is_clear, is_bridged = np.zeros(len(gaps), bool), True, False
    is_amount = _is_amount(_count_groups(run, points))
    for index, (one, two) in enumerate(pairwise(run)):
        between = [unit for unit in points if one.center < unit.center < two.center]
        if between:
            last = max(between, key=lambda unit: unit.right)
            paper = (crop.columns[two.left] - crop.columns[last.right]) / height
            is_bridged |= bool(gaps[index] > MAX_GAP)
            gaps[index] = 0.0
            # A point stands within numbers alone, a comma between those of a list too.
            if last.height > last.right - last.left:
                is_cut[index] = paper > (MONO_GAP if is_amount else LIST_GAP)
                is_clear &= not (is_amount and LIST_GAP < paper <= MONO_GAP)
    large = np.sort(gaps[gaps > MAX_GAP])
    if by_paper and (len(large) < 2 or large[-1] > MAX_GAP_RATIO * large[0]):
        is_cut |= gaps > MAX_GAP
    cuts = (np.flatnonzero(is_cut) + 1).tolist()
    pieces = [run[start:end] for start, end in pairwise([0, *cuts, len(run)])]
    return Parted(pieces, is_clear, is_bridged)


def _count_groups(run: Sequence[Unit], points: Sequence[Unit]) -> list[int]:
    """Return how many digits stand between points and commas, from left to right."""
    inside = [unit.center for unit in points if run[0].center < unit.center < run[-1].center]
    groups = np.searchsorted(np.sort(inside), [unit.center for unit in run])
    return [int(count) for count in np.bincount(groups) if count]


def _is_amount(groups: Sequence[int]) -> bool:
    """Say whether digits in groups of so many read as one amount.

    >>> [_is_amount(groups) for groups in ([4, 2], [1, 3, 2], [5, 3], [1, 4, 2], [3])]
    [True, True, False, False, False]
    """
    first, *rest = groups
    if len(rest) == 1 and rest[0] <= 2:  # 1234,5: no thousands
        return True
    return bool(rest) and first <= 3 and set(rest[:-1]) <= {3} and rest[-1] <= 3


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
