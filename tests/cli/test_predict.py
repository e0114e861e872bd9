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

from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys
from digitlens.models.inference import Model, Predictions

Cli = Callable[..., Any]
Draw = Callable[..., Path]


def test_each_file_gets_a_line(digitlens: Cli, dots: Draw) -> None:
    """A table names each file, its digit and the confidence, on stdout alone."""
    ended = digitlens("predict", dots(6), dots(9, "a nine.png"), "--model", GOLDEN)
    assert (ended.code, ended.err) == (0, "")
    first, second = ended.out.splitlines()
    assert first.startswith("6.png        6   ")
    assert second.startswith("a nine.png   9   ")
    assert first.endswith(" %")


def test_json_is_stable(digitlens: Cli, dots: Draw) -> None:
    """--json gives model, predictions and what was rejected, under these keys."""
    ended = digitlens("predict", dots(6), "--model", GOLDEN, "--json")
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens predict --json"])
    assert (result["model"], result["rejected"]) == ("golden", [])
    (row,) = result["predictions"]
    assert list(row) == ["file", "digit", "confidence", "probabilities"]
    assert (row["file"], row["digit"]) == ("6.png", 6)
    assert row["confidence"] == row["probabilities"][6] == max(row["probabilities"])
    assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_csv_can_be_read_back(digitlens: Cli, dots: Draw) -> None:
    """--csv gives a head and a row a file; a name with a comma stays one name."""
    ended = digitlens("predict", dots(6, "a, b.png"), "--model", GOLDEN, "--csv")
    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert list(row) == list(output_keys()["digitlens predict --csv"])
    assert (row["file"], row["digit"]) == ("a, b.png", "6")


def test_bad_files_are_named_and_the_rest_is_read(digitlens: Cli, dots: Draw) -> None:
    """What cannot be used is named on stderr, the others are read, the code is 3."""
    Image.new("L", (100, 60)).save("blank.png")
    Path("text.png").write_text("no picture")
    names = ["none.png", "blank.png", dots(9), "text.png"]
    ended = digitlens("predict", *names, "--model", GOLDEN)
    assert ended.code == 3
    assert ended.out.startswith("9.png   9 ")
    told = ended.err.splitlines()
    assert told[0] == "rejected: there is no file none.png"
    assert told[1] == "rejected: blank.png must show a digit"
    assert told[2].startswith("  seen    bare paper")
    assert any(line.startswith("rejected: text.png ") for line in told)
    assert told[-1] == "3 of 4 files could not be used"


def test_rejected_files_stand_in_the_json(digitlens: Cli, dots: Draw) -> None:
    """--json keeps the files that were rejected, each with its error."""
    ended = digitlens("predict", "none.png", dots(9), "--model", GOLDEN, "--json")
    assert ended.code == 3
    assert json.loads(ended.out)["rejected"] == [
        {"file": "none.png", "error": "there is no file none.png"}
    ]


def test_nothing_but_bad_files_is_a_failure(digitlens: Cli, in_tmp: Path) -> None:
    """When no file can be used the code is 1, and stdout is empty."""
    ended = digitlens("predict", "none.png", "--model", GOLDEN)
    assert (ended.code, ended.out) == (1, "")


def test_any_picture_of_a_digit_will_do(digitlens: Cli, dots: Draw) -> None:
    """Dark ink on light paper, larger and off centre, in colours: all are framed first."""
    pixels = 255 - np.array(Image.open(dots(9))).repeat(5, axis=0).repeat(5, axis=1)
    page = np.pad(pixels, ((10, 90), (200, 15)), constant_values=255)
    Image.fromarray(np.dstack([page // 2 + 127, page, page])).save("page.jpg")
    ended = digitlens("predict", "page.jpg", "--model", GOLDEN)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("page.jpg   9 ")


def test_a_folder_stands_for_its_pictures(digitlens: Cli, dots: Draw, in_tmp: Path) -> None:
    """The pictures in a folder are read by name; other files in it are passed over."""
    folder = in_tmp / "scans"
    folder.mkdir()
    dots(9, "scans/b.png")
    dots(6, "scans/a.PNG")
    dots(6, "scans/.hidden.png")
    (folder / "labels.csv").write_text("a,6")
    (folder / "c.jpg").write_text("no picture")
    ended = digitlens("predict", "scans", "--model", GOLDEN)
    assert ended.code == 3
    rows = [line.split()[:2] for line in ended.out.splitlines()]
    assert rows == [["scans/a.PNG", "6"], ["scans/b.png", "9"]]
    assert ended.err.splitlines()[-1] == "1 of 3 files could not be used"


def test_an_empty_folder_is_rejected(digitlens: Cli, in_tmp: Path) -> None:
    """A folder without pictures is told of, and which files count as pictures."""
    (in_tmp / "scans").mkdir()
    ended = digitlens("predict", "scans", "--model", GOLDEN)
    assert ended.code == 1
    assert ended.err.startswith("rejected: scans is a folder without pictures\n  try     name")


def test_stages_are_written_for_each_picture(digitlens: Cli, dots: Draw) -> None:
    """--stages DIR leaves one PNG a picture, named after it; equal names are numbered."""
    Path("other").mkdir()
    ended = digitlens(
        "predict", dots(9), dots(6, "other/9.jpg"), "--model", GOLDEN, "--stages", "how"
    )
    assert (ended.code, ended.err) == (0, "stages: 2 written to how\n")
    assert sorted(path.name for path in Path("how").iterdir()) == ["9-2.png", "9.png"]
    with Image.open("how/9.png") as strip:
        assert strip.format == "PNG"


@pytest.mark.parametrize("refused", [True, False])
def test_what_is_no_digit_is_said(
    digitlens: Cli, dots: Draw, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that refuses a picture gives null, and shows its best guess to be checked."""

    def unsure(self: Model, images: np.ndarray) -> Predictions:
        result = self.logits(images)
        return Predictions(
            result.argmax(1).astype(np.uint8),
            np.full((len(images), 10), 0.1, np.float32),
            no_digit=np.full(len(images), 0.75, np.float32),
            refused=np.full(len(images), refused),
        )

    monkeypatch.setattr(Model, "predict", unsure)
    ended = digitlens("predict", dots(9), "--model", GOLDEN, "--json")
    (row,) = json.loads(ended.out)["predictions"]
    assert row["digit"] == (None if refused else 9)
    assert (row["no_digit"], row["likeliest"]) == (0.75, 9)
    ended = digitlens("predict", "9.png", "--model", GOLDEN)
    assert ended.out == (
        f"9.png   9    10.00 %{'   no digit: check this' if refused else ''}\n"
    )
    ended = digitlens("predict", "9.png", "--model", GOLDEN, "--csv")
    digit = "" if refused else "9"
    assert ended.out.splitlines()[1] == f"9.png,{digit},0.100000,9,false,0.750000"


def test_an_unsure_answer_is_to_be_checked(
    digitlens: Cli, dots: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digit and its probability stay visible; JSON and CSV say that it is unsure."""

    def doubt(self: Model, images: np.ndarray) -> Predictions:
        shares = np.full((len(images), 10), 0.05, np.float32)
        shares[:, 6] = 0.55
        few = np.full(len(images), 0.02, np.float32)
        no, yes = (np.full(len(images), value) for value in (False, True))
        return Predictions(shares.argmax(1).astype(np.uint8), shares, few, no, yes)

    monkeypatch.setattr(Model, "predict", doubt)
    ended = digitlens("predict", dots(6), "--model", GOLDEN)
    assert ended.out == "6.png   6    55.00 %   unsure: check this\n"
    ended = digitlens("predict", "6.png", "--model", GOLDEN, "--json")
    (row,) = json.loads(ended.out)["predictions"]
    assert (row["digit"], row["unsure"]) == (6, True)
    ended = digitlens("predict", "6.png", "--model", GOLDEN, "--csv")
    assert ended.out.splitlines()[1] == "6.png,6,0.550000,6,true,0.020000"


def test_without_a_model_universal_answers(digitlens: Cli, dots: Draw) -> None:
    """Without --model and without runs, the network that comes with digitlens is asked."""
    result = json.loads(digitlens("predict", dots(6), "--json").out)
    assert result["model"] == "universal"
    (row,) = result["predictions"]
    assert 0 <= row["no_digit"] <= 1
    assert row["likeliest"] == max(range(10), key=row["probabilities"].__getitem__)


def test_a_file_that_is_no_model_is_an_error(digitlens: Cli, dots: Draw) -> None:
    """A model that is none ends the command with code 1 before any picture is read."""
    Path("model.onnx").write_bytes(b"nothing of the kind")
    ended = digitlens("predict", dots(6), "--model", "model.onnx")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: model.onnx ")


def test_json_and_csv_exclude_each_other(digitlens: Cli, dots: Draw) -> None:
    """Two forms at once are wrong usage."""
    ended = digitlens("predict", dots(6), "--json", "--csv")
    assert (ended.code, ended.err) == (2, "error: --json and --csv exclude each other\n")
