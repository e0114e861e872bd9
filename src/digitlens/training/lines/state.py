"""The state of a line reader's training as one safetensors file."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import torch

from digitlens.networks.reader import LineNetwork
from digitlens.training.adamw import AdamW
from digitlens.training.lines.progress import Point
from digitlens.training.state import load, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from digitlens.networks.line_recipe import LineRecipe


@dataclass
class Learner:
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
        float32 (recipe.every,): the loss of each step since the last point.
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
    history: list[Point] = field(default_factory=list)

    @classmethod
    def begin(cls, recipe: LineRecipe, seed: int, device: str = "cpu") -> Learner:
        """Return a learner with the first weights that `seed` decides."""
        torch.manual_seed(seed)
        network = LineNetwork(recipe.widths).to(device)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = AdamW(
            network.parameters(), betas=recipe.betas, weight_decay=recipe.weight_decay
        )
        losses = torch.zeros(recipe.every, device=device)
        return cls(network, copy.deepcopy(network), optimiser, losses)


def pack_learner(learner: Learner) -> bytes:
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
    return packed(tensors, about)


def unpack_learner(path: Path, learner: Learner) -> None:
    """Bring `learner` to the state that `path` holds.

    Raises
    ------
    RunError
        The file is missing, damaged, of another format, or of another network.
    """
    tensors, about = unpacked(path)
    takers: dict[str, Callable[[dict[str, Tensor]], object]] = {
        "network": learner.network.load_state_dict,
        "average": learner.average.load_state_dict,
        "optimiser": learner.optimiser.load,
        "losses": lambda held: learner.losses.copy_(held["all"]),
    }
    load(path, tensors, takers)
    learner.step = int(about["step"])
    learner.seconds = float(about["seconds"])
    learner.history = [Point(**point) for point in json.loads(about["history"])]
