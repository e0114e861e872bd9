"""The history of a training run in words: whether it overfits, since when, by how much.

`signs` reads the figures, `verdict` decides, `words` says it to a learner. All three are
pure functions of the figures.
"""

from __future__ import annotations

from digitlens.diagnosis.epoch import Epoch
from digitlens.diagnosis.verdict import Diagnosis, Verdict, diagnose

__all__ = ["Diagnosis", "Epoch", "Verdict", "diagnose"]
