"""One writer's hand: what stays the same along a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitlens.writing.skeletons import forms_of

if TYPE_CHECKING:
    from digitlens.digits import Indices
    from digitlens.writing.dice import Dice
    from digitlens.writing.glyphs import Glyphs
    from digitlens.writing.style import Style

KEEPS = 0.85
"""How often a hand writes a digit in its own form."""

HABITS: dict[int, tuple[tuple[str, float], ...]] = {
    0: (("", 0.64), ("small", 0.28), ("written", 0.08)),
    1: (
        *(("", 0.37), ("flag", 0.12), ("upstroke", 0.12), ("looped", 0.06)),
        *(("foot", 0.04), ("flag and foot", 0.06), ("drawn", 0.07), ("written", 0.16)),
    ),
    2: (("", 0.54), ("loop", 0.18), ("no loop", 0.18), ("written", 0.1)),
    3: (("", 0.92), ("written", 0.08)),
    4: (
        *(("", 0.48), ("open", 0.1), ("closed", 0.1)),
        *(("drawn open", 0.07), ("drawn closed", 0.07), ("written", 0.18)),
    ),
    5: (("", 0.68), ("long bar", 0.1), ("bar apart", 0.1), ("written", 0.12)),
    6: (("", 0.87), ("turned 9", 0.06), ("written", 0.07)),
    7: (
        *(("", 0.54), ("bar", 0.2), ("hook", 0.06)),
        *(("bar and hook", 0.06), ("drawn", 0.03), ("written", 0.11)),
    ),
    8: (("", 0.92), ("written", 0.08)),
    9: (("", 0.72), ("turned 6", 0.08), ("mirrored", 0.05), ("stem", 0.05), ("written", 0.1)),
}
"""The forms of each digit and how often a hand of the training style has them. In 0, `small`
is smaller, raised or not; in 1, `upstroke` is as long as in Germany and `looped` one that was
written without lifting the pen; in 9, `stem` hangs straight from its loop, and `mirrored` is
the P-shaped one; `written` is one of the digit's `skeletons`."""


@dataclass(frozen=True)
class Hand:
    """What stays the same along a line.

    Parameters
    ----------
    height
        Of a digit, in pixels.
    slant, slope
        Columns to the right per row up; rows down per column.
    wide
        Width of digits, 1.0 as in the glyphs.
    pen
        Width of strokes in pixels of a digit 20 pixels high.
    spacing
        One of `SPACINGS`.
    gap
        Between strokes or, where not `kerned`, boxes, in digit heights.
    kerned
        Whether digits are moved together until strokes, not boxes, are `gap` apart.
    joined
        Whether neighbouring zeros are joined.
    writer
        The glyphs of one writer, or None for a mixture.
    forms
        The form of each digit, "" for the one that the glyph has.
    """

    height: float
    slant: float
    slope: float
    wide: float
    pen: float
    spacing: str
    gap: float
    kerned: bool
    joined: bool
    writer: list[Indices] | None
    forms: dict[int, str]

    def form(self, dice: Dice, label: int) -> str:
        """Return the form in which `label` is written this time."""
        own = self.forms.get(label, "")
        return own if own and dice.hit(KEEPS) else ""

    @property
    def stroke(self) -> float:
        """Width of strokes in pixels."""
        return max(1.0, self.pen * self.height / 20)


_GAPS = {
    "wide": (0.25, 1.1),
    "usual": (0.08, 0.3),
    "tight": (0.01, 0.12),
    "touching": (-0.07, 0.01),
    "cells": (0.0, 0.0),
    "overlap": (0.0, 0.0),
}


def draw_hand(glyphs: Glyphs, dice: Dice, style: Style, text: str) -> Hand:
    """Draw a hand for one line, with forms for the digits of `text`."""
    spacing = dice.share(style.spacing)
    gap = -dice.within(style.overlap) if spacing == "overlap" else dice.within(_GAPS[spacing])
    one_hand = bool(glyphs.writers) and dice.hit(style.one_hand)
    low, high = style.height
    pen_low, pen_high = style.pen
    return Hand(
        height=low * (high / low) ** dice.even(),
        slant=dice.normal(*style.slant),
        slope=dice.normal(0.0, style.slope),
        wide=dice.normal(1.0, 0.08),
        pen=pen_low * (pen_high / pen_low) ** ((dice.even() + dice.even()) / 2),
        spacing=spacing,
        gap=gap,
        kerned=spacing == "touching" or (spacing != "overlap" and dice.hit(0.4)),
        joined=dice.hit(style.joined),
        writer=dice.pick(glyphs.writers) if one_hand else None,
        forms=_forms(dice, text, style.habits),
    )


def _forms(dice: Dice, text: str, habits: float) -> dict[int, str]:
    """Draw the form of each digit that has several; with `habits` 0.0 none is unusual."""
    if not habits:
        return {}
    labels = (label for label in map(int, dict.fromkeys(text)) if dice.hit(habits))
    return {label: _form(dice, label) for label in labels}


def _form(dice: Dice, label: int) -> str:
    form = dice.share(HABITS[label])
    return f"{form} {dice.below(forms_of(label))}" if form == "written" else form
