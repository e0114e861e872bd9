"""Torch networks made from a file answer as the file, so gradients are the model's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from digitlens import models
from digitlens.digits import Digits
from digitlens.errors import ModelError
from digitlens.explain.gradients import integrated_gradients
from digitlens.explain.occlusion import log_odds
from digitlens.models.card import ModelCard
from digitlens.models.convert import quantize_first_layer, to_module
from digitlens.models.inference import Model, load_model
from digitlens.models.onnx_reader import parse_onnx, read_program
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Conv, Flatten, Linear, MaxPool, Op, Relu, Residual, apply

Fresh = Callable[..., list[Op]]


def numbers(*shape: int) -> Any:
    """Return weights of chance that keep values small."""
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)


def residual() -> list[Op]:
    """Return a network with padding, groups, strides, a shortcut and pooling."""
    return [
        Conv(numbers(4, 1, 3, 3) / 255, numbers(4), (2, 1), (1, 0)),
        Relu(),
        Residual((Conv(numbers(4, 2, 3, 3), numbers(4), padding=(1, 1), groups=2), Relu())),
        MaxPool(2),
        Flatten(),
        Linear(numbers(10, 4 * 7 * 13), numbers(10)),
    ]


def by_name(fresh: Fresh, name: str) -> list[Op]:
    """Return the operations of an untrained network, or of `residual`."""
    if name == "residual":
        return residual()
    ops = fresh(name.removesuffix(" in bytes"))
    return quantize_first_layer(ops) if name.endswith("in bytes") else ops


@pytest.mark.parametrize("name", [*models.NETWORKS, "dense in bytes", "residual"])
def test_a_network_from_a_file_answers_as_the_file(
    name: str, digits: Digits, tmp_path: Any, fresh: Fresh, card: ModelCard
) -> None:
    """Every operation that a file can hold gives in torch what it gives in ONNX Runtime."""
    content = to_onnx(by_name(fresh, name), card)
    images = digits.images[:5]
    wanted = Model(tmp_path / "x.onnx", content, threads=1).logits(images)
    pixels = torch.from_numpy(images).unsqueeze(1).float() / 255
    network = to_module(read_program(content, name="x").ops())
    with torch.inference_mode():
        logits = network(pixels)[:, :10].numpy()
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["lenet5", "dense in bytes", "residual"])
def test_operations_come_back_from_their_file(
    name: str, digits: Digits, fresh: Fresh, card: ModelCard
) -> None:
    """What is read is what was written, the layers of 1998 and shortcuts included."""
    ops = by_name(fresh, name)
    again = read_program(to_onnx(ops, card), name="x").ops()
    assert [type(op) for op in again] == [type(op) for op in ops]
    images = digits.images[:5]
    np.testing.assert_allclose(apply(again, images), apply(ops, images), rtol=1e-6, atol=1e-6)


def test_gradients_leave_torchs_generator_alone(digits: Digits) -> None:
    """Who draws after an explanation draws what they would have drawn without it."""
    model, digit = load_model("tiny"), digits.images[3]
    ops = parse_onnx(model.path.read_bytes(), name="tiny")
    odds = float(log_odds(model.logits(digit[None]).astype(np.float64), 1)[0])
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    integrated_gradients([ops], digit, 1, odds=odds)
    assert torch.equal(torch.rand(3), wanted)


def test_other_log_odds_are_refused(digits: Digits) -> None:
    """Gradients of a network that does not answer as the model would explain another answer."""
    with pytest.raises(ModelError, match=r"torch comes to log-odds .*, not 99\.000"):
        integrated_gradients([residual()], digits.images[0], 1, odds=99.0)
