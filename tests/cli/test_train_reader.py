"""train reader: what is handed on, what is refused, what is said at the end and on the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digitlens import training
from digitlens.cli.progress import LineTrainingProgress
from digitlens.metrics.history import LinePoint
from digitlens.training.line_tuning import LineChange

Cli = Callable[..., Any]

POINT = LinePoint(2000, 0.12345, 0.002, 130.4, 490.6, misread=24, validation=1024)


@pytest.fixture
def asked(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a stand-in where training is, and return what it is asked for."""
    asked: dict[str, Any] = {}

    def train(name: str, data: str, **rest: Any) -> Any:
        asked.update(rest, name=name, data=data)
        return SimpleNamespace(
            history=[asked.get("point", POINT)],
            card=SimpleNamespace(lines=128_000),
            folder=Path("runs/train/reader-1"),
            changes=asked.get("changes", ()),
        )

    monkeypatch.setattr(training, "train_reader", train)
    return asked


def test_a_reader_is_trained_with_its_own_options(
    digitlens: Cli, asked: dict[str, Any]
) -> None:
    """Steps, seed, data, folder and the share held back go to the training of readers."""
    ended = digitlens("train", "reader-wide", "--steps", 2000, "--seed", 3, "--out", "x")
    assert ended.code == 0
    assert isinstance(asked.pop("progress"), LineTrainingProgress)
    assert asked == {
        "name": "reader-wide",
        "data": None,
        "start": None,
        "validation": 0.1,
        "seed": 3,
        "steps": 2000,
        "out": Path("x"),
        "resume": False,
    }
    assert ended.out == (
        "steps        2,000, 128,000 lines\n"
        "validation   1,000 of 1,024 lines by other writers read exactly, 97.7 %\n"
        "run folder   runs/train/reader-1\n"
    )


def test_a_reader_goes_on_from_another_with_corrected_lines(
    digitlens: Cli, asked: dict[str, Any]
) -> None:
    """--from and --data reach the training, and what changed is said."""
    asked["changes"] = [LineChange("own lines, held back", 40, 20, 8)]
    ended = digitlens("train", "reader", "--from", "reader", "--data", "corrections")
    assert (asked["start"], asked["data"]) == ("reader", "corrections")
    assert "own lines, held back      20 right before, 32 after, of 40\n" in ended.out


def test_nothing_held_back_is_said(digitlens: Cli, asked: dict[str, Any]) -> None:
    """With a share of 0 there is no figure."""
    asked["point"] = LinePoint(10, 2.0, 0.002, 1.0, 640.0)
    ended = digitlens("train", "reader", "--validation", 0, "--resume")
    assert "validation   nothing was held back\n" in ended.out
    assert (asked["validation"], asked["resume"], asked["steps"]) == (0, True, None)


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        ("reader", ["--epochs", 3], "--epochs is not for reader: a reader sees no line twice"),
        ("reader", ["--limit", 100], "--limit is not for reader: a reader learns from lines"),
        ("cnn", ["--steps", 9], "--steps is for readers of lines: reader, reader-wide"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    digitlens: Cli, in_tmp: Path, network: str, options: list[object], message: str
) -> None:
    """The command ends with exit code 2, the option and why, and makes no folder."""
    ended = digitlens("train", network, *options)
    assert ended.code == 2
    assert message in ended.err
    assert f"{options[0]} {options[1]}" in ended.err
    assert not list(in_tmp.iterdir())


def test_a_log_gets_one_line_a_point() -> None:
    """Elsewhere than on a terminal a point is one plain line, and steps say nothing."""
    stream = io.StringIO()
    progress = LineTrainingProgress(stream)
    progress.start(60_000, 60, 64_000, "training reader")
    progress.step(1)
    progress.epoch(POINT)
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "training reader",
        "step 2,000   loss 0.1235   97.7 % read exactly   491 lines/s",
    ]


def test_a_terminal_sees_speed_time_left_and_the_last_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The live line is drawn again and again, and wiped at the end."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    now = iter([0.0, 1.0, 2.0])
    progress = LineTrainingProgress(stream, lambda: next(now))
    progress.start(1000, 1, 64_000, "")
    progress.step(0)
    progress.step(10)
    progress.epoch(POINT)
    progress.step(20)
    progress.finish()
    drawn = stream.getvalue().split("\r")
    assert drawn[2] == "  1 %   640 lines/s   1:39 left\x1b[K"
    assert drawn[3] == "\x1b[Kstep 2,000   loss 0.1235   97.7 % read exactly   491 lines/s\n"
    assert drawn[4] == "  2 %   640 lines/s   1:38 left   97.7 % read exactly\x1b[K"
    assert drawn[-1] == "\x1b[K"
