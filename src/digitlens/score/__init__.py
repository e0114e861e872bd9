"""Counting how good answers are: pure numpy, no model, no file, no clock.

Misses are whole numbers over the whole set; every share and per cent is worked out from them.

==================  ==========================================================
`counts`            misses, the confusion matrix, the figures of each digit
`intervals`         what chance leaves open about an accuracy (Wilson)
`limits`            the most errors that chance may hide (Clopper and Pearson)
`sureness`          negative log likelihood and Brier score
`calibration`       whether 90 % sure means right nine times in ten
`coverage`          how much can be answered at a wanted error rate
`ranking`           how well a score tells two groups apart (area under the curve)
`mcnemar`           whether two sets of answers differ by more than chance
`disputed`          the MNIST test labels that people do not agree with
==================  ==========================================================
"""

from __future__ import annotations

from digitlens.score.calibration import Bin, Calibration, calibrate, nines
from digitlens.score.counts import ClassScore, confusion, per_class, worst_first
from digitlens.score.coverage import ERROR_RATES, Coverage, coverage_at, coverage_curve
from digitlens.score.disputed import DISPUTED, undisputed
from digitlens.score.intervals import Interval, wilson
from digitlens.score.limits import chance_of_at_most, most_errors
from digitlens.score.mcnemar import Discordance, discordance, mcnemar
from digitlens.score.ranking import auroc, bar_that_keeps
from digitlens.score.sureness import SMALLEST, brier, negative_log_likelihood

__all__ = [
    "DISPUTED",
    "ERROR_RATES",
    "SMALLEST",
    "Bin",
    "Calibration",
    "ClassScore",
    "Coverage",
    "Discordance",
    "Interval",
    "auroc",
    "bar_that_keeps",
    "brier",
    "calibrate",
    "chance_of_at_most",
    "confusion",
    "coverage_at",
    "coverage_curve",
    "discordance",
    "mcnemar",
    "most_errors",
    "negative_log_likelihood",
    "nines",
    "per_class",
    "undisputed",
    "wilson",
    "worst_first",
]
