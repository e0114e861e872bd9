"""Training runs of a line reader, from digits to a finished folder."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens.data import DataSplits
from digitlens.errors import (
    DataError,
    ModelError,
    RunError,
    StoppedError,
    UsageError,
    WorkerError,
)
from digitlens.models.card import LOG_PROBS, STRIP
from digitlens.models.convert import load_reader
from digitlens.models.recipe import LineRecipe
from digitlens.training import Run, line_task
from digitlens.training.config import NullCallback
from digitlens.training import train_reader
from digitlens.training.results import ReaderRun

FILES = {
    "config.toml",
    "history.csv",
    "history.png",
    "metrics.json",
    "weights.safetensors",
    "last.safetensors",
    "model.onnx",
    "card.md",
}

RECIPE = LineRecipe(
    steps=6,
    batch=2,
    warmup_steps=2,
    decay_steps=2,
    frame_loss_steps=3,
    eval_every=2,
    widths=(4, 6, 8, 8),
    style="clean",
)


@pytest.fixture(autouse=True, scope="module")
def few_lines() -> Any:
    """Measure each point on few lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_task, "VALIDATION_LINES", 64)
        yield


@pytest.fixture(scope="module")
def read(
    small: DataSplits, few_lines: None, tmp_path_factory: pytest.TempPathFactory
) -> ReaderRun:
    """Return a finished run of a small reader, whose lines another process wrote."""
    out = tmp_path_factory.mktemp("runs") / "reader-1"
    return train_reader("reader", small, recipe=RECIPE, seed=1, out=out, writers=1)


def test_a_run_folder_holds_what_is_promised(read: ReaderRun) -> None:
    """All eight files are there, none is a pickle, no temporary file and no process is left."""
    assert {path.name for path in read.folder.iterdir()} == FILES | {".lock"}
    config = tomllib.loads((read.folder / "config.toml").read_text())
    assert config["run"] == {"network": "reader", "seed": 1}
    assert config["recipe"]["widths"] == [4, 6, 8, 8]
    assert config["data"]["counts"] == {"train": 300, "held_back": 60}
    metrics = json.loads((read.folder / "metrics.json").read_text())
    assert (metrics["steps"], metrics["lines"]) == (6, 12)
    last = read.history[-1]
    assert metrics["validation"] == {"misses": last.misread, "count": 64}
    rows = (read.folder / "history.csv").read_text().splitlines()
    assert rows[0].startswith("step,loss,learning_rate,seconds,lines_per_second,misread")
    assert [row.split(",")[0] for row in rows[1:]] == ["2", "4", "6"]
    assert (read.folder / "history.png").read_bytes().startswith(b"\x89PNG")
    assert multiprocessing.active_children() == []


def test_the_file_answers_as_the_network(read: ReaderRun) -> None:
    """model.onnx gives the network's log-probabilities, and its card is the run's."""
    import onnxruntime

    path = read.folder / "model.onnx"
    engine = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    strips = np.random.default_rng(0).normal(size=(2, 1, 32, 60)).astype(np.float32)
    with torch.inference_mode():
        wanted = read.network(torch.from_numpy(strips)).log_softmax(2).numpy()
    np.testing.assert_allclose(engine.run([LOG_PROBS], {STRIP: strips})[0], wanted, atol=1e-4)
    network, card = load_reader(read.folder)
    assert card == read.card
    pairs = zip(network.parameters(), read.network.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


class Interrupting(NullCallback):
    """A progress that presses Ctrl-C after so many steps."""

    def __init__(self, after: int) -> None:
        self.after = after

    def step(self, done_steps: int) -> None:
        """Press it once."""
        if done_steps == self.after:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("after", [1, 4])
def test_ctrl_c_saves_and_resume_ends_at_the_same_weights(
    read: ReaderRun, small: DataSplits, tmp_path: Path, after: int, weights: Any
) -> None:
    """Stopped and gone on with, by another number of processes, the run is the same run."""
    out = tmp_path / "run"
    with pytest.raises(StoppedError) as caught:
        train_reader(
            "reader",
            small,
            recipe=RECIPE,
            seed=1,
            out=out,
            writers=0,
            progress=Interrupting(after),
        )
    assert f"step {after} of 6" in str(caught.value)
    assert caught.value.try_ == f"digitlens train reader --resume --out {out}"
    assert not (out / "metrics.json").exists()
    run = train_reader("reader", small, out=out, resume=True, writers=0)
    assert weights(out) == weights(read.folder)
    assert [point.loss for point in run.history] == [point.loss for point in read.history]


def test_when_a_writer_dies_all_is_saved(
    read: ReaderRun,
    small: DataSplits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: Any,
) -> None:
    """A dead process ends the run with what was learnt on disk, and it can be gone on with."""
    out = tmp_path / "run"
    real = line_task.LineProducers.__iter__

    def dying(self: Any) -> Any:
        for index, batch in enumerate(real(self)):
            if index == 3:
                raise WorkerError("a process that makes lines ended early")
            yield batch

    monkeypatch.setattr(line_task.LineProducers, "__iter__", dying)
    with pytest.raises(WorkerError):
        train_reader("reader", small, recipe=RECIPE, seed=1, out=out, writers=0)
    monkeypatch.undo()
    monkeypatch.setattr(line_task, "VALIDATION_LINES", 64)
    run = train_reader("reader", small, out=out, resume=True, writers=0)
    assert weights(out) == weights(read.folder)
    assert len(run.history) == 3


def test_nothing_held_back_is_nothing_measured(make_data: Any, tmp_path: Path) -> None:
    """Trained on all writers, the history has no lines that were read, and the card says so."""
    data = make_data(train=120, validation=0)
    out = tmp_path / "r"
    run = train_reader("reader", data, recipe=replace(RECIPE, steps=2), out=out, writers=0)
    assert [point.exact for point in run.history] == [None]
    assert run.card.validation == {}
    assert json.loads((out / "metrics.json").read_text())["validation"] is None


def test_resuming_with_other_steps_is_refused(small: DataSplits, tmp_path: Path) -> None:
    """Steps shape the learning rate, so a run keeps those it was begun with."""
    out = tmp_path / "run"
    with pytest.raises(StoppedError):
        train_reader(
            "reader", small, recipe=RECIPE, out=out, writers=0, progress=Interrupting(1)
        )
    with pytest.raises(UsageError, match="goes on with the steps") as caught:
        train_reader("reader", small, steps=9, out=out, resume=True)
    assert caught.value.seen == "--steps 9, begun with 6"
    with pytest.raises(RunError, match="must be a run of reader-wide"):
        train_reader("reader-wide", small, out=out, resume=True)
    with pytest.raises(ModelError, match="the finished run of a line reader"):
        load_reader(out)


def test_a_finished_run_is_not_gone_on_with(read: ReaderRun, small: DataSplits) -> None:
    """Nothing is left to do, and the error says so."""
    with pytest.raises(RunError, match="is finished already"):
        train_reader("reader", small, out=read.folder, resume=True)


def test_a_run_of_single_digits_holds_no_reader(finished: Run) -> None:
    """A folder of another kind of network is named as such."""
    with pytest.raises(ModelError, match="the finished run of a line reader") as caught:
        load_reader(finished.folder)
    assert caught.value.seen == "a run of quick"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "at least 1 step"),
        ({"seed": -1}, "a seed is a whole number"),
        ({"name": "quick"}, "'quick' is no reader of lines"),
    ],
)
def test_a_wish_that_cannot_be_leaves_nothing(
    small: DataSplits, in_tmp: Path, wrong: dict[str, Any], message: str
) -> None:
    """It is told before a folder is made."""
    with pytest.raises(UsageError, match=message):
        train_reader(**{"data": small, **wrong})
    assert not list(in_tmp.iterdir())


def test_digits_that_lines_cannot_be_written_with_leave_nothing(
    small: DataSplits, in_tmp: Path
) -> None:
    """Where a digit is missing, no folder is made."""
    some = replace(small, train=small.train[small.train.labels != 7])
    with pytest.raises(DataError, match="each of the digits"):
        train_reader("reader", some, recipe=RECIPE, writers=0)
    with pytest.raises(DataError, match="there must be digits"):
        train_reader("reader", replace(small, train=small.train[:0]), recipe=RECIPE)
    assert not list(in_tmp.iterdir())
