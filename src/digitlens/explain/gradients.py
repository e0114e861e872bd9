"""Integrated gradients: how much each pixel added to the answer's log-odds.

M. Sundararajan, A. Taly, Q. Yan: Axiomatic attribution for deep networks, ICML 2017, arXiv
1703.01365. The picture is faded in from blank paper; a pixel's part is its ink times the mean
of its derivative on the way. The parts sum to the log-odds of the picture less those of blank
paper (the paper's proposition 1), and a pixel of paper has exactly none.

Log-odds and not the bare logit, which means nothing by itself: all ten may rise together, and
an ensemble has none of its own. So occlusion and gradients have one unit, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from digitlens.digits import CLASSES, Images
from digitlens.errors import ModelError
from digitlens.models.convert import to_module
from digitlens.models.ops import Op

MIN_STEPS = 64
MAX_STEPS = 512

# The parts' sum may miss the difference of the log-odds by this share of all that is added and
# taken away; else the steps are doubled.
MAX_GAP = 0.005
# Log-odds in torch and in ONNX Runtime differ by less, however either adds up its sums.
MAX_DIFFERENCE = 0.02


def integrated_gradients(
    networks: Sequence[Sequence[Op]], digit: Images, label: int, *, odds: float
) -> NDArray[np.float32]:
    """Return what each pixel of `digit` adds to the log-odds of `label`.

    networks: the operations of the networks whose mean is the answer: one, or an ensemble's
        members
    digit: uint8 (28, 28); 0 = paper, 255 = ink
    odds: the label's log-odds in the model: ModelError if torch does not come to the same

    Returns float32 (28, 28); its sum is the log-odds of the digit less those of blank paper.
    """
    log_odds = _build_log_odds(networks, label)
    ink = torch.from_numpy(digit.astype(np.float32) / 255)
    with torch.inference_mode():
        of_paper, of_ink = log_odds(torch.stack([torch.zeros_like(ink), ink])).tolist()
    # Gradients of a network that answers otherwise would explain another answer.
    if abs(of_ink - odds) > MAX_DIFFERENCE:
        raise ModelError(f"torch comes to log-odds {of_ink:.3f}, not {odds:.3f}")

    # More steps until the parts sum to the whole.
    steps = MIN_STEPS
    while True:
        parts = ink * _mean_gradient(log_odds, ink, steps)
        gap = abs(float(parts.sum()) - (of_ink - of_paper))
        if gap <= MAX_GAP * float(parts.abs().sum()) or steps >= MAX_STEPS:
            return parts.numpy()
        steps *= 2


def _mean_gradient(log_odds: Callable[[Tensor], Tensor], ink: Tensor, steps: int) -> Tensor:
    # The middle of each step: the rule of the midpoint errs less than either end.
    shares = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    way = (shares[:, None, None] * ink).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(log_odds(way).sum(), way)
    return gradient.mean(dim=0)


def _build_log_odds(networks: Sequence[Sequence[Op]], label: int) -> Callable[[Tensor], Tensor]:
    """Return a function from pixels (N, 28, 28) in 0..1 to the log-odds (N,) of `label`."""
    with torch.random.fork_rng(devices=[]):  # fresh layers draw weights that are not used
        modules = [to_module(ops).requires_grad_(requires_grad=False) for ops in networks]
    others = torch.arange(CLASSES) != label

    def log_odds(pixels: Tensor) -> Tensor:
        answers = torch.stack([module(pixels.unsqueeze(1)) for module in modules])
        logits = answers.mean(0)[:, :CLASSES]  # an eleventh says "no digit"
        return logits[:, label] - logits[:, others].logsumexp(dim=1)

    return log_odds
