"""The ten probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.digits import CLASSES
from digitlens.explaining.explanation import sure
from digitlens.plots.explaining.words import MARGIN
from digitlens.plots.sheet import BLUE, FAINT, INK, LABEL, MUTED, ORANGE, Sheet

if TYPE_CHECKING:
    from digitlens.explaining import Explanation

ROW = 0.3


def probabilities(found: Explanation) -> bytes:
    """Draw a bar for each digit.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it.

    Returns
    -------
    A PNG, 975 pixels wide.
    """
    rows = CLASSES + (found.no_digit is not None)
    sheet = Sheet(
        6.5,
        0.95 + rows * ROW,
        heading=f"{found.model} reads {found.label}",
        note="how likely each digit is, by its own account; they sum to 1",
    )
    draw_probabilities(sheet, (MARGIN, 0.8), sheet.width - 2 * MARGIN, found)
    return sheet.png()


def draw_probabilities(
    sheet: Sheet, place: tuple[float, float], width: float, found: Explanation
) -> float:
    """Draw the bars, and one for "no digit" where the model has it; return where they end."""
    left, top = place
    rows = [(str(digit), float(share)) for digit, share in enumerate(found.probabilities)]
    if found.no_digit is not None:
        rows.append(("no digit", found.no_digit))
    start = left + max(sheet.measure(name, LABEL, bold=True) for name, _ in rows) + 0.15
    widest = max(sheet.measure(sure(share), LABEL, bold=True) for _, share in rows)
    room = width - (start - left) - widest - 0.12
    for at, (name, share) in enumerate(rows):
        y = top + at * ROW
        middle = y + ROW / 2
        chosen = at == found.label
        colour = BLUE if chosen else MUTED
        if at == CLASSES:
            colour = ORANGE if found.refused else MUTED
        sheet.text((left, middle), name, size=LABEL, bold=chosen, middle=True)
        sheet.area((start, y + 0.05), (start + room, y + ROW - 0.05), FAINT)
        if share * room > 0.004:
            sheet.area((start, y + 0.05), (start + share * room, y + ROW - 0.05), colour)
        place = (start + room + 0.12, middle)
        ink = INK if chosen else MUTED
        sheet.text(place, sure(share), size=LABEL, colour=ink, bold=chosen, middle=True)
    return top + len(rows) * ROW
