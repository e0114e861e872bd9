"""The confusion matrix as a picture.

* The worst mistakes as pictures.
* The reliability diagram: how sure beside how often right.
* The coverage curve: how much is answered beside how much of it is wrong.
* Models side by side: accuracy with its interval.
* Accuracy against strength, a small panel for each family of changes.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES
from digitlens.metrics import coverage_curve, logit_bins, wilson
from digitlens.metrics.formatting import confidence, percent, plural, rate
from digitlens.viz.canvas import (
    BLUE,
    FAINT,
    INK,
    LABEL,
    MUTED,
    ORANGE,
    OTHERS,
    PAPER,
    SMALL,
    Canvas,
    Panel,
    blend,
    labelled,
    round_values,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.metrics.comparison import Comparison
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.metrics.robustness import CorruptionResult, RobustnessResult


LEFT, TOP, CELL, GAP = 0.6, 1.08, 0.46, 0.02
"""Inches: where the cells begin, their side, half the room between two."""

RIGHT, NEVER = "#EAEEF2", "#FAFBFC"
"""The colours of what was right and of what never happened."""


def confusion(table: NDArray[np.int64], *, title: str = "") -> bytes:
    """Draw which digits were taken for which.

    Rows are the truth, columns the answers. What was right, the diagonal, is grey; the
    more often two digits were confused the deeper the orange. Cells without a count are
    empty. At the right stands how many of each digit were missed.

    Parameters
    ----------
    table
        int64 (10, 10), as `digitlens.metrics.confusion` gives it.
    title
        What was evaluated, such as ``"dense, validation"``.

    Returns
    -------
    A PNG, 915 x 960 pixels.
    """
    misses = int(table.sum() - table.trace())
    counted = f"{misses:,} of {int(table.sum()):,} misread"
    sheet = Canvas(6.1, 6.4, heading=f"{title}: {counted}" if title else counted)
    most = max(int((table - np.diag(table.diagonal())).max()), 1)
    for truth, row in enumerate(table.tolist()):
        middle = TOP + (truth + 0.5) * CELL
        sheet.text((LEFT - 0.12, middle), str(truth), size=LABEL, align="right", middle=True)
        for answer, count in enumerate(row):
            _cell(sheet, truth, answer, count, most)
        missed = sum(row) - row[truth]
        place = (LEFT + CLASSES * CELL + 0.42, middle)
        color = INK if missed else MUTED
        words = f"{missed:,}"
        sheet.text(place, words, size=LABEL, color=color, align="right", middle=True)
    for answer in range(CLASSES):
        place = (LEFT + (answer + 0.5) * CELL, TOP + CLASSES * CELL + 0.2)
        sheet.text(place, str(answer), size=LABEL, align="centre")
    sheet.text((0.2, TOP - 0.14), "truth", size=LABEL, color=MUTED)
    below = TOP + CLASSES * CELL + 0.45
    sheet.text((LEFT, below), "read as", size=LABEL, color=MUTED)
    edge = LEFT + CLASSES * CELL + 0.55
    sheet.text((edge, TOP - 0.14), "missed", size=LABEL, color=MUTED, align="right")
    return sheet.png()


def _cell(sheet: Canvas, truth: int, answer: int, count: int, most: int) -> None:
    left, top = LEFT + answer * CELL, TOP + truth * CELL
    corners = (left + GAP, top + GAP), (left + CELL - GAP, top + CELL - GAP)
    middle = (left + CELL / 2, top + CELL / 2)
    if truth == answer:
        sheet.area(*corners, RIGHT)
        words = f"{count}"
        sheet.text(middle, words, size=SMALL, color=MUTED, align="centre", middle=True)
    elif count:
        # The root keeps single mistakes visible beside frequent ones.
        depth = 0.1 + 0.9 * sqrt(count / most)
        sheet.area(*corners, blend(ORANGE, depth))
        color = PAPER if depth > 0.75 else INK
        words = f"{count}"
        sheet.text(
            middle, words, size=LABEL, color=color, bold=True, align="centre", middle=True
        )
    else:
        sheet.area(*corners, NEVER)


MISTAKES_CELL, CAPTION, MISTAKES_GAP = 1.12, 0.46, 0.2
"""Inches: the side of a picture (six pixels for one of the digit's), its caption, the room."""


def mistakes(result: Evaluation, *, limit: int = 24, columns: int = 8) -> bytes:
    """Draw the mistakes that the model was surest of, each with its truth and answer.

    Parameters
    ----------
    result
        As `digitlens.metrics.evaluation.evaluate` gives it.
    limit
        How many at most, at least 1.
    columns
        How many beside one another.

    Returns
    -------
    A PNG, black ink on white paper, 1614 pixels wide by default.
    """
    worst = result.worst(limit)
    rows = -(-len(worst) // columns)
    width = 0.4 + columns * (MISTAKES_CELL + MISTAKES_GAP) - MISTAKES_GAP
    height = 0.75 + rows * (MISTAKES_CELL + CAPTION + MISTAKES_GAP)
    sheet = Canvas(width, height, heading=_heading(result, len(worst)))
    for index, mistake in enumerate(worst):
        row, column = divmod(index, columns)
        left, top = (
            0.2 + column * (MISTAKES_CELL + MISTAKES_GAP),
            0.65 + row * (MISTAKES_CELL + CAPTION + MISTAKES_GAP),
        )
        edge, right, bottom = 0.01, left + MISTAKES_CELL, top + MISTAKES_CELL
        sheet.area((left - edge, top - edge), (right + edge, bottom + edge), FAINT)
        sheet.image((left, top), MISTAKES_CELL, 255 - result.digits.images[mistake.index])
        sheet.text((left, bottom + 0.2), f"{mistake.label} read as", size=LABEL)
        place = (left + sheet.measure("0 read as ", LABEL), bottom + 0.2)
        sheet.text(place, str(mistake.predicted), size=LABEL, color=ORANGE, bold=True)
        sure = f"{confidence(mistake.confidence)} sure"
        sheet.text((left, bottom + 0.38), sure, size=SMALL, color=MUTED)
    return sheet.png()


def _heading(result: Evaluation, shown: int) -> str:
    if not shown:
        return f"{result.model}: no mistakes"
    if shown == result.misses:
        return f"{result.model}: all its mistakes, the surest first"
    return f"{result.model}: the {shown} mistakes it was surest of, of {result.misses:,}"


MOST = 4.6
"""The end of both axes in nines: 99.997 %."""

TICKS = {0.0: "0 %", 1.0: "90 %", 2.0: "99 %", 3.0: "99.9 %", 4.0: "99.99 %"}


def calibration(result: Evaluation) -> bytes:
    """Draw how often answers are right, by how sure the model was.

    Each dot is one bin of equal mass with its 95 % Wilson interval. Both axes are
    stretched towards 100 %, each mark ten times closer to it than the one before, as a good
    network is nearly always nearly sure. On the diagonal confidence can be taken at its
    word; under it the model is surer than it should be. An open dot at the upper edge is a
    bin without a mistake.

    Parameters
    ----------
    result
        As `digitlens.metrics.evaluation.evaluate` gives it.

    Returns
    -------
    A PNG, 840 x 885 pixels.
    """
    error = 100 * result.calibration.error
    heading = f"{result.model}: how sure, how often right"
    note = f"{error:.2f} points apart in the mean; open: a bin without a mistake"
    sheet = Canvas(5.6, 5.9, heading=heading, note=note)
    panel = Panel(sheet, 0.85, 1.1, 4.4, 4.2, (0.0, MOST), (0.0, MOST))
    panel.mark_y(TICKS)
    panel.mark_x(TICKS, lines=True)
    panel.frame("right", "sure")
    sheet.line([panel.at(0, 0), panel.at(MOST, MOST)], MUTED, dashes=(4, 3))
    for part in result.calibration.bins:
        x, y = logit_bins(part.confidence, MOST), logit_bins(part.accuracy, MOST)
        low, high = (logit_bins(end, MOST) for end in wilson(part.misses, part.count))
        sheet.line([panel.at(x, low), panel.at(x, high)], blend(BLUE, 0.4), width=1.5)
    for part in result.calibration.bins:
        x, y = logit_bins(part.confidence, MOST), logit_bins(part.accuracy, MOST)
        fill = BLUE if part.misses else PAPER
        sheet.dots([panel.at(x, y)], BLUE, size=7, fill=fill, width=1.5)
    sheet.text(panel.at(0.1, MOST - 0.25), "more often right than sure", color=MUTED)
    sheet.text(panel.at(MOST - 0.1, 0.12), "surer than right", color=MUTED, align="right")
    return sheet.png()


def coverage(result: Evaluation) -> bytes:
    """Draw the error rate among the answers, the surest answered first.

    From left to right more is answered; at the right edge everything is, at the error
    rate of the whole set. A ring marks the most that can be answered at each error rate.

    Parameters
    ----------
    result
        As `digitlens.metrics.evaluation.evaluate` gives it.

    Returns
    -------
    A PNG, 1050 x 660 pixels.
    """
    right = result.predicted == result.digits.labels
    answered, misses, _ = coverage_curve(result.confidence, right)
    share = (100 * answered / result.count).tolist()
    wrong = (100 * misses / answered).tolist()
    marks = [item for item in result.coverage.values() if 0 < item.answered < result.count]
    least = min([100 * item.share for item in marks], default=100.0)
    low = max(0.0, 100 - 2.2 * max(100 - least, 1.0))
    seen = [index for index, value in enumerate(share) if value >= low]
    top = 1.15 * max(*(wrong[index] for index in seen), 0.05)
    sheet = Canvas(
        7.0,
        4.4,
        heading=f"{result.model}: answer the sure ones, pass on the rest",
        note="thresholds chosen on these digits: on new ones expect a little less",
    )
    panel = Panel(sheet, 0.7, 1.15, 5.95, 2.65, (low, 100.0), (0.0, top))
    panel.mark_y(labelled(round_values(0.0, top, 5)))
    panel.mark_x(labelled(round_values(low, 100.0, 6)))
    panel.frame("wrong among the answers, %", "answered, %")
    panel.curve([share[index] for index in seen], [wrong[index] for index in seen], BLUE)
    for mark in marks:
        x, y = 100 * mark.share, 100 * mark.misses / mark.answered
        panel.ring(x, y, ORANGE)
        words = f"{percent(mark.share, 1)} answered at {rate(mark.error_rate)} wrong"
        across, down = panel.at(x, y)
        place = (across - 0.14, down - 0.06)
        sheet.text(place, words, size=LABEL, color=INK, align="right")
    return sheet.png()


ROW = 0.5


def comparison(result: Comparison) -> bytes:
    """Draw the accuracy of each model with its 95 % interval, the fewest misses on top.

    Parameters
    ----------
    result
        As `digitlens.metrics.comparison.compare` gives it.

    Returns
    -------
    A PNG, 1275 pixels wide.
    """
    ranked = sorted(result.evaluations, key=lambda item: item.misses)
    first, rows = ranked[0], len(ranked)
    source = first.source or "an unnamed source"
    sheet = Canvas(
        8.5,
        1.45 + ROW * rows,
        heading="Accuracy with its 95 % interval",
        note=f"{plural(first.count, 'digit')} of {source}",
    )
    low = 100 * min(item.interval.low for item in ranked)
    high = 100 * max(item.interval.high for item in ranked)
    room = 0.06 * (high - low)
    widest = max(sheet.measure(item.model, LABEL, bold=True) for item in ranked)
    left = 0.4 + min(widest, 2.0)
    x = (low - room, min(high + room, 100.0))
    panel = Panel(sheet, left, 0.85, 6.0 - left, ROW * rows, x, (float(rows), 0.0))
    panel.mark_x(labelled(round_values(*x, 5)), lines=True)
    panel.frame("", "right, %")
    for row, item in enumerate(ranked):
        color, y = OTHERS[row % len(OTHERS)], row + 0.5
        ends = [panel.at(100 * end, y) for end in item.interval]
        sheet.line(ends, blend(color, 0.4), width=5)
        sheet.dots([panel.at(100 * item.accuracy, y)], color, size=9)
        down = panel.at(0, y)[1]
        sheet.text((0.2, down), item.model, size=LABEL, bold=True, middle=True)
        figures = f"{percent(item.accuracy)}, {plural(item.misses, 'miss', 'misses')}"
        sheet.text((6.2, down), figures, size=LABEL, middle=True)
    return sheet.png()


COLUMNS = 5
WIDTH, HEIGHT = 1.75, 1.45
"""Of each panel, in inches."""

STEP_ACROSS, STEP_DOWN = WIDTH + 0.65, HEIGHT + 0.9


def stress(result: RobustnessResult) -> bytes:
    """Draw how accuracy falls as each family of changes gets stronger.

    Blue is the network alone, orange the same network after framing; all panels go from 0
    to 100 %. A faint bar behind each point is its 95 % interval.

    Parameters
    ----------
    result
        As `digitlens.metrics.robustness.measure_robustness` gives it.

    Returns
    -------
    A PNG, 1875 pixels wide; ten families make it 870 high.
    """
    rows = -(-len(result.families) // COLUMNS)
    sheet = Canvas(
        0.5 + COLUMNS * STEP_ACROSS,
        1.1 + rows * STEP_DOWN,
        heading=f"{result.model}: {percent(1 - result.misses / result.count)} on clean digits",
        note=f"right in %; {plural(result.count, 'digit')} of {result.source or 'unnamed'}",
    )
    for index, tested in enumerate(result.families):
        row, column = divmod(index, COLUMNS)
        left, top = 0.55 + column * STEP_ACROSS, 1.25 + row * STEP_DOWN
        _family(sheet, tested, left, top)
    _key(sheet, result)
    return sheet.png()


def _family(sheet: Canvas, tested: CorruptionResult, left: float, top: float) -> None:
    strengths = tested.family.strengths
    room = 0.04 * strengths[-1]
    x = (-room, strengths[-1] + room)
    panel = Panel(sheet, left, top, WIDTH, HEIGHT, x, (0.0, 103.0))
    panel.mark_y(labelled([0, 25, 50, 75, 100]))
    shown = [strengths[0], strengths[len(strengths) // 2], strengths[-1]]
    panel.mark_x({strength: f"{strength:g}" for strength in shown})
    panel.frame(tested.family.name, tested.family.unit)
    for framed, color in ((True, ORANGE), (False, BLUE)):
        for strength, (low, high) in zip(
            strengths, tested.intervals(framed=framed), strict=True
        ):
            ends = [panel.at(strength, 100 * low), panel.at(strength, 100 * high)]
            sheet.line(ends, blend(color, 0.35), width=4)
        values = [100 * share for share in tested.accuracies(framed=framed)]
        panel.curve(strengths, values, color)


def _key(sheet: Canvas, result: RobustnessResult) -> None:
    """Name both colours at the upper right, with the mean over all changes."""
    for framed, color, down in ((False, BLUE, 0.34), (True, ORANGE, 0.58)):
        mean = percent(result.mean_accuracy(framed=framed), 1)
        words = f"{'after framing' if framed else 'the network alone'}: {mean} in the mean"
        place = (sheet.width - 0.2, down)
        sheet.text(place, words, size=LABEL, color=color, bold=True, align="right")
