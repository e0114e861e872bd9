"""The training loop of a line reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from digitlens.errors import DivergedError, RunError
from digitlens.metrics.history import LinePoint
from digitlens.models.architectures.line_network import LineNetwork
from digitlens.models.recipe import LineRecipe, find_line_recipe
from digitlens.synth import Glyphs
from digitlens.training.checkpoint import TrainState, encode_checkpoint, load_checkpoint
from digitlens.training.config import NullCallback
from digitlens.training.device import Device
from digitlens.training.line_data import WorkPlan, make_batches, make_pool
from digitlens.training.line_task import LineTask, begin_line_training, count_line_errors
from digitlens.training.trainer import Trainer

HERE = Device("cpu", bf16=False, name="processor")


def trainer(
    glyphs: Glyphs, recipe: LineRecipe, learner: TrainState[LinePoint], seed: int = 1
) -> Trainer[LinePoint]:
    """Return a trainer that goes on from where `learner` stands."""
    task = LineTask(
        recipe,
        make_batches(WorkPlan(glyphs, recipe, seed, learner.step)),
        validation=make_pool(glyphs, recipe, 9, 0)[:4],
        device=HERE,
    )
    return Trainer(learner, task, NullCallback())


def never() -> bool:
    """Return that nobody wishes to stop."""
    return False


def trained(glyphs: Glyphs, recipe: LineRecipe, seed: int = 1) -> TrainState[LinePoint]:
    """Return a learner that has gone through without a stop."""
    learner = begin_line_training(recipe, seed)
    whole = trainer(glyphs, recipe, learner, seed)
    while not whole.finished:
        assert whole.run_interval(never)
    return learner


def equal(one: TrainState[LinePoint], other: TrainState[LinePoint]) -> bool:
    """Say whether two learners are the same to the last bit, time aside."""
    pairs = [
        (one.network.state_dict(), other.network.state_dict()),
        (one.kept.state_dict(), other.kept.state_dict()),
        (one.optimizer.state(), other.optimizer.state()),
    ]
    same = all(torch.equal(a[name], b[name]) for a, b in pairs for name in a)
    losses = [[(p.step, p.loss, p.misread) for p in item.history] for item in (one, other)]
    return same and losses[0] == losses[1]


def test_points_are_measured_as_often_as_the_recipe_says(
    glyphs: Glyphs, recipe: LineRecipe
) -> None:
    """There is a point at every fourth step and at the end, with all that was measured."""
    learner = trained(glyphs, replace(recipe, steps=10))
    assert [point.step for point in learner.history] == [4, 8, 10]
    last = learner.history[-1]
    assert last.validation == 8
    assert last.exact == 1 - last.misread / 8
    assert last.loss > 0
    assert last.lines_per_second > 0


def test_the_same_seed_gives_the_same_weights(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """Seed for seed the weights are equal to the last bit; another seed gives others."""
    first = trained(glyphs, recipe)
    assert equal(first, trained(glyphs, recipe))
    assert not equal(first, trained(glyphs, recipe, seed=2))


@pytest.mark.parametrize("after", [1, 4, 6])
def test_stopped_and_gone_on_with_is_the_same_as_through(
    glyphs: Glyphs, recipe: LineRecipe, tmp_path: Path, after: int
) -> None:
    """Stopped between two points or at one, saved, loaded anew: the same to the last bit."""
    stopped = begin_line_training(recipe, 1)
    part = trainer(glyphs, recipe, stopped)
    while stopped.step < after:
        part.run_interval(lambda: stopped.step >= after)
    assert stopped.step == after
    path = tmp_path / "last.safetensors"
    path.write_bytes(encode_checkpoint(stopped))
    again = begin_line_training(recipe, seed=99)
    load_checkpoint(path, again, LinePoint)
    rest = trainer(glyphs, recipe, again)
    while not rest.finished:
        rest.run_interval(never)
    assert equal(again, trained(glyphs, recipe))


def test_a_checkpoint_of_format_1_is_read(
    glyphs: Glyphs, recipe: LineRecipe, tmp_path: Path
) -> None:
    """The names that older versions gave to tensors are known: resuming goes on as before."""
    old = begin_line_training(recipe, 1)
    part = trainer(glyphs, recipe, old)
    part.run_interval(lambda: old.step >= 6)
    part.run_interval(lambda: old.step >= 6)
    tensors = safetensors.torch.load(encode_checkpoint(old))
    tensors = {name.replace("optimizer.", "optimiser."): item for name, item in tensors.items()}
    tensors["losses.all"] = tensors.pop("losses")
    tensors["chance"] = tensors.pop("rng")
    history = (
        '[{"step": 4, "loss": 2.5, "learning_rate": 0.002, "seconds": 1.0, '
        '"lines_per_second": 8.0, "misread": 8, "validation": 8}]'
    )
    about = {"format": "1", "step": "6", "seconds": "0.5", "history": history}
    path = tmp_path / "last.safetensors"
    path.write_bytes(safetensors.torch.save(tensors, metadata=about))
    again = begin_line_training(recipe, seed=99)
    load_checkpoint(path, again, LinePoint)
    assert (again.step, again.best, again.history[0].loss) == (6, 1, 2.5)
    again.history = list(old.history)
    assert equal(again, old)
    assert torch.equal(again.losses, old.losses)


def test_a_step_lowers_the_loss(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """Steps on one and the same batch lower its loss."""
    learner = begin_line_training(replace(recipe, steps=12, eval_every=12), 0)
    one = trainer(glyphs, replace(recipe, steps=12, eval_every=12), learner)
    assert isinstance(one.task, LineTask)
    batch = next(one.task.source)
    one.task.source = iter([batch] * 12)
    one.run_interval(never)
    assert learner.losses[-1] < learner.losses[0]


def test_what_is_kept_is_a_running_mean(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """After one step the average holds a tenth of the first weights and the rest of the new."""
    learner = begin_line_training(replace(recipe, steps=1, eval_every=1), 0)
    before = [item.clone() for item in learner.network.parameters()]
    trainer(glyphs, replace(recipe, steps=1, eval_every=1), learner).run_interval(never)
    rows = zip(before, learner.network.parameters(), learner.kept.parameters(), strict=True)
    for old, new, mean in rows:
        torch.testing.assert_close(mean.data, 0.1 * old.data + 0.9 * new.data)


def test_measuring_leaves_the_mode(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """A network in training is in training after it was measured, and its statistics stay."""
    network = LineNetwork(recipe.widths).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert 0 <= count_line_errors(network, make_pool(glyphs, recipe, 0, 0)[:2]) <= 4
    assert network.training
    assert all(torch.equal(before[name], item) for name, item in network.state_dict().items())


def test_a_loss_that_is_not_a_number_stops_the_run(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """The error says at which step, and what to try."""
    wild = replace(recipe, learning_rate=1e30, max_grad_norm=1e30, warmup_steps=0)
    with pytest.raises(DivergedError, match="finite number") as caught:
        trained(glyphs, wild)
    assert "of 8, learning rate" in str(caught.value)
    assert "a recipe with a learning rate of" in str(caught.value)


def test_a_state_of_other_widths_is_refused(
    glyphs: Glyphs, recipe: LineRecipe, tmp_path: Path
) -> None:
    """A checkpoint of another network is an error that names the file."""
    path = tmp_path / "last.safetensors"
    path.write_bytes(encode_checkpoint(begin_line_training(recipe, 1)))
    other = begin_line_training(replace(recipe, widths=(4, 6, 8, 10)), 1)
    with pytest.raises(RunError, match="weights of another network"):
        load_checkpoint(path, other, LinePoint)


def test_the_product_recipe_is_the_one_that_was_measured() -> None:
    """The numbers of the published readers are pinned."""
    recipe = find_line_recipe("reader")
    assert (recipe.steps, recipe.batch, recipe.learning_rate) == (35_000, 64, 2e-3)
    assert (recipe.betas, recipe.weight_decay, recipe.max_grad_norm) == ((0.9, 0.98), 0.02, 5.0)
    assert (recipe.warmup_steps, recipe.decay_steps, recipe.frame_loss_steps) == (
        500,
        11_000,
        6_000,
    )
    assert recipe.ema_decay == 0.999
    assert find_line_recipe("reader-wide") == replace(recipe, widths=(32, 96, 128, 256))
