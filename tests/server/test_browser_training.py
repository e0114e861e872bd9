"""Gradients and training in the page's own JavaScript give the numbers that torch gives."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens import load_digits, load_model
from digitlens.explain import explain
from digitlens.models.own import RECIPE, build_layers
from digitlens.server.export import NETWORKS
from digitlens.training.checkpoint import SGD, AdamW

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
    ("layers", "optimizer"),
    [
        ("dense12", "adamw"),
        ("conv4,pool,conv6x2/2,dense9", "adam"),
        ("conv3x5,pool3,dense8,dense7", "sgd"),
    ],
)
def test_a_step_is_that_of_torch(node: str, layers: str, optimizer: str) -> None:
    """Three steps on the same weights and digits leave the same weights, to 1e-4."""
    digits = load_digits("uci").train
    images, labels = digits.images[:24], digits.labels[:24]
    torch.manual_seed(3)
    network = build_layers(layers)
    parameters = list(network.parameters())
    decay = 0.0 if optimizer == "adam" else RECIPE.weight_decay
    told = {
        "layers": layers,
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
