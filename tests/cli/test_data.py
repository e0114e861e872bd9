"""data: digits looked at, counted and fetched, with uci's, which are always here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digitlens.cli.reference import output_keys
from digitlens.data import load_digits

Cli = Callable[..., Any]


def test_show_writes_a_grid(digitlens: Cli, in_tmp: Path) -> None:
    """Show writes a grid of the first digits and names it; the labels go to stderr."""
    ended = digitlens("data", "show", "uci", "--count", "20")
    assert (ended.code, ended.out) == (0, "digits.png\n")
    with Image.open("digits.png") as picture:
        assert picture.size == (2 * (10 * 28 + 9 * 2), 2 * (2 * 28 + 2))
    labels = load_digits("uci").train.labels[:10]
    assert ended.err.splitlines() == [
        "20 of 1,294 digits; their labels, row by row:",
        " ".join(map(str, labels)),
        " ".join(map(str, load_digits("uci").train.labels[10:20])),
    ]


def test_show_replaces_nothing_unasked(digitlens: Cli, in_tmp: Path) -> None:
    """A file that is there already stays, unless --force is given."""
    Path("digits.png").write_text("mine")
    ended = digitlens("data", "show", "uci")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "error: digits.png is there already\n  try     --force to replace it, or another name\n"
    )
    assert Path("digits.png").read_text() == "mine"
    assert digitlens("data", "show", "uci", "--force").code == 0
    assert Path("digits.png").read_bytes()[:4] == b"\x89PNG"


def test_show_prints_one_digit_with_its_numbers(digitlens: Cli, in_tmp: Path) -> None:
    """--index prints the digit as characters and as numbers, and writes no file."""
    digits = load_digits("uci").validation
    ended = digitlens("data", "show", "uci", "--part", "validation", "--index", "3")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"digit 3 of uci validation, label {digits.labels[3]}"
    assert str(int(digits.images[3].max())) in ended.out
    assert "\x1b" not in ended.out
    assert not list(in_tmp.iterdir())


def test_show_writes_one_digit_where_it_is_told_to(digitlens: Cli, in_tmp: Path) -> None:
    """--out with --index is that digit as a picture; a file that is there stays."""
    ended = digitlens("data", "show", "uci", "--index", "3", "--out", "three.png")
    assert (ended.code, ended.err) == (0, "written: three.png\n")
    with Image.open("three.png") as picture:
        assert min(picture.size) >= 280
    again = digitlens("data", "show", "uci", "--index", "4", "--out", "three.png")
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("error: three.png is there already\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["--index", "1294"],
            "error: --index must be in 0..1293, for uci train\n  seen    --index 1294\n",
        ),
        (["--count", "0"], "error: --count must be 1 or more\n  seen    --count 0\n"),
        (
            ["--part", "tran"],
            "error: --part must be one of: train, validation\n"
            "  seen    --part tran\n"
            "  try     --part train\n",
        ),
        (
            ["--part", "test"],
            "error: the test digits are not shown: figures on digits that were looked at mean\n"
            "       little\n"
            "  try     digitlens evaluate MODEL    shows those that a model gets wrong\n",
        ),
    ],
)
def test_show_refuses(digitlens: Cli, in_tmp: Path, arguments: list[str], error: str) -> None:
    """A wrong index, count or part is wrong usage, and says what is right."""
    ended = digitlens("data", "show", "uci", *arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", error)


def test_info_counts_the_classes(digitlens: Cli) -> None:
    """Info counts training and validation digits by class; of the test only how many."""
    ended = digitlens("data", "info", "uci", "--json")
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens data info --json"])
    data = load_digits("uci")
    assert result["parts"] == {
        "train": {
            "digits": len(data.train),
            "classes": data.train.counts.tolist(),
            "shape": [1294, 28, 28],
            "dtype": "uint8",
            "range": [0, 255],
        },
        "validation": {
            "digits": len(data.validation),
            "classes": data.validation.counts.tolist(),
            "shape": [144, 28, 28],
            "dtype": "uint8",
            "range": [0, 255],
        },
        "test": {"digits": len(data.test)},
    }
    assert result["split"] == data.split
    assert result["sha256"] == data.hashes


def test_info_is_a_table_for_people(digitlens: Cli) -> None:
    """Without --json info is a table with the split in words and the hashes."""
    ended = digitlens("data", "info", "uci")
    assert ended.code == 0
    assert ended.out.startswith("uci: by class: ")
    assert "  all        1,294         144" in ended.out
    assert "train.images: uint8 (1294, 28, 28), 0 to 255: 0 is paper\n" in ended.out
    assert "train.labels: uint8 (1294,), 0 to 9\n" in ended.out
    assert "359 test digits wait for digitlens evaluate" in ended.out


def test_fetch_has_nothing_to_do_for_uci(digitlens: Cli) -> None:
    """Uci comes with digitlens: fetch says so and names its folder."""
    ended = digitlens("data", "fetch", "uci")
    assert (ended.code, ended.err) == (0, "uci is here already\n")
    assert Path(ended.out.strip()).is_dir()


def test_fetch_of_an_unknown_source_is_usage(digitlens: Cli) -> None:
    """A source that has no such name is guessed."""
    ended = digitlens("data", "fetch", "fasion")
    assert (ended.code, ended.out) == (2, "")
    assert "fashion" in ended.err


def test_a_source_that_is_not_there_is_an_error(digitlens: Cli, in_tmp: Path) -> None:
    """A path at which nothing is ends with an error, not with a traceback."""
    ended = digitlens("data", "info", "scans/none.npz")
    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert "scans/none.npz" in ended.err


def test_lines_writes_a_sheet(digitlens: Cli, in_tmp: Path) -> None:
    """Lines writes numbers with the digits on a sheet, and names it; the seed decides."""
    ended = digitlens("data", "lines", "uci", "--count", "8", "--style", "clean", "--boxes")
    assert (ended.code, ended.out) == (0, "lines.png\n")
    assert ended.err == "8 numbers and 0 pictures without one, style clean\n"
    first = Path("lines.png").read_bytes()
    again = ("data", "lines", "uci", "--count", "8", "--style", "clean", "--force")
    assert digitlens(*again, "--boxes").code == 0
    assert Path("lines.png").read_bytes() == first
    assert digitlens(*again, "--boxes", "--seed", "1").code == 0
    assert Path("lines.png").read_bytes() != first


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--count", "0"], 2, "--count must be 1 or more"),
        (["--part", "test"], 2, "the test digits are not shown"),
        (["--style", "tidy"], 2, "the style must be a Style or the name of one"),
        (["--seed", "-1"], 2, "must be 0 or more"),
        ([], 1, "lines.png is there already"),
    ],
)
def test_lines_refuses(
    digitlens: Cli, in_tmp: Path, arguments: list[str], code: int, error: str
) -> None:
    """A wrong count, part, style or seed is wrong usage; a file that is there stays."""
    Path("lines.png").write_text("mine")
    force = ["--force"] if code == 2 else []
    ended = digitlens("data", "lines", "uci", *arguments, *force)
    assert (ended.code, ended.out) == (code, "")
    assert error in ended.err
    assert Path("lines.png").read_text() == "mine"


def test_check_writes_a_page_and_names_the_files(digitlens: Cli, in_tmp: Path) -> None:
    """Wrong labels in a folder are counted, named by file in JSON, and shown on a page."""
    digits = load_digits("uci").test
    for index in range(40):
        label = int(digits.labels[index]) if index else (int(digits.labels[0]) + 5) % 10
        Path(f"mine/{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.images[index]).save(f"mine/{label}/{index}.png")
    ended = digitlens("data", "check", "mine")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("40 digits of mine, looked at by universal\n  label        1")
    assert "labels.html" in ended.err
    assert digitlens("data", "check", "mine").code == 1  # the page is there already
    Path("mine/1/broken.png").write_bytes(b"none")
    ended = digitlens("data", "check", "mine", "--json", "--force")
    assert ended.code == 3
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens data check --json"])
    assert [item["file"].split("/")[1] for item in result["issues"]] == ["0.png"]
    assert "broken.png" in Path("labels.html").read_text()
