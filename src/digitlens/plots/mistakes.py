"""The worst mistakes as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.evaluation.printed import confidence
from digitlens.plots.sheet import FAINT, LABEL, MUTED, ORANGE, SMALL, Sheet

if TYPE_CHECKING:
    from digitlens.evaluation import Evaluation

CELL, CAPTION, GAP = 1.12, 0.46, 0.2
"""Inches: the side of a picture (six pixels for one of the digit's), its caption, the room."""


def mistakes(found: Evaluation, *, limit: int = 24, columns: int = 8) -> bytes:
    """Draw the mistakes that the model was surest of, each with its truth and answer.

    Parameters
    ----------
    found
        As `digitlens.evaluation.evaluate` gives it.
    limit
        How many at most, at least 1.
    columns
        How many beside one another.

    Returns
    -------
    A PNG, black ink on white paper, 1614 pixels wide by default.
    """
    worst = found.worst(limit)
    rows = -(-len(worst) // columns)
    width = 0.4 + columns * (CELL + GAP) - GAP
    height = 0.75 + rows * (CELL + CAPTION + GAP)
    sheet = Sheet(width, height, heading=_heading(found, len(worst)))
    for at, mistake in enumerate(worst):
        row, column = divmod(at, columns)
        left, top = 0.2 + column * (CELL + GAP), 0.65 + row * (CELL + CAPTION + GAP)
        edge, right, bottom = 0.01, left + CELL, top + CELL
        sheet.area((left - edge, top - edge), (right + edge, bottom + edge), FAINT)
        sheet.image((left, top), CELL, 255 - found.digits.images[mistake.index])
        sheet.text((left, bottom + 0.2), f"{mistake.label} read as", size=LABEL)
        place = (left + sheet.measure("0 read as ", LABEL), bottom + 0.2)
        sheet.text(place, str(mistake.predicted), size=LABEL, colour=ORANGE, bold=True)
        sure = f"{confidence(mistake.confidence)} sure"
        sheet.text((left, bottom + 0.38), sure, size=SMALL, colour=MUTED)
    return sheet.png()


def _heading(found: Evaluation, shown: int) -> str:
    if not shown:
        return f"{found.model}: no mistakes"
    if shown == found.misses:
        return f"{found.model}: all its mistakes, the surest first"
    return f"{found.model}: the {shown} mistakes it was surest of, of {found.misses:,}"
