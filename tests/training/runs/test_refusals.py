"""Runs that are refused: nothing is overwritten, nothing is left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from digitlens.data import DataSplits
from digitlens.errors import DataError, DigitlensError, ModelError, RunError, UsageError
from digitlens.metrics.history import Epoch
from digitlens.runs import find_unfinished
from digitlens.training import Run, train
from digitlens.training.config import NullCallback

MakeData = Callable[..., DataSplits]


def test_a_folder_that_is_taken_is_refused(
    finished: Run, small: DataSplits, weights: Any
) -> None:
    """A run never overwrites: another one into the same folder is an error."""
    before = weights(finished.folder)
    with pytest.raises(RunError, match="must be empty"):
        train("quick", small, out=finished.folder)
    assert weights(finished.folder) == before


def test_going_on_wants_the_same_digits(
    finished: Run, small: DataSplits, make_data: MakeData, tmp_path: Path
) -> None:
    """Other digits than the run was begun with are refused."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.toml").write_bytes((finished.folder / "config.toml").read_bytes())
    with pytest.raises(RunError, match="digits it was begun with"):
        train("quick", make_data(train=100, validation=20), out=out, resume=True)


def test_going_on_with_a_finished_run_is_refused(finished: Run, small: DataSplits) -> None:
    """There is nothing left to do, and the error says so."""
    with pytest.raises(RunError, match="finished already"):
        train("quick", small, out=finished.folder, resume=True)


def test_going_on_with_another_network_is_refused(finished: Run, tmp_path: Path) -> None:
    """The folder's network is named."""
    (tmp_path / "config.toml").write_bytes((finished.folder / "config.toml").read_bytes())
    with pytest.raises(RunError, match="must be a run of dense"):
        train("dense", out=tmp_path, resume=True)


def test_a_run_of_another_format_is_refused(finished: Run, tmp_path: Path) -> None:
    """A folder from another version of digitlens is named as such."""
    text = (finished.folder / "config.toml").read_text().replace("format = 1", "format = 7")
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(RunError, match="another version"):
        train("quick", out=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("seed = 1", 'seed = "abc"'),
        ("seed = 1", "seed = -1"),
        ("batch = ", "batch = nan\nepochz = "),
        ("betas = [", "betas = [0.1,"),
        ("warmup = ", "warmup = [1]\nothers = "),
        ("[data.hashes]", "[data.others]"),
        ("[data.counts]", "[data.hashes2]"),
        ("validation = ", "validation = 2020-01-01 # "),
        ("[run]", "[recipes]"),
    ],
)
def test_a_config_that_means_no_good_is_refused(
    finished: Run, small: DataSplits, tmp_path: Path, was: str, now: str
) -> None:
    """Whatever config.toml holds, going on is refused in words."""
    text = (finished.folder / "config.toml").read_text()
    assert was in text
    (tmp_path / "config.toml").write_text(text.replace(was, now, 1))
    with pytest.raises(DigitlensError, match=r"config\.toml|digits it was begun|a seed is"):
        train("quick", small, out=tmp_path, resume=True)


def test_a_damaged_checkpoint_is_named(
    finished: Run, small: DataSplits, tmp_path: Path
) -> None:
    """A truncated last.safetensors is an error with its name, not a traceback."""
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.toml").write_bytes((finished.folder / "config.toml").read_bytes())
    content = (finished.folder / "last.safetensors").read_bytes()
    (out / "last.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=r"last\.safetensors cannot be read"):
        train("quick", small, out=out, resume=True)


@pytest.mark.parametrize("length", [0, 60, 4_000])
def test_damaged_weights_are_named(
    finished: Run, small: DataSplits, tmp_path: Path, length: int
) -> None:
    """A run that was cut off at its very end, and whose best weights are not whole."""
    out = tmp_path / "run"
    shutil.copytree(finished.folder, out)
    (out / "metrics.json").unlink()
    content = (out / "weights.safetensors").read_bytes()
    (out / "weights.safetensors").write_bytes(content[:length])
    with pytest.raises(ModelError, match=r"weights\.safetensors must hold the weights of quick"):
        train("quick", small, out=out, resume=True)


def test_a_second_process_on_one_folder_is_refused(
    small: DataSplits, tmp_path: Path, tiny: Any
) -> None:
    """While a run is under way, nobody else may write to its folder."""
    out = tmp_path / "run"
    seen = []

    class Intruding(NullCallback):
        def epoch(self, epoch: Epoch) -> None:
            with pytest.raises(RunError, match="another process") as caught:
                train("quick", small, out=out, resume=True)
            seen.append(str(caught.value))

    train("quick", small, epochs=1, out=out, recipe=tiny("quick"), progress=Intruding())
    assert seen


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"limit": 20}, "limit.*--limit 20, begun without"),
        ({"validation": 0.3}, "validation.*--validation 0.3, begun with 0.1"),
        ({"seed": 5}, "seed.*--seed 5, begun with 1"),
        ({"epochs": 9}, "epochs.*--epochs 9, begun with 3"),
        ({"data": "uci"}, "data.*--data uci, begun with made"),
        ({"activation": "relu", "layers": "dense8", "network": "custom"}, "must be a run of cus"),
    ],
)
def test_going_on_otherwise_than_begun_is_refused(
    finished: Run, tmp_path: Path, wrong: dict[str, Any], words: str
) -> None:
    """What a run was begun with is what it goes on with; what is asked besides is no silence."""
    (tmp_path / "config.toml").write_bytes((finished.folder / "config.toml").read_bytes())
    wish = {"network": "quick"} | wrong
    with pytest.raises(DigitlensError, match=rf"(?s){words}"):
        train(wish.pop("network"), out=tmp_path, resume=True, **wish)


class Chain(nn.Sequential):
    """A network of one's own, by its module."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(784, 10))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"network": Chain(), "layers": "dense8"}, "--layers is for a network of your own"),
        ({"network": Chain(), "activation": "tanh"}, "--activation is for the layers"),
        ({"network": Chain(), "start": "cnn"}, "has its layers.*a module"),
        ({"network": "custom", "layers": "dense8", "start": "x"}, "has its layers.*--layers den"),
        ({"workers": 2}, "--workers and --engine are for several"),
        ({"engine": print}, "--workers and --engine are for several"),
        ({"network": "cnn", "start": "cnn", "workers": 2}, "several trainings.*--from"),
    ],
)
def test_what_nothing_would_heed_is_refused(
    in_tmp: Path, wrong: dict[str, Any], words: str
) -> None:
    """An argument that this training has no use for is an error, and no folder is left."""
    wish = {"network": "quick", "data": "uci"} | wrong
    with pytest.raises(UsageError, match=rf"(?s){words}"):
        train(wish.pop("network"), wish.pop("data"), **wish)
    assert not list(in_tmp.iterdir())


@pytest.mark.parametrize("wrong", [{"validation": 0.2}, {"limit": 10}])
def test_digits_that_are_divided_are_not_divided_again(
    small: DataSplits, in_tmp: Path, wrong: dict[str, Any]
) -> None:
    """`validation` and `limit` mean a source; with splits they would be ignored."""
    with pytest.raises(UsageError, match="divided already"):
        train("quick", small, **wrong)
    assert not list(in_tmp.iterdir())


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"epochs": 0}, UsageError),
        ({"seed": -1}, UsageError),
        ({"data": "nowhere/at/all"}, DataError),
    ],
)
def test_bad_wishes_leave_no_folder(
    in_tmp: Path, wrong: dict[str, Any], error: type[Exception]
) -> None:
    """What cannot be done is refused before anything is written."""
    with pytest.raises(error):
        train("quick", **wrong)
    assert not list(in_tmp.iterdir())


def test_no_digits_to_train_on_is_an_error(make_data: MakeData, in_tmp: Path) -> None:
    """An empty training set is refused, and no folder is left."""
    data = make_data(train=0)
    with pytest.raises(DataError, match="digits to train on"):
        train("quick", data)
    assert not list(in_tmp.iterdir())


def test_a_folder_with_nothing_but_leftovers_is_free(
    small: DataSplits, tmp_path: Path, tiny: Any
) -> None:
    """A kill before the first file leaves a lock and half of it; the same command begins."""
    out = tmp_path / "run"
    out.mkdir()
    (out / ".lock").write_text("123")
    (out / ".config.toml.ytd6kl1r.tmp").write_text("half")
    run = train("quick", small, epochs=1, out=out, recipe=tiny("quick"))
    assert (run.folder / "metrics.json").is_file()
    assert not list(out.glob(".*.tmp"))


def test_the_newest_run_to_resume_is_no_fine_tuning(finished: Run, tmp_path: Path) -> None:
    """A fine-tuning that was cut off begins again, so an older run is what --resume means."""
    text = (finished.folder / "config.toml").read_text()
    for number, more in ((1, ""), (2, '\n[start]\nmodel = "quick"\n')):
        folder = tmp_path / f"quick-{number}"
        folder.mkdir()
        (folder / "config.toml").write_text(text + more)
    assert find_unfinished("quick", runs=tmp_path) == tmp_path / "quick-1"
