"""`evaluate`: one model against one set of digits, and all that is counted about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, Digits, Images, Indices, Labels
from digitlens.display import Shown, table_html
from digitlens.errors import DataError, ModelError
from digitlens.metrics import formatting
from digitlens.metrics.calibration import Calibration, measure_calibration
from digitlens.metrics.classification import (
    ClassScore,
    Decisions,
    brier,
    confusion,
    count_decisions,
    hardest_errors,
    mask_undisputed,
    negative_log_likelihood,
    per_class,
)
from digitlens.metrics.formatting import percent, plural
from digitlens.metrics.intervals import Interval, wilson
from digitlens.metrics.risk_coverage import Coverage, coverage_at

# Raised when a key of `Evaluation.as_dict` or `Comparison.as_dict` changes its meaning.
FORMAT = 1


@dataclass(frozen=True)
class Counts:
    """Misses among a count of digits."""

    misses: int
    count: int

    @property
    def accuracy(self) -> float:
        """The share that is right, 0..1."""
        return (self.count - self.misses) / self.count


@dataclass(frozen=True)
class Mistake:
    """One digit read wrongly."""

    index: int  # its place among the digits evaluated
    position: int  # its place in their source (`Digits.positions`)
    # What it is, and what was answered.
    label: int
    predicted: int
    confidence: float  # the probability given to the answer
    truth_probability: float  # the probability left for the truth


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Shown):
    """Everything that was counted about one model on one set of digits."""

    model: str  # its name
    digits: Digits  # the digits, kept so that the mistakes can be shown
    predicted: Labels  # uint8 (N,): the answers
    probabilities: NDArray[np.float32]  # float32 (N, 10), rows sum to 1
    misses: int  # wrong answers among all N; every share is worked out from them
    interval: Interval  # the 95 % Wilson interval of the accuracy
    confusion: NDArray[np.int64]  # int64 (10, 10): row = truth, column = answer
    per_class: tuple[ClassScore, ...]  # the figures of each digit, 0 first
    nll: float  # negative log likelihood, the mean in nats
    brier: float  # Brier score, 0..2
    calibration: Calibration  # expected calibration error and its 15 bins of equal mass
    # What can be answered at each error rate of `score.ERROR_RATES`, by that rate; the
    # thresholds are chosen on these very digits, so the figures are optimistic.
    coverage: Mapping[float, Coverage]
    wrong: Indices  # int64 (misses,): indices of the mistakes, the surest first
    # Misses and count without the 15 disputed MNIST test labels; None elsewhere.
    undisputed: Counts | None
    seconds: float  # how long `predict` took for all digits

    def __repr__(self) -> str:
        low, high = map(percent, self.interval)
        return (
            f"Evaluation({self.model} on {self.source or 'digits'}: {self.misses:,} of "
            f"{self.count:,} missed, {percent(self.accuracy)}, {low} to {high})"
        )

    def _repr_html_(self) -> str:
        """Return the figures of each digit as a table."""
        return table_html(repr(self)[11:-1], [score_row(item) for item in self.per_class])

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each digit: what it is, what was answered, and how surely."""
        kinds = zip(self.digits.labels, self.predicted, self.confidence, strict=True)
        return [
            {
                "index": index,
                "label": int(label),
                "predicted": int(answer),
                "confidence": float(sure),
                "right": bool(label == answer),
            }
            for index, (label, answer, sure) in enumerate(kinds)
        ]

    @property
    def source(self) -> str:
        """Where the digits come from, such as ``"mnist test"``."""
        return self.digits.source

    @property
    def count(self) -> int:
        """How many digits were read."""
        return len(self.digits)

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0..1."""
        return Counts(self.misses, self.count).accuracy

    @property
    def decisions(self) -> Decisions | None:
        """The three kinds of answer, counted; None for a model that cannot tell."""
        counts = [(item.wrong, item.unsure, item.refused) for item in self.per_class]
        known = [row for row in counts if None not in row]
        if len(known) < len(counts):
            return None
        wrong, unsure, refused = np.array(known, np.int64).sum(axis=0).tolist()
        return Decisions(wrong, unsure, refused)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """float32 (N,): the probability given to each answer."""
        return self.probabilities[np.arange(self.count), self.predicted]

    @property
    def digits_per_second(self) -> float:
        """The speed of `predict` over all digits, its warming up included."""
        return self.count / max(self.seconds, 1e-9)

    def worst(self, limit: int | None = None) -> list[Mistake]:
        """Return the mistakes, the surest first, at most `limit` of them."""
        return [self._mistake(int(index)) for index in self.wrong[:limit]]

    def top_confusions(self, limit: int) -> list[tuple[int, int, int]]:
        """Return (truth, answer, times) of the most frequent confusions, at most `limit`."""
        offset = self.confusion.copy()
        np.fill_diagonal(offset, 0)
        order = np.argsort(-offset, axis=None, kind="stable")[:limit]
        cells = [divmod(int(index), len(offset)) for index in order]
        return [
            (truth, read, int(offset[truth, read]))
            for truth, read in cells
            if offset[truth, read]
        ]

    def _mistake(self, index: int) -> Mistake:
        label, predicted = int(self.digits.labels[index]), int(self.predicted[index])
        row, position = self.probabilities[index], int(self.digits.positions[index])
        return Mistake(
            index, position, label, predicted, float(row[predicted]), float(row[label])
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can hold; shares are 0..1."""
        left, decided = self.undisputed, self.decisions
        return {
            "format": FORMAT,
            "model": self.model,
            "source": self.source,
            "count": self.count,
            "misses": self.misses,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "undisputed": None if left is None else vars(left) | {"accuracy": left.accuracy},
            "decisions": None if decided is None else vars(decided).copy(),
            "nll": self.nll,
            "brier": self.brier,
            "calibration": {
                "error": self.calibration.error,
                "bins": [vars(part).copy() for part in self.calibration.bins],
            },
            "coverage": [_coverage_dict(result) for result in self.coverage.values()],
            "per_class": [
                vars(item) | {"recall": item.recall, "precision": item.precision}
                for item in self.per_class
            ],
            "confusion": self.confusion.tolist(),
            "wrong": [vars(mistake).copy() for mistake in self.worst()],
            "seconds": self.seconds,
            "digits_per_second": self.digits_per_second,
        }

    def summary(self, width: int = formatting.WIDTH) -> str:
        """Return the figures as plain text of `width` columns, ending without a newline."""
        low, high = self.interval
        rows = [
            ("misses", f"{self.misses:,} of {self.count:,}"),
            (
                "accuracy",
                f"{percent(self.accuracy)}; 95 % interval {percent(low)} to {percent(high)}",
            ),
        ]
        clean = self.undisputed
        if clean is not None and clean.count < self.count:
            left_out = plural(self.count - clean.count, "disputed label")
            counted = f"{clean.misses:,} of {clean.count:,}, {percent(clean.accuracy)}"
            rows.append(("undisputed", f"{counted}, without the {left_out}"))
        if self.decisions is not None:
            rows.append(("answers", formatting.decision_words(self.decisions)))
        apart = f"{100 * self.calibration.error:.2f} points"
        rows += [
            ("log loss", f"{self.nll:.4f} nats; Brier score {self.brier:.4f}"),
            ("calibration", f"confidence and accuracy differ by {apart} in the mean"),
        ]
        for index, result in enumerate(self.coverage.values()):
            rows.append(("" if index else "coverage", formatting.coverage_words(result)))
        top = self.top_confusions(3)
        confused = "; ".join(f"{truth} read as {answer}: {n}" for truth, answer, n in top)
        rows += [
            ("confused", confused or "none"),
            ("speed", f"{self.digits_per_second:,.0f} digits/s"),
        ]
        head = f"{self.model} on {self.source or 'digits'}"
        figures = formatting.facts(rows, width)
        return "\n".join([head, *figures, "", *formatting.per_class(self.per_class)])


def score_row(item: ClassScore) -> dict[str, object]:
    """Return the figures of one digit for a table that people read."""
    shares = {"recall": item.recall, "precision": item.precision}
    words = {name: "-" if share is None else percent(share) for name, share in shares.items()}
    return {name: value for name, value in vars(item).items() if value is not None} | words


def _coverage_dict(result: Coverage) -> dict[str, Any]:
    return {
        "error_rate": result.error_rate,
        "answered": result.answered,
        "misses": result.misses,
        "share": result.share,
        "threshold": result.threshold,
    }


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
    """Let `model` read all `digits` and count everything there is to count.

    `name` is what to call it instead of its own name; `clock` is read before and after
    `predict`. No digits are a `DataError`; answers that are not a label and ten finite numbers
    for each digit a `ModelError`.
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
    # Everything below is counted from these two: what was right, and how sure it was.
    right = predicted == labels
    sure = rows[np.arange(len(digits)), predicted]
    misses = int((~right).sum())
    table = confusion(labels, predicted)
    refused, unsure = (getattr(answers, name, None) for name in ("refused", "unsure"))
    decided = None
    if refused is not None:
        doubted = np.zeros_like(right) if unsure is None else unsure
        decided = count_decisions(labels, ~right, doubted, refused)
    clean = mask_undisputed(digits.source, digits.positions)
    return Evaluation(
        model=name,
        digits=digits,
        predicted=predicted,
        probabilities=rows,
        misses=misses,
        interval=wilson(misses, len(digits)),
        confusion=table,
        per_class=per_class(table, decided),
        nll=negative_log_likelihood(labels, rows),
        brier=brier(labels, rows),
        calibration=measure_calibration(sure, right),
        coverage={result.error_rate: result for result in coverage_at(sure, right)},
        wrong=hardest_errors(labels, predicted, rows),
        undisputed=_tally(right, clean),
        seconds=seconds,
    )


def _tally(right: NDArray[np.bool_], clean: NDArray[np.bool_] | None) -> Counts | None:
    """Count without the disputed digits; None where none are known or nothing is left."""
    if clean is None or not clean.any():
        return None
    return Counts(int((~right & clean).sum()), int(clean.sum()))


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
