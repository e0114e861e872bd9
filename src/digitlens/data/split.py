"""Which digits are held back: pure rules on labels and writers, with the chance passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.digits import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Indices, Labels

    Mask: TypeAlias = NDArray[np.bool_]
    """bool (N,): True for the digits that are held back."""


def by_class(labels: Labels, count: int, chance: np.random.Generator) -> Mask:
    """Pick `count` digits so that every class keeps its share.

    Parameters
    ----------
    labels
        uint8 (N,), values 0..9.
    count
        How many are picked, 0..N.
    chance
        Decides which; the same generator picks the same digits.

    Returns
    -------
    bool (N,), exactly `count` of them True. A class of n digits has n * count / N of them,
    rounded down or up, up where the remainder is largest.

    Examples
    --------
    >>> labels = np.repeat(np.array([3, 7], np.uint8), [80, 20])
    >>> np.bincount(labels[by_class(labels, 10, np.random.default_rng(0))])[[3, 7]].tolist()
    [8, 2]
    """
    assert 0 <= count <= len(labels), "more digits wanted than there are"
    held = np.zeros(len(labels), np.bool_)
    if not count:
        return held
    sizes = np.bincount(labels, minlength=CLASSES)
    quotas, remainders = np.divmod(sizes * count, len(labels))
    quotas[np.argsort(-remainders, kind="stable")[: count - quotas.sum()]] += 1
    # random() and a stable sort, not choice(): numpy keeps the stream of the former.
    order = np.lexsort((chance.random(len(labels)), labels))
    starts = np.cumsum(sizes) - sizes
    for start, quota in zip(starts, quotas, strict=True):
        held[order[start : start + quota]] = True
    return held


def by_writer(
    writers: Indices, partitions: Indices, share: float, chance: np.random.Generator
) -> Mask:
    """Pick whole writers, the same share of each partition's.

    Parameters
    ----------
    writers
        int64 (N,): who wrote each digit.
    partitions
        int64 (N,): the group of writers it belongs to, such as NIST's hsf_0 (employees)
        and hsf_4 (pupils), which write differently. A writer of several counts to the
        one of the first digit.
    share
        0..1, of the writers of each partition; rounded to whole writers.
    chance
        Decides which; the same generator picks the same writers.

    Returns
    -------
    bool (N,): True for every digit of the writers that were picked.

    Examples
    --------
    >>> writers = np.repeat(np.arange(20), 5)
    >>> held = by_writer(writers, writers // 10, 0.2, np.random.default_rng(0))
    >>> len(set(writers[held])), int(held.sum())
    (4, 20)
    """
    people, first = np.unique(writers, return_index=True)
    groups = partitions[first]
    keys = chance.random(len(people))
    chosen = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        count = int(share * len(members) + 0.5)
        chosen.append(people[members[np.argsort(keys[members], kind="stable")[:count]]])
    return np.isin(writers, np.concatenate(chosen)) if chosen else np.zeros(0, np.bool_)
