"""`compare`: several models on the same digits, side by side, with McNemar's test."""

from __future__ import annotations

import time
from dataclasses import dataclass
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, Any

from digitlens.display import Shown, table_html
from digitlens.errors import UsageError
from digitlens.metrics import formatting
from digitlens.metrics.evaluation import FORMAT, Evaluation, Predictor, evaluate
from digitlens.metrics.formatting import p_value, percent, plural
from digitlens.metrics.intervals import Discordance, discordance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from digitlens.digits import Digits


ALPHA = 0.05  # a p-value below this, shared among the pairs, is more than chance explains


@dataclass(frozen=True)
class ModelPair:
    """Two of the models compared."""

    # Their places in `Comparison.evaluations`.
    first: int
    second: int
    discordance: Discordance  # on how many digits only one of them is right

    @property
    def p(self) -> float:
        """The exact two-sided McNemar p-value."""
        return self.discordance.p


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """Models side by side on the same digits."""

    # One for each model, in the order given; names made distinct.
    evaluations: tuple[Evaluation, ...]
    pairs: tuple[ModelPair, ...]  # every two of them, with McNemar's exact test

    @property
    def bar(self) -> float:
        """The p-value under which a pair differs: `ALPHA` shared among the pairs (Bonferroni).

        Of 10 pairs of equal models one would else be called different two times in five.
        """
        return ALPHA / len(self.pairs)

    def differs(self, pair: ModelPair) -> bool:
        """Whether chance alone does not explain the difference of `pair`."""
        return pair.p < self.bar

    @property
    def digits(self) -> str:
        """What was read, in words: how many digits, of which source."""
        first = self.evaluations[0]
        return f"{plural(first.count, 'digit')} of {first.source or 'an unnamed source'}"

    def __repr__(self) -> str:
        shares = [f"{item.model} {percent(item.accuracy)}" for item in self.evaluations]
        return f"Comparison({', '.join(shares)} on {self.digits})"

    def _repr_html_(self) -> str:
        """Return the models as a table, and what can be said of each pair."""
        words = "".join(f"<p>{escape(line)}</p>" for line in self.in_words())
        return table_html(repr(self)[11:-1], self.rows()) + words

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each model."""
        return [
            {
                "model": item.model,
                "count": item.count,
                "misses": item.misses,
                "accuracy": item.accuracy,
                "low": item.interval[0],
                "high": item.interval[1],
                "nll": item.nll,
            }
            for item in self.evaluations
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can hold."""
        return {
            "format": FORMAT,
            "source": self.evaluations[0].source,
            "count": self.evaluations[0].count,
            "models": [item.as_dict() for item in self.evaluations],
            "bar": self.bar,
            "pairs": [
                {"first": pair.first, "second": pair.second}
                | vars(pair.discordance)
                | {"p": pair.p, "differs": self.differs(pair)}
                for pair in self.pairs
            ],
        }

    def in_words(self) -> list[str]:
        """Say of each pair whether it can be told from chance, and what was asked of it."""
        words = [self._pair_in_words(pair) for pair in self.pairs]
        if len(self.pairs) > 1:
            words.append(
                f"With {len(self.pairs)} pairs, p below {self.bar:.2g} (0.05 shared among "
                "them) counts as more than chance."
            )
        return words

    def summary(self, width: int = formatting.WIDTH) -> str:
        """Return the figures as plain text of `width` columns, ending without a newline."""
        head = ("model", "misses", "accuracy", "95 % interval", "log loss", "digits/s")
        told = any(item.decisions is not None for item in self.evaluations)
        rows: list[tuple[str, ...]] = [(*head, *(formatting.DECISIONS if told else ()))]
        for item in self.evaluations:
            low, high = item.interval
            row = (
                item.model,
                f"{item.misses:,}",
                percent(item.accuracy),
                f"{percent(low)} to {percent(high)}",
                f"{item.nll:.4f}",
                f"{item.digits_per_second:,.0f}",
            )
            rows.append((*row, *(formatting.decision_cells(item.decisions) if told else ())))
        words = [formatting.hang("", line, width) for line in self.in_words()]
        return "\n".join([self.digits, *formatting.table(rows, width), "", *words])

    def _pair_in_words(self, pair: ModelPair) -> str:
        one, two = self.evaluations[pair.first], self.evaluations[pair.second]
        split, p = pair.discordance, p_value(pair.p)
        alone = (
            f"{one.model} alone is right on {split.only_first:,}, {two.model} alone on "
            f"{split.only_second:,}; both miss {split.both_wrong:,} (exact McNemar test, {p})."
        )
        if one.misses == two.misses:
            return f"{one.model} and {two.model} miss equally many. {alone}"
        better, worse = (one, two) if one.misses < two.misses else (two, one)
        fewer = plural(worse.misses - better.misses, "digit")
        if self.differs(pair):
            tail = "Chance does not explain that."
        else:
            tail = "That cannot be told from chance."
        return f"{better.model} misses {fewer} fewer than {worse.model}. {alone} {tail}"


def compare(
    models: Sequence[Predictor],
    digits: Digits,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Let two or more models read the same digits and test if they differ by more than chance.

    `clock` is read before and after each `predict`. Fewer than two models are a `UsageError`;
    other errors are those of `evaluate`.
    """
    if len(models) < 2:
        raise UsageError(
            "there must be two or more models to compare",
            seen=", ".join(model.name for model in models) or "none",
            try_="digitlens compare MODEL MODEL, or digitlens evaluate MODEL",
        )
    names = distinct(model.name for model in models)
    result = tuple(
        evaluate(model, digits, name=name, clock=clock)
        for model, name in zip(models, names, strict=True)
    )
    answers = [item.predicted for item in result]
    pairs = tuple(
        ModelPair(one, two, discordance(digits.labels, answers[one], answers[two]))
        for one, two in combinations(range(len(result)), 2)
    )
    return Comparison(result, pairs)


def distinct(names: Iterable[str]) -> list[str]:
    """Number the names that come again.

    >>> distinct(["cnn", "dense", "cnn"])
    ['cnn', 'dense', 'cnn (2)']
    """
    taken: list[str] = []
    for name in names:
        candidate, turn = name, 1
        while candidate in taken:
            turn += 1
            candidate = f"{name} ({turn})"
        taken.append(candidate)
    return taken
