"""Digits prepared to write with: by writer and class, with stroke widths and loops."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, Digits, Images, Indices
from digitlens.errors import DataError
from digitlens.synth.hands import Hands
from digitlens.synth.random import Random

# Classes that are written with and without a loop: open and closed 4, looped and plain 2.
LOOPED = (2, 4)

_INK = 100
_BLOCK = 2048


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Digits, and what has to be known of them to write with them."""

    images: Images  # uint8 (N, 28, 28); 0 = paper, 255 = ink
    widths: NDArray[np.float32]  # float32 (N,): how wide the strokes are, in pixels
    # bool (N,): whether a digit of the classes in `LOOPED` has a closed loop.
    loops: NDArray[np.bool_]
    classes: list[Indices]  # for each digit 0 to 9, where it stands: int64 arrays
    writers: list[list[Indices]]  # for each known writer the same
    hands: Hands = field(default_factory=Hands)  # whole hands, for styles that want them

    def choose(
        self,
        rng: Random,
        label: int,
        writer: list[Indices] | None,
        *,
        loop: bool | None = None,
    ) -> int:
        """Return where a glyph of `label` stands: by `writer` and with `loop`, if there is one.

        What cannot be had is waived: first the writer, then the loop.
        """
        # The writer's own glyphs, of the right form if there is one among them.
        if writer is not None and len(writer[label]):
            own = writer[label]
            if loop is None:
                return int(own[rng.integers(len(own))])
            fitting = own[self.loops[own] == loop]
            if len(fitting):
                return int(fitting[rng.integers(len(fitting))])
        # Else anybody's: a dozen draws for the form, since most classes have enough of it.
        every = self.classes[label]
        index = int(every[rng.integers(len(every))])
        for _ in range(12 if loop is not None else 0):
            if self.loops[index] == loop:
                break
            index = int(every[rng.integers(len(every))])
        return index


_READY: WeakKeyDictionary[Digits, Glyphs] = WeakKeyDictionary()


def prepare_glyphs(glyphs: Digits | Glyphs) -> Glyphs:
    """Return `glyphs` made ready; done once for each `Digits` (60,000 take about a second).

    Each digit 0 to 9 must be among them, else it is a `DataError`.
    """
    if isinstance(glyphs, Glyphs):
        return glyphs
    if glyphs not in _READY:
        _READY[glyphs] = _prepare_glyphs(glyphs)
    return _READY[glyphs]


def _prepare_glyphs(digits: Digits) -> Glyphs:
    missing = [str(label) for label, count in enumerate(digits.counts) if not count]
    if missing:
        raise DataError(
            "the glyphs must hold each of the digits 0 to 9",
            seen=f"none of {', '.join(missing)} among {len(digits):,} of {digits.source}",
            try_="take a larger part of the digits",
        )
    loops = np.zeros(len(digits), np.bool_)
    # A closed loop leaves paper that is not joined to the paper outside.
    for index in np.flatnonzero(np.isin(digits.labels, LOOPED)):
        bare = (digits.images[index] < _INK).astype(np.uint8)
        bare = cv2.copyMakeBorder(bare, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
        loops[index] = cv2.connectedComponents(bare, connectivity=4)[0] > 2
    classes = _by_class(digits, np.arange(len(digits), dtype=np.int64))
    return Glyphs(digits.images, _stroke_widths(digits.images), loops, classes, _hands(digits))


def _by_class(digits: Digits, among: Indices) -> list[Indices]:
    labels = digits.labels[among]
    return [among[labels == label] for label in range(CLASSES)]


def _hands(digits: Digits) -> list[list[Indices]]:
    """Return each writer's glyphs by class; those of few digits are not worth a line."""
    if digits.writers is None:
        return []
    order = np.argsort(digits.writers, kind="stable").astype(np.int64)
    starts = np.flatnonzero(np.diff(digits.writers[order])) + 1
    groups = np.split(order, starts)
    return [_by_class(digits, group) for group in groups if len(group) >= 2 * CLASSES]


def _stroke_widths(images: Images) -> NDArray[np.float32]:
    """Return the mean width of each digit's strokes: twice the area by the outline's length.

    As `digitlens.imaging.fit.stroke_width` has it, but for many at once.
    """
    widths = np.empty(len(images), np.float32)
    for start in range(0, len(images), _BLOCK):
        ink = images[start : start + _BLOCK].astype(np.float32)
        down = np.diff(ink, axis=1)[:, :, :-1]
        across = np.diff(ink, axis=2)[:, :-1]
        around = np.sqrt(down * down + across * across).sum(axis=(1, 2))
        widths[start : start + _BLOCK] = 2 * ink.sum(axis=(1, 2)) / np.maximum(around, 1.0)
    return widths
