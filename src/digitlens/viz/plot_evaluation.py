"""What an evaluation found, as plots: one function each, each returns a PNG."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES
from digitlens.metrics.calibration import logit_bins
from digitlens.metrics.formatting import confidence, percent, plural, rate
from digitlens.metrics.intervals import wilson
from digitlens.metrics.risk_coverage import coverage_curve
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
    Axes,
    Canvas,
    blend,
    format_ticks,
    round_ticks,
)
from digitlens.viz.report import MAX_NINES, NINES_TICKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.metrics.comparison import Comparison
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.metrics.robustness import CorruptionResult, RobustnessResult


# Inches: where the cells of the matrix begin, their side, half the gap between two.
LEFT, TOP, CELL, GAP = 0.6, 1.08, 0.46, 0.02

RIGHT_COLOR, EMPTY_COLOR = "#EAEEF2", "#FAFBFC"


def confusion(table: NDArray[np.int64], *, title: str = "") -> bytes:
    """Draw the confusion matrix: int64 (10, 10), rows the truth, columns the answers.

    The diagonal, what was right, is gray; the more often two digits were confused, the deeper
    the orange. The last column counts the misses of each digit. `title` says what was
    evaluated, such as ``"dense, validation"``.

    Returns a PNG, 915 x 960 pixels.
    """
    # The heading counts; the cells show where.
    misses = int(table.sum() - table.trace())
    counted = f"{misses:,} of {int(table.sum()):,} misread"
    canvas = Canvas(6.1, 6.4, heading=f"{title}: {counted}" if title else counted)
    most = max(int((table - np.diag(table.diagonal())).max()), 1)
    for truth, row in enumerate(table.tolist()):
        middle = TOP + (truth + 0.5) * CELL
        canvas.text((LEFT - 0.12, middle), str(truth), size=LABEL, align="right", middle=True)
        for answer, count in enumerate(row):
            _cell(canvas, truth, answer, count, most)
        missed = sum(row) - row[truth]
        place = (LEFT + CLASSES * CELL + 0.42, middle)
        color = INK if missed else MUTED
        words = f"{missed:,}"
        canvas.text(place, words, size=LABEL, color=color, align="right", middle=True)
    # The answers below the columns, and what rows and columns are.
    for answer in range(CLASSES):
        place = (LEFT + (answer + 0.5) * CELL, TOP + CLASSES * CELL + 0.2)
        canvas.text(place, str(answer), size=LABEL, align="center")
    canvas.text((0.2, TOP - 0.14), "truth", size=LABEL, color=MUTED)
    below = TOP + CLASSES * CELL + 0.45
    canvas.text((LEFT, below), "read as", size=LABEL, color=MUTED)
    edge = LEFT + CLASSES * CELL + 0.55
    canvas.text((edge, TOP - 0.14), "missed", size=LABEL, color=MUTED, align="right")
    return canvas.png()


def _cell(canvas: Canvas, truth: int, answer: int, count: int, most: int) -> None:
    left, top = LEFT + answer * CELL, TOP + truth * CELL
    corners = (left + GAP, top + GAP), (left + CELL - GAP, top + CELL - GAP)
    middle = (left + CELL / 2, top + CELL / 2)
    if truth == answer:
        canvas.area(*corners, RIGHT_COLOR)
        words = f"{count}"
        canvas.text(middle, words, size=SMALL, color=MUTED, align="center", middle=True)
    elif count:
        # The root keeps single mistakes visible next to frequent ones.
        depth = 0.1 + 0.9 * sqrt(count / most)
        canvas.area(*corners, blend(ORANGE, depth))
        color = PAPER if depth > 0.75 else INK
        words = f"{count}"
        canvas.text(
            middle, words, size=LABEL, color=color, bold=True, align="center", middle=True
        )
    else:
        canvas.area(*corners, EMPTY_COLOR)


# Inches: the side of a picture (six dots for one of its pixels), its caption, the gap.
MISTAKE_SIDE, CAPTION, MISTAKE_GAP = 1.12, 0.46, 0.2


def mistakes(result: Evaluation, *, limit: int = 24, columns: int = 8) -> bytes:
    """Draw the mistakes that the model was surest of, each with its truth and answer.

    At most `limit` of them, at least 1, with `columns` in a row.

    Returns a PNG, black ink on white paper, 1614 pixels wide by default.
    """
    # The last row may be shorter; the height follows from the number of rows.
    worst = result.worst(limit)
    rows = -(-len(worst) // columns)
    width = 0.4 + columns * (MISTAKE_SIDE + MISTAKE_GAP) - MISTAKE_GAP
    height = 0.75 + rows * (MISTAKE_SIDE + CAPTION + MISTAKE_GAP)
    canvas = Canvas(width, height, heading=_heading(result, len(worst)))
    for index, mistake in enumerate(worst):
        row, column = divmod(index, columns)
        left, top = (
            0.2 + column * (MISTAKE_SIDE + MISTAKE_GAP),
            0.65 + row * (MISTAKE_SIDE + CAPTION + MISTAKE_GAP),
        )
        edge, right, bottom = 0.01, left + MISTAKE_SIDE, top + MISTAKE_SIDE
        canvas.area((left - edge, top - edge), (right + edge, bottom + edge), FAINT)
        canvas.image((left, top), MISTAKE_SIDE, 255 - result.digits.images[mistake.index])
        canvas.text((left, bottom + 0.2), f"{mistake.label} read as", size=LABEL)
        place = (left + canvas.measure("0 read as ", LABEL), bottom + 0.2)
        canvas.text(place, str(mistake.predicted), size=LABEL, color=ORANGE, bold=True)
        sure = f"{confidence(mistake.confidence)} sure"
        canvas.text((left, bottom + 0.38), sure, size=SMALL, color=MUTED)
    return canvas.png()


def _heading(result: Evaluation, shown: int) -> str:
    if not shown:
        return f"{result.model}: no mistakes"
    if shown == result.misses:
        return f"{result.model}: all its mistakes, the surest first"
    return f"{result.model}: the {shown} mistakes it was surest of, of {result.misses:,}"


def calibration(result: Evaluation) -> bytes:
    """Draw how often answers are right, by how sure the model was.

    Each dot is one bin of equal mass with its 95 % Wilson interval. Both axes are stretched
    towards 100 %, each tick ten times closer to it than the one before, as a good network is
    nearly always nearly sure. On the diagonal confidence is right; below it the model is surer
    than it should be. An open dot at the upper edge is a bin without a mistake.

    Returns a PNG, 840 x 885 pixels.
    """
    error = 100 * result.calibration.error
    heading = f"{result.model}: how sure, how often right"
    note = f"{error:.2f} points apart in the mean; open: a bin without a mistake"
    canvas = Canvas(5.6, 5.9, heading=heading, note=note)
    axes = Axes(canvas, 0.85, 1.1, 4.4, 4.2, (0.0, MAX_NINES), (0.0, MAX_NINES))
    # The same ticks on both axes, and the diagonal on which confidence is right.
    ticks = {float(nines): label for nines, label in enumerate(NINES_TICKS)}
    axes.draw_y_ticks(ticks)
    axes.draw_x_ticks(ticks, lines=True)
    axes.frame("right", "sure")
    canvas.line([axes.locate(0, 0), axes.locate(MAX_NINES, MAX_NINES)], MUTED, dashes=(4, 3))
    # Intervals first: no dot may be hidden by the interval of another.
    for part in result.calibration.bins:
        x, y = logit_bins(part.confidence, MAX_NINES), logit_bins(part.accuracy, MAX_NINES)
        low, high = (logit_bins(end, MAX_NINES) for end in wilson(part.misses, part.count))
        canvas.line([axes.locate(x, low), axes.locate(x, high)], blend(BLUE, 0.4), width=1.5)
    for part in result.calibration.bins:
        x, y = logit_bins(part.confidence, MAX_NINES), logit_bins(part.accuracy, MAX_NINES)
        fill = BLUE if part.misses else PAPER
        canvas.dots([axes.locate(x, y)], BLUE, size=7, fill=fill, width=1.5)
    canvas.text(axes.locate(0.1, MAX_NINES - 0.25), "more often right than sure", color=MUTED)
    canvas.text(
        axes.locate(MAX_NINES - 0.1, 0.12), "surer than right", color=MUTED, align="right"
    )
    return canvas.png()


def coverage(result: Evaluation) -> bytes:
    """Draw the error rate among the answers, the surest answered first.

    From left to right more is answered; at the right edge everything is, at the error
    rate of the whole set. A ring marks the most that can be answered at each error rate.

    Returns a PNG, 1050 x 660 pixels.
    """
    # How wrong the answers are, by how many are given.
    right = result.predicted == result.digits.labels
    answered, misses, _ = coverage_curve(result.confidence, right)
    share = (100 * answered / result.count).tolist()
    wrong = (100 * misses / answered).tolist()
    marks = [item for item in result.coverage.values() if 0 < item.answered < result.count]
    least = min([100 * item.share for item in marks], default=100.0)
    low = max(0.0, 100 - 2.2 * max(100 - least, 1.0))
    # Only the part is drawn where the thresholds lie; its range follows from what is seen.
    seen = [index for index, value in enumerate(share) if value >= low]
    top = 1.15 * max(*(wrong[index] for index in seen), 0.05)
    canvas = Canvas(
        7.0,
        4.4,
        heading=f"{result.model}: answer the sure ones, pass on the rest",
        note="thresholds chosen on these digits: on new ones expect a little less",
    )
    axes = Axes(canvas, 0.7, 1.15, 5.95, 2.65, (low, 100.0), (0.0, top))
    axes.draw_y_ticks(format_ticks(round_ticks(0.0, top, 5)))
    axes.draw_x_ticks(format_ticks(round_ticks(low, 100.0, 6)))
    axes.frame("wrong among the answers, %", "answered, %")
    axes.curve([share[index] for index in seen], [wrong[index] for index in seen], BLUE)
    # What can be answered at the error rates that are reported.
    for mark in marks:
        x, y = 100 * mark.share, 100 * mark.misses / mark.answered
        axes.ring(x, y, ORANGE)
        words = f"{percent(mark.share, 1)} answered at {rate(mark.error_rate)} wrong"
        across, down = axes.locate(x, y)
        place = (across - 0.14, down - 0.06)
        canvas.text(place, words, size=LABEL, color=INK, align="right")
    return canvas.png()


COMPARISON_ROW = 0.5


def comparison(result: Comparison) -> bytes:
    """Draw the accuracy of each model with its 95 % interval, the fewest misses on top.

    Returns a PNG, 1275 pixels wide.
    """
    # The best on top, each in a color of its own.
    ranked = sorted(result.evaluations, key=lambda item: item.misses)
    rows = len(ranked)
    canvas = Canvas(
        8.5,
        1.45 + COMPARISON_ROW * rows,
        heading="Accuracy with its 95 % interval",
        note=result.digits,
    )
    # The axis spans all intervals, with some room at either end.
    low = 100 * min(item.interval.low for item in ranked)
    high = 100 * max(item.interval.high for item in ranked)
    room = 0.06 * (high - low)
    widest = max(canvas.measure(item.model, LABEL, bold=True) for item in ranked)
    left = 0.4 + min(widest, 2.0)
    x = (low - room, min(high + room, 100.0))
    axes = Axes(canvas, left, 0.85, 6.0 - left, COMPARISON_ROW * rows, x, (float(rows), 0.0))
    axes.draw_x_ticks(format_ticks(round_ticks(*x, 5)), lines=True)
    axes.frame("", "right, %")
    for row, item in enumerate(ranked):
        color, y = OTHERS[row % len(OTHERS)], row + 0.5
        ends = [axes.locate(100 * end, y) for end in item.interval]
        canvas.line(ends, blend(color, 0.4), width=5)
        canvas.dots([axes.locate(100 * item.accuracy, y)], color, size=9)
        down = axes.locate(0, y)[1]
        canvas.text((0.2, down), item.model, size=LABEL, bold=True, middle=True)
        figures = f"{percent(item.accuracy)}, {plural(item.misses, 'miss', 'misses')}"
        canvas.text((6.2, down), figures, size=LABEL, middle=True)
    return canvas.png()


STRESS_COLUMNS = 5
STRESS_WIDTH, STRESS_HEIGHT = 1.75, 1.45
# Inches: the axes of one family of changes, and from one to the next.
STEP_ACROSS, STEP_DOWN = STRESS_WIDTH + 0.65, STRESS_HEIGHT + 0.9


def stress(result: RobustnessResult) -> bytes:
    """Draw how accuracy falls as each family of changes gets stronger.

    Blue is the network alone, orange the same network after framing; all axes go from 0 to
    100 %. The faint bar behind each point is its 95 % interval.

    Returns a PNG, 1875 pixels wide; ten families make it 870 high.
    """
    rows = -(-len(result.families) // STRESS_COLUMNS)
    canvas = Canvas(
        0.5 + STRESS_COLUMNS * STEP_ACROSS,
        1.1 + rows * STEP_DOWN,
        heading=f"{result.model}: {percent(1 - result.misses / result.count)} on clean digits",
        note=f"right in %; {plural(result.count, 'digit')} of {result.source or 'unnamed'}",
    )
    for index, tested in enumerate(result.families):
        row, column = divmod(index, STRESS_COLUMNS)
        left, top = 0.55 + column * STEP_ACROSS, 1.25 + row * STEP_DOWN
        _family(canvas, tested, left, top)
    _key(canvas, result)
    return canvas.png()


def _family(canvas: Canvas, tested: CorruptionResult, left: float, top: float) -> None:
    # A little room beside the first and the last strength.
    strengths = tested.family.strengths
    room = 0.04 * strengths[-1]
    x = (-room, strengths[-1] + room)
    axes = Axes(canvas, left, top, STRESS_WIDTH, STRESS_HEIGHT, x, (0.0, 103.0))
    axes.draw_y_ticks(format_ticks([0, 25, 50, 75, 100]))
    shown = [strengths[0], strengths[len(strengths) // 2], strengths[-1]]
    axes.draw_x_ticks({strength: f"{strength:g}" for strength in shown})
    axes.frame(tested.family.name, tested.family.unit)
    for framed, color in ((True, ORANGE), (False, BLUE)):
        for strength, (low, high) in zip(
            strengths, tested.intervals(framed=framed), strict=True
        ):
            ends = [axes.locate(strength, 100 * low), axes.locate(strength, 100 * high)]
            canvas.line(ends, blend(color, 0.35), width=4)
        values = [100 * share for share in tested.accuracies(framed=framed)]
        axes.curve(strengths, values, color)


def _key(canvas: Canvas, result: RobustnessResult) -> None:
    """Name both colours at the upper right, with the mean over all changes."""
    for framed, color, down in ((False, BLUE, 0.34), (True, ORANGE, 0.58)):
        mean = percent(result.mean_accuracy(framed=framed), 1)
        words = f"{'after framing' if framed else 'the network alone'}: {mean} in the mean"
        place = (canvas.width - 0.2, down)
        canvas.text(place, words, size=LABEL, color=color, bold=True, align="right")
