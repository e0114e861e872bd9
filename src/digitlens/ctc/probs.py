"""The boundary of the package: a network's output and the allowed lengths, checked once."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens.digits import CLASSES
from digitlens.errors import DataError, ShapeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


BLANK = CLASSES  # the class of a time step in which no digit is seen

COLUMNS = CLASSES + 1

# How far a time step's probabilities may sum from 1: float32 leaves less than that.
SUM_TOLERANCE = 1e-3

# float64 (T, 11), rows sum to 1: the probability of each digit and of blank, by time step.
Probs: TypeAlias = "NDArray[np.float64]"

# The allowed numbers of digits, each at least 1; None where every number is allowed.
Lengths: TypeAlias = "AbstractSet[int] | None"


def to_probs(log_probs: NDArray[np.floating[Any]]) -> Probs:
    """Turn a network's log-probabilities into probabilities, each time step summing to 1.

    Everything else in the package takes what this returns, and does not check it again.

    log_probs: float (T, 11), T at least 1: natural logarithms; columns 0..9 are the digits,
        column 10 is blank. Minus infinity is a probability of 0.

    Raises ShapeError: no array, another shape, or not floating point; DataError: NaN, or rows
    that do not sum to 1 within 0.001.

    >>> to_probs(np.log(np.full((2, 11), 1 / 11))).shape
    (2, 11)
    """
    if (
        not isinstance(log_probs, np.ndarray)
        or log_probs.ndim != 2
        or log_probs.shape[1] != COLUMNS
        or log_probs.shape[0] == 0
        or log_probs.dtype.kind != "f"
    ):
        raise _wrong_shape(log_probs)
    # NaN fails both comparisons; without the first, large logits would overflow in exp.
    if not log_probs.max() <= SUM_TOLERANCE:
        raise _wrong_numbers(log_probs)
    probs: Probs = np.exp(log_probs).astype(np.float64, copy=False)
    totals = probs.sum(axis=1, keepdims=True)
    if not (abs(totals.min() - 1) <= SUM_TOLERANCE and abs(totals.max() - 1) <= SUM_TOLERANCE):
        raise _wrong_numbers(log_probs)
    # The rounding of float32 would let the strings' probabilities sum to more than 1.
    probs /= totals
    return probs


def _wrong_shape(given: object) -> ShapeError:
    likely = try_ = None
    seen = type(given).__name__
    if isinstance(given, np.ndarray):
        seen = f"{given.dtype} {given.shape}"
        if given.ndim == 3:
            likely, try_ = "a batch of lines", "one line at a time: log_probs[0]"
        elif given.ndim == 2 and given.shape[0] == COLUMNS and given.shape[1] != COLUMNS:
            likely, try_ = "time on the second axis", "log_probs.T"
    return ShapeError(
        f"a line's log-probabilities must be float (T, {COLUMNS}), T at least 1: a row for "
        "each time step, ten digits and blank",
        seen=seen,
        likely=likely,
        try_=try_,
    )


def _wrong_numbers(given: NDArray[np.floating[Any]]) -> DataError:
    wanted = "the exponentials of a line's log-probabilities must sum to 1 in each time step"
    has_nan = np.isnan(given).any(axis=1)
    if has_nan.any():
        return DataError(
            wanted,
            seen=f"NaN in {int(has_nan.sum())} of {len(given)} time steps; "
            f"the first is step {int(np.flatnonzero(has_nan)[0])}",
            likely="the network's weights diverged, or its input was not finite",
        )
    with np.errstate(over="ignore"):
        totals = np.exp(given.astype(np.float64)).sum(axis=1)
    step = int(np.abs(totals - 1).argmax())
    plain = float(given.min()) >= 0 and float(given.max()) <= 1
    return DataError(
        wanted,
        seen=f"time step {step} sums to {totals[step]:.6g}",
        likely="probabilities, not their logarithms" if plain else "logits, before the softmax",
        try_="numpy.log(probabilities)" if plain else "log_softmax over the last axis",
    )


def check_lengths(lengths: int | Collection[int] | None) -> frozenset[int] | None:
    """Return the allowed lengths as a set, or None where every length is allowed.

    A `UsageError` where there is none among them, or one that is no whole number of at least 1.

    >>> check_lengths(5), check_lengths({5, 9}) == {5, 9}, check_lengths(None)
    (frozenset({5}), True, None)
    """
    if lengths is None:
        return None
    if isinstance(lengths, int | np.integer):
        several: list[object] = [lengths]
    elif isinstance(lengths, str | bytes) or not hasattr(lengths, "__iter__"):
        raise _wrong_length(lengths)
    else:
        several = list(lengths)
    if not several:
        raise UsageError(
            "at least one length must be allowed",
            seen="an empty collection of lengths",
            try_="lengths=None allows every length",
        )
    for length in several:
        is_number = isinstance(length, int | np.integer) and not isinstance(length, bool)
        if not is_number or int(length) < 1:  # type: ignore[call-overload]
            raise _wrong_length(length)
    return frozenset(int(length) for length in several)  # type: ignore[call-overload]


def _wrong_length(seen: object) -> UsageError:
    return UsageError(
        "a length must be a whole number of at least 1: how many digits a line has",
        seen=repr(seen),
        try_="lengths=5, lengths={5, 9}, or lengths=None for any",
    )
