"""Where a network of many sources is unsure or sees no digit: the worst source decides.

A threshold that keeps 99 % of MNIST refused a tenth of other people's digits. These keep their
share of the digits of each source that a network held back: of MNIST's writers, of those of
the pen digits, of fonts and of forms made by rule. How they do on a source that had no say is
told by leaving each out in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.world import FONTS, PEN, RULE
from digitlens.metrics.classification import threshold_at_tpr

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE = 0.99
"""So many of the digits of each source are neither unsure nor refused for their "no digit"."""

ANSWERED = 0.999
"""So many of the digits of each source are not refused."""

DOUBT = 0.6
"""A digit whose probability is below this is unsure."""

SOURCES = {"MNIST": 0, "pen digits": PEN, "fonts": FONTS, "forms by rule": RULE}
"""Where the numbers of each source's writers begin, in rising order."""

Scores = dict[str, "NDArray[np.float32]"]
"""float32 (N,) for each source: "no digit" of real digits, 0..1."""


def by_source(scores: NDArray[np.float32], writers: NDArray[np.int64]) -> Scores:
    """Return the scores of each source; who wrote a digit tells its source.

    Examples
    --------
    >>> scores = np.array([0.1, 0.2, 0.3], np.float32)
    >>> parts = by_source(scores, np.array([7, PEN + 1, PEN + 2]))
    >>> {name: len(part) for name, part in parts.items()}
    {'MNIST': 1, 'pen digits': 2}
    """
    which = np.searchsorted(list(SOURCES.values()), writers, side="right") - 1
    parts = {name: scores[which == i] for i, name in enumerate(SOURCES)}
    return {name: part for name, part in parts.items() if len(part)}


def choose_threshold(scores: Scores, kept: float) -> float:
    """Return the lowest threshold that at least the share `kept` of every source passes.

    Examples
    --------
    >>> one, two = np.linspace(0, 1, 101), np.linspace(0, 0.5, 101)
    >>> round(choose_threshold({"one": one, "two": two}, 0.9), 2)
    0.9
    """
    return max(threshold_at_tpr(part, kept) for part in scores.values())


def refused_when_left_out(scores: Scores, kept: float) -> dict[str, float]:
    """Return the share of each source that the threshold of the others refuses.

    Examples
    --------
    >>> one, two = np.linspace(0, 1, 101), np.linspace(0, 0.5, 101)
    >>> shares = refused_when_left_out({"one": one, "two": two}, 0.9)
    >>> {name: round(share, 2) for name, share in shares.items()}
    {'one': 0.54, 'two': 0.0}
    """
    shares = {}
    for name, part in scores.items():
        others = {other: rest for other, rest in scores.items() if other != name}
        shares[name] = float((part > choose_threshold(others, kept)).mean())
    return shares
