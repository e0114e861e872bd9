"""Digits that lie transposed or are black on white, as EMNIST's arrays and 255 - x do: noticed.

A sample is compared with the digits that come with digitlens, by the nearest neighbor: of MNIST
some 60 % agree, of digits that lie another way hardly more than chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.uci import read_uci

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.data.split import RawDataset
    from digitlens.digits import Digits, Images


CHANGES: dict[str, Callable[[Images], Images]] = {
    "transposed": lambda images: images.transpose(0, 2, 1),
    "inverted": lambda images: 255 - images,
    "transposed,inverted": lambda images: 255 - images.transpose(0, 2, 1),
}
SAMPLE = 200  # digits that are compared
MIN_SAMPLE = 30  # with fewer, chance says too much
# A change is advised when so many agree after it, and so many more than before.
MIN_AGREEMENT, MIN_GAIN = 0.45, 0.2


def apply_change(parts: RawDataset, change: str) -> RawDataset:
    """Return the digits of all parts changed as a key of `CHANGES` says."""

    def apply(digits: Digits | None) -> Digits | None:
        if digits is None:
            return None
        return replace(digits, images=np.ascontiguousarray(CHANGES[change](digits.images)))

    train = apply(parts.train)
    assert train is not None, "there is always a training part"
    validation, test = apply(parts.validation), apply(parts.test)
    return replace(parts, train=train, validation=validation, test=test)


def find_change(digits: Digits) -> str | None:
    """Return the change that brings digits the right way round, or None where none is needed.

    Of digits that agree with ours in no way, as of other signs, nothing is said.
    """
    if len(digits) < MIN_SAMPLE:
        return None
    chosen = np.random.default_rng(0).permutation(len(digits))[:SAMPLE]
    images, labels = digits.images[chosen], digits.labels[chosen]
    known = read_uci().train
    reference = _normalize(known.images)

    def agree(images: Images) -> float:
        nearest = (_normalize(images) @ reference.T).argmax(axis=1)
        return float((known.labels[nearest] == labels).mean())

    as_is = agree(images)
    if as_is >= MIN_AGREEMENT:
        return None
    best = max(CHANGES, key=lambda change: agree(CHANGES[change](images)))
    agreement = agree(CHANGES[best](images))
    return best if agreement >= max(MIN_AGREEMENT, as_is + MIN_GAIN) else None


def _normalize(images: Images) -> NDArray[np.float32]:
    rows = images.reshape(len(images), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return rows
