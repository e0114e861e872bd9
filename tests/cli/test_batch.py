"""batch: from the command line, begun, gone on with, looked at and collected."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys

Cli = Callable[..., Any]
Draw = Callable[..., Path]


@pytest.fixture
def folder(dots: Draw) -> Path:
    """Return a folder of three pictures, one of which is none."""
    Path("m").mkdir()
    dots(9, "m/a.png")
    Path("m/b.png").write_bytes(b"no picture")
    dots(6, "m/c.png")
    return Path("m")


@pytest.fixture
def predict(digitlens: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return a function that predicts into the folder `out` without starting processes."""
    import digitlens.batch.run as run

    real = run.run_in_order
    monkeypatch.setattr(
        run, "run_in_order", lambda *tasks, **more: real(*tasks, **more | {"workers": 0})
    )
    common = ("--out", "out", "--model", GOLDEN, "--part-size", 2)
    return lambda *words: digitlens("batch", "predict", *common, *words)


def test_a_batch_is_begun_and_done_again(predict: Cli, digitlens: Cli, folder: Path) -> None:
    """Each picture is a line, errors with their kind; a second run has nothing to do."""
    ended = predict("m")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.splitlines()[-2:] == [
        "3 pictures in 2 parts: out",
        "1 of 3 pictures could not be used: 1 corrupt",
    ]
    lines = [line for part in sorted(Path("out").glob("part-*.jsonl"))
             for line in part.read_text().splitlines()]  # fmt: skip
    assert lines == digitlens("predict", "m", "--model", GOLDEN, "--jsonl").out.splitlines()
    written = {path: path.stat().st_mtime_ns for path in Path("out").glob("part-*")}
    again = predict("m")
    assert (again.code, again.err.splitlines()) == (3, ended.err.splitlines()[-2:])
    assert {path: path.stat().st_mtime_ns for path in Path("out").glob("part-*")} == written
    other = digitlens("batch", "predict", "m", "--out", "out", "--model", GOLDEN)
    assert other.code == 1
    assert "seen    part_size: 2 there, 500 now" in other.err


def test_shards_status_and_collect(predict: Cli, digitlens: Cli, folder: Path) -> None:
    """A shard does its parts; status tells what is there, and collect wants all of it."""
    assert predict("m", "--shard", "1/2").code == 3
    status = json.loads(digitlens("batch", "status", "out", "--json").out)
    assert list(status) == list(output_keys()["digitlens batch status --json"])
    assert status == {
        "command": "predict",
        "items": 3,
        "parts": 2,
        "done": 1,
        "rows": 2,
        "errors": {"corrupt": 1},
    }
    ended = digitlens("batch", "collect", "out")
    assert (ended.code, ended.out) == (1, "")
    assert "seen    1 of 2 parts are missing" in ended.err
    assert digitlens("batch", "collect", "out", "--partial").out.count("\n") == 2
    assert predict("m", "--shard", "2/2").code == 0
    assert digitlens("batch", "status", "out").out.splitlines() == [
        "predict, 3 pictures in 2 parts",
        "done    2 parts, 100.0 %, 3 rows",
        "error   1 corrupt",
    ]
    assert digitlens("batch", "collect", "out", "--out", "all.jsonl").err == (
        "written: all.jsonl\n"
    )
    names = [json.loads(line)["file"] for line in Path("all.jsonl").read_text().splitlines()]
    assert names == ["m/a.png", "m/b.png", "m/c.png"]


def test_what_was_missing_is_retried(predict: Cli, dots: Draw, folder: Path) -> None:
    """--retry does the parts anew that have rows of its kind, and no other part."""
    Path("names.txt").write_text("m/a.png\nm/c.png\nm/late.png\n")
    assert predict("names.txt").code == 3
    first = Path("out/part-00000.jsonl").stat().st_ino
    dots(6, "m/late.png")
    assert predict("names.txt").code == 3
    assert predict("names.txt", "--retry", "died", "--retry", "missing").code == 0
    (row,) = map(json.loads, Path("out/part-00001.jsonl").read_text().splitlines())
    assert (row["file"], row["digit"]) == ("m/late.png", 6)
    assert Path("out/part-00000.jsonl").stat().st_ino == first


def test_parts_of_csv_have_one_head_when_joined(
    predict: Cli, digitlens: Cli, folder: Path
) -> None:
    """CSV has the columns of predict --csv, then the error and its kind."""
    assert predict("m", "--form", "csv").code == 3
    rows = list(csv.DictReader(io.StringIO(digitlens("batch", "collect", "out").out)))
    assert list(rows[0]) == [*output_keys()["digitlens predict --csv"], "error", "kind"]
    assert [(row["file"], row["digit"], row["kind"]) for row in rows] == [
        *[("m/a.png", "9", ""), ("m/b.png", "", "corrupt"), ("m/c.png", "6", "")]
    ]


def test_parquet_goes_into_a_file(predict: Cli, digitlens: Cli, folder: Path) -> None:
    """Parquet is collected into a file alone, with the types of its columns."""
    parquet = pytest.importorskip("pyarrow.parquet")
    assert predict("m", "--form", "parquet").code == 3
    assert digitlens("batch", "collect", "out").code == 2
    assert digitlens("batch", "collect", "out", "--out", "all.parquet").code == 0
    table = parquet.read_table("all.parquet")
    assert table.column("digit").to_pylist() == [9, None, 6]
    assert str(table.schema.field("confidence").type) == "double"


def test_pages_are_read(
    digitlens: Cli, strokes: Any, stroke_network: Path, in_tmp: Path
) -> None:
    """A batch reads as read --jsonl does, each page an item of its own."""
    from PIL import Image

    pages = [Image.fromarray(strokes(number)) for number in ("1", "71")]
    pages[0].save("a.tif", save_all=True, append_images=pages[1:])
    common = ("--model", stroke_network, "--length", 2)
    ended = digitlens("batch", "read", "a.tif", "--out", "out", "--workers", 1, *common)
    assert (ended.code, ended.err.splitlines()[-1]) == (0, "2 pictures in 1 part: out")
    read = digitlens("read", "a.tif", "--jsonl", *common)
    assert Path("out/part-00000.jsonl").read_text() == read.out


@pytest.mark.parametrize(
    "words",
    [
        ("--form", "xml"),
        ("--engine", "spark"),
        ("--part-size", 0),
        ("--workers", 0),
        ("--shard", "0/2"),
        ("--address", "auto"),
        ("--retry", "corrupt"),
    ],
)
def test_wrong_usage_begins_nothing(predict: Cli, folder: Path, words: tuple[str, ...]) -> None:
    """What is no form, engine, size or shard is wrong usage, and nothing is written."""
    assert predict("m", *words).code == 2
    assert not Path("out").exists()
