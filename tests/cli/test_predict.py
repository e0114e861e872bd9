"""predict: digits from picture files, with a network whose answers are known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.cli.examine import GOLDEN
from digitlens.cli.forms import FORMS

Cli = Callable[..., Any]
Draw = Callable[..., Path]


def test_each_file_gets_a_line(digitlens: Cli, dots: Draw) -> None:
    """A table names each file, its digit and the confidence, on stdout alone."""
    ended = digitlens("predict", dots(3), dots(9, "a nine.png"), "--model", GOLDEN)
    assert (ended.code, ended.err) == (0, "")
    first, second = ended.out.splitlines()
    assert first.startswith("3.png        3   ")
    assert second.startswith("a nine.png   9   ")
    assert first.endswith(" %")


def test_json_is_stable(digitlens: Cli, dots: Draw) -> None:
    """--json gives model, predictions and what was rejected, under these keys."""
    ended = digitlens("predict", dots(3), "--model", GOLDEN, "--json")
    found = json.loads(ended.out)
    assert list(found) == list(FORMS["digitlens predict --json"])
    assert (found["model"], found["rejected"]) == ("golden", [])
    (row,) = found["predictions"]
    assert list(row) == ["file", "digit", "confidence", "probabilities"]
    assert (row["file"], row["digit"]) == ("3.png", 3)
    assert row["confidence"] == row["probabilities"][3] == max(row["probabilities"])
    assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_csv_can_be_read_back(digitlens: Cli, dots: Draw) -> None:
    """--csv gives a head and a row a file; a name with a comma stays one name."""
    ended = digitlens("predict", dots(3, "a, b.png"), "--model", GOLDEN, "--csv")
    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert list(row) == list(FORMS["digitlens predict --csv"])
    assert (row["file"], row["digit"]) == ("a, b.png", "3")


def test_bad_files_are_named_and_the_rest_is_read(digitlens: Cli, dots: Draw) -> None:
    """What cannot be used is named on stderr, the others are read, the code is 3."""
    Image.new("L", (100, 60)).save("large.png")
    Path("text.png").write_text("no picture")
    names = ["none.png", "large.png", dots(5), "text.png"]
    ended = digitlens("predict", *names, "--model", GOLDEN)
    assert ended.code == 3
    assert ended.out.startswith("5.png   5 ")
    told = ended.err.splitlines()
    assert told[0] == "rejected: there is no file none.png"
    assert told[1].startswith("rejected: large.png ")
    assert "100 x 60" in told[2]
    assert any(line.startswith("rejected: text.png ") for line in told)
    assert told[-1] == "3 of 4 files could not be used"


def test_rejected_files_stand_in_the_json(digitlens: Cli, dots: Draw) -> None:
    """--json keeps the files that were rejected, each with its error."""
    ended = digitlens("predict", "none.png", dots(5), "--model", GOLDEN, "--json")
    assert ended.code == 3
    assert json.loads(ended.out)["rejected"] == [
        {"file": "none.png", "error": "there is no file none.png"}
    ]


def test_nothing_but_bad_files_is_a_failure(digitlens: Cli, in_tmp: Path) -> None:
    """When no file can be used the code is 1, and stdout is empty."""
    ended = digitlens("predict", "none.png", "--model", GOLDEN)
    assert (ended.code, ended.out) == (1, "")


def test_dark_ink_on_light_paper_is_rejected(digitlens: Cli, dots: Draw) -> None:
    """A digit in the other polarity is refused, not misread."""
    pixels = 255 - np.array(Image.open(dots(5)))
    Image.fromarray(pixels).save("5.png")
    ended = digitlens("predict", "5.png", "--model", GOLDEN)
    assert ended.code == 1
    assert ended.err == (
        "rejected: 5.png must be light ink on dark paper, as MNIST's digits are\n"
        "  seen    the mean of its edge is 255 of 255\n"
        "  likely  dark ink on light paper\n"
        "  try     turn black and white round; a later release does it for you\n"
        "1 of 1 files could not be used\n"
    )


def test_a_folder_is_no_picture(digitlens: Cli, in_tmp: Path) -> None:
    """A folder is refused, and the files in it are proposed."""
    (in_tmp / "scans").mkdir()
    ended = digitlens("predict", "scans", "--model", GOLDEN)
    assert ended.err.startswith(
        "rejected: scans is a folder, not a picture\n  try     scans/*.png\n"
    )


def test_without_a_run_predict_says_how_to_get_one(digitlens: Cli, dots: Draw) -> None:
    """Without --model and without runs, the error says what makes one."""
    ended = digitlens("predict", dots(1))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "error: no --model is named, and there is no finished run to take one from\n"
        "  seen    no finished run in runs/train\n"
        "  try     digitlens train quick\n"
    )


def test_the_newest_finished_run_is_taken_and_named(digitlens: Cli, dots: Draw) -> None:
    """Without --model the newest finished run answers, and stderr says which it is."""
    run = Path("runs/train/golden-1")
    run.mkdir(parents=True)
    (run / "metrics.json").write_text("{}")
    (run / "model.onnx").write_bytes(GOLDEN.read_bytes())
    ended = digitlens("predict", dots(8))
    assert ended.code == 0
    assert ended.err == "model: runs/train/golden-1, the newest finished run\n"
    assert ended.out.startswith("8.png   8 ")


def test_a_file_that_is_no_model_is_an_error(digitlens: Cli, dots: Draw) -> None:
    """A model that is none ends the command with code 1 before any picture is read."""
    Path("model.onnx").write_bytes(b"nothing of the kind")
    ended = digitlens("predict", dots(1), "--model", "model.onnx")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: model.onnx ")


def test_json_and_csv_exclude_each_other(digitlens: Cli, dots: Draw) -> None:
    """Two forms at once are wrong usage."""
    ended = digitlens("predict", dots(1), "--json", "--csv")
    assert (ended.code, ended.err) == (2, "error: --json and --csv exclude each other\n")
