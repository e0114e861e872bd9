"""The recipes on real MNIST: what they reach on writers that they have not seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digitlens.data import load_digits
from digitlens.metrics.diagnosis import Verdict
from digitlens.training import train

FLOORS = {"quick": 98.4, "dense": 97.4, "convnet": 99.2, "lenet5": 98.2}
"""Validation accuracy in per cent that a sound recipe stays above, whatever the machine."""


@pytest.fixture(autouse=True)
def real_mnist() -> None:
    """Skip loudly where there is no MNIST."""
    if not os.environ.get("DIGITLENS_DATA"):
        pytest.skip("DIGITLENS_DATA is not set: it must name a folder with MNIST's files")


@pytest.mark.parametrize(
    "network",
    [
        "quick",
        *(pytest.param(name, marks=pytest.mark.slow) for name in FLOORS if name != "quick"),
    ],
)
def test_a_recipe_learns_to_read(network: str, tmp_path: Path) -> None:
    """Trained by its recipe, a network reads unseen writers as well as it should."""
    run = train(network, "mnist", out=tmp_path / "run")
    assert run.count == 6_071
    assert 100 * (1 - run.misses / run.count) >= FLOORS[network]
    validation = load_digits("mnist").validation
    answers = run.model.predict(validation.images)
    assert int((answers.labels != validation.labels).sum()) == run.misses


@pytest.mark.slow
def test_the_fully_connected_network_overfits_in_twelve_epochs(tmp_path: Path) -> None:
    """What the course shows is what the demo shows, and the words say it."""
    run = train("dense", "mnist", epochs=12, out=tmp_path / "run")
    assert run.diagnosis.verdict in (Verdict.OVERFITS, Verdict.MAY_OVERFIT)
