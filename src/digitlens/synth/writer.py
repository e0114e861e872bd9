"""What is written, and by whom: a number with its marks, and one writer's style."""

from __future__ import annotations

from dataclasses import dataclass, replace

from digitlens.digits import CLASSES, Indices
from digitlens.errors import UsageError
from digitlens.synth.face_hand import FaceHand
from digitlens.synth.glyphs import Glyphs
from digitlens.synth.pen_hand import PenHand
from digitlens.synth.random import Random
from digitlens.synth.strokes import count_forms
from digitlens.synth.style import Style

KEEPS = 0.85  # how often a hand writes a digit in its own form

# The forms of each digit and how often a hand of the training style has them. In 0, `small`
# is smaller, raised or not; in 1, `upstroke` is as long as in Germany and `looped` one that was
# written without lifting the pen; in 9, `stem` hangs straight from its loop, and `mirrored` is
# the P-shaped one; `written` is one of the digit's `skeletons`.
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


@dataclass(frozen=True)
class WriterStyle:
    """What stays the same along a line."""

    height: float  # of a digit, in pixels
    # Columns to the right per row up; rows down per column.
    slant: float
    slope: float
    width: float  # width of digits, 1.0 as in the glyphs
    pen: float  # width of strokes in pixels of a digit 20 pixels high
    spacing: str  # one of `SPACINGS`
    gap: float  # between strokes or, where not `kerned`, boxes, in digit heights
    kerned: bool  # whether digits are moved together until strokes, not boxes, are `gap` apart
    joined: bool  # whether neighbouring zeros are joined
    writer: list[Indices] | None  # the glyphs of one writer, or None for a mixture
    forms: dict[int, str]  # the form of each digit, "" for the one that the glyph has
    source: PenHand | FaceHand | None = None  # whose strokes or font it is; None for glyphs

    def form(self, rng: Random, label: int) -> str:
        """Return the form in which `label` is written this time."""
        own = self.forms.get(label, "")
        return own if own and rng.bernoulli(KEEPS) else ""

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


def sample_writer(glyphs: Glyphs, rng: Random, style: Style, text: str) -> WriterStyle:
    """Draw a hand for one line, with forms for the digits of `text`."""
    spacing = rng.weighted(style.spacing)
    gap = (
        -rng.uniform_in(style.overlap)
        if spacing == "overlap"
        else rng.uniform_in(_GAPS[spacing])
    )
    hand = _sample_glyph_writer(glyphs, rng, style, text, spacing, gap)
    if style.hands == ("glyphs",):  # no number is drawn for what is no choice
        return hand
    source = glyphs.hands.sample(rng, rng.choice(style.hands), text)
    if source is None:
        return hand
    if not source.even:
        return replace(hand, source=source)
    # Print is upright or a little oblique, and lies straight.
    slant = rng.normal(0.0, 0.1) if rng.bernoulli(0.2) else 0.0
    return replace(
        hand,
        source=source,
        slant=slant,
        slope=0.3 * hand.slope,
        joined=False,
        kerned=False,
        forms={},
    )


def _sample_glyph_writer(
    glyphs: Glyphs, rng: Random, style: Style, text: str, spacing: str, gap: float
) -> WriterStyle:
    # Heights and pens are drawn evenly in proportion: half and double are equally far.
    one_hand = bool(glyphs.writers) and rng.bernoulli(style.one_hand)
    low, high = style.height
    pen_low, pen_high = style.pen
    return WriterStyle(
        height=low * (high / low) ** rng.uniform(),
        slant=rng.normal(*style.slant),
        slope=rng.normal(0.0, style.slope),
        width=rng.normal(1.0, 0.08),
        pen=pen_low * (pen_high / pen_low) ** ((rng.uniform() + rng.uniform()) / 2),
        spacing=spacing,
        gap=gap,
        kerned=spacing == "touching" or (spacing != "overlap" and rng.bernoulli(0.4)),
        joined=rng.bernoulli(style.joined),
        writer=rng.choice(glyphs.writers) if one_hand else None,
        forms=_forms(rng, text, style.habits),
    )


def _forms(rng: Random, text: str, habits: float) -> dict[int, str]:
    """Draw the form of each digit that has several; with `habits` 0.0 none is unusual."""
    if not habits:
        return {}
    labels = (label for label in map(int, dict.fromkeys(text)) if rng.bernoulli(habits))
    return {label: _form(rng, label) for label in labels}


def _form(rng: Random, label: int) -> str:
    form = rng.weighted(HABITS[label])
    return f"{form} {rng.integers(count_forms(label))}" if form == "written" else form


# How many zeros a round number ends in.
ZEROS = ((1, 0.15), (2, 0.35), (3, 0.4), (4, 0.07), (6, 0.03))

# What parts the digits of a number.
INSIDE = ((".", 0.5), (",", 0.32), (" ", 0.1), ("'", 0.04), ("-", 0.04))

# What is written after a number so that nobody adds a digit, and how often each.
TAILS = (
    *(("-", 0.22), (".-", 0.2), ("=", 0.14), ("---", 0.08), ("#", 0.07), (".", 0.07)),
    *(("~", 0.06), ("*", 0.04), ("**", 0.03), ("/", 0.03), (",-", 0.03), ("+", 0.03)),
)

# What is written before a number; E is the sign of the euro.
LEADS = (("$", 0.4), ("#", 0.15), ("*", 0.1), ("**", 0.1), ("E", 0.15), ("=", 0.1))


def sample_number(rng: Random, style: Style) -> str:
    """Draw a number: most have `style.usual` digits, and `style.zeros` of them end in zeros."""
    lengths = style.usual if rng.bernoulli(style.usual_share) else style.lengths
    length = lengths[0] + rng.integers(lengths[1] - lengths[0] + 1)
    tail = 0
    if length > 1 and rng.bernoulli(style.zeros):
        tail = min(length - 1, rng.weighted(ZEROS))
    digits = [rng.integers(CLASSES) for _ in range(length - tail)]
    if tail and digits[-1] == 0:
        digits[-1] = 1 + rng.integers(CLASSES - 1)
    return "".join(map(str, digits)) + "0" * tail


def check_text(text: str) -> str:
    """Return `text` when it holds nothing but the digits 0 to 9; else it is a `UsageError`."""
    if not isinstance(text, str) or any(letter not in "0123456789" for letter in text):
        raise UsageError(
            "the text to write must be digits only, 0 to 9", seen=repr(text), try_='text="0123"'
        )
    return text


def split_number(rng: Random, text: str, share: float) -> dict[int, str]:
    """Return the marks within a number: index of the digit before it -> mark.

    Thousands are parted most often, then hundredths; a ZIP's add-on is parted by a dash.
    """
    if len(text) < 3 or not rng.bernoulli(share):
        return {}
    mark = rng.weighted(INSIDE)
    if mark == "-":
        return {1 + rng.integers(len(text) - 2): mark}
    if len(text) > 3 and rng.bernoulli(0.8):
        places = range(len(text) - 4, -1, -3)
    else:
        places = range(len(text) - 3, len(text) - 4, -1)
    return dict.fromkeys(places, mark)
