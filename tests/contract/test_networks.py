"""The contract that every network keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from digitlens import models
from digitlens.digits import Digits
from digitlens.errors import UsageError
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers
from digitlens.models.inference import Model
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import apply

NAMES = list(models.NETWORKS)
assert NAMES, "there are networks to test"

CARD = ModelCard("n-1", "n", "made up", "none", 1, 0, 1, 1, 1, 1, "2026-01-01T00:00:00+00:00")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Return each network's name in turn."""
    return str(request.param)


def built(name: str, seed: int = 0) -> Any:
    """Return the network with normalisation that is not the identity."""
    torch.manual_seed(seed)
    network = models.build(name)
    network.train()
    for _ in range(3):
        network(torch.rand(32, 1, 28, 28))
    return network.eval()


def test_takes_any_batch_and_gives_finite_logits(name: str) -> None:
    """Every network turns (N, 1, 28, 28) into finite (N, 10), or 11 where it knows no digit."""
    network = built(name)
    outputs = 11 if models.load_recipe(name).negatives else 10
    for count in (1, 2, 7):
        logits = network(torch.rand(count, 1, 28, 28))
        assert logits.shape == (count, outputs)
        assert torch.isfinite(logits).all()


def test_answers_a_batch_as_one_by_one(name: str) -> None:
    """In evaluation mode the neighbours of a digit do not change its answer."""
    network = built(name)
    x = torch.rand(5, 1, 28, 28)
    alone = torch.cat([network(one[None]) for one in x])
    torch.testing.assert_close(network(x), alone, rtol=1e-4, atol=1e-4)


def test_has_the_counts_its_file_states(name: str) -> None:
    """Weights and multiply-adds are those that the network's file asserts."""
    stated, summary = models.find_architecture(name), models.summary(name)
    assert summary.weights == stated.weights
    assert summary.multiply_adds == stated.multiply_adds


def test_same_seed_gives_same_first_weights(name: str) -> None:
    """Torch's seed decides the first weights, and another seed gives others."""

    def first(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([p.detach().flatten() for p in models.build(name).parameters()])

    assert torch.equal(first(3), first(3))
    assert not torch.equal(first(3), first(4))


def test_one_step_lowers_the_loss(name: str, digits: Digits) -> None:
    """A small step against the gradient lowers the loss on the same batch."""
    torch.manual_seed(0)
    network = models.build(name).train()
    x = torch.from_numpy(digits.images[:100]).unsqueeze(1).float() / 255
    y = torch.from_numpy(digits.labels[:100].astype(np.int64))
    before = functional.cross_entropy(network(x), y)
    before.backward()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.grad is not None:
                parameter.sub_(1e-3 * parameter.grad)
    assert functional.cross_entropy(network(x), y) < before


def test_export_answers_as_the_original(name: str, digits: Digits) -> None:
    """ONNX Runtime and the folded operations agree with torch to within 1e-4."""
    network = built(name)
    pixels = np.concatenate([digits.images[:40], np.full((1, 28, 28), 255, np.uint8)])
    with torch.inference_mode():
        logits = network(torch.from_numpy(pixels).unsqueeze(1).float() / 255)
    ops = fuse_layers(network)
    model = Model(Path("x.onnx"), to_onnx(ops, CARD))
    ten, given = logits[:, :10], model.predict(pixels)
    np.testing.assert_allclose(model.logits(pixels), ten.numpy(), atol=1e-4, rtol=1e-5)
    np.testing.assert_allclose(apply(ops, pixels), logits.numpy(), atol=1e-4, rtol=1e-5)
    np.testing.assert_allclose(given.probabilities, ten.softmax(1).numpy(), atol=1e-4)
    if logits.shape[1] == len(("no digit", *range(10))):
        assert given.no_digit is not None
        np.testing.assert_allclose(given.no_digit, logits.softmax(1)[:, 10].numpy(), atol=1e-4)
    else:
        assert given.no_digit is None


def test_summary_names_every_layer(name: str) -> None:
    """The printed summary has a line for each layer, and the totals at its end."""
    summary = models.summary(name)
    lines = summary.text().splitlines()
    assert lines[0] == name
    assert len(lines) == 4 + len(summary.rows)
    assert f"{summary.weights:,}" in lines[-1]


def test_lenet5_has_the_layers_of_1998() -> None:
    """Weights and connections of each layer are those of the paper, section II.B."""
    rows = [row for row in models.summary("lenet5").rows if row.layer not in {"ScaledTanh"}]
    assert [row.weights for row in rows] == [0, 156, 12, 1516, 32, 48_120, 0, 10_164, 0]
    assert sum(row.weights for row in rows) == 60_000
    shapes = [row.shape for row in rows]
    assert shapes == [
        (1, 32, 32),
        (6, 28, 28),
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (120, 1, 1),
        (120,),
        (84,),
        (10,),
    ]


def test_lenet5_has_the_connections_of_1998() -> None:
    """The connections are the paper's 340,908, biases and subsampled inputs counted in."""
    connections = 0
    for row in models.summary("lenet5").rows:
        places = int(np.prod(row.shape[1:]))
        if row.layer == "Subsample":
            connections += row.shape[0] * places * (4 + 1)
        elif row.layer == "BitmapDistance":
            connections += row.multiply_adds
        else:
            connections += row.weights * places
    assert connections == 340_908


def test_an_unknown_network_offers_the_nearest() -> None:
    """A misspelt name is answered with the list and the likely one."""
    with pytest.raises(UsageError) as caught:
        models.build("lenet")
    assert str(caught.value) == (
        "'lenet' is no network\n"
        "  seen    known: dense, course-cnn, lenet5, quick, convnet, cnn, best, tiny,\n"
        "          dense-deformed, universal, fast; readers of lines: reader,\n"
        "          reader-wide, reader-world, signs, rescorer\n"
        "  try     did you mean 'lenet5'?"
    )
