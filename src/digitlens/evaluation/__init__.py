"""Evaluation: a model against digits it has not seen, counted in whole misses.

==============  ==============================================================
`single`        `evaluate`: one model reads one set of digits
`result`        `Evaluation`: everything that is counted about it
`comparison`    `compare`: several models on the same digits, with McNemar's test
`text`          lines and tables for the terminal
`printed`       how a share, a count or a p-value is printed
==============  ==============================================================
"""

from __future__ import annotations

from digitlens.evaluation.comparison import Comparison, Pair, compare
from digitlens.evaluation.result import Evaluation, Mistake, Tally
from digitlens.evaluation.single import Predictor, evaluate

__all__ = [
    "Comparison",
    "Evaluation",
    "Mistake",
    "Pair",
    "Predictor",
    "Tally",
    "compare",
    "evaluate",
]
