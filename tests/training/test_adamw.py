"""The optimiser against torch's own class."""

from __future__ import annotations

import copy

import pytest
import torch

from digitlens import models
from digitlens.training.checkpoint import AdamW


def gradients(network: torch.nn.Module, seed: int) -> None:
    """Give each parameter a gradient by chance, laid out as the parameter."""
    rng = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        drawn = torch.randn(parameter.shape, generator=rng)
        parameter.grad = torch.empty_like(parameter).copy_(drawn)


def test_steps_as_torch_does() -> None:
    """Five steps end at the weights of torch.optim.AdamW with two groups."""
    torch.manual_seed(0)
    ours = models.build("quick")
    theirs = copy.deepcopy(ours)
    mine = AdamW(ours.parameters(), betas=(0.9, 0.95), weight_decay=0.1)
    other = torch.optim.AdamW(
        [
            {"params": [p for p in theirs.parameters() if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in theirs.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=0.01,
        betas=(0.9, 0.95),
    )
    for seed in range(5):
        gradients(ours, seed)
        gradients(theirs, seed)
        mine.step(0.01)
        other.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_state_that_went_through_a_file_goes_on_the_same() -> None:
    """Loading a saved state keeps the layout in memory that the fused update walks over."""
    torch.manual_seed(0)
    one = models.build("cnn").to(memory_format=torch.channels_last)
    two = copy.deepcopy(one)
    first = AdamW(one.parameters(), betas=(0.9, 0.99), weight_decay=0.0)
    gradients(one, 0)
    first.step(0.01)
    two.load_state_dict({k: v.contiguous() for k, v in one.state_dict().items()})
    second = AdamW(two.parameters(), betas=(0.9, 0.99), weight_decay=0.0)
    second.load({name: value.clone().contiguous() for name, value in first.state().items()})
    for network, optimiser in ((one, first), (two, second)):
        gradients(network, 1)
        optimiser.step(0.01)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_state_of_other_parameters_is_refused() -> None:
    """Names and shapes must be those of the parameters."""
    dense = AdamW(models.build("dense").parameters(), betas=(0.9, 0.9), weight_decay=0.0)
    quick = AdamW(models.build("quick").parameters(), betas=(0.9, 0.9), weight_decay=0.0)
    with pytest.raises(ValueError, match="other parameters"):
        dense.load(quick.state())
    wrong = {
        name: value[..., :1] if value.ndim else value for name, value in dense.state().items()
    }
    with pytest.raises(ValueError, match="must be"):
        dense.load(wrong)
