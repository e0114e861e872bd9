"""Misses counted: the confusion matrix, the figures of each digit, the worst misses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Indices, Labels


def confusion(labels: Labels, predicted: Labels) -> NDArray[np.int64]:
    """Count how often each digit was read as each digit.

    Parameters
    ----------
    labels, predicted
        (N,), whole numbers 0..9: what the digits are, and what was answered.

    Returns
    -------
    int64 (10, 10): row = truth, column = answer. The diagonal holds what was right; the
    sum is N.

    Examples
    --------
    >>> table = confusion(np.array([4, 4, 9], np.uint8), np.array([4, 9, 9], np.uint8))
    >>> int(table[4, 9]), int(table.sum())
    (1, 3)
    """
    cell = labels.astype(np.int64) * CLASSES + predicted
    return np.bincount(cell, minlength=CLASSES**2).reshape(CLASSES, CLASSES).astype(np.int64)


@dataclass(frozen=True)
class ClassScore:
    """How one digit fared.

    Parameters
    ----------
    digit
        0..9.
    count
        How many pictures show this digit.
    misses
        How many of those were read as another digit.
    answered
        How many pictures were read as this digit, rightly or not.
    """

    digit: int
    count: int
    misses: int
    answered: int

    @property
    def recall(self) -> float | None:
        """The share of this digit's pictures read rightly; None where there are none."""
        return (self.count - self.misses) / self.count if self.count else None

    @property
    def precision(self) -> float | None:
        """The share of the answers "this digit" that is right; None where there are none."""
        return (self.count - self.misses) / self.answered if self.answered else None


def per_class(table: NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Return the figures of each digit, 0 first.

    Parameters
    ----------
    table
        int64 (10, 10), as `confusion` gives it.

    Examples
    --------
    >>> table = confusion(np.array([4, 4, 9], np.uint8), np.array([4, 9, 9], np.uint8))
    >>> per_class(table)[9]
    ClassScore(digit=9, count=1, misses=0, answered=2)
    >>> per_class(table)[9].recall, per_class(table)[9].precision
    (1.0, 0.5)
    """
    counts, answered, right = table.sum(axis=1), table.sum(axis=0), table.diagonal()
    return tuple(
        ClassScore(digit, int(counts[digit]), int(counts[digit] - right[digit]), int(told))
        for digit, told in enumerate(answered)
    )


def worst_first(
    labels: Labels, predicted: Labels, probabilities: NDArray[np.floating[Any]]
) -> Indices:
    """Return the indices of the misses, the one that was surest of its mistake first.

    Equal confidence is ordered by how little was left for the truth, then by place.

    Parameters
    ----------
    labels, predicted
        (N,), whole numbers 0..9.
    probabilities
        float (N, 10), rows sum to 1.

    Returns
    -------
    int64 (misses,).

    Examples
    --------
    >>> rows = np.full((2, 10), 0.02)
    >>> rows[0, 1], rows[1, 7] = 0.82, 0.82
    >>> worst_first(np.array([7, 7]), np.array([1, 7]), rows)
    array([0])
    """
    wrong = np.flatnonzero(labels != predicted)
    sure = probabilities[wrong, predicted[wrong]]
    left = probabilities[wrong, labels[wrong]]
    return wrong[np.lexsort((wrong, left, -sure))].astype(np.int64)
