"""What a line network says, frame by frame, and which lengths are wanted: both checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens.digits import CLASSES
from digitlens.errors import DataError, ShapeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


BLANK = CLASSES
"""The class that means "no digit begins or goes on here"."""

COLUMNS = CLASSES + 1

SLACK = 1e-3
"""How far a frame's probabilities may sum from 1: what float32 and a little more leave."""

Probs: TypeAlias = "NDArray[np.float64]"
"""float64 (T, 11), rows sum to 1: the probability of each digit and of blank."""


def check_probs(log_probs: NDArray[np.floating[Any]]) -> Probs:
    """Turn a network's log-probabilities into probabilities, each frame summing to 1.

    The sums are made exactly 1 again, as the rounding of float32 would otherwise let the
    probabilities of all strings sum to a little more than 1.

    Parameters
    ----------
    log_probs
        float (T, 11), T at least 1: natural logarithms; columns 0..9 are the digits,
        column 10 is blank. Minus infinity is a probability of 0.

    Raises
    ------
    ShapeError
        No array, another shape, or not floating point.
    DataError
        NaN, or rows that do not sum to 1 within 0.001.

    Examples
    --------
    >>> check_probs(np.log(np.full((2, 11), 1 / 11))).shape
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
    # Comparisons that NaN fails; without the first, large logits would overflow in exp.
    if not log_probs.max() <= SLACK:
        raise _no_probabilities(log_probs)
    frames: Probs = np.exp(log_probs).astype(np.float64, copy=False)
    totals = frames.sum(axis=1, keepdims=True)
    if not (abs(totals.min() - 1) <= SLACK and abs(totals.max() - 1) <= SLACK):
        raise _no_probabilities(log_probs)
    frames /= totals
    return frames


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
        "each frame, ten digits and blank",
        seen=seen,
        likely=likely,
        try_=try_,
    )


def _no_probabilities(given: NDArray[np.floating[Any]]) -> DataError:
    wanted = "a line's log-probabilities must be numbers whose exponentials sum to 1 a frame"
    holes = np.isnan(given)
    if holes.any():
        index = int(np.flatnonzero(holes.any(axis=1))[0])
        return DataError(
            wanted,
            seen=f"NaN in {int(holes.any(axis=1).sum())} of {len(given)} frames; "
            f"the first is frame {index}",
            likely="the network's weights diverged, or its input was not finite",
        )
    with np.errstate(over="ignore"):
        totals = np.exp(given.astype(np.float64)).sum(axis=1)
    index = int(np.abs(totals - 1).argmax())
    plain = float(given.min()) >= 0 and float(given.max()) <= 1
    return DataError(
        wanted,
        seen=f"frame {index} sums to {totals[index]:.6g}",
        likely="probabilities, not their logarithms" if plain else "logits, before the softmax",
        try_="numpy.log(probabilities)" if plain else "log_softmax over the last axis",
    )


def check_lengths(lengths: int | Collection[int] | None) -> frozenset[int] | None:
    """Return the allowed lengths as a set, or None where every length is allowed.

    Parameters
    ----------
    lengths
        One length, or several; each a whole number of at least 1.

    Raises
    ------
    UsageError
        An empty collection, or a length that is no whole number of at least 1.

    Examples
    --------
    >>> check_lengths(5), check_lengths({5, 9}) == {5, 9}, check_lengths(None)
    (frozenset({5}), True, None)
    """
    if lengths is None:
        return None
    if isinstance(lengths, int | np.integer) and not isinstance(lengths, bool):
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
        if (
            not isinstance(length, int | np.integer)
            or isinstance(length, bool)
            or int(length) < 1
        ):
            raise _wrong_length(length)
    return frozenset(int(length) for length in several)  # type: ignore[call-overload]


def _wrong_length(seen: object) -> UsageError:
    return UsageError(
        "a length must be a whole number of at least 1: how many digits a line has",
        seen=repr(seen),
        try_="lengths=5, lengths={5, 9}, or lengths=None for any",
    )
