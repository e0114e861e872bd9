"""Plots as PNG and reports as HTML.

The only place that imports matplotlib, and never pyplot: nothing is global, so plots can be
drawn in any thread. The report needs no matplotlib at all, so the plots are loaded when they
are first asked for.

==================  ==========================================================
`canvas`            paper, pen, type and axes for the plots of training; PNG bytes
`plot_history`      accuracy and loss over the epochs of a run
`plot_evaluation`   confusion, mistakes, calibration, coverage, comparison, robustness
`sheet`             a matplotlib figure in inches, for explanations
`plot_explanation`  why a model answers as it does: an overview, and each panel large
`report`            the report of one model, or of several side by side
==================  ==========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlens.viz.plot_evaluation import (
        calibration,
        comparison,
        confusion,
        coverage,
        mistakes,
        stress,
    )
    from digitlens.viz.plot_history import history

__all__ = [
    "calibration",
    "comparison",
    "confusion",
    "coverage",
    "history",
    "mistakes",
    "stress",
]


def __getattr__(name: str) -> Any:
    """Load a plot when it is asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'digitlens.viz' has no attribute {name!r}")
    from digitlens.viz import plot_evaluation, plot_history

    return getattr(plot_history if name == "history" else plot_evaluation, name)
