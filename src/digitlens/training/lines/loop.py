"""The training loop of a line reader."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from digitlens.errors import DivergedError
from digitlens.training.lines.loss import Lesson, loss_of
from digitlens.training.lines.measure import misread
from digitlens.training.lines.progress import Point
from digitlens.training.trainer import LOOK_EVERY, first_bad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from digitlens.networks.line_recipe import LineRecipe
    from digitlens.networks.reader import LineNetwork
    from digitlens.training.device import Device
    from digitlens.training.lines.batches import Batch
    from digitlens.training.lines.progress import LineProgress
    from digitlens.training.lines.state import Learner


class LineTrainer:
    """One training run in memory; it knows no files and starts no processes.

    Parameters
    ----------
    learner
        What is trained, and how far it has come; changed in place.
    recipe
        The resolved recipe.
    batches
        What is learnt from, from the learner's step on.
    held_back
        Batches of lines by writers who were held back; may be empty.
    device
        Where, and in which precision.
    progress
        Who is told.
    """

    def __init__(
        self,
        learner: Learner,
        *,
        recipe: LineRecipe,
        batches: Iterator[Batch],
        held_back: Sequence[Batch],
        device: Device,
        progress: LineProgress,
    ) -> None:
        self.learner = learner
        self.recipe = recipe
        self.batches = batches
        self.held_back = held_back
        self.device = device
        self.progress = progress
        self._parameters = list(learner.network.parameters())
        self._averaged = _floats(learner.average)
        self._current = _floats(learner.network)

    @property
    def finished(self) -> bool:
        """Whether all steps are done and measured."""
        history = self.learner.history
        return bool(history) and history[-1].step == self.recipe.steps

    def run_to_point(self, stop: Callable[[], bool]) -> bool:
        """Train to the next point of the history and measure; True when it got there.

        Raises
        ------
        DivergedError
            The loss became infinite or not a number; the error says at which step.
        WorkerError
            A process that writes lines has died; what is learnt is as after the last step.
        """
        learner, every = self.learner, self.recipe.every
        target = min(self.recipe.steps, (learner.step // every + 1) * every)
        began = time.perf_counter() - learner.seconds
        learner.network.train()
        while learner.step < target:
            if stop():
                learner.seconds = time.perf_counter() - began
                self.look()
                return False
            loss = self._step(Lesson.of(next(self.batches), self.device.kind))
            learner.losses[learner.step % every] = loss
            learner.step += 1
            if learner.step % LOOK_EVERY == 0:
                self.look()
            self.progress.step(learner.step)
        self.look()
        self._measure(time.perf_counter() - began)
        return True

    def _step(self, lesson: Lesson) -> Tensor:
        learner, recipe = self.learner, self.recipe
        with self.device.precision():
            logits = learner.network(lesson.strips)
        loss = loss_of(logits, lesson, recipe.frame_share(learner.step))
        learner.optimiser.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters, recipe.clip)
        learner.optimiser.step(recipe.rate_at(learner.step))
        with torch.no_grad():
            left = recipe.average_at(learner.step)
            torch._foreach_lerp_(self._averaged, self._current, 1 - left)
        return loss.detach()

    def look(self) -> None:
        """Raise `DivergedError` when a loss since the last point is not a finite number."""
        learner, recipe = self.learner, self.recipe
        before = learner.history[-1].step if learner.history else 0
        index = first_bad(learner.losses[: learner.step - before])
        if index is None:
            return
        rate = recipe.rate_at(before + index)
        raise DivergedError(
            "training stopped: the loss must stay a finite number",
            seen=f"loss {float(learner.losses[index])} at step {before + index + 1} of "
            f"{recipe.steps}, learning rate {rate:.2g}",
            likely="the learning rate is too high"
            if rate >= recipe.learning_rate / 2
            else None,
            try_=f"another --seed; or, in Python, a recipe with a learning rate of "
            f"{recipe.learning_rate / 3:.2g}. What was saved at step {before} is still good",
        )

    def _measure(self, seconds: float) -> None:
        learner = self.learner
        before = learner.history[-1].step if learner.history else 0
        done = learner.step - before
        learner.seconds = 0.0
        point = Point(
            step=learner.step,
            loss=float(learner.losses[:done].double().mean()),
            learning_rate=self.recipe.rate_at(learner.step - 1),
            seconds=seconds,
            lines_per_second=done * self.recipe.batch / seconds,
            misread=misread(learner.average, self.held_back, self.device.kind),
            held_back=sum(len(batch) for batch in self.held_back),
        )
        learner.history.append(point)
        self.progress.point(point)


def _floats(network: LineNetwork) -> list[Tensor]:
    """Return all of a network's floating-point numbers, those of normalisation included."""
    return [each for each in network.state_dict().values() if each.is_floating_point()]
