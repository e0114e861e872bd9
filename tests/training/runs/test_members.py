"""Ensembles: members trained one after the other, joined, and gone on with after a cut."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.data import DataSplits
from digitlens.errors import RunError, StoppedError
from digitlens.models import NETWORKS, load_recipe
from digitlens.models.inference import load_model
from digitlens.training import Run, train
from digitlens.training.config import NullCallback

RECIPE = replace(load_recipe("best"), batch=60, epochs=2, degrade=0.25, negatives=0.2)


@pytest.fixture(autouse=True)
def two_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `best` have two members, which is enough to be several."""
    monkeypatch.setitem(NETWORKS, "best", replace(NETWORKS["best"], members=2))


@pytest.fixture(scope="module")
def joined(small: DataSplits, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of an ensemble of two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "best", replace(NETWORKS["best"], members=2))
        out = tmp_path_factory.mktemp("runs") / "best-1"
        return train("best", small, seed=3, out=out, recipe=RECIPE)


def test_an_ensemble_answers_with_the_mean_of_its_members(
    joined: Run, small: DataSplits
) -> None:
    """The model in the folder is the mean of the members, which are seeds by index."""
    images = small.test.images
    members = [load_model(joined.folder / f"member-{index}") for index in range(2)]
    assert [member.card.seed for member in members] == [6, 7]
    wanted = np.mean([member.logits(images) for member in members], axis=0)
    np.testing.assert_allclose(joined.model.logits(images), wanted, atol=1e-4)
    assert not np.allclose(members[0].logits(images), members[1].logits(images))


def test_an_ensembles_card_counts_all_members(joined: Run, small: DataSplits) -> None:
    """Weights are those of all members, the misses those of the ensemble."""
    card = joined.model.card
    one = load_model(joined.folder / "member-0").card
    assert (card.members, card.weights) == (2, 2 * one.weights)
    given = joined.model.predict(small.validation.images)
    misses = int((given.labels != small.validation.labels).sum())
    assert card.validation == {"misses": misses, "count": 60}
    assert joined.misses == misses
    metrics = json.loads((joined.folder / "metrics.json").read_text())
    assert metrics["validation"] == card.validation


def test_its_threshold_lets_99_of_100_validation_digits_pass(
    joined: Run, small: DataSplits
) -> None:
    """With digits held back, the card's threshold is found on them."""
    given = joined.model.predict(small.validation.images)
    assert given.refused is not None
    assert given.refused.sum() <= 1
    assert joined.model.card.threshold != RECIPE.threshold


def test_a_stopped_ensemble_goes_on_to_the_same_weights(
    joined: Run, small: DataSplits, tmp_path: Path
) -> None:
    """Ctrl-C in the second member names the whole run, which goes on to the same bytes."""

    class Interrupting(NullCallback):
        epochs = 0

        def epoch(self, epoch: Any) -> None:
            self.epochs += 1
            if self.epochs == 3:
                signal.raise_signal(signal.SIGINT)

    out = tmp_path / "best"
    with pytest.raises(StoppedError) as caught:
        train("best", small, seed=3, out=out, recipe=RECIPE, progress=Interrupting())
    assert caught.value.try_ == f"digitlens train best --resume --out {out}"
    assert not (out / "model.onnx").exists()
    train("best", small, out=out, resume=True)
    for index in range(2):
        name = f"member-{index}/weights.safetensors"
        assert (out / name).read_bytes() == (joined.folder / name).read_bytes()


@pytest.mark.slow
def test_members_are_the_same_at_the_same_time(small: DataSplits, tmp_path: Path) -> None:
    """Two at a time have the weights of one after the other, each with one core."""
    for count in (1, 2):
        out = tmp_path / str(count)
        train("best", small, seed=3, out=out, recipe=RECIPE, workers=count)
    for index in range(2):
        name = f"member-{index}/weights.safetensors"
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", "{}"),
        ("metrics.json", '{"best_epoch": "a"}'),
        ("metrics.json", '{"best_epoch": 9}'),
        ("metrics.json", "{"),
        ("history.csv", ""),
        ("history.csv", "epoch,train_loss\none,two\n"),
        ("history.csv", "epoch,other\n1,2\n"),
    ],
)
def test_a_damaged_member_is_named(
    joined: Run, small: DataSplits, tmp_path: Path, name: str, content: str
) -> None:
    """Going on with an ensemble tells which of its members cannot be used."""
    out = tmp_path / "best-1"
    shutil.copytree(joined.folder, out)
    (out / "metrics.json").unlink()
    (out / "member-0" / name).write_text(content)
    with pytest.raises(RunError, match="member-0"):
        train("best", small, seed=3, out=out, recipe=RECIPE, resume=True)
