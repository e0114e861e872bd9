"""What a source gives (`RawDataset`) -> training, validation and test digits (`DataSplits`).

Digits are held out by writer where writers are known (a split that lets the same hand into
training and validation flatters the network), else by class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, Digits, Images, Indices, Labels
from digitlens.display import Shown
from digitlens.errors import DataError, DigitlensError, UsageError

Mask: TypeAlias = NDArray[np.bool_]  # bool (N,): True for the digits that are held back


@dataclass(frozen=True, eq=False, repr=False)
class DataSplits(Shown):
    """Digits to train on, to choose by, and to test with once."""

    PICTURE = "viz.notebook:draw_splits"

    # train, validation, test: three sets of digits without a picture in common; `validation`
    # may be empty. Their `source` says from which file they come, their `positions` where they
    # stand in it. The arrays may be read-only.
    train: Digits
    validation: Digits
    test: Digits
    source: str  # the name or path that was asked for
    split: str  # in words: how many digits are held back for validation, and by which rule
    # SHA-256 of each file that was read, in hex, by file name; for a folder of pictures one
    # hash of the list that ``sha256sum`` would print for all of them
    hashes: dict[str, str]
    # uint8 (M, 28, 28): pictures that are no digit, to learn to refuse; None for none
    negatives: Images | None = None

    def __repr__(self) -> str:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        counts = ", ".join(f"{len(part):,} {name}" for name, part in parts.items())
        return f"DataSplits({self.source}: {counts})"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each digit of all parts: its part, label and pixels."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return [{"part": name} | row for name, part in parts.items() for row in part.rows()]

    def part(self, name: str) -> Digits:
        """Return "train", "validation" or "test", or "all" three joined in that order.

        In "all" the positions count through the joined digits.

        Raises UsageError: there is no part of that name.
        """
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        if name in parts:
            return parts[name]
        if name != "all":
            raise UsageError(
                "a part of the data must be train, validation, test or all", seen=repr(name)
            )
        return join(list(parts.values()), source=self.source)


@dataclass(frozen=True, eq=False)
class RawDataset:
    """What a reader found, before anything is held back."""

    source: str  # the name or path that was asked for
    train: Digits  # digits to train on: all of them, when the source does not name a test part
    hashes: dict[str, str]  # SHA-256 by file name, as in `DataSplits`
    # validation, test: given where the source itself tells these parts apart
    validation: Digits | None = None
    test: Digits | None = None
    # int64 (N,), NIST's group of writers of each training digit; given together with
    # ``train.writers``
    partitions: Indices | None = None
    no_writers: str = ""  # why the writers are not known, as a clause; empty when they are
    # the file of each training digit, where each has one of its own; else empty
    names: tuple[str, ...] = ()
    # why pictures of the source cannot be used, one error for each
    rejected: tuple[DigitlensError, ...] = ()
    negatives: Images | None = None  # as in `Data`


def join(parts: list[Digits], *, source: str) -> Digits:
    """Return the digits of all `parts`, one after the other, positions counted anew."""
    writers = [part.writers for part in parts if len(part)]
    known = [item for item in writers if item is not None]
    return Digits(
        images=np.concatenate([part.images for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        source=source,
        writers=np.concatenate(known) if known and len(known) == len(writers) else None,
    )


def split_by_class(labels: Labels, count: int, rng: np.random.Generator) -> Mask:
    """Pick `count` digits so that every class keeps its share.

    labels: uint8 (N,), values 0..9
    count: how many are picked, 0..N
    rng: decides which; the same generator picks the same digits

    Returns bool (N,), exactly `count` of them True. A class of n digits has n * count / N of
    them, rounded down or up, up where the remainder is largest.

    >>> labels = np.repeat(np.array([3, 7], np.uint8), [80, 20])
    >>> held_out = split_by_class(labels, 10, np.random.default_rng(0))
    >>> np.bincount(labels[held_out])[[3, 7]].tolist()
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
    order = np.lexsort((rng.random(len(labels)), labels))
    starts = np.cumsum(sizes) - sizes
    for start, quota in zip(starts, quotas, strict=True):
        held[order[start : start + quota]] = True
    return held


def split_by_writer(
    writers: Indices, partitions: Indices, share: float, rng: np.random.Generator
) -> Mask:
    """Pick whole writers, the same share of each partition's.

    writers: int64 (N,): who wrote each digit
    partitions: int64 (N,): the group of writers it belongs to, such as NIST's hsf_0 (employees)
        and hsf_4 (pupils), which write differently. A writer of several counts to the one of
        the first digit.
    share: 0..1, of the writers of each partition; rounded to whole writers
    rng: decides which; the same generator picks the same writers

    Returns bool (N,): True for every digit of the writers that were picked.

    >>> writers = np.repeat(np.arange(20), 5)
    >>> held = split_by_writer(writers, writers // 10, 0.2, np.random.default_rng(0))
    >>> len(set(writers[held])), int(held.sum())
    (4, 20)
    """
    people, first = np.unique(writers, return_index=True)
    groups = partitions[first]
    keys = rng.random(len(people))
    chosen = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        count = int(share * len(members) + 0.5)
        chosen.append(people[members[np.argsort(keys[members], kind="stable")[:count]]])
    return np.isin(writers, np.concatenate(chosen)) if chosen else np.zeros(0, np.bool_)


def set_aside_writers(writers: Indices) -> Mask:
    """Mark the digits of the writers, int64 (N,), that are a source's test part: bool (N,).

    As `split_data` sets them aside where all writers are of one group.
    """
    one_group = np.zeros_like(writers)
    return split_by_writer(writers, one_group, TEST_SHARE, _make_rng(TEST_SEED))


TEST_SHARE = 0.2  # the part of a source without test digits that is set aside as such

# Fixed, so that every command and every training seed sees the same parts.
TEST_SEED, _VALIDATION_SEED, _LIMIT_SEED = 1, 2, 3


def check_options(validation: float, limit: int | None) -> None:
    """Check the arguments of `load_digits` before anything is read.

    Raises UsageError: `validation` is not in [0, 1), or `limit` is not a whole number of at
    least 10.
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


def split_data(parts: RawDataset, *, validation: float, limit: int | None) -> DataSplits:
    """Hold validation digits back, make a test part where there is none, and limit both.

    parts: what the source gave. Validation digits that it names itself are kept, whatever the
        share, and join the training digits when the share is 0.
    validation: share of the training digits, or of their writers, that is held back; [0, 1)
    limit: keep only so many training digits and at most as many validation digits, each class
        with its share; None keeps all

    Raises UsageError: the share is less than one digit or writer, or leaves nothing to train
    on; DataError: there are too few digits to set a test part aside.
    """
    # Nothing is to be held out: the source's own validation part is trained on too.
    if parts.validation is not None and not validation:
        both = join([parts.train, parts.validation], source=parts.source)
        parts = replace(parts, train=both, validation=None, partitions=None)
    kept = np.arange(len(parts.train))
    notes = []
    test = parts.test
    # Test digits are set aside before anything is chosen, with a seed of their own.
    if test is None:
        aside, note = _set_aside(parts)
        test, kept = parts.train[np.flatnonzero(aside)], np.flatnonzero(~aside)
        notes.append(note)
    name = f"{parts.source} train"
    # A validation part that the source made is kept, or it could not be compared with others.
    if parts.validation is not None:
        held, name = parts.validation, f"{parts.source} validation"
        rule = f"the source's own validation part: {len(held):,} digits"
    else:
        mask, rule = _hold_out(parts, kept, validation)
        held, kept = parts.train[kept[mask]], kept[~mask]
    # Limited last, so that a small run validates on the same kind of writers as a large one.
    if limit is not None and limit < max(len(kept), len(held)):
        kept = kept[_limit(parts.train.labels[kept], limit)]
        held = held[np.flatnonzero(_limit(held.labels, limit))]
        notes.append(f"limited to {len(kept):,} training and {len(held):,} validation digits")
    return DataSplits(
        train=replace(_take(parts.train, kept), source=f"{parts.source} train"),
        validation=replace(held, source=name),
        test=replace(test, source=f"{parts.source} test"),
        source=parts.source,
        split="; ".join([rule, *notes]),
        hashes=parts.hashes,
        negatives=parts.negatives,
    )


def _hold_out(
    parts: RawDataset, kept: Indices, validation: float
) -> tuple[NDArray[np.bool_], str]:
    """Return which of the `kept` digits are held back, and the rule in words."""
    if not validation:
        return np.zeros(len(kept), np.bool_), "nothing is held back for validation"
    writers, partitions = parts.train.writers, parts.partitions
    # By writer where writers are known: a hand seen in training is no unseen digit.
    if writers is not None and partitions is not None:
        writers, partitions = writers[kept], partitions[kept]
        mask = split_by_writer(writers, partitions, validation, _make_rng(_VALIDATION_SEED))
        count = int(mask.sum())
        held, people = len(np.unique(writers[mask])), len(np.unique(writers))
        rule = f"by writer: {held} of the {people} writers, {count:,} digits, are held back"
        unit = f"one writer of {people}"
    else:
        count = int(validation * len(kept) + 0.5)
        mask = split_by_class(parts.train.labels[kept], count, _make_rng(_VALIDATION_SEED))
        rule = f"by class: {count:,} of {len(kept):,} digits are held back"
        rule += f"; not by writer, because {parts.no_writers}" if parts.no_writers else ""
        unit = f"one digit of {len(kept):,}"
    # A share so small or large that one part is empty is a mistake, not a wish.
    if not 0 < count < len(kept):
        less = f"holds back less than {unit}" if not count else "leaves nothing to train on"
        raise UsageError(
            f"validation {validation:g} {less} of {parts.source}",
            try_="0 holds nothing back; 0.1 is the usual share",
        )
    return mask, rule


def _set_aside(parts: RawDataset) -> tuple[NDArray[np.bool_], str]:
    """Return which digits become the test part, and the rule in words."""
    whole, rng = parts.train, _make_rng(TEST_SEED)
    if whole.writers is not None and parts.partitions is not None:
        aside = split_by_writer(whole.writers, parts.partitions, TEST_SHARE, rng)
        rule = "those of a fifth of the writers"
    else:
        aside = split_by_class(whole.labels, int(TEST_SHARE * len(whole) + 0.5), rng)
        rule = "a fifth of each class"
    count = int(aside.sum())
    if not 0 < count < len(whole):
        raise DataError(
            f"{parts.source} holds too few digits to set a fifth of them aside as a test part",
            seen=f"{len(whole)} digits",
        )
    return aside, f"the test part is {count:,} digits, {rule}"


def _limit(labels: Labels, limit: int) -> NDArray[np.bool_]:
    return split_by_class(labels, min(limit, len(labels)), _make_rng(_LIMIT_SEED))


def _take(digits: Digits, which: Indices) -> Digits:
    return digits if len(which) == len(digits) else digits[which]


def _make_rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
