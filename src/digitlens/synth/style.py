"""What kinds of lines are written, and how often what happens to them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from digitlens.errors import UsageError
from digitlens.synth.hands import KINDS
from digitlens.synth.random import Range

# Wide to touching are distances between strokes, `overlap` is one of boxes, and `cells` have
# an even pitch, as in printed boxes.
SPACINGS = ("wide", "usual", "tight", "touching", "overlap", "cells")


@dataclass(frozen=True)
class Style:
    """Ranges and shares of everything that varies; as it stands, the style for training.

    Shares are 0.0 (never) to 1.0 (always), of all lines unless said otherwise; a range is
    (from, to), drawn from evenly. Lengths are in digit heights unless said otherwise. What
    cannot be, such as a range that runs backwards, is a `UsageError`.

    >>> STYLES["clean"].rules, STYLES["ruled"].rules
    (0.0, 1.0)
    """

    # Digits in a number: within `usual` for `usual_share` of the numbers, else within
    # `lengths`.
    lengths: tuple[int, int] = (1, 12)
    usual: tuple[int, int] = (3, 8)
    usual_share: float = 0.82
    zeros: float = 0.38  # share of the numbers that end in zeros
    negatives: float = 0.14  # share of the pictures that show no number
    height: Range = (15.0, 36.0)  # of a digit, in pixels, before the camera
    # What lines are written with: kinds of `digitlens.synth.hands.KINDS`, each as often; one
    # that is named twice is twice as often.
    hands: tuple[str, ...] = ("glyphs",)
    # Share of lines whose digits are all by one writer, where the glyphs' writers are known.
    one_hand: float = 0.8
    # Columns to the right per row up: (mean, deviation) of a line, deviation of a digit.
    slant: Range = (0.12, 0.22)
    slant_jitter: float = 0.05
    # Deviations of a digit's size (share), place above the line, and angle (radians).
    size_jitter: float = 0.07
    baseline_jitter: float = 0.05
    turn_jitter: float = 0.05
    slope: float = 0.02  # deviation of the line's slope, in rows per column
    # How wide strokes are, in pixels of a digit 20 pixels high; one width a line.
    pen: Range = (1.3, 4.0)
    # How often a hand has the less usual forms (see `hand`), 1.0 = as often as in training.
    habits: float = 1.0
    # (kind, share) of the kinds in `SPACINGS`.
    spacing: tuple[tuple[str, float], ...] = (
        *(("wide", 0.14), ("usual", 0.34), ("tight", 0.2)),
        *(("touching", 0.16), ("overlap", 0.06), ("cells", 0.1)),
    )
    # How far the boxes of neighbours reach into each other in the spacing "overlap".
    overlap: Range = (0.05, 0.3)
    joined: float = 0.28  # share of lines in which neighbouring zeros are joined by a stroke
    warps: float = 0.6  # share of digits that are bent by a smooth distortion
    # Share of numbers with dots, commas and the like inside, marks behind, marks in front.
    separators: float = 0.25
    tails: float = 0.22
    leads: float = 0.1
    # From the ink to the upper and lower edge, and to the left and right one; below 0 the edge
    # cuts into the ink.
    margins: Range = (-0.02, 0.5)
    sides: Range = (-0.02, 1.3)
    neighbours: float = 0.2  # share with bits of the lines above or below, cut by the edge
    # Share with ruled or squared paper; with boxes, combs and table lines; with printed words
    # beside the number.
    rules: float = 0.22
    frames: float = 0.2
    labels: float = 0.06
    # Share of papers with a visible texture; of these with the fine curves of cheques.
    textures: float = 0.6
    guilloche: float = 0.45
    contrast: Range = (50.0, 220.0)  # ink against paper, in grey levels 0..255
    fading: float = 0.25  # share of lines whose ink fades along the way or skips
    # Share under uneven light; on crumpled paper.
    shading: float = 0.4
    creases: float = 0.06
    negative_film: float = 0.08  # share that is white on black
    # Share of low resolution; of the others, shaken; of those left, out of focus.
    low: float = 0.25
    motion: float = 0.08
    blur: float = 0.35
    noise: float = 0.5  # share with a sensor's noise
    # Share saved as JPEG, and its quality 1..95.
    jpeg: float = 0.3
    quality: tuple[int, int] = (25, 90)
    bilevel: float = 0.06  # share scanned in black and white, without grey
    # Font files that words are printed in; None takes those found on the system, an empty tuple
    # the stroke fonts that OpenCV brings along.
    fonts: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SHARES and not 0.0 <= value <= 1.0:
                raise UsageError(f"{field.name} must be a share, 0.0 to 1.0", seen=f"{value}")
            if field.name in _RANGES:
                self._check_range(field.name, value)
        if not self.hands or set(self.hands) - set(KINDS):
            raise UsageError(
                "hands must be kinds of what lines are written with",
                seen=", ".join(self.hands) or "none",
                try_=f"the kinds are {', '.join(KINDS)}",
            )
        unknown = [kind for kind, _ in self.spacing if kind not in SPACINGS]
        if unknown or not any(share > 0 for _, share in self.spacing):
            raise UsageError(
                "spacing must be pairs of a kind and a share above 0",
                seen=f"{self.spacing}",
                try_=f"the kinds are {', '.join(SPACINGS)}",
            )

    def _check_range(self, name: str, value: Range) -> None:
        low, high = _RANGES[name]
        if not low <= value[0] <= value[1] <= high:
            raise UsageError(
                f"{name} must rise, from {low} at least to {high} at most", seen=f"{value}"
            )


_NAMES = (
    "usual_share zeros negatives one_hand habits joined warps separators tails leads "
    "neighbours rules frames labels textures guilloche fading shading creases negative_film "
    "low motion blur noise jpeg bilevel"
)
_SHARES = frozenset(_NAMES.split())
_RANGES = {
    "lengths": (1, 40),
    "usual": (1, 40),
    "height": (8.0, 200.0),
    "pen": (0.8, 6.0),
    "overlap": (0.0, 0.6),
    "margins": (-0.1, 1.0),
    "sides": (-0.1, 2.0),
    "contrast": (20.0, 255.0),
    "quality": (1, 95),
}

_CLEAN = replace(
    Style(),
    **dict.fromkeys(_SHARES - {"usual_share", "zeros", "one_hand", "habits"}, 0.0),  # type: ignore[arg-type]
    lengths=(3, 8),
    height=(20.0, 32.0),
    slant=(0.0, 0.1),
    pen=(1.8, 3.2),
    habits=0.0,
    spacing=(("usual", 1.0),),
    margins=(0.2, 0.4),
    sides=(0.2, 0.6),
    contrast=(170.0, 215.0),
    fonts=(),
)

# Styles by name: `training` has everything, the others are for benchmarks and samples. In
# `overlap` boxes reach 6 pixels into each other where digits are 20 pixels high.
STYLES = {
    "training": Style(),
    "clean": _CLEAN,
    "ruled": replace(_CLEAN, rules=1.0, noise=0.5, contrast=(120.0, 200.0)),
    "boxes": replace(_CLEAN, spacing=(("cells", 1.0),), frames=1.0, contrast=(120.0, 200.0)),
    "photo": replace(
        _CLEAN,
        contrast=(80.0, 160.0),
        textures=1.0,
        shading=1.0,
        creases=0.2,
        low=0.3,
        motion=0.15,
        blur=0.8,
        noise=1.0,
        jpeg=1.0,
        slope=0.04,
    ),
    "touching": replace(_CLEAN, spacing=(("touching", 1.0),)),
    "overlap": replace(_CLEAN, spacing=(("overlap", 1.0),), overlap=(0.3, 0.3)),
    "cheque": replace(
        Style(),
        negatives=0.0,
        spacing=(("usual", 0.5), ("tight", 0.2), ("touching", 0.3)),
        separators=0.5,
        tails=0.5,
        leads=0.2,
        textures=1.0,
        guilloche=1.0,
        negative_film=0.0,
        habits=1.0,
    ),
}


def named_style(style: Style | str) -> Style:
    """Return `style`, or the one of that name in `STYLES`; a `UsageError` if there is none."""
    if isinstance(style, Style):
        return style
    if style not in STYLES:
        raise UsageError(
            "the style must be a Style or the name of one",
            seen=repr(style),
            try_=f"one of {', '.join(STYLES)}",
        )
    return STYLES[style]
