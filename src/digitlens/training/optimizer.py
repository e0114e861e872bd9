"""AdamW over all parameters in one call, with a state that is plain named tensors.

The arithmetic is torch's own function `torch.optim.adamw.adamw`. Its class around that function
imports torch's compiler on first use, which takes as long as an epoch of a small network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.optim.adamw import adamw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor, nn


EPSILON = 1e-8


class _Group:
    """Parameters that share one weight decay, and their running moments."""

    def __init__(self, parameters: list[nn.Parameter], weight_decay: float) -> None:
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = [torch.zeros((), device=parameter.device) for parameter in parameters]


class AdamW:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101).

    parameters: what is trained. Weights and kernels (two dimensions and more) are pulled
        towards zero by `weight_decay`; biases and normalisation are not.
    betas: decay rates of the mean and of the squared gradient
    weight_decay: share of the learning rate by which weights shrink at each step
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        betas: tuple[float, float],
        weight_decay: float,
    ) -> None:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        self.betas = betas
        self._groups = [
            _Group([p for p in trained if p.ndim > 1], weight_decay),
            _Group([p for p in trained if p.ndim <= 1], 0.0),
        ]

    def clear(self) -> None:
        """Forget all gradients."""
        for group in self._groups:
            for parameter in group.parameters:
                parameter.grad = None

    def step(self, rate: float) -> None:
        """Change the parameters by their gradients at learning rate `rate`."""
        for group in self._groups:
            gradients = [parameter.grad for parameter in group.parameters]
            if not gradients:
                continue
            with torch.no_grad():
                adamw(
                    list(group.parameters),
                    [gradient for gradient in gradients if gradient is not None],
                    group.means,
                    group.squares,
                    [],
                    group.steps,
                    fused=True,
                    amsgrad=False,
                    beta1=self.betas[0],
                    beta2=self.betas[1],
                    lr=rate,
                    weight_decay=group.weight_decay,
                    eps=EPSILON,
                    maximize=False,
                )

    def state(self) -> dict[str, Tensor]:
        """Return the running moments and step counts by name; the tensors are the live ones."""
        tensors = {}
        for number, group in enumerate(self._groups):
            slots = zip(group.means, group.squares, group.steps, strict=True)
            for index, (mean, square, step) in enumerate(slots):
                tensors[f"{number}.{index}.mean"] = mean
                tensors[f"{number}.{index}.square"] = square
                tensors[f"{number}.{index}.step"] = step
        return tensors

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Bring the state to what `state` returned before."""
        current = self.state()
        if current.keys() != state.keys():
            raise ValueError("the optimizer's state is that of other parameters")
        for name, tensor in current.items():
            if tensor.shape != state[name].shape:
                raise ValueError(f"{name} must be {tuple(tensor.shape)}")
            # Copying keeps each tensor's layout in memory: the fused update walks over memory,
            # so a mean must lie in the same order (channels last) as its parameter.
            tensor.copy_(state[name])
