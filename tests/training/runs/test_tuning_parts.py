"""The parts of fine-tuning: what is held back, kept, walked back, refused and said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from digitlens import storage
from digitlens.data import DataSplits
from digitlens.digits import Digits
from digitlens.errors import DataError, ModelError, UsageError
from digitlens.training import Run, train
from digitlens.training.finetune_run import walk_back_weights
from digitlens.training.results import MAX_SHOWN, Changes, Group
from digitlens.training.digit_task import DigitTensors
from digitlens.training.user_data import (
    MEASURED_DIGITS,
    ReplayData,
    hold_out,
    load_replay_data,
    load_user_data,
)

MakeDigits = Callable[..., Digits]


@pytest.mark.parametrize(("harm", "share"), [(0.0, 1.0), (4.0, 0.25)])
def test_what_forgets_is_walked_back(
    make_digits: MakeDigits, harm: float, share: float
) -> None:
    """A change that costs old digits is taken back by quarters; one that does not, stays."""
    digits = make_digits(100)
    part = DigitTensors(torch.from_numpy(digits.images), torch.from_numpy(digits.labels).long())
    torch.manual_seed(0)
    before, after = (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)) for _ in range(2))
    with torch.no_grad():  # the least squares of these digits: all of them right
        flat = part.images.flatten(1).double() / 255
        wanted = nn.functional.one_hot(part.labels, 10).double()
        weight = torch.linalg.lstsq(flat, wanted, driver="gelsd").solution.T.float()
        for network in (before, after):
            network[1].weight.copy_(weight)
            network[1].bias.zero_()
        after[1].bias[3] += harm
    assert walk_back_weights(before, after, part) == share
    assert float(after[1].bias[3].detach()) == pytest.approx(harm * share)


def test_what_is_held_back() -> None:
    """A quarter from 8 pictures on, or the share that is asked for, the same each time."""
    labels = np.repeat([1, 5, 7], [24, 7, 9]).astype(np.uint8)
    mask, rule = hold_out(labels, None)
    assert [int(mask[labels == digit].sum()) for digit in (1, 5, 7)] == [6, 0, 2]
    assert rule == "a quarter of each class with 8 pictures or more, 8 of 40, is held back"
    assert np.array_equal(mask, hold_out(labels, None)[0])
    mask, rule = hold_out(labels, 0.5)
    assert [int(mask[labels == digit].sum()) for digit in (1, 5, 7)] == [12, 4, 5]
    assert hold_out(labels, 0)[1] == "none of the 40 pictures is held back"
    assert hold_out(labels[:3], None)[1].endswith("held back: no class has 8 pictures")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"network": "dense"}, UsageError, "--from must name a dense"),
        ({"network": "best"}, UsageError, "best is not fine-tuned"),
        ({"resume": True}, UsageError, "--from begins a run and --resume goes on"),
        ({"limit": 20}, UsageError, "--limit is not for --from"),
        ({"data": None}, UsageError, "--from wants pictures of your own"),
        ({"validation": 1.5}, UsageError, "at least 0 and below 1"),
        ({"validation": 0.99}, UsageError, "leaves nothing of"),
        ({"start": "nowhere.onnx"}, ModelError, "nowhere.onnx is no model"),
        ({"data": "nowhere/at/all"}, DataError, "no file or folder"),
    ],
)
def test_what_cannot_be_is_refused(
    begun: Run,
    kept: ReplayData,
    my_folder: Path,
    tmp_path: Path,
    in_tmp: Path,
    wrong: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    """Each wrong wish is an error of its own, before a folder is made."""
    wish = {"network": "cnn", "data": my_folder, "start": begun.folder} | wrong
    with pytest.raises(error, match=message):
        train(wish.pop("network"), wish.pop("data"), **wish)
    assert not list(in_tmp.iterdir())


def test_without_one_good_picture_there_is_nothing_to_learn(tmp_path: Path) -> None:
    """A folder of bad pictures lists them all."""
    (tmp_path / "7").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "7" / name).write_bytes(b"")
    with pytest.raises(DataError, match="2 of 2 pictures"):
        load_user_data(tmp_path, None)


def test_without_mnist_the_uci_digits_are_rehearsed(
    begun: Run, few_steps: int, my_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is downloaded; what is not known is said, with what would help."""
    monkeypatch.delenv("DIGITLENS_DATA", raising=False)
    result = load_replay_data()
    assert (result.mnist, len(result.replayed) + len(result.measured)) == (False, 1797)
    run = train("cnn", my_folder, start=begun.folder, epochs=1, out=tmp_path / "run")
    assert run.changes is not None
    assert "digitlens data fetch mnist" in run.changes.words()


@pytest.mark.skipif(
    not os.environ.get("DIGITLENS_DATA"),
    reason="DIGITLENS_DATA is not set: it must name a folder with MNIST's files",
)
def test_mnists_test_digits_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rehearsal reads the training files alone, and measures digits that it does not show."""
    opened = []
    real = storage.read_file
    monkeypatch.setattr(
        storage, "read_file", lambda path: opened.append(path.name) or real(path)
    )
    result = load_replay_data()
    assert result.mnist
    assert len(result.measured) == MEASURED_DIGITS
    places = np.concatenate([result.replayed.positions, result.measured.positions])
    assert np.array_equal(np.sort(places), np.arange(60_000))
    assert sorted(opened) == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]


def test_only_some_changes_are_shown_at_a_glance(
    begun: Run, kept: ReplayData, make_data: Any, tmp_path: Path
) -> None:
    """When more pictures changed than are shown, the words say how many more."""
    data: DataSplits = make_data()
    before = begun.model.predict(data.train.images)
    turned = replace(before, labels=((before.labels + 1) % 10).astype(np.uint8))
    names = [f"number {place}" for place in range(len(data.train))]
    group = Group("old digits", data.train.labels, names, before, turned)
    none = Group("held", data.train.labels[:0], [], before, turned)
    changes = Changes("cnn", none, none, group, mnist=True, moved=[("layer 1", 0.5)], share=0.5)
    words = changes.words()
    assert f"and {len(group) - MAX_SHOWN} more" in words
    assert "Only 50 % of the change was kept" in words
    assert "Weights moved most in layer 1: by 50.0 % of their length." in words
