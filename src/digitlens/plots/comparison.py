"""Models side by side: accuracy with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.evaluation.printed import percent, several
from digitlens.plots.panel import Panel, labelled, round_values
from digitlens.plots.sheet import LABEL, OTHERS, Sheet, blend

if TYPE_CHECKING:
    from digitlens.evaluation import Comparison

ROW = 0.5


def comparison(found: Comparison) -> bytes:
    """Draw the accuracy of each model with its 95 % interval, the fewest misses on top.

    Parameters
    ----------
    found
        As `digitlens.evaluation.compare` gives it.

    Returns
    -------
    A PNG, 1275 pixels wide.
    """
    ranked = sorted(found.evaluations, key=lambda each: each.misses)
    first, rows = ranked[0], len(ranked)
    source = first.source or "an unnamed source"
    sheet = Sheet(
        8.5,
        1.45 + ROW * rows,
        heading="Accuracy with its 95 % interval",
        note=f"{several(first.count, 'digit')} of {source}",
    )
    low = 100 * min(each.interval.low for each in ranked)
    high = 100 * max(each.interval.high for each in ranked)
    room = 0.06 * (high - low)
    widest = max(sheet.measure(each.model, LABEL, bold=True) for each in ranked)
    left = 0.4 + min(widest, 2.0)
    x = (low - room, min(high + room, 100.0))
    panel = Panel(sheet, left, 0.85, 6.0 - left, ROW * rows, x, (float(rows), 0.0))
    panel.mark_x(labelled(round_values(*x, 5)), lines=True)
    panel.frame("", "right, %")
    for row, each in enumerate(ranked):
        colour, y = OTHERS[row % len(OTHERS)], row + 0.5
        ends = [panel.at(100 * end, y) for end in each.interval]
        sheet.line(ends, blend(colour, 0.4), width=5)
        sheet.dots([panel.at(100 * each.accuracy, y)], colour, size=9)
        down = panel.at(0, y)[1]
        sheet.text((0.2, down), each.model, size=LABEL, bold=True, middle=True)
        figures = f"{percent(each.accuracy)}, {several(each.misses, 'miss', 'misses')}"
        sheet.text((6.2, down), figures, size=LABEL, middle=True)
    return sheet.png()
