"""What a source gives (`RawDataset`), and what everything else works with (`DataSplits`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import Digits
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.digits import Images, Indices
    from digitlens.errors import DataError


@dataclass(frozen=True, eq=False)
class DataSplits:
    """Digits to train on, to choose by, and to test with once."""

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
    rejected: tuple[DataError, ...] = ()
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
