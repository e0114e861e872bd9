"""Batch normalisation that is frozen for the last epochs."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from digitlens.digits import Digits
from digitlens.errors import StoppedError
from digitlens.models import build, load_recipe
from digitlens.training import train
from digitlens.training import trainer as training
from digitlens.training.checkpoint import TrainState
from digitlens.training.config import NullCallback, TrainSettings
from digitlens.training.device import Device
from digitlens.training.optimizer import AdamW
from digitlens.training.trainer import Part, Trainer

RECIPE = replace(load_recipe("quick"), batch=50, epochs=4, freeze_norm=0.5, negatives=0.2)


@pytest.fixture
def trainer(digits: Digits) -> Trainer:
    """Return a trainer of cnn's layers on 300 digits."""
    part = Part(
        torch.from_numpy(digits.images), torch.from_numpy(digits.labels.astype(np.int64))
    )
    torch.manual_seed(0)
    network = build("cnn")
    return Trainer(
        network,
        AdamW(network.parameters(), betas=RECIPE.betas, weight_decay=RECIPE.weight_decay),
        TrainState(),
        settings=TrainSettings("cnn", 0, RECIPE),
        train=part,
        validation=part,
        device=Device("cpu", False, "test"),
        progress=NullCallback(),
    )


def statistics(trainer: Trainer) -> torch.Tensor:
    """Return all means and variances that normalisation has gathered."""
    gathered = [
        value.flatten()
        for name, value in trainer.network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    ]
    return torch.cat(gathered).clone()


def test_statistics_rest_in_the_last_epochs_and_weights_do_not(trainer: Trainer) -> None:
    """Half of four epochs frozen: statistics move in 1 and 2, and no more in 3 and 4."""
    seen, weights = [], []
    for _ in range(RECIPE.epochs):
        trainer.run_epoch(lambda: False)
        seen.append(statistics(trainer))
        weights.append(next(trainer.network.parameters()).detach().clone())
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[2], seen[3])
    assert not torch.equal(weights[2], weights[3])


def test_what_is_frozen_is_the_mean_over_many_batches(trainer: Trainer) -> None:
    """On freezing, the first layer's mean is that of all its inputs, not of the last ones."""
    for _ in range(2):
        trainer.run_epoch(lambda: False)
    convolution, normalisation = trainer.network[0], trainer.network[1]
    kernel = convolution.weight.detach().clone()
    momentum = normalisation.momentum
    images = trainer.train.images.unsqueeze(1)
    trainer._gather(images)
    maps = torch.nn.functional.conv2d(images.float() / 255, kernel, stride=2)
    wanted = maps.mean((0, 2, 3))
    torch.testing.assert_close(normalisation.running_mean, wanted, rtol=1e-3, atol=1e-5)
    assert normalisation.momentum == momentum


def test_a_run_stopped_while_frozen_goes_on_to_the_same_weights(
    make_data: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the first frozen epoch and --resume change nothing about the weights."""
    monkeypatch.setattr(training, "LOOK_EVERY", 1)
    data = make_data(train=300, validation=60)
    recipe = replace(RECIPE, negatives=0.0)
    whole = train("quick", data, out=tmp_path / "whole", recipe=recipe)

    class Interrupting(NullCallback):
        def step(self, done_steps: int) -> None:
            if done_steps == 2 * 6 + 3:
                os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "cut"
    with pytest.raises(StoppedError):
        train("quick", data, out=out, recipe=recipe, progress=Interrupting())
    train("quick", data, out=out, resume=True)
    name = "weights.safetensors"
    assert (out / name).read_bytes() == (whole.folder / name).read_bytes()
