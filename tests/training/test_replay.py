"""Rehearsal: what stands in a batch, and which old digits are shown more often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from digitlens import models
from digitlens.digits import Digits
from digitlens.training.device import Device
from digitlens.training.digit_task import DigitTensors
from digitlens.training.finetune import (
    LARGE_REPLAY,
    SMALL_REPLAY,
    SMOOTHING,
    STEPS,
    ReplayBatches,
    ReplayPlan,
    most_similar,
    recipe_for,
)

CPU = Device("cpu", bf16=False, name="processor")


@pytest.fixture(scope="module")
def rehearse(make_digits: Callable[..., Digits]) -> Callable[[ReplayPlan, int], ReplayBatches]:
    """Return a function that makes a rehearsal of 3 ones and 40 sevens among 200 digits."""

    def part(digits: Digits) -> DigitTensors:
        return DigitTensors(
            torch.from_numpy(digits.images), torch.from_numpy(digits.labels).long()
        )

    drawn = make_digits(500, seed=1)
    ones, sevens = (np.flatnonzero(drawn.labels == digit) for digit in (1, 7))
    new = part(drawn[np.concatenate([ones[:3], sevens[:40]])])

    def make(plan: ReplayPlan, outputs: int) -> ReplayBatches:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(784, outputs))
        recipe = replace(recipe_for(models.load_recipe("cnn"), outputs, None), batch=64)
        old = part(make_digits(200, seed=2))
        return ReplayBatches(network, new, old, recipe=recipe, plan=plan, seed=3, device=CPU)

    return make


@pytest.mark.parametrize("outputs", [10, 11])
@pytest.mark.parametrize(("plan", "count"), [(LARGE_REPLAY, 4), (SMALL_REPLAY, 2)])
def test_each_batch_holds_new_digits_and_old_answers(
    rehearse: Callable[[ReplayPlan, int], ReplayBatches],
    plan: ReplayPlan,
    count: int,
    outputs: int,
) -> None:
    """New digits come first with smoothed labels; old ones with what the start says to them."""
    rehearsal = rehearse(plan, outputs)
    images, truth = rehearsal.draw_epoch(0)
    assert images.shape == (STEPS * 64, 28, 28)
    assert images.dtype == torch.uint8
    assert truth.shape == (STEPS * 64, outputs)
    batches = truth.reshape(STEPS, 64, outputs)
    new, old = batches[:, :count].flatten(0, 1), batches[:, count:].flatten(0, 1)
    sure = 1 - SMOOTHING + SMOOTHING / 10
    torch.testing.assert_close(new.amax(1), torch.full((len(new),), sure))
    torch.testing.assert_close(new.sum(1), torch.ones(len(new)))
    assert not new[:, 10:].any()
    ones = int((new.argmax(1) == 1).sum())
    assert abs(ones - len(new) / 2) <= 1
    shown = images.reshape(STEPS, 64, 28, 28)[:, count:].flatten(0, 1)
    with torch.inference_mode():
        logits = rehearsal.before(shown.unsqueeze(1).float() / 255)
    wanted = (logits / rehearsal.recipe.temperature).softmax(1)
    torch.testing.assert_close(old, wanted, atol=1e-5, rtol=1e-5)


def test_a_seed_and_an_epoch_decide_the_lesson(
    rehearse: Callable[[ReplayPlan, int], ReplayBatches],
) -> None:
    """The same epoch twice is the same; the next one shows other pictures."""
    first, again = rehearse(LARGE_REPLAY, 11), rehearse(LARGE_REPLAY, 11)
    images = first.draw_epoch(1)[0]
    assert torch.equal(images, again.draw_epoch(1)[0])
    assert not torch.equal(images, first.draw_epoch(2)[0])


def test_those_most_like_a_new_class_are_found() -> None:
    """Digits whose own class leads that of a new one least; a new class's own by its rival."""
    logits = torch.zeros(30, 10)
    logits[:, 3] = 5.0
    logits[4, 7] = 4.9
    logits[9, 1] = 4.5
    logits[20, 2] = 4.99
    assert most_similar(logits, torch.tensor([1, 7, 7])).tolist()[:2] == [4, 9]
    assert len(most_similar(logits, torch.tensor([1]))) == 3


def test_the_recipe_keeps_a_networks_temperature() -> None:
    """Labels are smoothed where it learns at a temperature, and outliers want an output."""
    cnn = recipe_for(models.load_recipe("cnn"), 11, 3)
    assert (cnn.temperature, cnn.epochs) == (models.load_recipe("cnn").temperature, 3)
    assert (cnn.label_smoothing, cnn.negatives) == (SMOOTHING, 0.1)
    plain = replace(models.load_recipe("cnn"), temperature=1.0, label_smoothing=0.0)
    assert (
        recipe_for(plain, 10, None).label_smoothing,
        recipe_for(plain, 10, None).negatives,
    ) == (
        0,
        0,
    )
