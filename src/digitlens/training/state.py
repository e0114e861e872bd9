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
    from collections.abc import Callable, Mapping
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
    about = {
        "step": str(state.step),
        "seconds": repr(state.seconds),
        "best": str(state.best),
        "history": json.dumps([asdict(epoch) for epoch in state.history]),
    }
    return packed(tensors, about)


def packed(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """Return tensors and words, with the state of torch's generator, as one file's bytes."""
    whole = {**tensors, "chance": torch.get_rng_state()}
    contiguous = {name: value.detach().cpu().contiguous() for name, value in whole.items()}
    return safetensors.torch.save(contiguous, metadata={"format": FORMAT, **about})


def unpack(path: Path, network: nn.Module, optimiser: AdamW) -> State:
    """Bring `network` and `optimiser` to the state that `path` holds.

    Raises
    ------
    RunError
        The file is missing, damaged, of another format, or of another network.
    """
    tensors, about = unpacked(path)
    load(path, tensors, {"network": network.load_state_dict, "optimiser": optimiser.load})
    return State(
        step=int(about["step"]),
        seconds=float(about["seconds"]),
        history=[Epoch(**epoch) for epoch in json.loads(about["history"])],
        best=int(about["best"]),
    )


def unpacked(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and words that `packed` gave.

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


def load(
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
