"""Counting how good answers are: misses in whole numbers, and what chance leaves open.

==================  ==========================================================
`classification`    misses, the confusion matrix, the figures of each digit
`intervals`         Wilson, Clopper and Pearson, McNemar
`calibration`       whether 90 % sure means right nine times in ten
`risk_coverage`     how much can be answered at a wanted error rate
`evaluation`        `evaluate`: one model reads one set of digits
`comparison`        `compare`: several models on the same digits
`history`           the epochs of a training run, as CSV and as signals
`diagnosis`         `diagnose`: whether a run overfits, in words
`corruptions`       pictures made worse: shifted, turned, blurred, noisy ...
`robustness`        a model put through all corruptions
`formatting`        how a share, a count or a p-value is printed
==================  ==========================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlens.metrics.calibration import Bin, Calibration, logit_bins, measure_calibration
    from digitlens.metrics.classification import (
        DISPUTED,
        MIN_PROBABILITY,
        ClassScore,
        auroc,
        brier,
        confusion,
        hardest_errors,
        mask_undisputed,
        negative_log_likelihood,
        per_class,
        threshold_at_tpr,
    )
    from digitlens.metrics.comparison import Comparison, ModelPair, compare
    from digitlens.metrics.diagnosis import Diagnosis, Verdict, diagnose
    from digitlens.metrics.evaluation import Counts, Evaluation, Mistake, Predictor, evaluate
    from digitlens.metrics.history import Epoch
    from digitlens.metrics.intervals import (
        Discordance,
        Interval,
        binomial_cdf,
        clopper_pearson_upper,
        discordance,
        mcnemar,
        wilson,
    )
    from digitlens.metrics.risk_coverage import (
        ERROR_RATES,
        Coverage,
        coverage_at,
        coverage_curve,
    )

__all__ = [
    "DISPUTED",
    "ERROR_RATES",
    "MIN_PROBABILITY",
    "Bin",
    "Calibration",
    "ClassScore",
    "Comparison",
    "Counts",
    "Coverage",
    "Diagnosis",
    "Discordance",
    "Epoch",
    "Evaluation",
    "Interval",
    "Mistake",
    "ModelPair",
    "Predictor",
    "Verdict",
    "auroc",
    "binomial_cdf",
    "brier",
    "clopper_pearson_upper",
    "compare",
    "confusion",
    "coverage_at",
    "coverage_curve",
    "diagnose",
    "discordance",
    "evaluate",
    "hardest_errors",
    "logit_bins",
    "mask_undisputed",
    "mcnemar",
    "measure_calibration",
    "negative_log_likelihood",
    "per_class",
    "threshold_at_tpr",
    "wilson",
]

_MODULES = (
    *("classification", "intervals", "calibration", "risk_coverage", "history"),
    *("diagnosis", "evaluation", "comparison"),
)
"""Where the names are looked for, in this order."""


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for (PEP 562): a model's card wants an interval alone."""
    if name in __all__:
        for module in _MODULES:
            loaded = import_module(f"digitlens.metrics.{module}")
            if hasattr(loaded, name):
                # Kept, so that the modules are walked once a name and not at each use.
                globals()[name] = getattr(loaded, name)
                return globals()[name]
    raise AttributeError(f"module 'digitlens.metrics' has no attribute {name!r}")
