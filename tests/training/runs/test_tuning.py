"""Learn my hand: a network goes on with a few pictures, and says what changed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens import models
from digitlens.digits import Digits
from digitlens.errors import RunError, StoppedError
from digitlens.metrics.history import Epoch
from digitlens.models.export import export_model
from digitlens.models.convert import load_network
from digitlens.models.inference import load_model
from digitlens.training import Run, finetune, train
from digitlens.training.config import NullCallback
from digitlens.training.user_data import ReplayData

FILES = {
    "config.toml",
    "history.csv",
    "history.png",
    "confusion.png",
    "metrics.json",
    "weights.safetensors",
    "model.onnx",
    "card.md",
    "changes.md",
}


def test_a_hand_is_learnt_and_nothing_forgotten(
    begun: Run,
    kept: ReplayData,
    my_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From 18 pictures the other 6 are read, and old digits are read as before."""
    monkeypatch.setattr(finetune, "STEPS", 20)  # 8 do too, for made-up digits
    before = begun.folder / "model.onnx"
    content = before.read_bytes()
    run = train("cnn", my_folder, start=begun.folder, out=tmp_path / "run")
    assert run.changes is not None
    held, learnt, old = run.changes.held, run.changes.learnt, run.changes.kept
    assert (len(held), len(learnt), len(old)) == (6, 18, 200)
    assert learnt.right(learnt.before) < 18
    assert learnt.right(learnt.after) == 18
    assert held.right(held.after) == 6
    assert old.right(old.after) >= old.right(old.before) - 0.001 * 200
    assert (run.misses, run.count) == (0, 6)
    assert before.read_bytes() == content
    given = load_model(begun.folder).predict(kept.measured.images)
    assert np.array_equal(given.labels, old.before.labels)
    given = run.model.predict(kept.measured.images)
    assert np.array_equal(given.labels, old.after.labels)


def test_the_three_answers_are_those_of_the_start(
    kept: ReplayData, few_steps: int, my_folder: Path, tmp_path: Path
) -> None:
    """What is unsure and what is no digit is told as before, by the bounds of the start."""
    run = train("universal", my_folder, start="universal", epochs=1, out=tmp_path / "run")
    card, old = run.model.card, load_model("universal").card
    assert 0 < old.unsure_above < old.threshold
    assert (card.threshold, card.unsure_above) == (old.threshold, old.unsure_above)
    assert card.unsure_below == old.unsure_below > 0


def test_the_run_folder_says_where_it_came_from(
    begun: Run, kept: ReplayData, few_steps: int, my_folder: Path, tmp_path: Path
) -> None:
    """Config, card and metrics name the start and the counts; changes.md lists every change."""
    run = train("cnn", my_folder, start=begun.folder, epochs=2, seed=3, out=tmp_path / "run")
    assert {path.name for path in run.folder.iterdir()} == FILES | {".lock"}
    config = tomllib.loads((run.folder / "config.toml").read_text())
    content = (begun.folder / "model.onnx").read_bytes()
    assert config["start"] == {
        "model": str(begun.folder),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert config["run"] == {"network": "cnn", "seed": 3}
    assert config["recipe"]["temperature"] == models.load_recipe("cnn").temperature
    assert config["data"]["counts"] == {"train": 18, "held_back": 6}
    assert config["rehearsal"]["rehearsed"] == 600
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["changes"]["own_learnt_from"]["count"] == 18
    assert len(run.history) == 2
    card = run.model.card
    old = load_model(begun.folder).card
    assert (card.network, card.trained_on, card.threshold) == ("cnn", 18, old.threshold)
    assert card.notes[0].startswith(f"Fine-tuned from {begun.folder} (SHA-256 ")
    assert not card.test
    assert run.changes is not None
    listed = (run.folder / "changes.md").read_text()
    for line in run.changes.learnt.changed():
        assert f"- {line}\n" in listed
        assert line.startswith(("1/", "7/"))
    assert "own pictures, held back" in run.changes.words()
    assert "taken for no digit" in run.changes.words()


def test_the_same_seed_gives_the_same_weights(
    begun: Run, kept: ReplayData, few_steps: int, crossed: Digits, make_data: Any, tmp_path: Path
) -> None:
    """Twice the same, and another seed something else; `Data` is taken as it is given."""
    data = replace(make_data(), train=crossed[:20], validation=crossed[20:], source="mine")
    result = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run = train("cnn", data, start=begun.folder, epochs=1, seed=seed, out=tmp_path / name)
        result.append((run.folder / "weights.safetensors").read_bytes())
        assert run.count == len(crossed) - 20
    assert result[0] == result[1] != result[2]


def test_a_tuned_network_goes_on_and_is_exported(
    begun: Run, kept: ReplayData, few_steps: int, my_folder: Path, crossed: Digits, tmp_path: Path
) -> None:
    """A fine-tuned run is a start too, and torch takes it with all its eleven outputs."""
    first = train("cnn", my_folder, start=begun.folder, epochs=1, out=tmp_path / "cnn-2")
    second = train("cnn", my_folder, start=first.folder, epochs=1, out=tmp_path / "cnn-3")
    pixels = torch.from_numpy(crossed.images).unsqueeze(1).float() / 255
    with torch.inference_mode():
        wanted = load_network(second.folder, "cnn")(pixels)
        torch.testing.assert_close(second.network(pixels), wanted, atol=1e-4, rtol=1e-4)
    for to, name in (("torch", "x.pt2"), ("onnx", "x.onnx")):
        assert export_model(second.folder, to, out=tmp_path / name).difference < 1e-4
    program = torch.export.load(tmp_path / "x.pt2").module()
    torch.testing.assert_close(program(pixels), wanted, atol=1e-4, rtol=1e-4)
    assert wanted.shape == (len(crossed), 11)


def test_one_picture_is_enough(
    begun: Run, kept: ReplayData, few_steps: int, crossed: Digits, my_folder: Path, tmp_path: Path
) -> None:
    """With nothing held back the run counts no misses, and the words leave that row out."""
    for path in sorted(my_folder.rglob("*.png"))[1:]:
        path.unlink()
    for folder in my_folder.iterdir():
        if not any(folder.iterdir()):
            folder.rmdir()
    run = train("cnn", my_folder, start=begun.folder, epochs=1, out=tmp_path / "run")
    assert (run.misses, run.count) == (0, 0)
    assert run.changes is not None
    assert "held back" not in run.changes.words()
    assert run.model.card.validation == {}


def test_pictures_that_cannot_be_used_are_left_out(
    begun: Run, kept: ReplayData, few_steps: int, my_folder: Path, tmp_path: Path
) -> None:
    """The others are learnt from, and each that is left out is named with its reason."""
    (my_folder / "7" / "letter.png").write_bytes(b"letters")
    run = train("cnn", my_folder, start=begun.folder, epochs=1, out=tmp_path / "run")
    assert run.changes is not None
    assert len(run.changes.left_out) == 1
    assert "letter.png is not a picture that can be read" in run.changes.left_out[0]
    assert "## Left out" in (run.folder / "changes.md").read_text()


def test_stopping_leaves_nothing_behind(
    begun: Run, kept: ReplayData, few_steps: int, my_folder: Path, tmp_path: Path
) -> None:
    """Ctrl-C ends it with a lock alone in the folder, and the same command begins again."""
    out = tmp_path / "run"

    class Impatient(NullCallback):
        def epoch(self, epoch: Epoch) -> None:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError, match="nothing is kept"):
        train("cnn", my_folder, start=begun.folder, out=out, progress=Impatient())
    assert [path.name for path in out.iterdir()] == [".lock"]
    train("cnn", my_folder, start=begun.folder, epochs=1, out=out)
    with pytest.raises(RunError, match="is a fine-tuned run"):
        train("cnn", out=out, resume=True)


def test_a_kill_while_the_run_is_written_is_begun_again(
    *,
    begun: Run,
    kept: ReplayData,
    few_steps: int,
    my_folder: Path,
    tmp_path: Path,
    weights: Any,
) -> None:
    """The same command makes the same run of what a killed one left, and of nothing else."""
    out = tmp_path / "run"
    tune = partial(train, "cnn", my_folder, start=begun.folder, epochs=1, out=out)
    whole = weights(tune().folder)
    for left in ({"config.toml"}, FILES - {"metrics.json"}):
        for name in FILES - left:
            (out / name).unlink()
        (out / ".model.onnx.hhugiy12.tmp").write_text("half")
        assert weights(tune().folder) == whole
        assert {path.name for path in out.iterdir()} == FILES | {".lock"}
    (out / "metrics.json").unlink()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"(?s)must be empty.*notes"):
        tune()


def test_progress_counts_every_step(
    begun: Run, kept: ReplayData, few_steps: int, my_folder: Path, tmp_path: Path
) -> None:
    """All steps are announced, and the last one is told."""
    told: dict[str, Any] = {}

    class Listening(NullCallback):
        def start(
            self, total_steps: int, epochs: int, digits_per_epoch: int, note: str
        ) -> None:
            told.update(total=total_steps, epochs=epochs, note=note)

        def step(self, done_steps: int) -> None:
            told["done"] = done_steps

    out = tmp_path / "run"
    train("cnn", my_folder, start=begun.folder, epochs=2, out=out, progress=Listening())
    assert told["total"] == told["done"] == 2 * few_steps
    assert told["note"].splitlines()[-1] == "rehearsing MNIST's training digits"
