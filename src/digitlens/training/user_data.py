"""The digits of fine-tuning: the user's own pictures, and known digits to replay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlens.data.catalog import MNIST
from digitlens.data.load import find_training_digits, read_source
from digitlens.data.split import DataSplits
from digitlens.data.uci import read_uci
from digitlens.digits import CLASSES, Digits
from digitlens.errors import DataError, DigitlensError, UsageError

# From so many pictures of a class on, some are held back unless a share is asked for.
MIN_CLASS_SIZE = 8

VALIDATION_SHARE = 0.25  # this share of them is, rounded down
_VALIDATION_SEED = 4  # fixed, so that every run on the same pictures holds back the same


@dataclass(frozen=True, eq=False)
class UserData:
    """The user's digits."""

    # ``train`` to learn from, ``validation`` to measure with; ``test`` is empty
    data: DataSplits
    # what messages call the pictures of ``train``, then those of ``validation``
    names: tuple[str, ...]
    rejected: tuple[DigitlensError, ...]  # why pictures were left out, one error for each


def load_user_data(source: DataSplits | str | Path, share: float | None) -> UserData:
    """Read the user's pictures and hold some of them back.

    source: digits, whose own validation part is then held back; or a source of `load_digits`.
        Pictures of a folder that cannot be used are left out.
    share: share of each class that is held back, rounded; when None a quarter of each class of
        which there are `MIN_CLASS_SIZE`
    """
    if share is not None and not 0 <= share < 1:
        raise UsageError(
            "validation must be a share of the pictures, at least 0 and below 1",
            seen=repr(share),
        )
    if isinstance(source, DataSplits):
        return _wrap_splits(source)
    if str(source) == "mnist":
        raise UsageError(
            "--from wants pictures of your own: MNIST is what the network has learnt already",
            try_="--data FOLDER, a folder of folders called 0 to 9, each with pictures in it",
        )
    parts = read_source(source)
    digits = parts.train
    names = parts.names or tuple(f"number {place}" for place in digits.positions)
    held, rule = hold_out(digits.labels, share)
    if len(digits) and held.all():
        raise UsageError(
            f"validation {share:g} leaves nothing of {source} to learn from",
            try_="0 holds nothing back",
        )
    data = DataSplits(
        train=digits[~held],
        validation=digits[held],
        test=digits[:0],
        source=parts.source,
        split=rule,
        hashes=parts.hashes,
    )
    order = [*np.flatnonzero(~held), *np.flatnonzero(held)]
    return _check_train(UserData(data, tuple(names[index] for index in order), parts.rejected))


def hold_out(labels: NDArray[np.uint8], share: float | None) -> tuple[NDArray[np.bool_], str]:
    """Return which pictures are held back, bool (N,), and the rule in words.

    >>> mask, rule = hold_out(np.array([1] * 9 + [7] * 5, np.uint8), None)
    >>> int(mask[:9].sum()), int(mask[9:].sum()), rule
    (2, 0, 'a quarter of each class with 8 pictures or more, 2 of 14, is held back')
    """
    rng = np.random.default_rng(_VALIDATION_SEED)
    mask = np.zeros(len(labels), np.bool_)
    for digit in range(CLASSES):
        places = rng.permutation(np.flatnonzero(labels == digit))
        if share is None:
            count = int(VALIDATION_SHARE * len(places)) if len(places) >= MIN_CLASS_SIZE else 0
        else:
            count = int(share * len(places) + 0.5)
        mask[places[:count]] = True
    total = int(mask.sum())
    if not total:
        few = f": no class has {MIN_CLASS_SIZE} pictures" if share is None else ""
        return mask, f"none of the {len(labels)} pictures is held back{few}"
    which = f"a quarter of each class with {MIN_CLASS_SIZE} pictures or more"
    if share is not None:
        which = f"{100 * share:g} % of each class"
    return mask, f"{which}, {total} of {len(labels)}, is held back"


def _wrap_splits(data: DataSplits) -> UserData:
    parts = (data.train, data.validation)
    names = tuple(f"number {place}" for part in parts for place in part.positions)
    return _check_train(UserData(data, names, ()))


def _check_train(user: UserData) -> UserData:
    if not len(user.data.train):
        raise DataError(
            "there must be pictures to learn from", seen=f"none in {user.data.source}"
        )
    return user


# So many of MNIST's training digits are measured before and after, and never replayed.
MEASURED_DIGITS = 5_000

_REPLAY_SEED = 5  # fixed, so that every run measures the same digits


@dataclass(frozen=True, eq=False)
class ReplayData:
    """Digits that the network reads already, and should not forget."""

    replayed: Digits  # shown again while it learns
    measured: Digits  # read before and after
    mnist: bool  # whether they are MNIST's own training digits

    @property
    def name(self) -> str:
        """What messages call them."""
        return "MNIST's training digits" if self.mnist else "the 1,797 UCI digits"


def load_replay_data() -> ReplayData:
    """Return MNIST's training digits where they are at hand, else the UCI digits.

    Nothing is downloaded, and MNIST's test digits are not opened.
    """
    digits, measured = find_training_digits(MNIST), MEASURED_DIGITS
    mnist = digits is not None
    if digits is None:
        digits = read_uci().train
        measured = len(digits) // 3
    order = np.random.default_rng(_REPLAY_SEED).permutation(len(digits))
    rest = np.sort(order[measured:])
    return ReplayData(digits[rest], digits[np.sort(order[:measured])], mnist)
