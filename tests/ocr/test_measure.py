"""Readers measured on lines whose number is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.cli.app import run
from digitlens.cli.reference import output_keys
from digitlens.ocr.measure import LineSet, compare_readers, evaluate_reader, load_lines
from digitlens.ocr.network import find_line_network, load_line_recognizer

TRUTHS = ["147", "71", "44"]


@pytest.fixture
def lines(strokes: Callable[..., np.ndarray], stroke_network: Path) -> LineSet:
    """Three lines with what is read of them as their truths, and one with another truth."""
    pictures = [strokes(text)[50:90] for text in [*TRUTHS, "11"]]
    unknown = LineSet("strokes", pictures, [""] * 4)
    read = evaluate_reader(load_line_recognizer(stroke_network), unknown).read
    return LineSet("strokes", pictures, [*read[:3], "9"])


def test_misread_lines_are_counted(stroke_network: Path, lines: LineSet) -> None:
    """A line counts where every digit is right; the others are named with what was read."""
    ticks = iter([0.0, 2.0])
    reader = load_line_recognizer(stroke_network)
    result = evaluate_reader(reader, lines, clock=lambda: next(ticks))
    figures = result.as_dict()
    assert (figures["count"], figures["misses"], figures["exact"]) == (4, 1, 0.75)
    assert figures["wrong"] == [{"index": 3, "truth": "9", "read": result.read[3]}]
    assert figures["lines_per_second"] == 2
    assert "such as      9 as " in result.summary(80)


def test_readers_are_compared_on_the_same_lines(stroke_network: Path, lines: LineSet) -> None:
    """Two readers that read alike cannot be told apart; names that come again are numbered."""
    reader = load_line_recognizer(stroke_network)
    result = compare_readers([reader, reader], lines)
    (pair,) = result.as_dict()["pairs"]
    assert (pair["only_first"], pair["both_wrong"], pair["p"]) == (0, 1, 1)
    assert "strokes (2)" in result.summary(80)
    assert max(map(len, result.summary(80).splitlines())) <= 80


def test_lines_are_read_from_a_folder_or_written(in_tmp: Path, lines: LineSet) -> None:
    """A folder with truth.csv gives its lines, another source lines with its digits."""
    Path("own").mkdir()
    rows = ["file,truth"]
    for index, picture in enumerate(lines.pictures[:3]):
        Image.fromarray(picture).save(f"own/{index}.png")
        rows.append(f"{index}.png,{TRUTHS[index]}")
    Path("own/truth.csv").write_text("\n".join(rows))
    assert load_lines("own", "test").truths == TRUTHS
    written = load_lines("uci", "test")
    assert len(written.truths) == 1000
    assert written.source == "lines written with uci test"


def test_the_commands_take_readers(
    in_tmp: Path, stroke_network: Path, lines: LineSet, capsys: pytest.CaptureFixture[str]
) -> None:
    """summary, evaluate, compare and export do for readers what they do for digits."""
    Path("own").mkdir()
    Image.fromarray(lines.pictures[0]).save("own/a.png")
    Path("own/truth.csv").write_text("file,truth\na.png,147\n")
    name = str(stroke_network)

    def ask(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(words))
        return code, *capsys.readouterr()

    code, out, _ = ask("evaluate", name, "--data", "own", "--json")
    assert code == 0
    assert list(json.loads(out)) == list(output_keys()["digitlens evaluate READER --json"])
    code, out, _ = ask("compare", name, name, "--data", "own", "--json")
    assert code == 0
    keys = output_keys()["digitlens compare READER READER --json"]
    assert list(json.loads(out)) == list(keys)
    assert ask("summary", name)[1].startswith("# strokes\n")
    assert ask("summary", "signs")[1].startswith("# signs\n")
    assert ask("summary", "rescorer")[1].startswith("# rescorer\n")
    code, _, err = ask("compare", name, "universal", "--data", "own")
    assert (code, "universal is for single digits" in err) == (2, True)
    assert ask("evaluate", "signs")[0] == ask("evaluate", "rescorer")[0] == 2
    assert ask("export", name, "--to", "torch")[0] == 2
    assert ask("export", name, "--to", "onnx", "--out", "copy.onnx")[:2] == (0, "copy.onnx\n")
    assert Path("copy.onnx").read_bytes() == stroke_network.read_bytes()


def test_what_is_no_line_network_is_told_so(in_tmp: Path) -> None:
    """A digit model, a text and nothing at all are no networks of lines."""
    from digitlens.cli.doctor import GOLDEN

    Path("text.onnx").write_text("no model")
    for name in (str(GOLDEN), "text.onnx", "nosuch"):
        assert find_line_network(name) is None
