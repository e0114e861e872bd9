"""The confusion matrix as a picture."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES
from digitlens.plots.sheet import INK, LABEL, MUTED, ORANGE, PAPER, SMALL, Sheet, blend

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        int64 (10, 10), as `digitlens.score.confusion` gives it.
    title
        What was evaluated, such as ``"dense, validation"``.

    Returns
    -------
    A PNG, 915 x 960 pixels.
    """
    misses = int(table.sum() - table.trace())
    counted = f"{misses:,} of {int(table.sum()):,} misread"
    sheet = Sheet(6.1, 6.4, heading=f"{title}: {counted}" if title else counted)
    most = max(int((table - np.diag(table.diagonal())).max()), 1)
    for truth, row in enumerate(table.tolist()):
        middle = TOP + (truth + 0.5) * CELL
        sheet.text((LEFT - 0.12, middle), str(truth), size=LABEL, align="right", middle=True)
        for answer, count in enumerate(row):
            _cell(sheet, truth, answer, count, most)
        missed = sum(row) - row[truth]
        place = (LEFT + CLASSES * CELL + 0.42, middle)
        colour = INK if missed else MUTED
        words = f"{missed:,}"
        sheet.text(place, words, size=LABEL, colour=colour, align="right", middle=True)
    for answer in range(CLASSES):
        place = (LEFT + (answer + 0.5) * CELL, TOP + CLASSES * CELL + 0.2)
        sheet.text(place, str(answer), size=LABEL, align="centre")
    sheet.text((0.2, TOP - 0.14), "truth", size=LABEL, colour=MUTED)
    below = TOP + CLASSES * CELL + 0.45
    sheet.text((LEFT, below), "read as", size=LABEL, colour=MUTED)
    edge = LEFT + CLASSES * CELL + 0.55
    sheet.text((edge, TOP - 0.14), "missed", size=LABEL, colour=MUTED, align="right")
    return sheet.png()


def _cell(sheet: Sheet, truth: int, answer: int, count: int, most: int) -> None:
    left, top = LEFT + answer * CELL, TOP + truth * CELL
    corners = (left + GAP, top + GAP), (left + CELL - GAP, top + CELL - GAP)
    middle = (left + CELL / 2, top + CELL / 2)
    if truth == answer:
        sheet.area(*corners, RIGHT)
        words = f"{count}"
        sheet.text(middle, words, size=SMALL, colour=MUTED, align="centre", middle=True)
    elif count:
        # The root keeps single mistakes visible beside frequent ones.
        depth = 0.1 + 0.9 * sqrt(count / most)
        sheet.area(*corners, blend(ORANGE, depth))
        colour = PAPER if depth > 0.75 else INK
        words = f"{count}"
        sheet.text(
            middle, words, size=LABEL, colour=colour, bold=True, align="centre", middle=True
        )
    else:
        sheet.area(*corners, NEVER)
