"""Batch normalisation that is frozen for the last epochs."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest
import torch

from digitlens.digits import Digits
from digitlens.errors import StoppedError
from digitlens.models import build, load_recipe
from digitlens.training import train
from digitlens.training.checkpoint import begin_training
from digitlens.training.config import NullCallback
from digitlens.training.device import Device
from digitlens.training.digit_task import DigitTask, DigitTensors
from digitlens.training.trainer import Trainer

RECIPE = replace(load_recipe("quick"), batch=50, epochs=4, freeze_norm=0.5, negatives=0.2)


@pytest.fixture
def trainer(digits: Digits) -> Trainer[Any]:
    """Return a trainer of cnn's layers on 300 digits."""
    part = DigitTensors.load(digits)
    torch.manual_seed(0)
    device = Device("cpu", False, "test")
    task = DigitTask(RECIPE, 0, train=part, validation=part, device=device)
    state: Any = begin_training(build("cnn"), RECIPE, task.interval, "cpu")
    return Trainer(state, task, NullCallback())


def statistics(trainer: Trainer[Any]) -> torch.Tensor:
    """Return all means and variances that normalisation has gathered."""
    gathered = [
        value.flatten()
        for name, value in trainer.state.network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    ]
    return torch.cat(gathered).clone()


def test_statistics_rest_in_the_last_epochs_and_weights_do_not(trainer: Trainer[Any]) -> None:
    """Half of four epochs frozen: statistics move in 1 and 2, and no more in 3 and 4."""
    seen, weights = [], []
    for _ in range(RECIPE.epochs):
        trainer.run_interval(lambda: False)
        seen.append(statistics(trainer))
        weights.append(next(trainer.state.network.parameters()).detach().clone())
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[2], seen[3])
    assert not torch.equal(weights[2], weights[3])


def test_what_is_frozen_is_the_mean_over_many_batches(trainer: Trainer[Any]) -> None:
    """On freezing, the first layer's mean is that of all its inputs, not of the last ones."""
    for _ in range(2):
        trainer.run_interval(lambda: False)
    network = trainer.state.network
    convolution, normalisation = network[0], network[1]
    kernel = convolution.weight.detach().clone()
    momentum = normalisation.momentum
    images = trainer.task.train.images.unsqueeze(1)
    trainer.task.gather_statistics(network, images)
    maps = torch.nn.functional.conv2d(images.float() / 255, kernel, stride=2)
    wanted = maps.mean((0, 2, 3))
    torch.testing.assert_close(normalisation.running_mean, wanted, rtol=1e-3, atol=1e-5)
    assert normalisation.momentum == momentum


def test_a_run_stopped_while_frozen_goes_on_to_the_same_weights(
    make_data: Any, tmp_path: Any
) -> None:
    """Ctrl-C in the first frozen epoch and --resume change nothing about the weights."""
    data = make_data(train=300, validation=60)
    recipe = replace(RECIPE, negatives=0.0)
    whole = train("quick", data, out=tmp_path / "whole", recipe=recipe)

    class Interrupting(NullCallback):
        def step(self, done_steps: int) -> None:
            if done_steps == 2 * 6 + 3:
                signal.raise_signal(signal.SIGINT)

    out = tmp_path / "cut"
    with pytest.raises(StoppedError):
        train("quick", data, out=out, recipe=recipe, progress=Interrupting())
    train("quick", data, out=out, resume=True)
    name = "weights.safetensors"
    assert (out / name).read_bytes() == (whole.folder / name).read_bytes()
