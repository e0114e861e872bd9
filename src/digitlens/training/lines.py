"""The training loop of a line reader.

* Written lines -> batches to learn from, in an order that the seed alone decides.
* What a line reader learns from: the whole string, and at first single frames too.
* How many lines a network reads exactly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import torch
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.errors import DataError, DivergedError
from digitlens.imaging.crop import HEIGHT, PITCH, prepare_line
from digitlens.metrics.history import LinePoint
from digitlens.synth import synthesize_chunk
from digitlens.training.trainer import LOOK_EVERY, first_nonfinite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from digitlens.digits import Indices
    from digitlens.models.architectures.reader import LineNetwork
    from digitlens.models.recipe import LineRecipe
    from digitlens.synth import Glyphs, LineSample
    from digitlens.training.checkpoint import LineTrainState
    from digitlens.training.config import LineCallback
    from digitlens.training.device import Device

    Prepared: TypeAlias = "tuple[NDArray[np.float32], str, NDArray[np.float32]]"
    """A strip (32, W), its text, and the columns of the digits' centres."""


POOL = 32
"""Batches that are cut from one pool of lines: lines of like width come into one batch."""

WIDTHS = 8
"""Batches are padded to a multiple of this, not just of 4: each width that a processor has not
met lately costs it an eighth of a step, as its kernels are made for it anew."""

SEEDS = 1 << 32
"""Added to a seed for each further style, so that small seeds share no lines."""

UNKNOWN = -1
"""The class of a frame that lies at no digit's centre."""


@dataclass(frozen=True, eq=False)
class LineBatch:
    """Lines of about the same width, and what they say.

    Parameters
    ----------
    strips
        float16 (N, 1, 32, W), from `prepare_line`, padded with 0 on the right; W is a multiple
        of 8. Half precision is enough, and half as much to hand from process to process.
    labels
        int64 (sum of `lengths`,): the digits of all texts, one after the other.
    lengths
        int64 (N,): digits of each line.
    frames
        int64 (N,): frames, two columns each, that a line has without its padding.
    centres
        int64 (N, W / 2): the digit whose centre lies in a frame, -1 where there is none.
    """

    strips: NDArray[np.float16]
    labels: Indices
    lengths: Indices
    frames: Indices
    centres: Indices

    def __len__(self) -> int:
        return len(self.strips)

    def texts(self) -> list[str]:
        """Return what each line says."""
        ends = np.cumsum(self.lengths)
        parts = np.split(self.labels, ends[:-1]) if len(ends) else []
        return ["".join(map(str, part.tolist())) for part in parts]


def prepare_sample(line: LineSample) -> Prepared:
    """Return a written line as a network takes it, with the centres of its digits."""
    strip = prepare_line(line.image)
    scale = strip.shape[1] / line.image.shape[1]
    centres = (line.boxes[:, 0] + line.boxes[:, 2]) * np.float32(scale / 2)
    return strip, line.text, centres


def collate(lines: Sequence[Prepared]) -> LineBatch:
    """Return lines as one batch; at least one line."""
    widths = np.array([strip.shape[1] for strip, _, _ in lines], np.int64)
    wide = -(-int(widths.max()) // WIDTHS) * WIDTHS
    strips = np.zeros((len(lines), 1, HEIGHT, wide), np.float16)
    centres = np.full((len(lines), wide // PITCH), UNKNOWN, np.int64)
    for index, (strip, text, places) in enumerate(lines):
        strips[index, 0, :, : strip.shape[1]] = strip
        for digit, place in zip(text, places, strict=True):
            centres[index, min(int(place / PITCH), wide // PITCH - 1)] = int(digit)
    whole = "".join(text for _, text, _ in lines)
    return LineBatch(
        strips,
        np.array([int(digit) for digit in whole], np.int64),
        np.array([len(text) for _, text, _ in lines], np.int64),
        -(-widths // PITCH),
        centres,
    )


def pool_of(glyphs: Glyphs, recipe: LineRecipe, seed: int, index: int) -> list[LineBatch]:
    """Write pool `index` of `seed` and cut it into `POOL` batches.

    The same lines in the same order whoever writes them: a pool depends on no other.

    Parameters
    ----------
    glyphs
        What the lines are written with.
    recipe
        Says how many lines a batch has (one fewer where lines were left out as too long),
        in which style they are and how long they may be.

    Raises
    ------
    DataError
        Nearly all lines of this style are longer than the recipe allows.
    """
    size = recipe.batch * POOL
    lines = [prepare_sample(line) for line in _written(glyphs, recipe, seed, index)]
    lines = [line for line in lines if line[0].shape[1] <= recipe.max_width]
    if len(lines) < POOL:
        raise DataError(
            f"there must be lines of at most {recipe.max_width} columns to learn from",
            seen=f"{len(lines)} of {size} in the style {recipe.style!r}",
        )
    lines.sort(key=lambda line: line[0].shape[1])
    # Cut evenly: were the last lines left over, those would always be the longest.
    cuts = [round(at * len(lines) / POOL) for at in range(POOL + 1)]
    order = np.random.default_rng([seed, index, POOL]).permutation(POOL)
    return [collate(lines[cuts[at] : cuts[at + 1]]) for at in order]


def _written(glyphs: Glyphs, recipe: LineRecipe, seed: int, index: int) -> Iterator[LineSample]:
    """Write the lines of a pool: most in the recipe's style, some in each of the others."""
    size = recipe.batch * POOL
    few = (
        int(size * recipe.other_share / len(recipe.other_styles)) if recipe.other_styles else 0
    )
    most = size - few * len(recipe.other_styles)
    yield from synthesize_chunk(glyphs, index, seed=seed, style=recipe.style, size=most)
    for number, style in enumerate(recipe.other_styles, start=1):
        # The first lines of a chunk are those of a smaller one, so each needs a seed.
        own = seed + SEEDS * number
        yield from synthesize_chunk(glyphs, index, seed=own, style=style, size=few)


@dataclass(frozen=True)
class LineTargets:
    """A `LineBatch` as tensors on a device; strips are float32, channels last."""

    strips: Tensor
    labels: Tensor
    lengths: Tensor
    frames: Tensor
    centres: Tensor

    @classmethod
    def of(cls, batch: LineBatch, device: str) -> Self:
        """Return `batch` on the device of this kind."""
        strips = torch.from_numpy(batch.strips).to(device).float()
        rest = (batch.labels, batch.lengths, batch.frames, batch.centres)
        return cls(
            strips.contiguous(memory_format=torch.channels_last),
            *(torch.from_numpy(item).to(device) for item in rest),
        )


def line_loss(logits: Tensor, lesson: LineTargets, frame_share: float) -> Tensor:
    """Return the mean loss a digit, in nats.

    Connectionist temporal classification (Graves et al. 2006): minus the logarithm of the
    probability of all alignments of the string, here over the number of its digits. To that
    comes `frame_share` of the mean of minus the logarithm of each digit's probability in the
    frame at its centre.

    Parameters
    ----------
    logits
        float (N, T, 11).
    frame_share
        0..1.
    """
    log_probs = logits.float().log_softmax(2)
    strings = functional.ctc_loss(
        log_probs.transpose(0, 1),
        lesson.labels,
        lesson.frames,
        lesson.lengths,
        blank=CLASSES,
        zero_infinity=True,  # a string that does not fit in its frames teaches nothing
        reduction="none",
    )
    loss = (strings / lesson.lengths.clamp(min=1)).mean()
    if frame_share:
        known = lesson.centres != UNKNOWN
        frames = functional.nll_loss(log_probs[known], lesson.centres[known], reduction="sum")
        loss = loss + frame_share * frames / known.sum().clamp(min=1)
    return loss


def best_path(logits: Tensor, frames: Tensor) -> list[str]:
    """Return what the likeliest class of each frame comes to, line by line.

    Repeats are taken together and blanks left out. It costs nothing, and is a little less
    often right than `digitlens.ctc.decode`, which sums over alignments.

    Parameters
    ----------
    logits
        float (N, T, 11).
    frames
        int64 (N,): frames of each line; what comes behind is padding.

    Examples
    --------
    >>> table = torch.eye(11)[torch.tensor([[10, 4, 4, 10, 4, 1, 10, 7]])]
    >>> best_path(table, torch.tensor([7]))
    ['441']
    """
    likeliest = logits.argmax(2)
    begins = likeliest != CLASSES
    begins[:, 1:] &= likeliest[:, 1:] != likeliest[:, :-1]
    begins &= torch.arange(logits.shape[1], device=frames.device) < frames[:, None]
    rows = zip(likeliest.cpu(), begins.cpu(), strict=True)
    return ["".join(map(str, row[kept].tolist())) for row, kept in rows]


@torch.inference_mode()
def count_line_errors(
    network: nn.Module, batches: Iterable[LineBatch], device: str = "cpu"
) -> int:
    """Return how many lines `network` does not read exactly, in float32; its mode stays."""
    was_training = network.training
    network.eval()
    wrong = 0
    for batch in batches:
        lesson = LineTargets.of(batch, device)
        texts = best_path(network(lesson.strips), lesson.frames)
        pairs = zip(texts, batch.texts(), strict=True)
        wrong += sum(text != truth for text, truth in pairs)
    network.train(was_training)
    return wrong


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
    validation
        Batches of lines by writers who were held back; may be empty.
    device
        Where, and in which precision.
    progress
        Who is told.
    """

    def __init__(
        self,
        learner: LineTrainState,
        *,
        recipe: LineRecipe,
        batches: Iterator[LineBatch],
        validation: Sequence[LineBatch],
        device: Device,
        progress: LineCallback,
    ) -> None:
        self.learner = learner
        self.recipe = recipe
        self.batches = batches
        self.validation = validation
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
        learner, every = self.learner, self.recipe.eval_every
        target = min(self.recipe.steps, (learner.step // every + 1) * every)
        began = time.perf_counter() - learner.seconds
        learner.network.train()
        while learner.step < target:
            if stop():
                learner.seconds = time.perf_counter() - began
                self.look()
                return False
            loss = self._step(LineTargets.of(next(self.batches), self.device.kind))
            learner.losses[learner.step % every] = loss
            learner.step += 1
            if learner.step % LOOK_EVERY == 0:
                self.look()
            self.progress.step(learner.step)
        self.look()
        self._measure(time.perf_counter() - began)
        return True

    def _step(self, lesson: LineTargets) -> Tensor:
        learner, recipe = self.learner, self.recipe
        with self.device.precision():
            logits = learner.network(lesson.strips)
        loss = line_loss(logits, lesson, recipe.frame_loss_weight(learner.step))
        learner.optimiser.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters, recipe.max_grad_norm)
        learner.optimiser.step(recipe.rate_at(learner.step))
        with torch.no_grad():
            left = recipe.ema_decay_at(learner.step)
            torch._foreach_lerp_(self._averaged, self._current, 1 - left)
        return loss.detach()

    def look(self) -> None:
        """Raise `DivergedError` when a loss since the last point is not a finite number."""
        learner, recipe = self.learner, self.recipe
        before = learner.history[-1].step if learner.history else 0
        index = first_nonfinite(learner.losses[: learner.step - before])
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
        point = LinePoint(
            step=learner.step,
            loss=float(learner.losses[:done].double().mean()),
            learning_rate=self.recipe.rate_at(learner.step - 1),
            seconds=seconds,
            lines_per_second=done * self.recipe.batch / seconds,
            misread=count_line_errors(learner.average, self.validation, self.device.kind),
            validation=sum(len(batch) for batch in self.validation),
        )
        learner.history.append(point)
        self.progress.point(point)


def _floats(network: LineNetwork) -> list[Tensor]:
    """Return all of a network's floating-point numbers, those of normalisation included."""
    return [item for item in network.state_dict().values() if item.is_floating_point()]
