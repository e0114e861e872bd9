"""A published network as a teacher: its logits for the digits of an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from digitlens.digits import CLASSES
from digitlens.errors import ModelError
from digitlens.models.inference import Model, load_model, published_names
from digitlens.models.onnx_reader import parse_program
from digitlens.models.ops import Cascade, Ensemble, count_outputs
from digitlens.models.rebuild import rebuild
from digitlens.runs import RUNS, find_newest_finished

if TYPE_CHECKING:
    from torch import Tensor

    from digitlens.training.device import Device
    from digitlens.training.digit_task import Teacher


CHUNK = 500


def find_teacher(name: str) -> Model:
    """Return the network `name` that is to teach.

    It is the published one, else the run folder or .onnx file of that name, else the newest
    finished run of it in this folder.
    """
    if name in published_names() or Path(name).exists():
        return load_model(name)
    finished = find_newest_finished(name)
    if finished is None:
        raise ModelError(
            f"{name} must be there to teach: published, or a finished run of it",
            seen=f"published: {', '.join(published_names())}; none in {RUNS}",
            try_=f"digitlens train {name} --validation 0",
        )
    return load_model(finished)


def make_teacher(model: Model, outputs: int, device: Device) -> Teacher:
    """Return `model` as a teacher of a network with `outputs` logits.

    It answers in torch, in the precision of `device`: an ensemble in bfloat16 is four times
    as fast as by the engine that answers users.
    """
    program = parse_program(model.path.read_bytes(), name=model.name)
    assert not isinstance(program, Cascade), "a cascade is no teacher"
    if count_outputs(program) < outputs:
        raise ModelError(
            f"{model.name} must have {outputs} outputs to teach a network with as many",
            seen=f"{count_outputs(program)}",
            likely='it has none for "no digit"' if outputs > CLASSES else None,
        )
    several = program.members if isinstance(program, Ensemble) else (program,)
    members = [
        rebuild(ops).to(device.kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for ops in several
    ]

    @torch.inference_mode()
    def mean(images: Tensor) -> Tensor:
        pixels = images.unsqueeze(1).float().div_(255)
        with device.precision():
            answers = [member(pixels).float() for member in members]
        return torch.stack(answers).mean(0)[:, :outputs]

    def teach(images: Tensor) -> Tensor:
        # A copy outside inference mode may take part in training.
        return torch.cat([mean(part) for part in torch.split(images, CHUNK)]).clone()

    return teach
