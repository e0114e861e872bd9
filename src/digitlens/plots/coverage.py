"""The coverage curve: how much is answered beside how much of it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.evaluation.printed import percent, rate
from digitlens.plots.panel import Panel, labelled, round_values
from digitlens.plots.sheet import BLUE, INK, LABEL, ORANGE, Sheet
from digitlens.score import coverage_curve

if TYPE_CHECKING:
    from digitlens.evaluation import Evaluation


def coverage(found: Evaluation) -> bytes:
    """Draw the error rate among the answers, the surest answered first.

    From left to right more is answered; at the right edge everything is, at the error
    rate of the whole set. A ring marks the most that can be answered at each error rate.

    Parameters
    ----------
    found
        As `digitlens.evaluation.evaluate` gives it.

    Returns
    -------
    A PNG, 1050 x 660 pixels.
    """
    right = found.predicted == found.digits.labels
    answered, misses, _ = coverage_curve(found.confidence, right)
    share = (100 * answered / found.count).tolist()
    wrong = (100 * misses / answered).tolist()
    marks = [each for each in found.coverage.values() if 0 < each.answered < found.count]
    least = min([100 * each.share for each in marks], default=100.0)
    low = max(0.0, 100 - 2.2 * max(100 - least, 1.0))
    seen = [at for at, value in enumerate(share) if value >= low]
    top = 1.15 * max(*(wrong[at] for at in seen), 0.05)
    sheet = Sheet(
        7.0,
        4.4,
        heading=f"{found.model}: answer the sure ones, pass on the rest",
        note="thresholds chosen on these digits: on new ones expect a little less",
    )
    panel = Panel(sheet, 0.7, 1.15, 5.95, 2.65, (low, 100.0), (0.0, top))
    panel.mark_y(labelled(round_values(0.0, top, 5)))
    panel.mark_x(labelled(round_values(low, 100.0, 6)))
    panel.frame("wrong among the answers, %", "answered, %")
    panel.curve([share[at] for at in seen], [wrong[at] for at in seen], BLUE)
    for mark in marks:
        x, y = 100 * mark.share, 100 * mark.misses / mark.answered
        panel.ring(x, y, ORANGE)
        words = f"{percent(mark.share, 1)} answered at {rate(mark.error_rate)} wrong"
        across, down = panel.at(x, y)
        place = (across - 0.14, down - 0.06)
        sheet.text(place, words, size=LABEL, colour=INK, align="right")
    return sheet.png()
