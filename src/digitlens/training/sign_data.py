"""Lines of text to learn signs from, as batches in an order that the seed alone decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.font_digits import read_faces, split_families
from digitlens.data.pen_digits import draw_digits, read_strokes
from digitlens.data.split import join, set_aside_writers
from digitlens.digits import Digits
from digitlens.imaging.crop import HEIGHT, PITCH, input_width, prepare_line
from digitlens.ocr.line_picture import quick_binarize
from digitlens.synth import synthesize_chunk
from digitlens.synth.random import Random
from digitlens.synth.text_lines import DIGIT, NO_DIGIT, TextLineWriter
from digitlens.training.line_data import POOL, WIDTH_STEP, WorkPlan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.geometry import Gray
    from digitlens.synth.lines import LineSample

POOLS = 20  # so many pools of lines are made; then they are shown again, in another order

# Share of the lines that are those of readers: numbers by hand, and pictures without one.
NUMBER_SHARE = 0.4

NUMBER_STYLES = (
    *("training", "cheque", "touching", "overlap"),
    *("clean", "boxes", "ruled", "photo"),
)

# Of these, so many show ink without paper, as `digitlens.layout` cuts lines out.
CLEANED_SHARE = 0.6

FONTS = 48  # fonts that the lines of a pool are written with: each costs a second to draw
PEN_WRITERS = 1_000_000  # added to the numbers of the pen digits' writers


MAX_COLUMNS = 400  # of a line 32 rows high; of a longer one a part is shown


@dataclass(frozen=True, eq=False)
class SignSample:
    """A line as the network takes it, and the signs of its frames."""

    strip: NDArray[np.float16]  # (32, W), from `prepare_line`; W is even
    # (W / 2,): 1 .. 5 for the `SIGNS`, 6 for what is no digit, 0 for no ink.
    signs: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SignBatch:
    """Lines of about the same width, and what each frame of them shows."""

    strips: NDArray[np.float16]  # (N, 1, 32, W), padded with 0 on the right
    signs: NDArray[np.uint8]  # (N, W / 2): as those of `SignSample`

    def __len__(self) -> int:
        return len(self.strips)


@dataclass(frozen=True)
class SignPlan(WorkPlan):
    """Which lines are made: with `fonts` and `glyphs`."""

    fonts: tuple[Path, ...] = ()
    _made: dict[int, list[SignSample]] = field(default_factory=dict, compare=False)

    def make_pool(self, index: int) -> list[SignBatch]:
        """Make pool `index`, `POOL` batches; from `POOLS` on, an old one in another order."""
        which = index % POOLS
        if which not in self._made:
            self._made[which] = sample_lines(self, which, self.recipe.batch * POOL)
        lines = self._made[which]
        rng = np.random.default_rng([self.seed, index, POOL])
        keys = [line.strip.shape[1] + 24 * rng.random() for line in lines]
        order = np.argsort(keys, kind="stable")
        size = self.recipe.batch
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        return [
            collate([lines[i] for i in parts[part]]) for part in rng.permutation(len(parts))
        ]


def sample_lines(plan: SignPlan, index: int, count: int) -> list[SignSample]:
    """Write `count` lines of pool `index`."""
    chosen = np.random.default_rng([plan.seed, index, FONTS])
    picked = chosen.permutation(len(plan.fonts))[:FONTS]
    writer = TextLineWriter([plan.fonts[i] for i in picked], plan.glyphs)
    rng = Random(np.random.default_rng([plan.seed, index, 1]))
    numbers = round(NUMBER_SHARE * count)
    lines = [label_columns(*writer.sample(rng)) for _ in range(count - numbers)]
    size = -(-numbers // len(NUMBER_STYLES))
    for style in NUMBER_STYLES:
        made = synthesize_chunk(plan.glyphs, index, seed=plan.seed, style=style, size=size)
        lines += [label_line(line, clean=rng.bernoulli(CLEANED_SHARE)) for line in made]
    return lines[:count]


def label_columns(gray: Gray, signs: Gray) -> SignSample:
    """Return a line as the network takes it, with the most frequent sign of each frame."""
    strip = prepare_line(gray)[:, :MAX_COLUMNS]
    width = input_width(*gray.shape)
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip((HEIGHT, width), signs.shape, strict=True)
    )
    small = signs[rows[:, None], columns]
    frames = -(-strip.shape[1] // PITCH)
    pad = (0, 0), (0, frames * PITCH - strip.shape[1])
    strip = np.pad(strip, pad)
    small = np.pad(small[:, :MAX_COLUMNS], pad)
    flat = small.reshape(HEIGHT, frames, PITCH).transpose(1, 0, 2).reshape(frames, -1)
    counts = np.stack([(flat == sign).sum(axis=1) for sign in range(1, NO_DIGIT + 1)])
    answer = np.where(counts.max(axis=0) > 0, counts.argmax(axis=0) + 1, 0)
    return SignSample(strip.astype(np.float16), answer.astype(np.uint8))


def label_line(line: LineSample, *, clean: bool = False) -> SignSample:
    """Return a line of `digitlens.synth.lines` with its signs, as far as they are known.

    Ink in a digit's box is one; in a picture without a number nothing is. What stands beside
    the boxes of a number is left unknown. `clean` takes the paper away.
    """
    signs = np.zeros(line.image.shape, np.uint8)
    paper = float(np.median(line.image))
    inked = np.abs(line.image.astype(np.float32) - paper) > 40
    if not line.text:
        signs[inked] = NO_DIGIT
    for left, top, right, bottom in np.rint(line.boxes).astype(int):
        signs[top:bottom, left:right][inked[top:bottom, left:right]] = DIGIT
    return label_columns(255 - quick_binarize(line.image) if clean else line.image, signs)


def collate(lines: Sequence[SignSample]) -> SignBatch:
    """Return lines as one batch; at least one line."""
    longest = max(line.strip.shape[1] for line in lines)
    width = -(-longest // WIDTH_STEP) * WIDTH_STEP
    strips = np.zeros((len(lines), 1, HEIGHT, width), np.float16)
    signs = np.zeros((len(lines), width // PITCH), np.uint8)
    for index, line in enumerate(lines):
        strips[index, 0, :, : line.strip.shape[1]] = line.strip
        signs[index, : len(line.signs)] = line.signs
    return SignBatch(strips, signs)


def list_fonts() -> tuple[list[Path], list[Path]]:
    """Return the fonts to learn from, and those of families held out; no displays."""
    kept, held = split_families(read_faces()[0])
    return [face.path for face in kept if not face.is_display], [
        face.path for face in held if not face.is_display
    ]


def add_pen_digits(digits: Digits) -> Digits:
    """Return `digits` and, each drawn once, the pen digits of the writers to learn from."""
    strokes, _ = read_strokes()
    which = np.flatnonzero(~set_aside_writers(strokes.writers))
    images = draw_digits(strokes, which, np.random.default_rng(1))
    writers = strokes.writers[which] + PEN_WRITERS
    pen = Digits(images, strokes.labels[which], writers=writers)
    if digits.writers is None:
        digits = Digits(digits.images, digits.labels, writers=np.arange(len(digits)))
    return join([digits, pen], source=f"{digits.source} and pen digits")
