"""train: what is handed on, what is said at the end; and once in earnest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digitlens import training as running
from digitlens.cli.progress import TrainingProgress
from digitlens.data import DataSplits
from digitlens.digits import Digits
from digitlens.errors import StoppedError, UsageError
from digitlens.models.recipe import Recipe
from digitlens.training.config import TrainConfig
from digitlens.training.digit_run import resolve_recipe

Cli = Callable[..., Any]

NOTHING_CHANGED = dict.fromkeys(
    (
        "layers",
        "activation",
        "learning_rate",
        "batch",
        "dropout",
        "optimizer",
        "augment",
        "workers",
        "engine",
    )
)


@pytest.fixture
def asked(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a stand-in where training is, and return what it is asked for."""
    asked: dict[str, Any] = {}
    folder = Path("runs/train/dense-1")
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('format = 1\n[data]\nsource = "uci"\n')

    def train(network: str, data: str, **rest: Any) -> Any:
        asked.update(rest, network=network, data=data)
        return SimpleNamespace(
            diagnosis=SimpleNamespace(words="It fits well.", best=2),
            history=[None, None, None],
            misses=25,
            count=asked.get("count", 1000),
            folder=folder,
            changes=asked.get("changes"),
        )

    monkeypatch.setattr(running, "train", train)
    return asked


def test_without_options_the_recipe_decides(digitlens: Cli, asked: dict[str, Any]) -> None:
    """`digitlens train dense` asks for its data, a tenth held back, seed 0 and the recipe."""
    digitlens("train", "dense")
    assert isinstance(asked.pop("progress"), TrainingProgress)
    assert asked == {
        "network": "dense",
        "data": None,
        "start": None,
        "validation": None,
        "limit": None,
        "seed": 0,
        "epochs": None,
        "recipe": None,
        **NOTHING_CHANGED,
        "out": None,
        "resume": False,
    }


def test_the_course_s_recipe_has_a_name(
    in_tmp: Path, make_digits: Callable[..., Digits]
) -> None:
    """`--recipe course` of dense is hard labels for twelve epochs; others are refused."""
    digits = make_digits(40, seed=1)
    data = DataSplits(digits, digits[:10], digits[:10], "few", "by hand", {})
    course = resolve_recipe(config("dense", "course"), data).resolved_recipe
    assert course == Recipe(epochs=12, batch=256, learning_rate=0.003).fit_to(40)
    with pytest.raises(UsageError) as caught:
        resolve_recipe(config("quick", "course"), data)
    assert str(caught.value) == (
        "quick has no recipe 'course'\n"
        "  seen    known: only its own, where --recipe is left out"
    )
    with pytest.raises(UsageError, match="--recipe is not for --from"):
        running.train("dense", data, start="dense", recipe="course")


def config(network: str, recipe: str) -> TrainConfig[Recipe]:
    """What is asked for by a recipe's name."""
    return TrainConfig(network, 0, "few", 0.1, recipe_name=recipe)


def test_every_option_is_handed_on(digitlens: Cli, asked: dict[str, Any]) -> None:
    """Each option reaches training as what it is."""
    options = (
        "--data uci --validation 0.2 --epochs 3 --seed 7 --out a/b --limit 90 --resume "
        "--recipe course"
    )
    digitlens("train", "cnn", *options.split())
    asked.pop("progress")
    assert asked == {
        "network": "cnn",
        "data": "uci",
        "start": None,
        "validation": 0.2,
        "limit": 90,
        "seed": 7,
        "epochs": 3,
        "recipe": "course",
        "out": Path("a/b"),
        "resume": True,
        **NOTHING_CHANGED,
    }


def test_the_end_says_what_came_out(digitlens: Cli, asked: dict[str, Any]) -> None:
    """Stdout gets the history in words, the best epoch, the misses, the folder, what next."""
    ended = digitlens("train", "dense", "--data", "uci")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "It fits well.\n"
        "\n"
        "best epoch   2 of 3\n"
        "validation   25 misses in 1,000, 97.50 % right\n"
        "run folder   runs/train/dense-1\n"
        "\n"
        "next:  digitlens evaluate runs/train/dense-1 --data uci\n"
    )


def test_the_end_without_validation(digitlens: Cli, asked: dict[str, Any]) -> None:
    """When nothing is held back, no epoch is called the best and no misses are counted."""
    asked["count"] = 0
    out = digitlens("train", "dense", "--validation", "0").out
    assert "epochs       3\nvalidation   nothing was held back\n" in out
    assert "misses" not in out


def test_a_list_of_layers_is_trained_its_own_way(digitlens: Cli, in_tmp: Path) -> None:
    """Layers, rate, batch, dropout, optimizer and augmentation reach the run."""
    given = "--layers conv4,pool,dense16 --learning-rate 0.05 --batch 32 --dropout 0.1"
    more = "--activation tanh --optimizer sgd --augment light --epochs 1 --data uci --out own"
    ended = digitlens("train", "custom", *given.split(), *more.split())
    assert ended.code == 0, ended.err
    config = (in_tmp / "own" / "config.toml").read_text()
    lines = ('optimizer = "sgd"', 'activation = "tanh"', "dropout = 0.1", "rotate = 8.0")
    for line in (*lines, "learning_rate = 0.05"):
        assert line in config
    assert json.loads((in_tmp / "own" / "metrics.json").read_text())["epochs"] == 1
    assert digitlens("summary", "own").code == 0


def test_a_hand_is_learnt_from_a_folder(digitlens: Cli, asked: dict[str, Any]) -> None:
    """--from hands the model on; what changed comes to stdout, and how to use it."""
    asked["changes"] = SimpleNamespace(words=lambda: "right   before   after", left_out=[])
    ended = digitlens("train", "cnn", "--from", "cnn", "--data", "my_folder")
    assert (asked["start"], asked["data"], asked["validation"]) == ("cnn", "my_folder", None)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "right   before   after\n"
        "\n"
        "run folder   runs/train/dense-1    changes.md there lists all of it\n"
        "\n"
        "next:  digitlens predict PICTURE --model runs/train/dense-1\n"
    )


def test_pictures_left_out_are_told(digitlens: Cli, asked: dict[str, Any]) -> None:
    """When own pictures could not be used, each is named on stderr, and the code is 3."""
    asked["changes"] = SimpleNamespace(words=lambda: "as it was", left_out=["7/a.png: blank"])
    ended = digitlens("train", "cnn", "--from", "cnn", "--data", "my_folder")
    assert (ended.code, ended.err) == (3, "left out: 7/a.png: blank\n")
    assert ended.out.startswith("as it was\n")


def test_a_stopped_run_exits_with_130(
    digitlens: Cli, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C, the saved run is named on stderr and the code is 130."""

    def stop(*_: object, **__: object) -> None:
        raise StoppedError("training was stopped", try_="digitlens train dense --resume")

    monkeypatch.setattr(running, "train", stop)
    ended = digitlens("train", "dense")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == "training was stopped\n  try     digitlens train dense --resume\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["dens"],
            "error: 'dens' is no network\n"
            "  seen    known: dense, course-cnn, lenet5, quick, convnet, cnn, best, tiny,\n"
            "          dense-deformed, universal, fast; readers of lines: reader,\n"
            "          reader-wide, reader-world, signs, rescorer\n"
            "  try     did you mean 'dense'?\n",
        ),
        (
            ["dense", "--epochs", "0"],
            "error: training needs at least 1 epoch\n"
            "  seen    --epochs 0\n"
            "  try     leave --epochs out to train by the network's recipe\n",
        ),
        (
            ["dense", "--seed", "-1"],
            "error: a seed is a whole number in 0..2**63-1\n  seen    --seed -1\n",
        ),
    ],
)
def test_a_wrong_wish_is_refused(
    digitlens: Cli, in_tmp: Path, arguments: list[str], error: str
) -> None:
    """An unknown network, no epochs or no seed is wrong usage, and no folder is made."""
    ended = digitlens("train", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", error)
    assert not list(in_tmp.iterdir())


def test_resume_without_a_run_is_an_error(digitlens: Cli, in_tmp: Path) -> None:
    """--resume where no run was cut off says where it looked."""
    ended = digitlens("train", "dense", "--data", "uci", "--resume")
    assert ended.code == 1
    assert ended.err.startswith("error: no unfinished run of dense is here to go on with\n")


def _write_npz(path: Path, make_digits: Callable[..., Digits]) -> None:
    train, test = make_digits(360, seed=1), make_digits(100, seed=2)
    np.savez_compressed(
        path,
        x_train=train.images,
        y_train=train.labels,
        x_test=test.images,
        y_test=test.labels,
    )


def test_once_in_earnest(
    digitlens: Cli, in_tmp: Path, make_digits: Callable[..., Digits]
) -> None:
    """A network is trained, evaluated, compared, exported and asked, from one folder."""
    _write_npz(in_tmp / "digits.npz", make_digits)
    options = ["--data", "digits.npz"]
    for network in ("dense", "quick"):
        ended = digitlens("train", network, *options, "--epochs", "12")
        assert ended.code == 0, ended.err
        assert f"run folder   runs/train/{network}-1" in ended.out
        assert "epoch 12 of 12   loss " in ended.err

    ended = digitlens("evaluate", "runs/train/quick-1", *options, "--json")
    assert ended.code == 0, ended.err
    figures = json.loads(ended.out)
    assert figures["count"] == 100
    assert figures["misses"] <= 30
    folder = Path("reports/quick-1-digits")
    assert ended.err == f"report: {folder / 'report.html'}\n"
    assert {path.name for path in folder.iterdir()} == {
        "report.html",
        "confusion.png",
        "errors.png",
    }

    ended = digitlens("compare", "runs/train/dense-1", "runs/train/quick-1", *options, "--json")
    assert [item["model"] for item in json.loads(ended.out)["models"]] == ["dense-1", "quick-1"]

    ended = digitlens("export", "runs/train/quick-1", "--to", "onnx", "--out", "quick.onnx")
    assert (ended.code, ended.out) == (0, "quick.onnx\n")
    assert ended.err.startswith("parity: on 256 pictures no probability differs by more than ")

    ended = digitlens("predict", "none.png", "--model", "runs/train/quick-1")
    assert ended.err.startswith("rejected: there is no file none.png\n")
