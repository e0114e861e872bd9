"""Counts of right and wrong: confusion, figures per class, the hardest errors, AUROC.

Also the two scores of the probabilities themselves (negative log likelihood, Brier) and the
MNIST test labels that are disputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, Indices, Labels


def confusion(labels: Labels, predicted: Labels) -> NDArray[np.int64]:
    """Count how often each digit was read as each digit: int64 (10, 10), row = truth.

    `labels` and the answers `predicted` are whole numbers 0..9 (N,).

    >>> table = confusion(np.array([4, 4, 9], np.uint8), np.array([4, 9, 9], np.uint8))
    >>> int(table[4, 9]), int(table.sum())
    (1, 3)
    """
    cell = labels.astype(np.int64) * CLASSES + predicted
    return np.bincount(cell, minlength=CLASSES**2).reshape(CLASSES, CLASSES).astype(np.int64)


@dataclass(frozen=True)
class Decisions:
    """What a model that tells "no digit" did: answered wrongly, left to check, refused.

    The rest it answered rightly and without a doubt.
    """

    wrong: int
    unsure: int
    refused: int


@dataclass(frozen=True)
class ClassScore:
    """How one digit fared."""

    digit: int  # 0..9
    count: int  # how many pictures show this digit
    misses: int  # how many of those were read as another digit
    answered: int  # how many pictures were read as this digit, rightly or not
    # how many of this digit's pictures were answered wrongly without a doubt, were to be
    # checked, and were taken for no digit; None where the model cannot tell
    wrong: int | None = None
    unsure: int | None = None
    refused: int | None = None

    @property
    def recall(self) -> float | None:
        """The share of this digit's pictures read rightly; None where there are none."""
        return (self.count - self.misses) / self.count if self.count else None

    @property
    def precision(self) -> float | None:
        """The share of the answers "this digit" that is right; None where there are none."""
        return (self.count - self.misses) / self.answered if self.answered else None


def per_class(
    table: NDArray[np.int64], decisions: NDArray[np.int64] | None = None
) -> tuple[ClassScore, ...]:
    """Return the figures of each digit, 0 first, as `confusion` and `count_decisions` count.

    >>> table = confusion(np.array([4, 4, 9], np.uint8), np.array([4, 9, 9], np.uint8))
    >>> per_class(table)[9].misses, per_class(table)[9].answered
    (0, 2)
    >>> per_class(table)[9].recall, per_class(table)[9].precision
    (1.0, 0.5)
    """
    counts, answered, right = table.sum(axis=1), table.sum(axis=0), table.diagonal()
    decided = [()] * len(table) if decisions is None else decisions.tolist()
    return tuple(
        ClassScore(
            digit,
            int(counts[digit]),
            int(counts[digit] - right[digit]),
            int(told),
            *decided[digit],
        )
        for digit, told in enumerate(answered)
    )


def count_decisions(
    labels: Labels,
    wrong: NDArray[np.bool_],
    unsure: NDArray[np.bool_],
    refused: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Count for each digit what was answered wrongly, unsure and refused: int64 (10, 3).

    labels: uint8 (N,)
    wrong, unsure, refused: bool (N,): the likeliest digit is wrong; it is to be checked; the
        picture is taken for no digit. A digit counts once: as refused, unsure or wrong

    >>> yes, no = np.array([True, True]), np.array([True, False])
    >>> count_decisions(np.array([3, 3], np.uint8), yes, no, ~yes)[3].tolist()
    [1, 1, 0]
    """
    unsure = unsure & ~refused
    kinds = (wrong & ~unsure & ~refused, unsure, refused)
    return np.stack([np.bincount(labels[kind], minlength=CLASSES) for kind in kinds], axis=1)


def hardest_errors(
    labels: Labels, predicted: Labels, probabilities: NDArray[np.floating[Any]]
) -> Indices:
    """Return the indices of the misses (int64), the one that was surest of its mistake first.

    Equal confidence is ordered by how little was left for the truth, then by place.
    `labels` and `predicted` are (N,), `probabilities` float (N, 10) whose rows sum to 1.

    >>> rows = np.full((2, 10), 0.02)
    >>> rows[0, 1], rows[1, 7] = 0.82, 0.82
    >>> hardest_errors(np.array([7, 7]), np.array([1, 7]), rows)
    array([0])
    """
    wrong = np.flatnonzero(labels != predicted)
    sure = probabilities[wrong, predicted[wrong]]
    left = probabilities[wrong, labels[wrong]]
    return wrong[np.lexsort((wrong, left, -sure))].astype(np.int64)


# The least probability that is not 0 to us: the smallest normal float32 (87.3 nats).
MIN_PROBABILITY = 2.0**-126


def negative_log_likelihood(labels: Labels, probabilities: NDArray[np.floating[Any]]) -> float:
    """Return the mean of ``-ln p(truth)``: 0 is perfect, ln 10 = 2.303 is guessing.

    A probability under `MIN_PROBABILITY` counts as that, so that one truth that was called
    impossible costs 87.3 / N and not infinity. Nothing else is clipped. `labels` are (N,),
    N at least 1; `probabilities` float (N, 10).

    >>> round(negative_log_likelihood(np.array([3]), np.full((1, 10), 0.1)), 4)
    2.3026
    """
    truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # Subtracted from 0, as a perfect score should not read -0.0.
    return float(0.0 - np.log(np.maximum(truth, MIN_PROBABILITY)).mean())


def brier(labels: Labels, probabilities: NDArray[np.floating[Any]]) -> float:
    """Return the Brier score: the mean squared distance to the one-hot truth.

    0 is perfect, 0.9 is guessing, 2 is sure and always wrong; inputs as those of
    `negative_log_likelihood`.

    Summed over all ten classes, as G. W. Brier wrote it: "Verification of forecasts
    expressed in terms of probability", Monthly Weather Review 78 (1950) 1-3.

    >>> round(brier(np.array([3]), np.full((1, 10), 0.1)), 4)
    0.9
    """
    rows = probabilities.astype(np.float64)
    truth = rows[np.arange(len(labels)), labels]
    # |p - e|^2 = |p|^2 - 2 p(truth) + 1, without the one-hot table.
    return max(0.0, float((np.square(rows).sum(axis=1) - 2 * truth + 1).mean()))


MNIST_TEST = "mnist test"  # the source whose positions `DISPUTED` names

# Positions in MNIST's 10,000 test digits, from 0 on, whose label is disputed.
#
# Most of five raters chose something else than the label for these 15: C. G. Northcutt, A.
# Athalye and J. Mueller, "Pervasive label errors in test sets destabilize machine learning
# benchmarks", NeurIPS 2021 Datasets and Benchmarks (labelerrors.com).
DISPUTED = (
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520),
    *(3558, 5937, 6651, 6783, 8527, 9679, 9729),
)


def mask_undisputed(source: str, positions: Indices) -> NDArray[np.bool_] | None:
    """Mark the digits whose label nobody disputes: bool (N,); None for a source not studied.

    Only ``"mnist test"`` has been; `positions` (int64 (N,)) are those of `Digits`.

    >>> mask_undisputed("mnist test", np.array([946, 947]))
    array([ True, False])
    >>> mask_undisputed("uci test", np.array([946, 947])) is None
    True
    """
    if source != MNIST_TEST:
        return None
    return np.isin(positions, DISPUTED, invert=True)


def auroc(low: NDArray[np.floating[Any]], high: NDArray[np.floating[Any]]) -> float:
    """Return the area under the receiver operating characteristic.

    The share of pairs, one of `low` (float (N,), such as real digits) and one of `high`
    (float (M,)), in which the one of `high` scores higher; a tie counts half. 1 is told apart
    without fault, 0.5 is guessing, under 0.5 is the wrong way round. Neither may be empty.

    The Mann-Whitney form, by ranks: J. A. Hanley and B. J. McNeil, "The meaning and use of
    the area under a receiver operating characteristic (ROC) curve", Radiology 143 (1982).

    >>> auroc(np.array([0.1, 0.2, 0.4]), np.array([0.4, 0.9]))
    0.9166666666666666
    """
    # By ranks: each of `high` beats as many of `low` as sort before it.
    ordered = np.sort(low)
    under = np.searchsorted(ordered, high, side="left")
    not_over = np.searchsorted(ordered, high, side="right")
    halves = int(under.sum()) + int(not_over.sum())
    return halves / (2 * len(low) * len(high))


def threshold_at_tpr(scores: NDArray[np.floating[Any]], share: float) -> float:
    """Return the lowest threshold such that at least `share` of the scores are not above it.

    `scores` (float (N,), N at least 1) are of what is to be kept; `share` is in 0..1, not 0.

    >>> scores = np.array([0.4, 0.1, 0.3, 0.2])
    >>> threshold_at_tpr(scores, 0.75), threshold_at_tpr(scores, 0.76)
    (0.3, 0.4)
    """
    # 0.99 * 100 must be 99, not the 99.00000000000001 that floats may make of it.
    kept = ceil(round(share * len(scores), 9))
    return float(np.partition(scores, kept - 1)[kept - 1])
