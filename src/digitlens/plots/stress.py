"""Accuracy against strength, a small panel for each family of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.evaluation.printed import percent, several
from digitlens.plots.panel import Panel, labelled
from digitlens.plots.sheet import BLUE, LABEL, ORANGE, Sheet, blend

if TYPE_CHECKING:
    from digitlens.stress import StressResult, Tested

COLUMNS = 5
WIDTH, HEIGHT = 1.75, 1.45
"""Of each panel, in inches."""

STEP_ACROSS, STEP_DOWN = WIDTH + 0.65, HEIGHT + 0.9


def stress(found: StressResult) -> bytes:
    """Draw how accuracy falls as each family of changes gets stronger.

    Blue is the network alone, orange the same network after framing; all panels go from 0
    to 100 %. A faint bar behind each point is its 95 % interval.

    Parameters
    ----------
    found
        As `digitlens.stress.stress` gives it.

    Returns
    -------
    A PNG, 1875 pixels wide; ten families make it 870 high.
    """
    rows = -(-len(found.families) // COLUMNS)
    sheet = Sheet(
        0.5 + COLUMNS * STEP_ACROSS,
        1.1 + rows * STEP_DOWN,
        heading=f"{found.model}: {percent(1 - found.misses / found.count)} on clean digits",
        note=f"right in %; {several(found.count, 'digit')} of {found.source or 'unnamed'}",
    )
    for at, tested in enumerate(found.families):
        row, column = divmod(at, COLUMNS)
        left, top = 0.55 + column * STEP_ACROSS, 1.25 + row * STEP_DOWN
        _family(sheet, tested, left, top)
    _key(sheet, found)
    return sheet.png()


def _family(sheet: Sheet, tested: Tested, left: float, top: float) -> None:
    strengths = tested.family.strengths
    room = 0.04 * strengths[-1]
    x = (-room, strengths[-1] + room)
    panel = Panel(sheet, left, top, WIDTH, HEIGHT, x, (0.0, 103.0))
    panel.mark_y(labelled([0, 25, 50, 75, 100]))
    shown = [strengths[0], strengths[len(strengths) // 2], strengths[-1]]
    panel.mark_x({strength: f"{strength:g}" for strength in shown})
    panel.frame(tested.family.name, tested.family.unit)
    for framed, colour in ((True, ORANGE), (False, BLUE)):
        for strength, (low, high) in zip(
            strengths, tested.intervals(framed=framed), strict=True
        ):
            ends = [panel.at(strength, 100 * low), panel.at(strength, 100 * high)]
            sheet.line(ends, blend(colour, 0.35), width=4)
        values = [100 * share for share in tested.accuracies(framed=framed)]
        panel.curve(strengths, values, colour)


def _key(sheet: Sheet, found: StressResult) -> None:
    """Name both colours at the upper right, with the mean over all changes."""
    for framed, colour, down in ((False, BLUE, 0.34), (True, ORANGE, 0.58)):
        mean = percent(found.mean_accuracy(framed=framed), 1)
        words = f"{'after framing' if framed else 'the network alone'}: {mean} in the mean"
        place = (sheet.width - 0.2, down)
        sheet.text(place, words, size=LABEL, colour=colour, bold=True, align="right")
