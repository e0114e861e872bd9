"""The state of a training run as one safetensors file: weights, optimiser and history."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError

from digitlens.diagnosis import Epoch
from digitlens.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from digitlens.training.adamw import AdamW

FORMAT = "1"


@dataclass
class State:
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


def pack(network: nn.Module, optimiser: AdamW, state: State) -> bytes:
    """Return everything that going on needs, as the bytes of one file."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"optimiser.{name}": value for name, value in optimiser.state().items()}
    tensors["chance"] = torch.get_rng_state()
    about = {
        "format": FORMAT,
        "step": str(state.step),
        "seconds": repr(state.seconds),
        "best": str(state.best),
        "history": json.dumps([asdict(epoch) for epoch in state.history]),
    }
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return safetensors.torch.save(contiguous, metadata=about)


def unpack(path: Path, network: nn.Module, optimiser: AdamW) -> State:
    """Bring `network` and `optimiser` to the state that `path` holds.

    Raises
    ------
    RunError
        The file is missing, damaged, of another format, or of another network.
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
    _load(path, network, optimiser, tensors)
    return State(
        step=int(about["step"]),
        seconds=float(about["seconds"]),
        history=[Epoch(**epoch) for epoch in json.loads(about["history"])],
        best=int(about["best"]),
    )


def _load(path: Path, network: nn.Module, optimiser: AdamW, tensors: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(_named("network.", tensors))
        optimiser.load(_named("optimiser.", tensors))
    except (RuntimeError, ValueError) as error:
        raise RunError(
            f"{path} holds the weights of another network", seen=str(error).splitlines()[0]
        ) from error
    torch.set_rng_state(tensors["chance"])


def _named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
