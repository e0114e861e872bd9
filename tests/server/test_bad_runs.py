"""Run folders that are damaged, or mean no good: each costs its own line and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.models.checksum import PUBLISHED_FOLDER

Check = Callable[..., dict[str, Any]]

CONFIG = 'format = 1\n[run]\nnetwork = "linear"\nseed = 1\n'
METRICS = '{"validation": {"misses": 1, "count": 10}}'

# By name: what config.toml, metrics.json and history.csv hold; a list is a kind of file.
BAD: dict[str, dict[str, str]] = {
    "nan": {"metrics.json": '{"validation": {"misses": NaN, "count": 1}}'},
    "huge": {"metrics.json": '{"validation": {"misses": 1e999, "count": 1}}'},
    "deep": {"metrics.json": "[" * 100_000},
    "list": {"metrics.json": "[1]"},
    "bytes": {"metrics.json": "\udcff"},
    "text": {"metrics.json": '{"validation": "a few"}'},
    "pipe": {"metrics.json": "PIPE"},
    "circle": {"metrics.json": "CIRCLE"},
    "folder": {"metrics.json": "FOLDER"},
    "config-deep": {"config.toml": "a = " + "[" * 100_000},
    "config-pipe": {"config.toml": "PIPE"},
    "config-circle": {"config.toml": "CIRCLE"},
    "config-date": {"config.toml": "format = 1\n[run]\nnetwork = 2020-01-01\n"},
    "config-table": {"config.toml": "format = 1\nrun = 3\n"},
    "config-versions": {"config.toml": "format = 2\nversions = 3\n"},
    "model-pipe": {"model.onnx": "PIPE"},
    "model-circle": {"model.onnx": "CIRCLE"},
    "model-empty": {"model.onnx": ""},
}


def write(path: Path, content: str) -> None:
    """Write a file, or what is no file."""
    path.unlink(missing_ok=True)
    if content == "PIPE":
        os.mkfifo(path)
    elif content == "CIRCLE":
        path.symlink_to(path.name)
    elif content == "FOLDER":
        path.mkdir()
    else:
        path.write_bytes(content.encode(errors="surrogateescape"))


def make_run(runs: Path, name: str, **files: str) -> None:
    """Write a run folder that is finished and right but for `files`."""
    (runs / name).mkdir(parents=True)
    shutil.copy(PUBLISHED_FOLDER / "tiny.onnx", runs / name / "model.onnx")
    for file, content in {"config.toml": CONFIG, "metrics.json": METRICS, **files}.items():
        write(runs / name / file, content)


def test_a_bad_run_costs_its_own_line(lab: Any, problem: Check) -> None:
    """Whatever a run folder holds, the lists have all the others, and their networks answer."""
    runs = Path("runs/train")
    make_run(runs, "good-1")
    for name, files in BAD.items():
        make_run(runs, name, **files)
    listed = {run["name"] for run in lab.get("/v1/runs").json()["runs"]}
    assert listed == {"good-1", "model-pipe", "model-circle", "model-empty"}
    kinds = lab.get("/v1/networks").json()["networks"]
    named = {one["name"] for one in kinds if one["kind"] == "run"}
    assert "good-1" in named
    assert not named & {"model-pipe", "model-circle", "model-empty"}
    assert lab.get("/v1/runs/good-1").json()["validation"] == {"misses": 1, "count": 10}
    for name in BAD.keys() - listed:
        response = lab.get(f"/v1/runs/{name}")
        problem(response, 404 if name in ("config-pipe", "config-circle") else 409)
    for name in ("model-pipe", "model-circle", "model-empty"):
        problem(lab.get(f"/v1/networks/{name}"), 404 if name == "model-circle" else 422)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.toml", CONFIG + "[data]\ncounts = 3\n"),
        ("config.toml", CONFIG + "[recipe]\nrate = nan\n"),
        ("config.toml", CONFIG + "[recipe]\nat = 2020-01-01\n"),
        ("history.csv", "epoch,train_loss\n1,nan\n"),
        ("history.csv", "PIPE"),
        ("history.csv", "epoch," + "a" * 200_000 + "\n1,1\n"),
    ],
)
def test_a_bad_run_is_told(lab: Any, problem: Check, name: str, content: str) -> None:
    """A run whose details cannot be told as JSON is 409, and says what is damaged."""
    make_run(Path("runs/train"), "bad-1", **{"history.csv": "", name: content})
    problem(lab.get("/v1/runs/bad-1"), 409)
