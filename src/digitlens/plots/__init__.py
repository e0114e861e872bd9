"""Plots as PNG: history, confusion, mistakes, calibration, coverage, comparison, stress.

The only place that imports matplotlib, and of it only the Agg renderer, by way of `sheet`:
no pyplot, so nothing is global and plots can be drawn in any thread.

===============  =============================================================
`sheet`          paper, pen, type and colours; PNG bytes
`panel`          a field with axes on a sheet
`explaining`     why a model answers as it does: a sheet of panels, and each large
the others       one plot each
===============  =============================================================
"""

from __future__ import annotations

from digitlens.plots.calibration import calibration
from digitlens.plots.comparison import comparison
from digitlens.plots.confusion import confusion
from digitlens.plots.coverage import coverage
from digitlens.plots.history import history
from digitlens.plots.mistakes import mistakes
from digitlens.plots.stress import stress

__all__ = [
    "calibration",
    "comparison",
    "confusion",
    "coverage",
    "history",
    "mistakes",
    "stress",
]
