"""What a line reader learns: whole strings, and at first single frames too; and its run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import safetensors
import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens import runs as run_folder
from digitlens.data import DataSplits
from digitlens.data.line_folder import LineFolder, read_line_folder
from digitlens.data.line_hands import hand_sources, read_line_hands
from digitlens.digits import CLASSES
from digitlens.errors import DataError
from digitlens.imaging.inputs import tune_malloc
from digitlens.metrics.history import LinePoint
from digitlens.models.architectures import evaluation_mode
from digitlens.models.architectures.line_network import LineNetwork, count_size
from digitlens.models.card import LineModelCard
from digitlens.models.convert import fuse_line_network, load_line_network
from digitlens.models.recipe import LineRecipe
from digitlens.storage import write_bytes
from digitlens.synth import Glyphs, prepare_glyphs
from digitlens.synth.hands import GLYPHS, Hands
from digitlens.training.checkpoint import TrainState, begin_training
from digitlens.training.config import Callback, TrainConfig
from digitlens.training.device import Device, choose_device
from digitlens.training.line_data import (
    POOL,
    UNKNOWN,
    LineBatch,
    LineProducers,
    WorkPlan,
    make_pool,
)
from digitlens.training.line_tuning import (
    ForgettingCheck,
    load_start,
    mix_lines,
    note_rescorer,
    own_batches,
)
from digitlens.training.results import ReaderRun
from digitlens.training.session import (
    card_facts,
    encode_weights,
    fit,
    open_run,
    restore,
    save_run,
)
from digitlens.training.trainer import Task, Trainer
from digitlens.viz.plot_history import line_history

# Lines by writers who were held back, on which each point of the history is measured.
VALIDATION_LINES = 1_024

KEPT = "kept"  # in weights that were taken back: the share of the change that they keep
SETTLING_LINES = 512  # the normalisation of a network that goes on takes its means on these
VALIDATION_SEED = 0  # theirs, whatever the run's is, so that runs can be compared


def run_line_training(
    config: TrainConfig[LineRecipe], data: DataSplits, callback: Callback
) -> ReaderRun:
    """Train as asked and leave a finished run folder (errors as in `train_reader`)."""
    recipe = config.resolved_recipe
    # Digits that no line can be made of are refused before a folder is claimed.
    if not len(data.train):
        raise DataError("there must be digits to write with", seen=f"none in {data.source}")
    hands = read_line_hands(recipe.hands, config.validation)
    data = replace(data, hashes={**data.hashes, **hands.hashes})
    glyphs = replace(prepare_glyphs(data.train), hands=hands.train)
    own = None
    if config.corrections is not None:
        own = read_line_folder(Path(config.corrections))
        data = replace(data, hashes={**data.hashes, **own.hashes})
    validation = _validation_lines(data, recipe, hands.validation)
    tune_malloc()
    device = choose_device()
    with open_run(config, data, device) as folder:
        # Begin, or resume from the checkpoint.
        start = check = None
        notes: list[str] = []
        if config.start is not None:
            start = load_start(config.start, recipe, _strips(glyphs, recipe), config.seed)
            notes = note_rescorer(config.start)
            check = _check_forgetting(start, data, recipe, validation, own)
        state = begin_line_training(recipe, config.seed, device.kind, start)
        restore(folder, state, LinePoint)
        # Other processes make lines from this step on, while this one learns from them.
        plan = WorkPlan(glyphs, recipe, config.seed, state.step)
        with LineProducers(plan, count_producers(config, device)) as batches:
            source = iter(batches)
            if own is not None:
                source = mix_lines(source, own, config.seed, state.step)
            task = LineTask(
                recipe,
                source,
                validation=validation,
                device=device,
            )
            note = (
                f"training {config.network} on lines written with {len(data.train):,} digits "
                f"of {data.source} (seed {config.seed}; {device})\n{data.split}"
            )
            fit(Trainer(state, task, callback), folder, config.network, note=note)
        return export_line_run(folder, config, state.history, data, check, notes=notes)


def begin_line_training(
    recipe: LineRecipe, seed: int, device: str = "cpu", network: LineNetwork | None = None
) -> TrainState[LinePoint]:
    """Return the state before the first step; `seed` decides weights that are not given."""
    torch.manual_seed(seed)
    network = network or LineNetwork(recipe.widths)
    return begin_training(network, recipe, recipe.eval_every, device, average=True)


def count_producers(config: TrainConfig[LineRecipe], device: Device) -> int:
    """Return how many processes make lines."""
    if config.writers is not None:
        return config.writers
    # One process makes several times as many lines as a processor learns from.
    return 1 if device.kind == "cpu" else max(1, (os.cpu_count() or 2) - 1)


OLD_LINES, GLYPH_LINES = "lines by writers held back", "lines of MNIST's digits"
HELD, LEARNT = "own lines, held back", "own lines, learnt from"


def _check_forgetting(
    start: LineNetwork,
    data: DataSplits,
    recipe: LineRecipe,
    validation: list[LineBatch],
    own: LineFolder | None,
) -> ForgettingCheck:
    """Measure the network before it goes on: what it must not forget, and the user's lines."""
    groups = {OLD_LINES: validation}
    if recipe.hands != (GLYPHS,):
        plain = replace(recipe, hands=(GLYPHS,))
        groups[GLYPH_LINES] = _validation_lines(data, plain, Hands())
    if own is not None:
        groups |= {HELD: own_batches(own.validation), LEARNT: own_batches(own.train)}
    return ForgettingCheck(start, groups, (OLD_LINES, GLYPH_LINES), count_line_errors)


def _strips(glyphs: Glyphs, recipe: LineRecipe) -> list[Tensor]:
    """Return lines as the recipe makes them, for normalisation to settle on."""
    pool = make_pool(glyphs, replace(recipe, batch=SETTLING_LINES // POOL), VALIDATION_SEED, 1)
    return [LineTensors.load(batch, "cpu").strips for batch in pool]


def _validation_lines(data: DataSplits, recipe: LineRecipe, hands: Hands) -> list[LineBatch]:
    """Return lines by writers whose digits are not trained on, if there are any."""
    if not len(data.validation):
        return []
    sized = replace(recipe, batch=VALIDATION_LINES // POOL, hands=usable_kinds(recipe, hands))
    glyphs = replace(prepare_glyphs(data.validation), hands=hands)
    return make_pool(glyphs, sized, VALIDATION_SEED, 0)


def usable_kinds(recipe: LineRecipe, hands: Hands) -> tuple[str, ...]:
    """Return the recipe's kinds of hands that are there.

    Too few families of a kind leave none of them to be held back.
    """
    return tuple(kind for kind in recipe.hands if hands.has(kind)) or (GLYPHS,)


class LineTask(Task[LinePoint]):
    """Lines by a recipe.

    recipe: the resolved recipe
    source: what is learnt from, from the next step on, without end
    validation: batches of lines by writers who were held back; may be empty
    device: where, and in which precision
    """

    def __init__(
        self,
        recipe: LineRecipe,
        source: Iterator[Any],
        *,
        validation: Sequence[Any],
        device: Device,
    ) -> None:
        super().__init__(
            steps=recipe.steps,
            interval=recipe.eval_every,
            batch_size=recipe.batch,
            peak_rate=recipe.learning_rate,
            max_grad_norm=recipe.max_grad_norm,
        )
        self.recipe = recipe
        self.source = source
        self.validation = validation
        self.device = device

    def batches(self, network: nn.Module, step: int) -> Iterator[Any]:  # noqa: ARG002
        """Walk over the batches from where the source stands."""
        return (LineTensors.load(batch, self.device.kind) for batch in self.source)

    def loss(self, network: nn.Module, batch: LineTensors, step: int) -> Tensor:
        """Return the loss over strings and frames."""
        with self.device.precision():
            logits = network(batch.strips)
        return line_loss(logits, batch, self.recipe.frame_loss_weight(step))

    def learning_rate(self, step: int) -> float:
        """Return the recipe's learning rate."""
        return self.recipe.rate_at(step)

    def ema_decay(self, step: int) -> float:
        """Return the recipe's share of the old mean."""
        return self.recipe.ema_decay_at(step)

    def evaluate(self, state: TrainState[LinePoint], steps: int, seconds: float) -> LinePoint:
        """Measure how many lines by writers held back are not read exactly."""
        return LinePoint(
            step=state.step,
            loss=float(state.losses[:steps].double().mean()),
            learning_rate=self.learning_rate(state.step - 1),
            seconds=seconds,
            lines_per_second=steps * self.batch_size / seconds,
            **self.count_errors(state.kept),
        )

    def count_errors(self, network: nn.Module) -> dict[str, int]:
        """Return how many of the lines held back are not read exactly, and of how many."""
        misread = count_line_errors(network, self.validation, self.device.kind)
        return {"misread": misread, "validation": sum(len(batch) for batch in self.validation)}

    def is_best(self, history: Sequence[LinePoint]) -> bool:  # noqa: ARG002
        """Say yes: a running mean only gets better, and its last state is kept."""
        return True


@dataclass(frozen=True)
class LineTensors:
    """A `LineBatch` as tensors on a device; strips are float32, channels last."""

    strips: Tensor
    labels: Tensor
    lengths: Tensor
    frames: Tensor
    centres: Tensor

    @classmethod
    def load(cls, batch: LineBatch, device: str) -> Self:
        """Return `batch` on the device of this kind."""
        strips = torch.from_numpy(batch.strips).to(device).float()
        rest = (batch.labels, batch.lengths, batch.frames, batch.centres)
        return cls(
            strips.contiguous(memory_format=torch.channels_last),
            *(torch.from_numpy(array).to(device) for array in rest),
        )


def line_loss(logits: Tensor, batch: LineTensors, frame_weight: float) -> Tensor:
    """Return the mean loss a digit, in nats.

    Connectionist temporal classification (Graves et al. 2006): minus the logarithm of the
    probability of all alignments of the string, here over the number of its digits. To that
    comes `frame_weight` times the mean of minus the logarithm of each digit's probability in
    the frame at its centre.

    logits: float (N, T, 11)
    frame_weight: 0..1
    """
    log_probs = logits.float().log_softmax(2)
    strings = functional.ctc_loss(
        log_probs.transpose(0, 1),
        batch.labels,
        batch.frames,
        batch.lengths,
        blank=CLASSES,
        zero_infinity=True,  # a string that does not fit in its frames teaches nothing
        reduction="none",
    )
    loss = (strings / batch.lengths.clamp(min=1)).mean()
    if frame_weight:
        known = batch.centres != UNKNOWN
        frames = functional.nll_loss(log_probs[known], batch.centres[known], reduction="sum")
        loss = loss + frame_weight * frames / known.sum().clamp(min=1)
    return loss


def best_path(logits: Tensor, frames: Tensor) -> list[str]:
    """Return what the likeliest class of each frame comes to, line by line.

    Repeats are taken together and blanks left out. It costs nothing, and is a little less
    often right than `digitlens.ctc.decode`, which sums over alignments.

    logits: float (N, T, 11)
    frames: int64 (N,): frames of each line; what comes behind is padding

    >>> table = torch.eye(11)[torch.tensor([[10, 4, 4, 10, 4, 1, 10, 7]])]
    >>> best_path(table, torch.tensor([7]))
    ['441']
    """
    likeliest = logits.argmax(2)
    begins = likeliest != CLASSES
    begins[:, 1:] &= likeliest[:, 1:] != likeliest[:, :-1]
    begins &= torch.arange(logits.shape[1], device=frames.device) < frames[:, None]
    rows = zip(likeliest.cpu(), begins.cpu(), strict=True)
    return ["".join(map(str, row[mask].tolist())) for row, mask in rows]


@torch.inference_mode()
def count_line_errors(
    network: nn.Module, batches: Iterable[LineBatch], device: str = "cpu"
) -> int:
    """Return how many lines `network` does not read exactly, in float32; its mode stays."""
    wrong = 0
    with evaluation_mode(network):
        for batch in batches:
            tensors = LineTensors.load(batch, device)
            texts = best_path(network(tensors.strips), tensors.frames)
            pairs = zip(texts, batch.texts(), strict=True)
            wrong += sum(text != truth for text, truth in pairs)
    return wrong


def _read_kept(path: Path) -> float | None:
    """Return the share of the change that weights kept that were taken back; None else."""
    with safetensors.safe_open(path, framework="pt") as file:
        kept = (file.metadata() or {}).get(KEPT)
    return None if kept is None else float(kept)


def export_line_run(
    folder: Path,
    config: TrainConfig[LineRecipe],
    history: list[LinePoint],
    data: DataSplits,
    check: ForgettingCheck | None = None,
    *,
    notes: Sequence[str] = (),
    kind: type[LineNetwork] = LineNetwork,
    card_type: type[LineModelCard] = LineModelCard,
) -> ReaderRun:
    """Write all that a finished run holds; metrics.json comes last and says "finished".

    notes: further ones for the card of what went on from another network
    """
    recipe, last = config.resolved_recipe, history[-1]
    network = load_line_network(folder, recipe.widths, kind)
    measured = {"misses": last.misread, "count": last.validation}
    # What went on from another network is taken back while it forgot too much.
    changes, share = [], 1.0
    if check is not None:
        path = folder / run_folder.BEST_WEIGHTS
        kept = _read_kept(path)
        # A run that was killed after this, and goes on, would find nothing to take back.
        share = check.walk_back(network) if kept is None else kept
        changes = check.changes(network)
        write_bytes(path, encode_weights(network, {KEPT: str(share)}))
        measured["misses"] = next(
            (item.after for item in changes if item.title == OLD_LINES), last.misread
        )
    weights, multiply_adds = count_size(network)
    facts = card_facts(folder, config, data)
    facts["data"] = ", ".join([data.source, *hand_sources(recipe.hands)])
    card = card_type(
        **facts,
        style=recipe.style,
        lines=recipe.steps * recipe.batch,
        steps=recipe.steps,
        weights=weights,
        multiply_adds=multiply_adds,
        validation={recipe.style: measured} if last.validation else {},
        figures={item.title: item.figure for item in changes},
        notes=[f"Trained on from {config.start}; {share:.0%} of the change is kept.", *notes]
        if check is not None
        else [],
    )
    figures: dict[str, object] = {"steps": card.steps, "lines": card.lines}
    if check is not None:
        figures |= {"kept": share, "changes": [asdict(item) for item in changes]}
    save_run(
        folder,
        fuse_line_network(network),
        card,
        history,
        plots={run_folder.HISTORY_PLOT: line_history(history, title=folder.name)},
        figures=figures,
        validation=measured if last.validation else None,
    )
    return ReaderRun(network, history, folder, card, changes)
