"""Integrated gradients: how much each pixel added to the answer's log-odds.

M. Sundararajan, A. Taly, Q. Yan: Axiomatic attribution for deep networks, ICML 2017, arXiv
1703.01365. The picture is faded in from blank paper; a pixel's part is its ink times the mean
of its derivative on the way. The parts sum to the log-odds of the picture less those of blank
paper (the paper's proposition 1), and a pixel of paper has exactly none.

Log-odds and not the bare logit, which means nothing by itself: all ten may rise together, and
an ensemble has none of its own. So occlusion and gradients are told in one unit, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from digitlens.digits import CLASSES
from digitlens.explaining.torch_graph import forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.inside import Graph

STEPS = 64
MOST_STEPS = 512
GAP = 0.005
"""The sum may miss the difference of the log-odds by this share of all that is added and
taken away, or the steps are doubled."""

SAME = 0.02
"""Sums in another order differ by less, however the engine rounds."""


def integrated_gradients(
    graph: Graph, wanted: str, digit: Images, label: int, *, odds: float
) -> NDArray[np.float32]:
    """Return what each pixel adds to the log-odds of `label`.

    Parameters
    ----------
    graph
        Of the model, as `digitlens.inside` reads it.
    wanted
        The name of the logits in it: of the model, or of one network.
    digit
        uint8 (28, 28); 0 = paper, 255 = ink.
    label
        0..9.
    odds
        Its log-odds, as the model has them: torch must come to the same.

    Returns
    -------
    float32 (28, 28); its sum is the log-odds of the digit less those of blank paper.

    Raises
    ------
    NotImplementedError
        The graph has a node for which torch has no rule here, or one for which it has
        another: the log-odds differ.
    """
    ink = torch.from_numpy(digit.astype(np.float32))
    with torch.inference_mode():
        both = torch.stack([torch.zeros_like(ink), ink])
        ends = _log_odds(graph, wanted, both, label)
    if abs(float(ends[1]) - odds) > SAME:
        raise NotImplementedError(f"torch comes to log-odds {ends[1]:.3f}, not {odds:.3f}")
    whole = float(ends[1] - ends[0])
    steps = STEPS
    while True:
        parts = ink * _mean_gradient(graph, wanted, ink, label, steps)
        gap = abs(float(parts.sum()) - whole)
        if gap <= GAP * float(parts.abs().sum()) or steps >= MOST_STEPS:
            return parts.numpy()
        steps *= 2


def _mean_gradient(
    graph: Graph, wanted: str, ink: torch.Tensor, label: int, steps: int
) -> torch.Tensor:
    # The middle of each step: the rule of the midpoint errs less than either end.
    shares = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    way = (shares[:, None, None] * ink).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_log_odds(graph, wanted, way, label).sum(), way)
    return gradient.mean(dim=0)


def _log_odds(graph: Graph, wanted: str, pixels: torch.Tensor, label: int) -> torch.Tensor:
    logits = forward(graph, wanted, pixels)[:, :CLASSES]  # an eleventh says "no digit"
    others = torch.arange(CLASSES) != label
    return logits[:, label] - logits[:, others].logsumexp(dim=1)
