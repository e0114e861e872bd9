"""evaluate, compare and export, with a network whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys

Cli = Callable[..., Any]


def test_figures_go_to_stdout_and_the_report_into_a_folder(
    digitlens: Cli, in_tmp: Path
) -> None:
    """The figures of the test part are printed; the report's path goes to stderr."""
    ended = digitlens("evaluate", GOLDEN, "--data", "uci")
    assert ended.code == 0
    assert ended.out.startswith("golden on uci test\n")
    assert ended.err == "report: reports/golden-uci/report.html\n"
    page = Path("reports/golden-uci/report.html").read_text(encoding="utf-8")
    assert "<title>golden on uci" in page


def test_json_holds_the_figures(digitlens: Cli, in_tmp: Path) -> None:
    """--json gives whole misses of the whole part, and the place of the report stays apart."""
    ended = digitlens(
        "evaluate",
        GOLDEN,
        "--data",
        "uci",
        "--part",
        "validation",
        "--json",
        "--report",
        "here",
    )
    result = json.loads(ended.out)
    assert (result["model"], result["count"]) == ("golden", 144)
    assert isinstance(result["misses"], int)
    assert list(result) == list(output_keys()["digitlens evaluate --json"])
    assert ended.err == "report: here/report.html\n"


def test_a_part_that_is_none_is_usage(digitlens: Cli, in_tmp: Path) -> None:
    """A mistyped part is guessed, and nothing is written."""
    ended = digitlens("evaluate", GOLDEN, "--data", "uci", "--part", "tets")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: --part must be one of: test, validation, train, all\n"
        "  seen    --part tets\n"
        "  try     --part test\n"
    )
    assert not list(in_tmp.iterdir())


def test_models_are_compared_in_the_order_given(digitlens: Cli, in_tmp: Path) -> None:
    """Compare counts both models on the same digits, and one pair."""
    ended = digitlens("compare", GOLDEN, GOLDEN, "--data", "uci", "--json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens compare --json"])
    assert [item["model"] for item in result["models"]] == ["golden", "golden (2)"]
    (pair,) = result["pairs"]
    assert (pair["only_first"], pair["only_second"], pair["p"]) == (0, 0, 1.0)


def test_a_comparison_is_a_page_too(digitlens: Cli, in_tmp: Path) -> None:
    """With --report there is a page of the models side by side, and its place is told."""
    ended = digitlens("compare", GOLDEN, GOLDEN, "--data", "uci", "--report", "side")
    assert ended.code == 0
    assert "report: side/report.html" in ended.err
    assert "McNemar" in (in_tmp / "side" / "report.html").read_text(encoding="utf-8")


def test_one_model_cannot_be_compared(digitlens: Cli, in_tmp: Path) -> None:
    """A single model is wrong usage, and evaluate is proposed."""
    ended = digitlens("compare", "runs/train/cnn-1")
    assert (ended.code, ended.err) == (
        2,
        "error: there must be two or more models to compare\n"
        "  seen    runs/train/cnn-1\n"
        "  try     digitlens evaluate runs/train/cnn-1\n",
    )


def test_an_unknown_format_is_usage(digitlens: Cli, in_tmp: Path) -> None:
    """Export names the formats there are."""
    ended = digitlens("export", GOLDEN, "--to", "tflite")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: --to must be one of: onnx, torch, keras, hub\n  seen    --to tflite\n"
    )


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_a_model_that_is_not_there_is_an_error(
    digitlens: Cli, in_tmp: Path, command: str
) -> None:
    """A model that is none is named, with what makes one."""
    options = ["--to", "onnx"] if command == "export" else ["--data", "uci"]
    ended = digitlens(command, "cnn-9", *options)
    assert ended.code == 1
    assert ended.err == (
        "error: cnn-9 is no model: wanted a published name, a run folder or an .onnx file\n"
        "  seen    No such file or directory\n"
        "  try     digitlens train cnn    makes one; or a published network: best, cnn,\n"
        "          dense-deformed, fast, quick, tiny, universal\n"
    )
