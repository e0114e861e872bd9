"""predict: digits from picture files, with a network whose answers are known."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens import imaging
from digitlens.cli.doctor import GOLDEN
from digitlens.cli.predict import predict_files
from digitlens.cli.reference import output_keys
from digitlens.imaging.inputs import list_inputs
from digitlens.models.inference import Model, Predictions, load_model

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
    assert ended.out.startswith("9.png       9 ")
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


def test_whatever_a_file_does_costs_one_row(
    digitlens: Cli, dots: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut-off TIFF, a pipe, a device, an impossible name and a fault end no command."""
    Path("m").mkdir()
    dots(9, "m/b.png")
    dots(6, "m/fault.png")
    pages = [Image.new("L", (120, 120), 255)] * 3
    pages[0].save("m/cut.tif", save_all=True, append_images=pages[1:])
    content = Path("m/cut.tif").read_bytes()
    Path("m/cut.tif").write_bytes(content[: len(content) // 2])
    os.mkfifo("m/pipe.png")
    Path("m/zero.png").symlink_to("/dev/zero")
    Path("m/photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    frame = imaging.frame_steps

    def fail(content: bytes, *, name: str) -> Any:
        if "fault" in name:
            raise RecursionError("too deep")
        return frame(content, name=name)

    monkeypatch.setattr(imaging, "frame_steps", fail)
    ended = digitlens("predict", "m", "x" * 300, "--model", GOLDEN, "--csv")
    assert ended.code == 3
    assert [line.split(",")[0] for line in ended.out.splitlines()] == ["file", "m/b.png"]
    assert ended.err.count("rejected: ") == 6
    assert "rejected: m/fault.png: RecursionError: too deep" in ended.err
    assert "a named pipe, no file" in ended.err
    assert ended.err.endswith("6 of 7 files could not be used\n")


def test_a_folder_is_framed_in_processes(
    digitlens: Cli, dots: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many pictures are framed on all cores, with the rows in order and the steps written."""
    Path("m").mkdir()
    for index, digit in enumerate((9, 6, 9)):
        dots(digit, f"m/{index}.png")
    Path("m/1b.jpg").write_text("no picture")
    plain = digitlens("predict", "m", "--model", GOLDEN, "--json")
    monkeypatch.setattr("digitlens.cli.predict.MIN_FOR_WORKERS", 2)
    ended = digitlens("predict", "m", "--model", GOLDEN, "--json", "--stages", "how")
    assert (ended.code, ended.out) == (3, plain.out)
    assert sorted(path.name for path in Path("how").iterdir()) == ["0.png", "1.png", "2.png"]


def test_rows_are_written_as_they_come(
    digitlens: Cli, dots: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of any size needs the memory of a few pictures: no more is framed ahead."""
    Path("m").mkdir()
    for index in range(5):
        dots(9, f"m/{index}.png")
    framed: list[str] = []
    frame = imaging.frame_steps
    monkeypatch.setattr(
        imaging, "frame_steps", lambda *a, name: framed.append(name) or frame(*a, name=name)
    )
    rows = predict_files(load_model(GOLDEN), list_inputs(["m"]), None, chunk=2)
    assert [(next(rows)["file"], len(framed)) for _ in range(3)] == [
        ("m/0.png", 2),
        ("m/1.png", 2),
        ("m/2.png", 4),
    ]


def test_each_file_is_a_line_of_json(
    digitlens: Cli, dots: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--jsonl gives a line a file, errors among them; --workers changes none of them."""
    Path("m").mkdir()
    dots(9, "m/a.png")
    Path("m/b.jpg").write_text("no picture")
    dots(6, "m/c.png")
    ended = digitlens("predict", "m", "--model", GOLDEN, "--jsonl")
    assert ended.code == 3
    first, bad, last = map(json.loads, ended.out.splitlines())
    assert [first["digit"], last["digit"]] == [9, 6]
    assert list(first | bad) == list(output_keys()["digitlens predict --jsonl"])
    assert (bad["file"], bad["kind"]) == ("m/b.jpg", "corrupt")
    assert bad["error"].startswith("m/b.jpg is not a picture")
    again = digitlens("predict", "m", "--model", GOLDEN, "--jsonl", "--workers", "1")
    assert (again.code, again.out, again.err) == (3, ended.out, ended.err)


def test_names_do_not_reach_the_terminal_as_commands(digitlens: Cli, dots: Draw) -> None:
    """Escape sequences and line ends of a file's name are written as codes."""
    name = dots(9, "a\n\x1b[31mb.png")
    Path("a\n\x1b[2Jc.png").write_text("no picture")
    ended = digitlens("predict", name, "a\n\x1b[2Jc.png", "--model", GOLDEN)
    assert ended.out.startswith("a\\u000a\\u001b[31mb.png   9 ")
    assert ended.err.startswith("rejected: a\\u000a\\u001b[2Jc.png is not a picture")
    ended = digitlens("predict", name, "--model", GOLDEN, "--json")
    assert json.loads(ended.out)["predictions"][0]["file"] == str(name)


def test_folders_in_folders_and_patterns(digitlens: Cli, dots: Draw) -> None:
    """--recursive looks into folders in folders; a pattern the shell left is expanded."""
    Path("m/deep").mkdir(parents=True)
    dots(6, "m/a.png")
    dots(9, "m/deep/b.png")
    ended = digitlens("predict", "m", "--model", GOLDEN, "--csv")
    assert (ended.code, ended.out.count("\n")) == (0, 2)
    assert ended.err == "warning: m: not read are 1 folder (deep), which --recursive reads\n"
    ended = digitlens("predict", "m", "--model", GOLDEN, "--csv", "--recursive")
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 3)
    ended = digitlens("predict", "m/**/*.png", "--model", GOLDEN, "--csv")
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 3)


def test_an_address_and_a_pdf_get_advice(digitlens: Cli, in_tmp: Path) -> None:
    """What another command or program would open says so."""
    Path("a.pdf").write_bytes(b"%PDF-1.4")
    ended = digitlens("predict", "https://example.com/7.png", "a.pdf", "--model", GOLDEN)
    assert ended.code == 1
    assert "there is no file https://example.com/7.png\n" in ended.err
    assert "curl -LO https://example.com/7.png" in ended.err
    assert "digitlens read FILE reads the pages of a PDF" in ended.err


def test_an_empty_argument_is_wrong_usage(digitlens: Cli, dots: Draw) -> None:
    """A variable of the shell that is not set does not stand for this folder."""
    dots(6)
    for arguments in (
        ["predict", ""],
        ["read", ""],
        ["data", "info", ""],
        ["predict", "--stages="],
    ):
        ended = digitlens(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert "error: an argument must not be empty" in ended.err


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
    for second in ("--csv", "--jsonl"):
        ended = digitlens("predict", dots(6), "--json", second)
        assert (ended.code, ended.err) == (
            2,
            f"error: --json and {second} exclude each other\n",
        )
