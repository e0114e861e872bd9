"""Whole hands: the digits of one writer, or of one font, all through a line.

`synth.glyphs` mixes pictures of digits; what is here keeps a writer's strokes, so that pen,
pressure, slant and the strokes between digits are those of a line that was written at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digitlens.digits import CLASSES
from digitlens.errors import DataError
from digitlens.synth.face_hand import FaceHand, sample_face_hand
from digitlens.synth.pen import Stroke
from digitlens.synth.pen_hand import PenHand, sample_pen_hand
from digitlens.synth.random import Random

GLYPHS, PEN = "glyphs", "pen"
STENCIL = "stencil"
FACES = ("school", "hand", "printed", STENCIL, "matrix", "segment")
# What a line may be written with: pictures of digits, a writer's strokes, or a font.
KINDS = (GLYPHS, PEN, *FACES)

CUT_PRINTS = 0.6  # so many stencilled lines are a printed font with gaps cut into it

# Fonts that show handwriting; the others are printed, evenly and without joins.
WRITTEN = ("school", "hand")


@dataclass(frozen=True, eq=False)
class Hands:
    """Writers' strokes and fonts to write lines with."""

    # For each writer, for each digit 0 to 9, how it was written: strokes whose lowest point is
    # 1 below the highest, y downwards.
    writers: Sequence[Sequence[Sequence[Sequence[Stroke]]]] = ()
    faces: Mapping[str, Sequence[Sequence[Path]]] = field(default_factory=dict)  # by kind

    def has(self, kind: str) -> bool:
        """Say whether there is a hand of this kind."""
        return kind == GLYPHS or bool(self.writers if kind == PEN else self.faces.get(kind))

    def sample(self, rng: Random, kind: str, text: str) -> PenHand | FaceHand | None:
        """Draw a hand of `kind` for one line; None for "glyphs", DataError for none."""
        if kind == GLYPHS:
            return None
        if kind == PEN and self.writers:
            return sample_pen_hand(rng, rng.choice(self.writers), text)
        if self.faces.get(kind):
            # Few fonts are stencils, but any print can be cut as one.
            cut = kind == STENCIL and "printed" in self.faces and rng.bernoulli(CUT_PRINTS)
            path = rng.choice(rng.choice(self.faces["printed" if cut else kind]))
            return sample_face_hand(rng, path, kind=kind, written=kind in WRITTEN, cut=cut)
        raise DataError(
            f"lines are to be written by hands of the kind {kind!r}",
            seen=f"{len(self.writers)} writers' strokes and fonts of the kinds "
            f"{', '.join(sorted(self.faces)) or '(none)'}",
            try_="put the pen digits and fonts where docs/world.md says,\n"
            "or train by a recipe that wants no others than glyphs",
        )


def group_strokes(
    strokes: Sequence[Sequence[Stroke]], labels: Sequence[int], writers: Sequence[int]
) -> list[list[list[list[Stroke]]]]:
    """Return digits of known writers as `Hands` wants them; all ten digits, or no hand."""
    hands: dict[int, list[list[list[Stroke]]]] = {}
    for digit, label, writer in zip(strokes, labels, writers, strict=True):
        hand = hands.setdefault(int(writer), [[] for _ in range(CLASSES)])
        hand[int(label)].append(normalize_height(digit))
    return [hand for _, hand in sorted(hands.items()) if all(hand)]


def normalize_height(strokes: Sequence[Stroke]) -> list[Stroke]:
    """Move strokes to (0, 0) and scale them to a height of 1, or a breadth of 1.4."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    across, down = (float(side) for side in np.ptp(points, axis=0))
    side = np.float32(max(down, across / 1.4, 1e-6))
    return [np.asarray((stroke - low) / side, np.float32) for stroke in strokes]
