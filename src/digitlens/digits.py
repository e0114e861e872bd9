"""Digits: pictures of handwritten digits with their labels, and the arrays we name.

Polarity everywhere in digitlens: 0 is paper, 255 is ink.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from digitlens.display import Shown
from digitlens.errors import LabelError, ShapeError

SIDE = 28  # height and width of a digit in pixels, as in MNIST
CLASSES = 10  # the digits 0 to 9
FEATURES = SIDE * SIDE  # features of one unrolled digit: 784

Images: TypeAlias = "NDArray[np.uint8]"
"""uint8 (N, 28, 28); 0 = paper, 255 = ink."""

Labels: TypeAlias = "NDArray[np.uint8]"
"""uint8 (N,), values 0..9."""

Indices: TypeAlias = "NDArray[np.int64]"
"""int64 (N,), positions in another array."""


@dataclass(frozen=True, eq=False, repr=False)
class Digits(Shown):
    """Pictures of digits and their labels, in one order.

    Raises ShapeError: the images are not uint8 (N, 28, 28); LabelError: the labels are not
    whole numbers in 0..9, one for each image.

    >>> blank = np.zeros((2, 28, 28), np.uint8)
    >>> digits = Digits(blank, np.array([3, 5], np.uint8), source="nowhere")
    >>> len(digits), len(digits[1:]), digits[1][1]
    (2, 1, 5)
    >>> digits
    Digits(2 of nowhere, uint8 (2, 28, 28); labels 3, 5)
    """

    PICTURE = "viz.notebook:draw_digits"

    images: Images  # uint8 (N, 28, 28); 0 = paper, 255 = ink
    labels: Labels  # uint8 (N,), values 0..9
    source: str = ""  # where they come from, such as ``"mnist test"``; empty when unknown
    # int64 (N,): the place of each digit in its source; 0..N-1 when not given
    positions: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    # int64 (N,): who wrote each digit, where that is known, else None
    writers: Indices | None = None

    def __post_init__(self) -> None:
        check_images(self.images)
        labels = check_labels(self.labels, count=len(self.images))
        object.__setattr__(self, "labels", labels)
        if len(self.positions) != len(labels):
            assert len(self.positions) == 0, "positions are given for all digits or for none"
            object.__setattr__(self, "positions", np.arange(len(labels), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        labels = ", ".join(str(label) for label in self.labels[:8])
        shape = f"{self.images.dtype} {self.images.shape}"
        more = ", ..." if len(self) > 8 else ""
        source = f" of {self.source}" if self.source else ""
        return f"Digits({len(self):,}{source}, {shape}; labels {labels or 'none'}{more})"

    @overload
    def __getitem__(self, which: int) -> tuple[Images, int]: ...
    @overload
    def __getitem__(self, which: slice | Indices | NDArray[np.bool_] | list[int]) -> Digits: ...
    def __getitem__(
        self, which: int | slice | Indices | NDArray[np.bool_] | list[int]
    ) -> tuple[Images, int] | Digits:
        """Return the digits at `which` (a slice, indices or a mask), positions kept.

        One index gives (image (28, 28), label), so that torch's DataLoader takes digits as
        they are.
        """
        if isinstance(which, int | np.integer):
            return self.images[which], int(self.labels[which])
        return replace(
            self,
            images=self.images[which],
            labels=self.labels[which],
            positions=self.positions[which],
            writers=None if self.writers is None else self.writers[which],
        )

    def __iter__(self) -> Iterator[tuple[Images, int]]:
        """Walk over (image (28, 28), label)."""
        for image, label in zip(self.images, self.labels, strict=True):
            yield image, int(label)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a digit as Kaggle's files have it: label, pixel0 to pixel783."""
        names = ["label", *(f"pixel{index}" for index in range(FEATURES))]
        pixels = self.images.reshape(-1, FEATURES)
        return [
            dict(zip(names, [int(label), *row.tolist()], strict=True))
            for label, row in zip(self.labels, pixels, strict=True)
        ]

    @property
    def counts(self) -> Indices:
        """How many of each class: int64 (10,)."""
        return np.bincount(self.labels, minlength=CLASSES).astype(np.int64)


def check_images(images: object, *, what: str = "the images") -> Images:
    """Return `images` when they are uint8 (N, 28, 28), else say what they are.

    Raises ShapeError: not an array, another dtype, or another shape.
    """
    if not isinstance(images, np.ndarray):
        raise ShapeError(
            f"{what} must be a numpy array, uint8 (N, {SIDE}, {SIDE})",
            seen=f"{type(images).__name__}",
            try_="numpy.stack a list of (28, 28) pictures first",
        )
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ShapeError(
            f"{what} must be uint8 (N, {SIDE}, {SIDE}), 0 = paper, 255 = ink",
            seen=f"{images.dtype} {images.shape}",
            likely=_likely_shape(images),
            try_=_try_shape(images),
        )
    return images


def _likely_shape(images: NDArray[Any]) -> str | None:
    if images.shape == (SIDE, SIDE):
        return "a single picture"
    if images.ndim == 4 and 1 in (images.shape[1], images.shape[3]):
        return "pictures with a channel axis"
    if images.ndim == 2 and images.shape[1] == FEATURES:
        return "unrolled pictures, 784 features a row"
    if images.dtype.kind == "f":
        return "pictures that are scaled already"
    return None


def _try_shape(images: NDArray[Any]) -> str | None:
    if images.shape == (SIDE, SIDE):
        return "images[None]"
    if images.ndim != 3 and images.size and images.size % FEATURES == 0:
        return f"images.reshape(-1, {SIDE}, {SIDE})"
    if images.dtype.kind == "f":
        top = float(np.nanmax(images)) if images.size else 0.0
        scale = "images * 255" if top <= 1.0 else "images"
        return f"({scale}).round().astype('uint8')"
    return None


def _as_whole(array: NDArray[Any]) -> NDArray[Any]:
    """Return fractions or texts as whole numbers where all of them are; else as they are."""
    try:
        values = array.astype(np.float64)
    except ValueError:
        return array
    whole = np.isfinite(values).all() and (values == np.rint(values)).all()
    return values.astype(np.int64) if whole and np.abs(values).max(initial=0) < 2**53 else array


def check_labels(labels: object, *, count: int, what: str = "the labels") -> Labels:
    """Return `labels` as uint8 when they are `count` whole numbers in 0..9.

    Raises LabelError: another shape or count, not whole numbers, or outside 0..9 (the first is
    named).
    """
    array = np.asarray(labels)
    if array.ndim != 1 or len(array) != count:
        raise LabelError(
            f"{what} must be one for each picture: ({count},)",
            seen=f"{array.dtype} {array.shape}",
            try_="turn one-hot labels back with digitlens.data.features.from_one_hot"
            if array.ndim == 2 and array.shape[1:] == (CLASSES,)
            else None,
        )
    if array.dtype.kind in "fUS":  # 5.0 and "5" are whole numbers too
        array = _as_whole(array)
    if array.dtype.kind not in "iu":
        raise LabelError(f"{what} must be whole numbers", seen=f"dtype {array.dtype}")
    wrong = np.flatnonzero((array < 0) | (array >= CLASSES))
    if len(wrong):
        index = int(wrong[0])
        raise LabelError(
            f"{what} must be in 0..9",
            seen=f"{len(wrong)} outside; the first is {int(array[index])}, at index {index}",
            likely="letters, as in EMNIST" if int(array.max()) > CLASSES else None,
        )
    return array.astype(np.uint8, copy=False)
