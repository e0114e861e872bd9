"""From what a source gives to training, validation and test digits: a pure function."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.parts import Data, join
from digitlens.data.split import by_class, by_writer
from digitlens.digits import CLASSES
from digitlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.data.parts import Parts
    from digitlens.digits import Digits, Indices, Labels

TEST_SHARE = 0.2
"""The part of a source without test digits that is set aside as such."""

_TEST_SEED, _VALIDATION_SEED, _LIMIT_SEED = 1, 2, 3
"""Fixed, so that every command and every training seed sees the same parts."""


def check_wishes(validation: float, limit: int | None) -> None:
    """Check the arguments of `load_digits` before anything is read.

    Raises
    ------
    UsageError
        `validation` is not in [0, 1), or `limit` is not a whole number of at least 10.
    """
    number = isinstance(validation, (int, float, np.floating)) and validation is not True
    if not number or not 0 <= validation < 1:
        raise UsageError(
            "validation must be a share of the training digits, at least 0 and below 1",
            seen=repr(validation),
            try_="0.1 holds a tenth back, 0 nothing",
        )
    if limit is None:
        return
    if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)) or limit < CLASSES:
        raise UsageError(
            f"limit must be a whole number of digits, at least {CLASSES}: one for each class",
            seen=repr(limit),
        )


def arrange(parts: Parts, *, validation: float, limit: int | None) -> Data:
    """Hold validation digits back, make a test part where there is none, and limit both.

    Parameters
    ----------
    parts
        What the source gave. Validation digits that it names itself are kept, whatever
        the share, and join the training digits when the share is 0.
    validation
        Share of the training digits, or of their writers, that is held back; [0, 1).
    limit
        Keep only so many training digits and at most as many validation digits, each
        class with its share; None keeps all.

    Raises
    ------
    UsageError
        The share is less than one digit or writer, or leaves nothing to train on.
    DataError
        There are too few digits to set a test part aside.
    """
    if parts.validation is not None and not validation:
        both = join([parts.train, parts.validation], source=parts.source)
        parts = replace(parts, train=both, validation=None, partitions=None)
    kept = np.arange(len(parts.train))
    notes = []
    test = parts.test
    if test is None:
        aside, note = _set_aside(parts)
        test, kept = parts.train[np.flatnonzero(aside)], np.flatnonzero(~aside)
        notes.append(note)
    name = f"{parts.source} train"
    if parts.validation is not None:
        held, name = parts.validation, f"{parts.source} validation"
        rule = f"the source's own validation part: {len(held):,} digits"
    else:
        mask, rule = _hold_back(parts, kept, validation)
        held, kept = parts.train[kept[mask]], kept[~mask]
    if limit is not None and limit < max(len(kept), len(held)):
        kept = kept[_limited(parts.train.labels[kept], limit)]
        held = held[np.flatnonzero(_limited(held.labels, limit))]
        notes.append(f"limited to {len(kept):,} training and {len(held):,} validation digits")
    return Data(
        train=replace(_take(parts.train, kept), source=f"{parts.source} train"),
        validation=replace(held, source=name),
        test=replace(test, source=f"{parts.source} test"),
        source=parts.source,
        split="; ".join([rule, *notes]),
        hashes=parts.hashes,
    )


def _hold_back(parts: Parts, kept: Indices, validation: float) -> tuple[NDArray[np.bool_], str]:
    """Return which of the `kept` digits are held back, and the rule in words."""
    if not validation:
        return np.zeros(len(kept), np.bool_), "nothing is held back for validation"
    writers, partitions = parts.train.writers, parts.partitions
    if writers is not None and partitions is not None:
        writers, partitions = writers[kept], partitions[kept]
        mask = by_writer(writers, partitions, validation, _chance(_VALIDATION_SEED))
        count = int(mask.sum())
        held, people = len(np.unique(writers[mask])), len(np.unique(writers))
        rule = f"by writer: {held} of the {people} writers, {count:,} digits, are held back"
        unit = f"one writer of {people}"
    else:
        count = int(validation * len(kept) + 0.5)
        mask = by_class(parts.train.labels[kept], count, _chance(_VALIDATION_SEED))
        rule = f"by class: {count:,} of {len(kept):,} digits are held back"
        rule += f"; not by writer, because {parts.no_writers}" if parts.no_writers else ""
        unit = f"one digit of {len(kept):,}"
    if not 0 < count < len(kept):
        less = f"holds back less than {unit}" if not count else "leaves nothing to train on"
        raise UsageError(
            f"validation {validation:g} {less} of {parts.source}",
            try_="0 holds nothing back; 0.1 is the usual share",
        )
    return mask, rule


def _set_aside(parts: Parts) -> tuple[NDArray[np.bool_], str]:
    """Return which digits become the test part, and the rule in words."""
    whole, chance = parts.train, _chance(_TEST_SEED)
    if whole.writers is not None and parts.partitions is not None:
        aside = by_writer(whole.writers, parts.partitions, TEST_SHARE, chance)
        rule = "those of a fifth of the writers"
    else:
        aside = by_class(whole.labels, int(TEST_SHARE * len(whole) + 0.5), chance)
        rule = "a fifth of each class"
    count = int(aside.sum())
    if not 0 < count < len(whole):
        raise DataError(
            f"{parts.source} holds too few digits to set a fifth of them aside as a test part",
            seen=f"{len(whole)} digits",
        )
    return aside, f"the test part is {count:,} digits, {rule}"


def _limited(labels: Labels, limit: int) -> NDArray[np.bool_]:
    return by_class(labels, min(limit, len(labels)), _chance(_LIMIT_SEED))


def _take(digits: Digits, which: Indices) -> Digits:
    return digits if len(which) == len(digits) else digits[which]


def _chance(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
