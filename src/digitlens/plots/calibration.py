"""The reliability diagram: how sure beside how often right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.plots.panel import Panel
from digitlens.plots.sheet import BLUE, MUTED, PAPER, Sheet, blend
from digitlens.score import nines, wilson

if TYPE_CHECKING:
    from digitlens.evaluation import Evaluation

MOST = 4.6
"""The end of both axes in nines: 99.997 %."""

TICKS = {0.0: "0 %", 1.0: "90 %", 2.0: "99 %", 3.0: "99.9 %", 4.0: "99.99 %"}


def calibration(found: Evaluation) -> bytes:
    """Draw how often answers are right, by how sure the model was.

    Each dot is one bin of equal mass with its 95 % Wilson interval. Both axes are
    stretched towards 100 %, each mark ten times closer to it than the one before, as a good
    network is nearly always nearly sure. On the diagonal confidence can be taken at its
    word; under it the model is surer than it should be. An open dot at the upper edge is a
    bin without a mistake.

    Parameters
    ----------
    found
        As `digitlens.evaluation.evaluate` gives it.

    Returns
    -------
    A PNG, 840 x 885 pixels.
    """
    error = 100 * found.calibration.error
    heading = f"{found.model}: how sure, how often right"
    note = f"{error:.2f} points apart in the mean; open: a bin without a mistake"
    sheet = Sheet(5.6, 5.9, heading=heading, note=note)
    panel = Panel(sheet, 0.85, 1.1, 4.4, 4.2, (0.0, MOST), (0.0, MOST))
    panel.mark_y(TICKS)
    panel.mark_x(TICKS, lines=True)
    panel.frame("right", "sure")
    sheet.line([panel.at(0, 0), panel.at(MOST, MOST)], MUTED, dashes=(4, 3))
    for part in found.calibration.bins:
        x, y = nines(part.confidence, MOST), nines(part.accuracy, MOST)
        low, high = (nines(end, MOST) for end in wilson(part.misses, part.count))
        sheet.line([panel.at(x, low), panel.at(x, high)], blend(BLUE, 0.4), width=1.5)
    for part in found.calibration.bins:
        x, y = nines(part.confidence, MOST), nines(part.accuracy, MOST)
        fill = BLUE if part.misses else PAPER
        sheet.dots([panel.at(x, y)], BLUE, size=7, fill=fill, width=1.5)
    sheet.text(panel.at(0.1, MOST - 0.25), "more often right than sure", colour=MUTED)
    sheet.text(panel.at(MOST - 0.1, 0.12), "surer than right", colour=MUTED, align="right")
    return sheet.png()
