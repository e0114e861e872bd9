"""What training changes, the optimizer, and the checkpoint file that holds all of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim.adamw import adamw

from digitlens.errors import RunError
from digitlens.metrics.history import Epoch, LinePoint
from digitlens.models.recipe import BaseRecipe

# A row of the history: the figures of one evaluation.
Row = TypeVar("Row", bound="Epoch | LinePoint")

FORMAT = "2"
READABLE = {"1", FORMAT}

# What format 1 called tensors, or their first part.
OLD_NAMES = {"optimiser": "optimizer", "losses.all": "losses", "chance": "rng"}


@dataclass
class TrainState(Generic[Row]):
    """All that training changes."""

    network: nn.Sequential  # what learns
    optimizer: AdamW  # of the network's parameters
    # float32: the loss of each step since the last evaluation, as long as an interval
    losses: Tensor
    # the running mean of the network's weights, where the recipe keeps that in the end
    average: nn.Module | None = None
    step: int = 0  # steps that are done
    seconds: float = 0.0  # time spent since the last evaluation
    history: list[Row] = field(default_factory=list)  # the evaluations so far
    best: int = 0  # the evaluation (1-based) whose weights are kept so far; 0 before the first

    @property
    def kept(self) -> nn.Module:
        """The network that is evaluated and kept: the running mean where there is one."""
        return self.network if self.average is None else self.average


def begin_training(
    network: nn.Module, recipe: BaseRecipe, interval: int, device: str, *, average: bool = False
) -> TrainState[Row]:
    """Return the state before the first step, on the device of this kind.

    interval: steps from one evaluation to the next
    average: whether a running mean of the weights is kept
    """
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kind = getattr(recipe, "optimizer", "adamw")
    optimizer = (SGD if kind == "sgd" else AdamW)(
        network.parameters(),
        betas=recipe.betas,
        weight_decay=0.0 if kind == "adam" else recipe.weight_decay,
    )
    mean = copy.deepcopy(network) if average else None
    return TrainState(network, optimizer, torch.zeros(interval, device=device), mean)  # type: ignore[arg-type]


def encode_checkpoint(state: TrainState[Row]) -> bytes:
    """Return everything that resuming needs, as the bytes of one safetensors file."""
    parts = {"network": state.network.state_dict(), "optimizer": state.optimizer.state()}
    if state.average is not None:
        parts["average"] = state.average.state_dict()
    tensors = {
        f"{part}.{name}": value
        for part, values in parts.items()
        for name, value in values.items()
    }
    tensors |= {"losses": state.losses, "rng": torch.get_rng_state()}
    metadata = {
        "format": FORMAT,
        "step": str(state.step),
        "seconds": repr(state.seconds),
        "best": str(state.best),
        "history": json.dumps([asdict(row) for row in state.history]),
    }
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return safetensors.torch.save(contiguous, metadata=metadata)


def load_checkpoint(path: Path, state: TrainState[Row], row: type[Row]) -> None:
    """Bring `state`, and torch's generator, to what the file `path` holds.

    Raises RunError: the file is missing, damaged, of another format, or of another network.
    """
    tensors, metadata = _read_tensors(path)
    try:
        state.network.load_state_dict(_select("network.", tensors))
        state.optimizer.load(_select("optimizer.", tensors))
        if state.average is not None:
            state.average.load_state_dict(_select("average.", tensors))
        if "losses" in tensors:  # format 1 kept none for digits
            state.losses.copy_(tensors["losses"])
    except (RuntimeError, ValueError) as error:
        raise RunError(
            f"{path} holds the weights of another network", seen=str(error).splitlines()[0]
        ) from error
    try:
        torch.set_rng_state(tensors["rng"])
        state.step = int(metadata["step"])
        state.seconds = float(metadata["seconds"])
        state.history = [row(**values) for values in json.loads(metadata["history"])]
        state.best = int(metadata.get("best", len(state.history)))
    except (KeyError, TypeError, ValueError, RuntimeError, RecursionError) as error:
        raise RunError(f"{path} is damaged", seen=f"{type(error).__name__}: {error}") from error


def _read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata, with the names that format 1 used brought up to date."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {_rename(name): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise RunError(
            f"{path} cannot be read", seen=str(error), try_="start a new run without --resume"
        ) from error
    if metadata.get("format") not in READABLE:
        raise RunError(
            f"{path} must be of format {FORMAT}",
            seen=f"format {metadata.get('format')!r}",
            likely="another version of digitlens wrote it",
            try_="go on with the version that config.toml names, or start a new run",
        )
    return tensors, metadata


def _rename(name: str) -> str:
    first, dot, rest = name.partition(".")
    return OLD_NAMES.get(name, OLD_NAMES.get(first, first) + dot + rest)


def _select(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


EPSILON = 1e-8


class _Group:
    """Parameters that share one weight decay, and their running moments."""

    def __init__(self, parameters: list[nn.Parameter], weight_decay: float) -> None:
        self.parameters = parameters
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = [torch.zeros((), device=parameter.device) for parameter in parameters]


class AdamW:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101).

    parameters: what is trained. Weights and kernels (two dimensions and more) are pulled
        towards zero by `weight_decay`; biases and normalisation are not.
    betas: decay rates of the mean and of the squared gradient
    weight_decay: share of the learning rate by which weights shrink at each step
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        betas: tuple[float, float],
        weight_decay: float,
    ) -> None:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        self.betas = betas
        self._groups = [
            _Group([p for p in trained if p.ndim > 1], weight_decay),
            _Group([p for p in trained if p.ndim <= 1], 0.0),
        ]

    def clear(self) -> None:
        """Forget all gradients."""
        for group in self._groups:
            for parameter in group.parameters:
                parameter.grad = None

    def step(self, rate: float) -> None:
        """Change the parameters by their gradients at learning rate `rate`."""
        for group in self._groups:
            gradients = [parameter.grad for parameter in group.parameters]
            if not gradients:
                continue
            with torch.no_grad():
                adamw(
                    list(group.parameters),
                    [gradient for gradient in gradients if gradient is not None],
                    group.means,
                    group.squares,
                    [],
                    group.steps,
                    fused=True,
                    amsgrad=False,
                    beta1=self.betas[0],
                    beta2=self.betas[1],
                    lr=rate,
                    weight_decay=group.weight_decay,
                    eps=EPSILON,
                    maximize=False,
                )

    def state(self) -> dict[str, Tensor]:
        """Return the running moments and step counts by name; the tensors are the live ones."""
        tensors = {}
        for number, group in enumerate(self._groups):
            slots = zip(group.means, group.squares, group.steps, strict=True)
            for index, (mean, square, step) in enumerate(slots):
                tensors[f"{number}.{index}.mean"] = mean
                tensors[f"{number}.{index}.square"] = square
                tensors[f"{number}.{index}.step"] = step
        return tensors

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Bring the state to what `state` returned before."""
        current = self.state()
        if current.keys() != state.keys():
            raise ValueError("the optimizer's state is that of other parameters")
        for name, tensor in current.items():
            if tensor.shape != state[name].shape:
                raise ValueError(f"{name} must be {tuple(tensor.shape)}")
            # Copying keeps each tensor's layout in memory: the fused update walks over memory,
            # so a mean must lie in the same order (channels last) as its parameter.
            tensor.copy_(state[name])


class SGD(AdamW):
    """Gradient descent with momentum: the first of `betas`; the second means nothing to it."""

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Change the parameters by the running sum of their gradients."""
        for group in self._groups:
            for parameter, mean in zip(group.parameters, group.means, strict=True):
                if parameter.grad is not None:
                    gradient = parameter.grad + group.weight_decay * parameter
                    mean.mul_(self.betas[0]).add_(gradient)
                    parameter.sub_(mean, alpha=rate)
