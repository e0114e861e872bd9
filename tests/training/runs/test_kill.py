"""A run that is killed at any moment can be gone on with, to the same weights."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.training import train

CHILD = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path

from digitlens import models, training
from digitlens.training.config import NullCallback

data, out, *points = sys.argv[1:]
replace_file = Path.replace

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Killing(NullCallback):
    def step(self, done):
        if point == f"step {done}":
            die()

def move(self, target):
    seen[target.name] = seen.get(target.name, 0) + 1
    if point == f"write {seen[target.name]} of {target.name}":
        die()
    return replace_file(self, target)

seen = {}
Path.replace = move
recipe = replace(models.load_recipe("quick"), batch=50)
import digitlens.training.digit_run  # torch, once for all forks
for point in points:
    if (child := os.fork()) == 0:
        folder = Path(out, point)
        training.train(
            "quick", data, epochs=3, seed=1, out=folder, recipe=recipe, progress=Killing()
        )
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

POINTS = [
    "step 3",  # before any checkpoint
    "step 7",  # in the middle of the second epoch
    "write 2 of weights.safetensors",
    "write 2 of last.safetensors",  # the new best weights are there, the state is the old one
    "write 1 of model.onnx",
    "write 1 of metrics.json",  # all but the word that it is finished
]


@pytest.fixture(scope="module")
def source(make_digits: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of made-up digits that both processes read."""
    digits: Digits = make_digits(300, seed=5)  # type: ignore[operator]
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=digits.images, labels=digits.labels)
    return path


@pytest.fixture(scope="module")
def killed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run for each point at which its process killed itself.

    One more, "never", is whole. A process that has imported torch forks for each of them.
    """
    out = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-c", CHILD, str(source), str(out), "never", *POINTS]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    ends = [0] + len(POINTS) * [-signal.SIGKILL]
    assert [int(line) for line in child.stdout.split()] == ends, child.stderr
    return out


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_run_goes_on_to_the_same_weights(
    point: str, source: Path, killed: Path
) -> None:
    """Kill -9 leaves a folder that --resume finishes as if nothing had been."""
    out = killed / point
    assert not (out / "metrics.json").exists()
    train("quick", source, out=out, resume=True)
    whole = (killed / "never" / "weights.safetensors").read_bytes()
    assert (out / "weights.safetensors").read_bytes() == whole
    assert json.loads((out / "metrics.json").read_text())["epochs"] == 3
