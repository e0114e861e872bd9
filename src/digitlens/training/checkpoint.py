"""The state of a training run as one safetensors file: weights, optimiser and history.

* The state of a line reader's training as one safetensors file.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError

from digitlens.errors import RunError
from digitlens.metrics.history import Epoch, LinePoint
from digitlens.models.architectures.reader import LineNetwork
from digitlens.training.optimizer import AdamW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from digitlens.models.recipe import LineRecipe


FORMAT = "1"


@dataclass
class TrainState:
    """How far a run has come, apart from its weights.

    Parameters
    ----------
    step
        Steps that are done.
    seconds
        Time spent in steps of the epoch that is under way.
    history
        The epochs that are done.
    best
        The epoch (1-based) whose weights are kept as the best so far; 0 before the first.
    """

    step: int = 0
    seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    best: int = 0


def encode_checkpoint(network: nn.Module, optimiser: AdamW, state: TrainState) -> bytes:
    """Return everything that going on needs, as the bytes of one file."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"optimiser.{name}": value for name, value in optimiser.state().items()}
    about = {
        "step": str(state.step),
        "seconds": repr(state.seconds),
        "best": str(state.best),
        "history": json.dumps([asdict(epoch) for epoch in state.history]),
    }
    return encode_tensors(tensors, about)


def encode_tensors(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """Return tensors and words, with the state of torch's generator, as one file's bytes."""
    whole = {**tensors, "chance": torch.get_rng_state()}
    contiguous = {name: value.detach().cpu().contiguous() for name, value in whole.items()}
    return safetensors.torch.save(contiguous, metadata={"format": FORMAT, **about})


def decode_checkpoint(path: Path, network: nn.Module, optimiser: AdamW) -> TrainState:
    """Bring `network` and `optimiser` to the state that `path` holds.

    Raises
    ------
    RunError
        The file is missing, damaged, of another format, or of another network.
    """
    tensors, about = decode_tensors(path)
    restore_state(
        path, tensors, {"network": network.load_state_dict, "optimiser": optimiser.load}
    )
    return TrainState(
        step=int(about["step"]),
        seconds=float(about["seconds"]),
        history=[Epoch(**epoch) for epoch in json.loads(about["history"])],
        best=int(about["best"]),
    )


def decode_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and words that `encode_tensors` gave.

    Raises
    ------
    RunError
        The file is missing, damaged, or of another format.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise RunError(
            f"{path} cannot be read", seen=str(error), try_="start a new run without --resume"
        ) from error
    if about.get("format") != FORMAT:
        raise RunError(
            f"{path} must be of format {FORMAT}",
            seen=f"format {about.get('format')!r}",
            likely="another version of digitlens wrote it",
            try_="go on with the version that config.toml names, or start a new run",
        )
    return tensors, about


def restore_state(
    path: Path,
    tensors: Mapping[str, Tensor],
    takers: Mapping[str, Callable[[dict[str, Tensor]], object]],
) -> None:
    """Hand each taker the tensors below its name, and set torch's generator.

    Raises
    ------
    RunError
        They do not fit.
    """
    try:
        for name, take in takers.items():
            take(_named(f"{name}.", tensors))
    except (RuntimeError, ValueError) as error:
        raise RunError(
            f"{path} holds the weights of another network", seen=str(error).splitlines()[0]
        ) from error
    torch.set_rng_state(tensors["chance"])


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


@dataclass
class LineTrainState:
    """A network that is being trained, and how far it has come.

    Parameters
    ----------
    network
        What learns.
    average
        The running mean of its weights: what is kept in the end.
    optimiser
        Of the network's parameters.
    losses
        float32 (recipe.eval_every,): the loss of each step since the last point.
    step
        Steps that are done.
    seconds
        Time spent since the last point.
    history
        The points so far.
    """

    network: LineNetwork
    average: LineNetwork
    optimiser: AdamW
    losses: Tensor
    step: int = 0
    seconds: float = 0.0
    history: list[LinePoint] = field(default_factory=list)

    @classmethod
    def begin(cls, recipe: LineRecipe, seed: int, device: str = "cpu") -> LineTrainState:
        """Return a learner with the first weights that `seed` decides."""
        torch.manual_seed(seed)
        network = LineNetwork(recipe.widths).to(device)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = AdamW(
            network.parameters(), betas=recipe.betas, weight_decay=recipe.weight_decay
        )
        losses = torch.zeros(recipe.eval_every, device=device)
        return cls(network, copy.deepcopy(network), optimiser, losses)


def encode_line_checkpoint(learner: LineTrainState) -> bytes:
    """Return everything that going on needs, as the bytes of one file."""
    parts = {
        "network": learner.network.state_dict(),
        "average": learner.average.state_dict(),
        "optimiser": learner.optimiser.state(),
        "losses": {"all": learner.losses},
    }
    about = {
        "step": str(learner.step),
        "seconds": repr(learner.seconds),
        "history": json.dumps([asdict(point) for point in learner.history]),
    }
    tensors = {
        f"{part}.{name}": value for part, held in parts.items() for name, value in held.items()
    }
    return encode_tensors(tensors, about)


def decode_line_checkpoint(path: Path, learner: LineTrainState) -> None:
    """Bring `learner` to the state that `path` holds.

    Raises
    ------
    RunError
        The file is missing, damaged, of another format, or of another network.
    """
    tensors, about = decode_tensors(path)
    takers: dict[str, Callable[[dict[str, Tensor]], object]] = {
        "network": learner.network.load_state_dict,
        "average": learner.average.load_state_dict,
        "optimiser": learner.optimiser.load,
        "losses": lambda held: learner.losses.copy_(held["all"]),
    }
    restore_state(path, tensors, takers)
    learner.step = int(about["step"])
    learner.seconds = float(about["seconds"])
    learner.history = [LinePoint(**point) for point in json.loads(about["history"])]
