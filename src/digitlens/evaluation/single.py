"""One model against one set of digits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from digitlens import score
from digitlens.digits import CLASSES
from digitlens.errors import DataError, ModelError
from digitlens.evaluation.result import Evaluation, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from digitlens.digits import Digits, Images, Labels


class Answers(Protocol):
    """What a model says about N digits."""

    @property
    def labels(self) -> Labels:
        """uint8 (N,), 0..9."""

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """float32 (N, 10), rows sum to 1."""


class Predictor(Protocol):
    """Anything that reads digits; `digitlens.Model` is one."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    def predict(self, images: Images) -> Answers:
        """Read uint8 (N, 28, 28), 0 = paper, 255 = ink."""


def evaluate(
    model: Predictor,
    digits: Digits,
    *,
    name: str | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Evaluation:
    """Let `model` read `digits` and count everything there is to count.

    Parameters
    ----------
    model
        Anything with `name` and `predict`, such as a `digitlens.Model`.
    digits
        At least one digit; the whole set is read, none is dropped.
    name
        What to call the model instead of its own name.
    clock
        Gives seconds; read before and after `predict`.

    Raises
    ------
    DataError
        There are no digits.
    ModelError
        The model's answers are not one row of ten numbers for each digit.
    """
    if not len(digits):
        raise DataError(
            "there must be at least one digit to evaluate",
            seen=f"no digits from {digits.source or 'an unnamed source'}",
        )
    started = clock()
    answers = model.predict(digits.images)
    seconds = clock() - started
    called = name or model.name
    _check(answers, len(digits), called)
    return _count(digits, answers, called, seconds)


def _count(digits: Digits, answers: Answers, name: str, seconds: float) -> Evaluation:
    labels, predicted, rows = digits.labels, answers.labels, answers.probabilities
    right = predicted == labels
    sure = rows[np.arange(len(digits)), predicted]
    misses = int((~right).sum())
    table = score.confusion(labels, predicted)
    clean = score.undisputed(digits.source, digits.positions)
    return Evaluation(
        model=name,
        digits=digits,
        predicted=predicted,
        probabilities=rows,
        misses=misses,
        interval=score.wilson(misses, len(digits)),
        confusion=table,
        per_class=score.per_class(table),
        nll=score.negative_log_likelihood(labels, rows),
        brier=score.brier(labels, rows),
        calibration=score.calibrate(sure, right),
        coverage={found.error_rate: found for found in score.coverage_at(sure, right)},
        wrong=score.worst_first(labels, predicted, rows),
        undisputed=_tally(right, clean),
        seconds=seconds,
    )


def _tally(right: NDArray[np.bool_], clean: NDArray[np.bool_] | None) -> Tally | None:
    """Count without the disputed digits; None where none are known or nothing is left."""
    if clean is None or not clean.any():
        return None
    return Tally(int((~right & clean).sum()), int(clean.sum()))


def _check(answers: Answers, count: int, name: str) -> None:
    labels, rows = answers.labels, answers.probabilities
    if labels.shape != (count,) or rows.shape != (count, CLASSES):
        raise ModelError(
            f"{name} must give a label and {CLASSES} probabilities for each of {count} digits",
            seen=f"labels {labels.shape}, probabilities {rows.shape}",
        )
    bad = count - int(np.isfinite(rows).all(axis=1).sum())
    if bad:
        raise ModelError(
            f"{name} must give probabilities that are numbers",
            seen=f"{bad} of {count} digits with NaN or infinity",
            likely="the network was saved after its training had diverged",
        )
