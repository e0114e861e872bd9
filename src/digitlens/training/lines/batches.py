"""Written lines -> batches to learn from, in an order that the seed alone decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.errors import DataError
from digitlens.ink.line_input import HEIGHT, PITCH, line_input
from digitlens.writing import write_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Indices
    from digitlens.networks.line_recipe import LineRecipe
    from digitlens.writing import Glyphs, Written

    Prepared: TypeAlias = "tuple[NDArray[np.float32], str, NDArray[np.float32]]"
    """A strip (32, W), its text, and the columns of the digits' centres."""

POOL = 32
"""Batches that are cut from one pool of lines: lines of like width come into one batch."""

WIDTHS = 8
"""Batches are padded to a multiple of this, not just of 4: each width that a processor has not
met lately costs it an eighth of a step, as its kernels are made for it anew."""

SEEDS = 1 << 32
"""Added to a seed for each further style, so that small seeds share no lines."""

UNKNOWN = -1
"""The class of a frame that lies at no digit's centre."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Lines of about the same width, and what they say.

    Parameters
    ----------
    strips
        float16 (N, 1, 32, W), from `line_input`, padded with 0 on the right; W is a multiple
        of 8. Half precision is enough, and half as much to hand from process to process.
    labels
        int64 (sum of `lengths`,): the digits of all texts, one after the other.
    lengths
        int64 (N,): digits of each line.
    frames
        int64 (N,): frames, two columns each, that a line has without its padding.
    centres
        int64 (N, W / 2): the digit whose centre lies in a frame, -1 where there is none.
    """

    strips: NDArray[np.float16]
    labels: Indices
    lengths: Indices
    frames: Indices
    centres: Indices

    def __len__(self) -> int:
        return len(self.strips)

    def texts(self) -> list[str]:
        """Return what each line says."""
        ends = np.cumsum(self.lengths)
        parts = np.split(self.labels, ends[:-1]) if len(ends) else []
        return ["".join(map(str, part.tolist())) for part in parts]


def prepared(line: Written) -> Prepared:
    """Return a written line as a network takes it, with the centres of its digits."""
    strip = line_input(line.image)
    scale = strip.shape[1] / line.image.shape[1]
    centres = (line.boxes[:, 0] + line.boxes[:, 2]) * np.float32(scale / 2)
    return strip, line.text, centres


def collated(lines: Sequence[Prepared]) -> Batch:
    """Return lines as one batch; at least one line."""
    widths = np.array([strip.shape[1] for strip, _, _ in lines], np.int64)
    wide = -(-int(widths.max()) // WIDTHS) * WIDTHS
    strips = np.zeros((len(lines), 1, HEIGHT, wide), np.float16)
    centres = np.full((len(lines), wide // PITCH), UNKNOWN, np.int64)
    for at, (strip, text, places) in enumerate(lines):
        strips[at, 0, :, : strip.shape[1]] = strip
        for digit, place in zip(text, places, strict=True):
            centres[at, min(int(place / PITCH), wide // PITCH - 1)] = int(digit)
    whole = "".join(text for _, text, _ in lines)
    return Batch(
        strips,
        np.array([int(digit) for digit in whole], np.int64),
        np.array([len(text) for _, text, _ in lines], np.int64),
        -(-widths // PITCH),
        centres,
    )


def pool_of(glyphs: Glyphs, recipe: LineRecipe, seed: int, index: int) -> list[Batch]:
    """Write pool `index` of `seed` and cut it into `POOL` batches.

    The same lines in the same order whoever writes them: a pool depends on no other.

    Parameters
    ----------
    glyphs
        What the lines are written with.
    recipe
        Says how many lines a batch has (one fewer where lines were left out as too long),
        in which style they are and how long they may be.

    Raises
    ------
    DataError
        Nearly all lines of this style are longer than the recipe allows.
    """
    size = recipe.batch * POOL
    lines = [prepared(line) for line in _written(glyphs, recipe, seed, index)]
    lines = [line for line in lines if line[0].shape[1] <= recipe.longest]
    if len(lines) < POOL:
        raise DataError(
            f"there must be lines of at most {recipe.longest} columns to learn from",
            seen=f"{len(lines)} of {size} in the style {recipe.style!r}",
        )
    lines.sort(key=lambda line: line[0].shape[1])
    # Cut evenly: were the last lines left over, those would always be the longest.
    cuts = [round(at * len(lines) / POOL) for at in range(POOL + 1)]
    order = np.random.default_rng([seed, index, POOL]).permutation(POOL)
    return [collated(lines[cuts[at] : cuts[at + 1]]) for at in order]


def _written(glyphs: Glyphs, recipe: LineRecipe, seed: int, index: int) -> Iterator[Written]:
    """Write the lines of a pool: most in the recipe's style, some in each of the others."""
    size = recipe.batch * POOL
    few = int(size * recipe.other_share / len(recipe.others)) if recipe.others else 0
    most = size - few * len(recipe.others)
    yield from write_chunk(glyphs, index, seed=seed, style=recipe.style, size=most)
    for number, style in enumerate(recipe.others, start=1):
        # The first lines of a chunk are those of a smaller one, so each needs a seed.
        own = seed + SEEDS * number
        yield from write_chunk(glyphs, index, seed=own, style=style, size=few)
