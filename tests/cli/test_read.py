"""read: numbers from picture files, with a network whose answers are known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from digitlens.cli.reference import output_keys
from digitlens.models.card import CALIBRATIONS_KEY
from digitlens.ocr.output import COLUMNS

Cli = Callable[..., Any]


@pytest.fixture
def draw(in_tmp: Path, strokes: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """Return a function that writes a picture of numbers."""

    def write(name: str, *lines: str) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(strokes(*lines)).save(path)
        return path

    return write


Draw = Callable[..., Path]


def test_each_number_gets_a_row(read: Cli, draw: Draw) -> None:
    """A row names the file, the number and its confidence, on stdout alone."""
    ended = read(draw("a.png", "1714", "171"))
    assert (ended.code, ended.err) == (0, "")
    first, second = ended.out.splitlines()
    assert first.startswith("a.png   1714            9")
    assert second.split()[:2] == ["a.png", "171"]
    assert first.endswith(" %")


def test_json_is_stable(read: Cli, draw: Draw) -> None:
    """--json gives one value under these keys, a line for each picture."""
    ended = read(draw("a.png", "17"), draw("b.png"), "none.png", "--json", "--workers", 1)
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens read --json"])
    assert (result["format"], result["model"], result["max_error"]) == (1, "strokes", None)
    assert result["bars"] == [{"field": None, "confidence": 0.9}]
    assert [list(item) for item in result["pictures"]] == 2 * [
        ["file", "page", "size", "turn", "lines", "tables", "words"]
    ]
    (line,) = result["pictures"][0]["lines"]
    assert list(line) == [
        *("field", "sure", "text", "confidence"),
        *("box", "digits", "alternatives"),
    ]
    assert (line["text"], line["field"], len(line["digits"])) == ("17", None, 2)
    assert result["pictures"][1]["lines"] == []
    (rejected,) = result["rejected"]
    assert rejected == {"file": "none.png", "page": None, "error": "there is no file none.png"}
    assert len(ended.out.splitlines()) == 4


def test_json_of_nothing_is_json(read: Cli, in_tmp: Path) -> None:
    """When nothing could be read the value is whole, and its list empty."""
    ended = read("none.png", "--json")
    assert (ended.code, json.loads(ended.out)["pictures"]) == (1, [])


def test_csv_can_be_read_back(read: Cli, draw: Draw) -> None:
    """--csv gives a head and a row a number; a name with a comma stays one name."""
    ended = read(draw("a, b.png", "17", "171"), "--csv")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert list(rows[0]) == list(output_keys()["digitlens read --csv"]) == list(COLUMNS)
    assert [(row["file"], row["text"], row["page"]) for row in rows] == [
        ("a, b.png", "17", ""),
        ("a, b.png", "171", ""),
    ]
    assert float(rows[0]["left"]) < float(rows[0]["right"])
    assert {row["sure"] for row in rows} <= {"true", "false"}


def test_no_digits_are_no_failure(read: Cli, draw: Draw) -> None:
    """A picture without digits gives no row, code 0 and a word on stderr."""
    ended = read(draw("a.png"))
    assert (ended.code, ended.out, ended.err) == (0, "", "a.png: no digits\n")


@pytest.mark.parametrize(
    ("words", "first", "lengths"),
    [
        ([], "17", {2, 3, 4}),
        (["--length", 4], "1114", {4}),
        (["--length", 3, "--length", 2], "171", {2, 3}),
    ],
)
def test_only_wanted_lengths_are_read(
    read: Cli, draw: Draw, words: list[Any], first: str, lengths: set[int]
) -> None:
    """--length keeps numbers of that length, the likeliest first; it may be given again."""
    result = json.loads(read(draw("a.png", "17", "171", "1114"), *words, "--json").out)
    texts = [line["text"] for line in result["pictures"][0]["lines"]]
    assert texts[0] == first
    assert {len(text) for text in texts} == lengths


def test_what_is_below_the_bar_is_marked(read: Cli, draw: Draw) -> None:
    """Without a wish a number is sure from 90 % on; the others carry a question mark."""
    # Three numbers tell which way is up. The last has three digits, and is read as four because
    # that is asked for.
    ended = read(draw("a.png", "1114", "1114", "1114", "177"), "--length", 4)
    first, *_, last = ended.out.splitlines()
    assert first.endswith(" %")
    assert last.split()[2] < "90"
    assert last.endswith("%   ? not sure")
    result = json.loads(read("a.png", "--length", 4, "--json").out)
    assert [line["sure"] for line in result["pictures"][0]["lines"]] == [True] * 3 + [False]


def test_a_promise_about_errors_sets_the_bar(read: Cli, draw: Draw) -> None:
    """--max-error takes its bar from the reader's calibration, and tells it on stderr."""
    ended = read(draw("a.png", "1"), "--max-error", 0.01)
    assert ended.err == (
        "sure from 50.23 % on, as 50 % of the lines are that set this threshold\n"
    )
    assert "?" not in ended.out
    result = json.loads(read("a.png", "--max-error", 0.01, "--json").out)
    assert result["max_error"] == 0.01
    assert result["bars"][0]["confidence"] == pytest.approx(0.502251)


def test_a_promise_that_cannot_be_kept_leaves_nothing_sure(read: Cli, draw: Draw) -> None:
    """Where no bar keeps the promise, all numbers are marked, and stderr says why."""
    ended = read(draw("a.png", "17"), "--max-error", 0.01, "--length", 2)
    assert (ended.code, ended.out[-11:]) == (0, "? not sure\n")
    assert ended.err == "nothing is sure enough for 1 % errors at most\n"
    ended = read("a.png", "--max-error", 0.01, "--length", 2, "--json")
    assert json.loads(ended.out)["bars"] == [{"field": None, "confidence": None}]


def test_without_calibration_there_is_no_promise(
    digitlens: Cli, draw: Draw, stroke_network: Path
) -> None:
    """--max-error with a network that nobody calibrated is an error."""
    bare = onnx.load(stroke_network)
    held = {entry.key: entry.value for entry in bare.metadata_props}
    del held[CALIBRATIONS_KEY]
    onnx.helper.set_model_props(bare, held)
    Path("bare.onnx").write_bytes(bare.SerializeToString())
    ended = digitlens("read", draw("a.png", "1"), "--model", "bare.onnx", "--max-error", "0.01")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: bare.onnx must be calibrated for a promise")


def test_fields_are_read_by_name(read: Cli, draw: Draw) -> None:
    """Each --field gives a row, in their order, with its name; one may hold nothing."""
    ended = read(
        draw("a.png", "17", "1711"),
        *("--field", "name=code,count=4", "--field", "area=0,0,160,100"),
        *("--field", "name=none,area=0,0,300,30"),
    )
    rows = [line.split()[:3] for line in ended.out.splitlines()]
    read_as = {"code": "1711", "2": "17", "none": "nothing"}
    assert rows == [["a.png", name, text] for name, text in read_as.items()]
    ended = read("a.png", "--field", "name=code,count=2", "--max-error", 0.01)
    assert ended.err == "code: nothing is sure enough for 1 % errors at most\n"


@pytest.mark.parametrize(
    ("field", "seen"),
    [
        ("count=0", "count=0"),
        ("count=many", "count=many"),
        ("area=1,2,3", "area=1,2,3"),
        ("area=9,0,5,5", "area=9,0,5,5"),
        ("colour=red", "'colour=red'"),
        ("name=a,name=b", "'name=b'"),
    ],
)
def test_a_field_that_is_none_is_told(read: Cli, draw: Draw, field: str, seen: str) -> None:
    """A --field that cannot be understood is wrong usage, with the part and an example."""
    ended = read("a.png", "--field", field)
    assert ended.code == 2
    assert ended.err.startswith("error: --field must be made of name=NAME")
    assert f"  seen    {seen}" in ended.err
    assert "try     --field name=zip,count=5," in ended.err


def test_fields_have_names_of_their_own(read: Cli, in_tmp: Path) -> None:
    """Two fields of one name are wrong usage; an unnamed one is called by its number."""
    ended = read("a.png", "--field", "name=2", "--field", "count=5")
    assert ended.code == 2
    assert "two called 2" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "--csv"],
        ["--line", "--field", "count=5"],
        ["--line", "--stages", "how"],
        ["--field", "count=5", "--stages", "how"],
    ],
)
def test_what_excludes_each_other(read: Cli, in_tmp: Path, words: list[str]) -> None:
    """Options that cannot go together are wrong usage, before anything is read."""
    ended = read("none.png", *words)
    assert ended.code == 2
    assert ended.err.endswith("exclude each other\n")


@pytest.mark.parametrize(
    "words", [["--workers", 0], ["--length", 0], ["--max-error", 0], ["--max-error", 2]]
)
def test_numbers_out_of_range_are_wrong_usage(read: Cli, draw: Draw, words: list[Any]) -> None:
    """No workers, lengths below 1 and rates outside 0..1 are wrong usage."""
    ended = read(draw("a.png", "1"), *words)
    assert ended.code == 2
    assert "lengths=" not in ended.err, "that is how a function is called"


def test_a_line_is_read_as_one(read: Cli, draw: Draw) -> None:
    """--line takes each picture for one line of digits."""
    ended = read(draw("a.png", "171"), draw("b.png"), "--line")
    assert ended.out.split()[:2] == ["a.png", "171"]
    assert ended.err == "b.png: no digits\n"


def test_steps_and_readings_are_written(read: Cli, draw: Draw) -> None:
    """--stages and --annotate make their folders, and stderr names them."""
    ended = read(draw("a.png", "17"), "--stages", "x/how", "--annotate", "x/seen")
    assert ended.err == "stages: x/how\nannotated: x/seen\n"
    assert Path("x/seen/a.png").is_file()
    assert Path("x/how/a/1-seen.png").is_file()


@pytest.mark.parametrize("option", ["--stages", "--annotate"])
def test_a_folder_that_is_a_file_is_refused(read: Cli, draw: Draw, option: str) -> None:
    """A file where the folder should be ends the command before anything is read."""
    ended = read(draw("a.png", "1"), option, "a.png")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: a.png could not be written")


def test_sure_shows_what_is_sure(read: Cli, draw: Draw) -> None:
    """--sure leaves out what is not, in every kind of output."""
    page = draw("a.png", "1714", "171")
    assert len(read(page, "--sure").out.splitlines()) == 2
    for kind in ("--csv", "--json"):
        whole, sure = (read(page, kind, *more).out for more in ((), ("--sure",)))
        assert whole == sure
    promise = ("--max-error", 1e-6)
    assert "not sure" in read(page, *promise).out
    assert read(page, *promise, "--sure").out == ""


def test_numbers_are_joined_or_split(read: Cli, draw: Draw) -> None:
    """--join and --split are opposites, and mean nothing for --line."""
    page = draw("a.png", "1714")
    assert "1714" in read(page, "--join").out
    assert "1714" in read(page, "--split").out
    for words in (("--join", "--split"), ("--line", "--join"), ("--line", "--split")):
        assert read(page, *words).code == 2
