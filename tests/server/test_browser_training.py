"""Gradients and training in the page's own JavaScript give the numbers that torch gives."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from digitlens import load_digits, load_model
from digitlens.explain import explain
from digitlens.models.checksum import verify_checksum
from digitlens.models.convert import rebuild
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.own import RECIPE, build_layers
from digitlens.server.export import NETWORKS
from digitlens.training.checkpoint import SGD, AdamW
from digitlens.training.distort import KNOTS, _sample_sources, sampling_matrix

SCRIPTS = Path(__file__).parent / "javascript"
RATE = 0.01


def run_script(node: str, name: str, *options: str, told: Any) -> Any:
    """Return what a script answers to JSON."""
    command = [node, str(SCRIPTS / name), *options]
    result = subprocess.run(
        command, input=json.dumps(told).encode(), capture_output=True, check=True
    )
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "count", [4, pytest.param(48, marks=pytest.mark.slow)], ids=["some", "dozens"]
)
@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_are_those_of_python(
    exported: Path, node: str, network: str, count: int
) -> None:
    """Integrated gradients of the exported lab are Python's, pixel by pixel, to 1e-4."""
    images = load_digits("uci").test.images[: count if network == "tiny" else count // 4]
    query = {"network": network, "frame": False, "gradients": True}
    asked = [
        {
            "method": "POST",
            "path": "/v1/explain",
            "query": query,
            "body": {"pictures": [image.tolist()]},
        }
        for image in images
    ]
    model = load_model(network)
    for image, answered in zip(
        images, run_script(node, "ask.js", str(exported), told=asked), strict=True
    ):
        expected = explain(model, image, gradients=True)
        assert answered["digit"] == expected.as_dict()["digit"]
        assert np.abs(np.array(answered["gradients"]) - expected.gradients).max() <= 1e-4


@pytest.mark.parametrize(
    ("layers", "optimizer", "activation"),
    [
        ("dense12", "adamw", "relu"),
        ("conv4,pool,conv6x2/2,dense9", "adam", "tanh"),
        ("conv3x5,pool3,dense8,dense7", "sgd", "relu"),
        ("conv3x5,dense8", "sgd", "sigmoid"),
        ("conv3x5/2,dense8", "adamw", "none"),
    ],
)
def test_a_step_is_that_of_torch(
    node: str, layers: str, optimizer: str, activation: str
) -> None:
    """Three steps on the same weights and digits leave the same weights, to 1e-4."""
    digits = load_digits("uci").train
    images, labels = digits.images[:24], digits.labels[:24]
    torch.manual_seed(3)
    network = build_layers(layers, activation)
    parameters = list(network.parameters())
    decay = 0.0 if optimizer == "adam" else RECIPE.weight_decay
    told = {
        "layers": layers,
        "activation": activation,
        "weights": [parameter.tolist() for parameter in parameters],
        "pixels": images.tolist(),
        "labels": labels.tolist(),
        "recipe": {"optimizer": optimizer, "decay": decay},
        "rate": RATE,
        "steps": 3,
        "fits": [],
    }
    answered = run_script(node, "train.js", told=told)
    rule = (SGD if optimizer == "sgd" else AdamW)(
        parameters,
        betas=RECIPE.betas if optimizer != "sgd" else (0.9, 0.99),
        weight_decay=decay,
    )
    pixels = torch.from_numpy(images).unsqueeze(1).float() / 255
    for loss in answered["losses"]:
        expected = torch.nn.functional.cross_entropy(
            network(pixels), torch.from_numpy(labels.astype(np.int64))
        )
        assert loss == pytest.approx(expected.item(), abs=1e-4)
        rule.clear()
        expected.backward()  # type: ignore[no-untyped-call]
        rule.step(RATE)
    for values, parameter in zip(answered["weights"], parameters, strict=True):
        assert np.abs(np.array(values) - parameter.detach().numpy().ravel()).max() <= 1e-4
    assert np.array(answered["first"]) * 255 == pytest.approx(
        np.array(answered["weights"][0]), abs=1e-6
    )


@pytest.mark.parametrize("augment", ["light", "strong"])
def test_digits_are_augmented_as_in_python(node: str, augment: str) -> None:
    """The same draws move the same pixels: places to 1e-4, grey values to 1."""
    recipe = RECIPE.adjust(augment=augment)
    images = load_digits("uci").train.images[:3]
    cases, expected = [], []
    for seed, image in enumerate(images):
        rng = torch.Generator().manual_seed(seed)
        draws = torch.rand(6, generator=rng).mul_(2).sub_(1)
        knots = torch.randn(1, 2, KNOTS, KNOTS, generator=rng)
        case = [image.ravel().tolist(), draws.tolist(), knots.flatten().tolist()]
        cases.append(case)
        sources = _sample_sources(recipe, torch.Generator().manual_seed(seed))
        flat = torch.from_numpy(image).float().reshape(1, -1) @ sampling_matrix(sources)
        expected.append((sources.flatten(), flat.add(0.5).clamp(0, 255).to(torch.uint8)))
    answered = run_script(node, "augment.js", told={"augment": augment, "cases": cases})
    for given, (sources, pixels) in zip(answered, expected, strict=True):
        assert np.abs(np.array(given["sources"]) - sources.numpy()).max() <= 1e-4
        assert np.abs(np.array(given["pixels"], int) - pixels.numpy().ravel()).max() <= 1


@pytest.mark.parametrize("network", ["cnn", "universal"])
def test_a_network_of_the_page_is_a_file_of_python(
    exported: Path, node: str, network: str, tmp_path: Path
) -> None:
    """What the page saves without a server loads with its card, and answers alike."""
    model, images = load_model(network), load_digits("uci").test.images[:40]
    path = tmp_path / f"{network}.onnx"
    run_script(node, "save.js", str(exported), network, str(path), told=None)
    again = load_model(path)
    assert again.card == model.card
    assert verify_checksum(path, path.read_bytes())
    answers, known = again.predict(images), model.predict(images)
    np.testing.assert_allclose(answers.probabilities, known.probabilities, atol=1e-5)
    np.testing.assert_allclose(answers.no_digit, known.no_digit, atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "none"])
def test_a_run_of_the_page_is_a_model_of_python(
    node: str, tmp_path: Path, activation: str
) -> None:
    """A network trained in the browser is asked, explained and trained further in Python."""
    path, images = tmp_path / "custom-1.onnx", load_digits("uci").test.images[:5]
    told = {"layers": "conv3x5/2,pool,dense8", "activation": activation}
    answered = run_script(node, "save.js", str(path), told=told | {"pixels": images.tolist()})
    model = load_model(path)
    assert (model.card.network, model.card.validation) == ("custom", {"misses": 2, "count": 10})
    np.testing.assert_allclose(model.logits(images), answered, atol=1e-4, rtol=1e-4)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert explain(model, images[0], gradients=False).maps
    assert rebuild(parse_onnx(path.read_bytes(), name="x"))


def test_a_recipe_is_fitted_as_in_python(node: str) -> None:
    """Batch, epochs and learning rate of few digits are those of the command line."""
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 1294),
        ({}, 130),
        ({"batch": 32, "learning_rate": 0.01}, 518),
        ({"optimizer": "sgd"}, 1294),
        ({"optimizer": "adam", "epochs": 3}, 240),
    ]
    told = {
        "layers": "dense1",
        "weights": [],
        "pixels": [],
        "labels": [],
        "recipe": {},
        "rate": 0,
        "steps": 0,
        "fits": cases,
    }
    answered = run_script(node, "train.js", told=told | {"weights": [[], [], [], []]})
    for (wish, count), fitted in zip(cases, answered["fits"], strict=True):
        changes = {name: value for name, value in wish.items() if name != "epochs"}
        recipe = RECIPE.fit_to(count).adjust(**changes)
        assert fitted["batch"] == recipe.batch
        assert fitted["epochs"] == wish.get("epochs", recipe.epochs)
        assert fitted["rate"] == pytest.approx(recipe.learning_rate)
    assert [round(rate, 3) for rate in answered["rates"]] == [
        *(0.2, 0.4, 0.4, 0.333, 0.267, 0.2, 0.133, 0.067)
    ]
