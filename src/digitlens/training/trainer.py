"""The training loop: one for digits, for lines, and for fine-tuning.

What is learnt is a `Task`: which batches come next, what their loss is, and how the network is
evaluated. `Trainer` does the rest.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Generic

import torch
from torch import Tensor, nn

from digitlens.errors import DivergedError
from digitlens.training.checkpoint import Row, TrainState
from digitlens.training.config import Callback

CHECK_EVERY = 32  # steps from one check of the losses to the next: a check waits for the device


@dataclass(kw_only=True, eq=False)
class Task(ABC, Generic[Row]):
    """What a network learns."""

    steps: int  # in all
    interval: int  # steps from one evaluation, and one checkpoint, to the next
    batch_size: int  # examples a step
    peak_rate: float  # the highest learning rate
    max_grad_norm: float = 0.0  # longer gradients are clipped to this length; 0 clips nothing

    @abstractmethod
    def batches(self, network: nn.Sequential, step: int) -> Iterator[Any]:
        """Return what is learnt from `step` (0-based) to the next evaluation, or for longer."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: Any, step: int) -> Tensor:
        """Return the loss of `network` on a batch of `batches`."""

    @abstractmethod
    def learning_rate(self, step: int) -> float:
        """Return the learning rate of `step` (0-based)."""

    @abstractmethod
    def evaluate(self, state: TrainState[Row], steps: int, seconds: float) -> Row:
        """Return the figures after `steps` steps that took so many seconds."""

    @abstractmethod
    def is_best(self, history: Sequence[Row]) -> bool:
        """Say whether the last evaluation is the one whose weights are to be kept."""

    def ema_decay(self, step: int) -> float:  # noqa: ARG002
        """Return the share of the running mean of weights that `step` (0-based) leaves."""
        return 0.0


class Trainer(Generic[Row]):
    """One training run in memory; it knows no files and starts no processes.

    state: what is trained, and how far it has come; changed in place
    task: what it learns
    callback: is called as training goes on
    """

    def __init__(self, state: TrainState[Row], task: Task[Row], callback: Callback) -> None:
        self.state = state
        self.task = task
        self.callback = callback
        self._parameters = list(state.network.parameters())
        self._mean = [] if state.average is None else _float_tensors(state.average)
        self._current = _float_tensors(state.network)

    @property
    def finished(self) -> bool:
        """Whether all steps are done and evaluated."""
        return len(self.state.history) == ceil(self.task.steps / self.task.interval)

    @property
    def _evaluated(self) -> int:
        """Steps that were done at the last evaluation."""
        return len(self.state.history) * self.task.interval

    def run_interval(self, stop: Callable[[], bool]) -> bool:
        """Train to the next evaluation and do it; True when training got there.

        Raises DivergedError: the loss became infinite or not a number; the error says at which
        step; WorkerError: a process that makes batches has died; what is learnt is as after the
        last step.
        """
        state, task, first = self.state, self.task, self._evaluated
        # `seconds` and `step` are not 0 when an interval that was interrupted is resumed.
        target = min(task.steps, first + task.interval)
        began = time.perf_counter() - state.seconds
        state.network.train()
        # Train.
        batches = task.batches(state.network, state.step)
        while state.step < target:
            if stop():
                state.seconds = time.perf_counter() - began
                self.check_finite()
                return False
            state.losses[state.step - first] = self._step(next(batches))
            state.step += 1
            if (state.step - first) % CHECK_EVERY == 0:
                self.check_finite()
            self.callback.step(state.step)
        self.check_finite()
        # Evaluate.
        seconds = time.perf_counter() - began
        state.seconds = 0.0
        state.history.append(task.evaluate(state, target - first, seconds))
        self.callback.epoch(state.history[-1])
        return True

    def _step(self, batch: Any) -> Tensor:
        state, task = self.state, self.task
        loss = task.loss(state.network, batch, state.step)
        state.optimizer.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        # Recipes for digits have no limit and clip nothing.
        if task.max_grad_norm:
            torch.nn.utils.clip_grad_norm_(self._parameters, task.max_grad_norm)
        state.optimizer.step(task.learning_rate(state.step))
        # The running mean moves by one fused operation over all tensors.
        if self._mean:
            with torch.no_grad():
                share = 1 - task.ema_decay(state.step)
                torch._foreach_lerp_(self._mean, self._current, share)
        return loss.detach()

    def check_finite(self) -> None:
        """Raise `DivergedError` when a loss since the last evaluation is not finite."""
        state, task, first = self.state, self.task, self._evaluated
        index = find_nonfinite(state.losses[: state.step - first])
        if index is None:
            return
        rate = task.learning_rate(first + index)
        raise DivergedError(
            "training stopped: the loss must stay a finite number",
            seen=f"loss {float(state.losses[index])} at step {first + index + 1} of "
            f"{task.steps}, learning rate {rate:.2g}",
            likely="the learning rate is too high" if rate >= task.peak_rate / 2 else None,
            try_=f"another --seed; or, in Python, a recipe with a learning rate of "
            f"{task.peak_rate / 3:.2g}",
        )


def find_nonfinite(losses: Tensor) -> int | None:
    """Return the index of the first loss that is not a finite number, or None."""
    good = torch.isfinite(losses)
    return None if bool(good.all()) else int(good.logical_not().nonzero()[0])


def _float_tensors(network: nn.Module) -> list[Tensor]:
    """Return all of a network's floating-point numbers, those of normalization included."""
    return [value for value in network.state_dict().values() if value.is_floating_point()]
