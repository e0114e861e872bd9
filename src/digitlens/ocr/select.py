"""Which of a page's lines are numbers, a line or its parts, and which is first."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.ctc.line import Line
    from digitlens.ctc.probs import Lengths
    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.ocr.page import Table


# Digits that could be one number or two are two when paper wider than this parts them, in
# heights of the line.
MAX_GAP = 0.8

# Wider gaps part no numbers where there are several, all within this factor: digits in groups
# at even distance are one number.
MAX_GAP_RATIO = 1.5

# A single digit that stands no farther from the others, in heights of the line, may be of their
# number all the same: neither is sure then.
MAX_DOUBTED_GAP = 1.2

# A line is the only one of a picture when its writing is at least this share as high.
MIN_FILL = 0.3

# So many lines, of so many pieces each, are a page: specks beside a line are single.
MIN_PAGE_LINES, MIN_LINE_PARTS = 3, 3

# Most pixels of height, and least width to height, of a line that was cut out.
MAX_CUT_HEIGHT, MIN_CUT_ASPECT = 120, 1.2

# A picture of one line that may be more, or less, than a number is read no surer than this.
MOST_DOUBTED = 0.8

LIKELY_CONFIDENCE = 0.5  # a line read with this confidence is more likely right than not

# A digit that stands alone and is lower than this share of the page's tallest number is a
# speck.
MIN_DIGIT_HEIGHT = 0.5

# A lone digit is none for sure if it is this much higher than other writing, of so many lines,
# or so much broader than high: a stamp's ring, a logo, a dash.
MAX_DIGIT_HEIGHT, MIN_OTHER_LINES = 3.0, 3
MAX_DIGIT_ASPECT = 2.5

# A part is shown instead of the line that it reads like if it is so sure, in that line's
# confidence.
MIN_PART_SHARE = 0.8

MIN_CONFIDENCE = 0.1  # lines read with less confidence count as writing that is no number


@dataclass(frozen=True)
class RecognizedLine:
    """A line crop and what it was read as."""

    crop: LineCrop
    line: Line


def select_numbers(
    crops: Sequence[RecognizedLine],
    tables: Sequence[Table],
    lengths: Lengths,
    words: Sequence[LineCrop] = (),
) -> tuple[Line, ...]:
    """Return the numbers among the lines of a page; `words` are its lines without digits.

    Without lengths in reading order, each line whole or in parts; with lengths, which say what
    is meant, all that have one, the likeliest first.
    """
    if lengths is None:
        cells = [cell for table in tables for cell in table.cells if cell]
        numbers = drop_specks(drop_unsure(suppress_overlaps(crops)), cells)
        numbers = doubt_odd_digits(numbers, words)
    else:
        numbers = drop_twins(sort_by_likelihood(drop_unsure(crops)))
    return tuple([item.line for item in numbers])


def suppress_overlaps(crops: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Keep of each line either the whole of it or its parts, whatever their order.

    On a page that is read on its head lines come from the last to the first, parts before the
    whole of them.
    """
    # The parts of each whole line, by its place in `crops`.
    parts: dict[int, list[RecognizedLine]] = {
        index: [] for index, item in enumerate(crops) if not item.crop.part
    }
    alone = []
    for index, item in enumerate(crops):
        if item.crop.part:
            wholes = [place for place in parts if _contains(crops[place], item)]
            if wholes:
                # Boxes of sloping lines overlap: the whole is the next in the order.
                parts[min(wholes, key=lambda place: abs(place - index))].append(item)
            else:
                alone.append(index)
    # What is kept, where its line stood.
    kept: list[RecognizedLine] = []
    for index in sorted((*parts, *alone)):
        own = parts.get(index, [])
        if own and not _is_one(crops[index], own):
            kept += _doubt_near(crops[index], own)
        else:
            kept.append(crops[index])
    return kept


def _doubt_near(
    whole: RecognizedLine, parts: Sequence[RecognizedLine]
) -> Sequence[RecognizedLine]:
    """Return the parts of a line, unsure where one is a single digit not far from the rest."""
    texts = [part.line.text for part in parts]
    gaps = _measure_gaps(whole, parts)
    is_near = bool(gaps) and gaps[-1] <= MAX_DOUBTED_GAP
    if whole.line.text != "".join(texts) or not is_near or min(map(len, texts)) != 1:
        return parts
    return [_doubt(part) for part in parts]


def _doubt(item: RecognizedLine) -> RecognizedLine:
    return replace(item, line=item.line.at_most(LIKELY_CONFIDENCE))


def _contains(whole: RecognizedLine, part: RecognizedLine) -> bool:
    left, top, right, bottom = whole.line.box
    x0, y0, x1, y1 = part.line.box
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return left <= x <= right and top <= y <= bottom


def _is_one(whole: RecognizedLine, parts: Sequence[RecognizedLine]) -> bool:
    """Say whether a line with wide gaps is one number, not several, nor number and word."""
    # Where only the line or only its parts hold digits, that decides.
    numbers = [part for part in parts if part.line.text]
    if not numbers:
        return bool(whole.line.text)
    if not whole.line.text:
        return False
    # Where both hold the same digits, the gaps decide ...
    if len(numbers) == len(parts) and whole.line.text == "".join(
        part.line.text for part in numbers
    ):
        gaps = _measure_gaps(whole, parts)
        is_even = len(gaps) > 1 and gaps[-1] <= MAX_GAP_RATIO * gaps[0]
        return not gaps or gaps[-1] <= MAX_GAP or is_even
    # ... else whichever is the surer.
    return whole.line.confidence >= prod(part.line.confidence for part in parts)


def _measure_gaps(whole: RecognizedLine, parts: Sequence[RecognizedLine]) -> list[float]:
    """Return the paper between neighbouring parts, in heights of the line, rising."""
    spans = sorted((part.line.box[0], part.line.box[2]) for part in parts)
    height = max(whole.crop.height, 1.0)
    return sorted((after[0] - before[1]) / height for before, after in pairwise(spans))


def is_one_line(layout: PageLayout) -> bool:
    """Say whether a picture shows one line of writing that fills it, and nothing else."""
    whole = [crop for crop in layout.crops if not crop.part]
    width, height = layout.size
    tallest = max((crop.height for crop in whole), default=0.0)
    on_its_side = 20 < layout.rotation % 180 < 160
    if layout.grids or on_its_side or tallest < MIN_FILL * height or width < height:
        return False
    # Lines of small writing are a page's, and what is tall its edge or a mark across it.
    small = [crop for crop in whole if crop.height < 0.5 * tallest]
    if sum(crop.components >= MIN_LINE_PARTS for crop in small) >= MIN_PAGE_LINES:
        return False
    # All tall crops stand in one row, ...
    tall = [crop.box for crop in whole if crop.height >= 0.5 * tallest]
    middles = [(top + bottom) / 2 for _, top, _, bottom in tall]
    if any(not top < middle < bottom for _, top, _, bottom in tall for middle in middles):
        return False
    # ... and none far from the next.
    spans = sorted((left, right) for left, _, right, _ in tall)
    return all(two[0] - one[1] <= MAX_GAP * tallest for one, two in pairwise(spans))


def may_be_one_line(layout: PageLayout) -> bool:
    """Say whether a picture has the size and shape of one line that was cut out."""
    return not layout.grids and is_strip(layout.size[::-1])


def is_likely_line(layout: PageLayout) -> bool:
    """Say whether a picture shows one line, or has the size and shape of one."""
    return is_one_line(layout) or may_be_one_line(layout)


def is_strip(shape: tuple[int, ...]) -> bool:
    """Say whether a picture of this height and width may be a line that was cut out."""
    height, width = shape[:2]
    return height <= MAX_CUT_HEIGHT and width >= MIN_CUT_ASPECT * height


def doubt_single_line(whole: Line, crops: Sequence[LineCrop]) -> Line:
    """Return a picture read from edge to edge, no surer than it is that its ink is digits."""
    tallest = max((crop.height for crop in crops), default=0.0)
    certainty = min(
        (crop.certainty for crop in crops if not crop.part and 2 * crop.height >= tallest),
        default=1.0,
    )
    return whole if certainty > LIKELY_CONFIDENCE else whole.at_most(MOST_DOUBTED)


def merge_single_line(lines: Sequence[Line], whole: Line, *, certain: bool) -> tuple[Line, ...]:
    """Return what a picture of one line holds, as parts of it and all of it were read.

    `lines` are its crops as they were read, `whole` is the picture read from edge to edge;
    `certain` says whether there is one line for sure, or only may be.
    """
    # The line as a whole against the best of its crops.
    longest = max(lines, key=lambda line: (len(line.text), line.confidence), default=None)
    if not whole.text or whole.confidence < MIN_CONFIDENCE:
        return tuple(lines)
    if longest is None:
        return (whole,)
    if len(longest.text) >= len(whole.text) and longest.confidence > whole.confidence:
        return (longest,) if certain else tuple(lines)
    return (whole,) if certain or whole.confidence >= LIKELY_CONFIDENCE else tuple(lines)


def drop_unsure(crops: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Keep what holds digits with some confidence."""
    return [item for item in crops if item.line.text and item.line.confidence >= MIN_CONFIDENCE]


def drop_specks(
    crops: Sequence[RecognizedLine], cells: Sequence[Line] = ()
) -> list[RecognizedLine]:
    """Drop single digits that are small compared with the numbers of the page and its tables.

    Any short stroke reads as a 1: of postmarks, logos, corners. One that stands alone counts
    where it is about as high as the sure numbers, or where there are none.
    """
    heights = [
        line.box[3] - line.box[1]
        for line in (*(item.line for item in crops if len(item.line.text) > 1), *cells)
        if line.confidence >= LIKELY_CONFIDENCE
    ]
    least = MIN_DIGIT_HEIGHT * max(heights, default=0.0)
    return [
        item
        for item in crops
        if len(item.line.text) > 1 or item.line.box[3] - item.line.box[1] >= least
    ]


def doubt_odd_digits(
    crops: Sequence[RecognizedLine], words: Sequence[LineCrop]
) -> list[RecognizedLine]:
    """Leave lone digits unsure that are far larger than the other writing, or flat.

    A ring reads as 0 and a dash as 1, and surely: of stamps, logos, rules.
    """
    heights = [item.crop.height for item in crops] + [word.height for word in words]
    result = []
    for item in crops:
        left, top, right, bottom = item.line.box
        is_flat = right - left > MAX_DIGIT_ASPECT * (bottom - top)
        is_giant = len(
            heights
        ) > MIN_OTHER_LINES and item.crop.height > MAX_DIGIT_HEIGHT * statistics.median(heights)
        if len(item.line.text) == 1 and (is_flat or is_giant):
            result.append(_doubt(item))
        else:
            result.append(item)
    return result


def sort_by_likelihood(crops: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Order readings of a wanted length: what is surely read and looks like a number first."""
    return sorted(crops, key=lambda item: -(item.line.confidence * item.crop.score))


def drop_twins(crops: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Keep one of a line and its part that read alike: the same ink is one number.

    It stands where the surer one did, and is the part, which leaves out the words beside the
    number, unless that is much less sure.
    """
    kept: list[RecognizedLine] = []
    for item in crops:
        twins = [place for place, other in enumerate(kept) if _is_twin(item, other)]
        if not twins:
            kept.append(item)
        elif item.crop.part:
            least = MIN_PART_SHARE * kept[twins[0]].line.confidence
            kept[twins[0]] = item if item.line.confidence >= least else kept[twins[0]]
    return kept


def _is_twin(item: RecognizedLine, other: RecognizedLine) -> bool:
    is_part_of = item.crop.part != other.crop.part
    return (
        is_part_of
        and item.line.text == other.line.text
        and (_contains(item, other) or _contains(other, item))
    )
