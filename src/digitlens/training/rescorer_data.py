"""Windows of lines to learn single digits from, in an order that the seed alone decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES
from digitlens.imaging.crop import WINDOW, cut_windows, prepare_line, warp_window
from digitlens.training.line_data import POOL, WorkPlan, synthesize_pool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from digitlens.digits import Indices
    from digitlens.synth.lines import LineSample

NO_DIGIT = CLASSES
"""The class of a window with no digit in its middle."""

SHOWN = 2  # pools in which a line's windows are shown, each time cut anew
WINDOWS_A_LINE = 6  # about so many are cut out of a line

# Windows without a digit in the middle, for each digit of a line; of a line without digits.
EMPTY_SHARE, EMPTY_WINDOWS = 0.3, 6
MIN_DISTANCE = 6.0  # columns that their middle keeps from that of any digit

# Deviation, in columns, of a window from its digit's middle: that of a reader's frames.
JITTER = 1.6

# Share of the windows that are distorted, and by how much: enlarged or made smaller by up to a
# share, sheared by a deviation in columns a row, moved up or down by a deviation in rows.
WARPED, SCALE, SHEAR, LIFT = 0.6, 0.12, 0.08, 1.5


@dataclass(frozen=True, eq=False)
class WindowBatch:
    """Windows, and the digit in the middle of each."""

    windows: NDArray[np.float16]  # (N, 1, 40, 40), from `cut_windows`
    labels: Indices  # int64 (N,): 0 .. 9, or 10 for no digit

    def __len__(self) -> int:
        return len(self.windows)


@dataclass(frozen=True)
class RescorerPlan(WorkPlan):
    """Which windows are made: those of lines by `recipe` and `seed`."""

    _lines: dict[int, list[LineSample]] = field(default_factory=dict, compare=False)

    def make_pool(self, index: int) -> list[WindowBatch]:
        """Make pool `index`: its own lines, and those of the pools before it once more."""
        rng = np.random.default_rng([self.seed, index, POOL])
        first = max(0, index - SHOWN + 1)
        for old in [key for key in self._lines if key < first]:
            del self._lines[old]
        for number in range(first, index + 1):
            if number not in self._lines:
                self._lines[number] = self._make_lines(number)
        lines = (line for number in range(first, index + 1) for line in self._lines[number])
        return cut_batches(lines, rng)

    def _make_lines(self, index: int) -> list[LineSample]:
        few = replace(self.recipe, batch=-(-self.recipe.batch // (SHOWN * WINDOWS_A_LINE)))
        return list(synthesize_pool(self.glyphs, few, self.seed, index))


def cut_batches(lines: Iterable[LineSample], rng: np.random.Generator) -> list[WindowBatch]:
    """Return windows of all `lines`, shuffled, in `POOL` batches."""
    parts = [label_windows(line, rng) for line in lines]
    windows = np.concatenate([windows for windows, _ in parts])
    labels = np.concatenate([labels for _, labels in parts])
    order = rng.permutation(len(labels))
    pieces = np.array_split(order, POOL)
    return [WindowBatch(windows[piece][:, None], labels[piece]) for piece in pieces]


def label_windows(
    line: LineSample, rng: np.random.Generator
) -> tuple[NDArray[np.float16], Indices]:
    """Cut windows out of a line, at its digits and between them, and say what they show.

    Returns float16 (N, 40, 40), from `cut_windows`, some of them distorted; int64 (N,).
    """
    strip = prepare_line(line.image, WINDOW)
    scale = strip.shape[1] / line.image.shape[1]
    middles = (line.boxes[:, 0] + line.boxes[:, 2]) * (scale / 2)
    empty = _between_places(strip, middles, rng) if len(middles) else _inked_places(strip, rng)
    places = np.concatenate([middles + rng.normal(0, JITTER, len(middles)), empty])
    labels = np.array([*map(int, line.text), *[NO_DIGIT] * len(empty)], np.int64)
    windows = cut_windows(strip, places)
    for index in np.flatnonzero(rng.random(len(places)) < WARPED):
        windows[index] = _warp(strip, places[index], rng)
    return windows.astype(np.float16), labels


def _between_places(
    strip: NDArray[np.float32], middles: NDArray[np.floating], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return columns of a line in whose neighbourhood no digit has its middle."""
    places = rng.uniform(0, strip.shape[1], int(rng.binomial(len(middles), EMPTY_SHARE)))
    # Half of them lie midway between two digits, where these meet.
    between = (middles[1:] + middles[:-1]) / 2
    if len(between):
        places[::2] = rng.choice(between, len(places[::2]))
    distance = np.abs(places[:, None] - middles[None]).min(axis=1)
    return np.asarray(places[distance >= MIN_DISTANCE])


def _inked_places(strip: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return columns of a line without digits: the more there is in one, the likelier."""
    contrast = strip.std(axis=0, dtype=np.float64)
    likely = contrast / contrast.sum() if contrast.any() else None
    return rng.choice(strip.shape[1], EMPTY_WINDOWS, p=likely).astype(np.float64)


def _warp(
    strip: NDArray[np.float32], place: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Cut a window around `place` as another hand, or another cut, would show it."""
    scale = 1 + rng.uniform(-SCALE, SCALE), 1 + rng.uniform(-SCALE, SCALE)
    return warp_window(strip, place, scale, rng.normal(0, SHEAR), rng.normal(0, LIFT))
