"""Rows of pictures, as our own commands and other engines ask for them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.batch import Item, LocalEngine, Rows, list_items
from digitlens.batch.parts import count_rows, encode_rows, join_parts
from digitlens.cli.doctor import GOLDEN
from digitlens.errors import UsageError, WorkerError
from digitlens.workers import TaskResult

Write = Callable[[str], Path]


def test_a_digit_is_a_row(write_digit: Write) -> None:
    """A path, its bytes and another engine's row give the same row, named as it was."""
    path = write_digit("9.png")
    rows = pickle.loads(pickle.dumps(Rows("predict", GOLDEN)))
    (row,) = rows(str(path))
    assert list(row) == list(rows.columns)
    assert (row["file"], row["digit"], row["error"], row["kind"]) == ("9.png", 9, None, None)
    content = path.read_bytes()
    for given in (
        {"path": "9.png"},
        {"path": "9.png", "bytes": content},
        {"file": "9.png", "image": {"bytes": content, "path": None}},
        Item(path, "9.png", ""),
    ):
        assert rows(given) == [row]
    assert rows(content)[0] == row | {"file": "the picture"}
    with pytest.raises(UsageError, match="a picture must be a path, bytes"):
        rows(7)


def test_what_cannot_be_used_is_a_row(in_tmp: Path) -> None:
    """An error is a row with its kind, flat or not, and ends nothing."""
    (row,) = Rows("predict", GOLDEN)("none.png")
    assert (row["digit"], row["kind"]) == (None, "missing")
    assert Rows("predict", GOLDEN, flat=False)("none.png") == [
        {"file": "none.png", "error": "there is no file none.png", "kind": "missing"}
    ]


def test_a_batch_predicts_or_reads() -> None:
    """Another command is refused where it is named."""
    with pytest.raises(UsageError, match='to "predict" or to "read"'):
        Rows("route")


@pytest.fixture
def tiff(in_tmp: Path, strokes: Callable[..., np.ndarray]) -> Path:
    """Return a TIFF of three pages: two numbers, nothing, one number."""
    pages = [Image.fromarray(strokes(*lines)) for lines in (("17", "71"), ("14",))]
    pages.insert(1, Image.new("L", (300, 200), 255))
    pages[0].save("a.tif", save_all=True, append_images=pages[1:])
    return Path("a.tif")


def test_a_document_has_the_rows_of_its_pages(tiff: Path, stroke_network: Path) -> None:
    """Flat rows are numbers, at least one a page; whole, page by page and as bytes alike."""
    rows = Rows("read", stroke_network)
    result = rows(tiff)
    assert [(row["page"], row["text"]) for row in result] == [
        *[(1, "17"), (1, "71")],
        *[(2, None), (3, "14")],
    ]
    assert {tuple(row) for row in result} == {tuple(rows.columns)}
    items = list(list_items(["a.tif"], pages=True))
    assert [row for item in items for row in rows(item)] == result
    assert rows({"bytes": tiff.read_bytes(), "path": "a.tif"}) == result
    pages = Rows("read", stroke_network, flat=False)(tiff)
    assert [[line["text"] for line in page["lines"]] for page in pages] == [
        *(["17", "71"], []),
        ["14"],
    ]


def test_the_length_counts(tiff: Path, stroke_network: Path) -> None:
    """A length that was asked for is asked of every page."""
    for length in (2, 3):
        result = Rows("read", stroke_network, length=length)(tiff)
        assert {len(row["text"]) for row in result if row["text"]} == {length}


def test_processes_change_nothing(write_digit: Write) -> None:
    """One process or two give the same rows, in order, with errors in their places."""
    names = [f"m/{index}.png" for index in range(6)]
    for name in names:
        write_digit(name)
    Path("m/2.png").write_bytes(b"no picture")
    items = list(list_items(["m"]))
    parts = [(0, items[:4]), (1, items[4:])]
    rows = Rows("predict", GOLDEN, flat=False)
    one, two = (list(LocalEngine(workers)(iter(parts), rows)) for workers in (1, 2))
    assert one == two
    assert [[row["file"] for row in made] for _, made in one] == [names[:4], names[4:]]
    assert one[0][1][2]["kind"] == "corrupt"


def test_what_is_no_picture_is_not_called_corrupt() -> None:
    """A PDF may be whole: its row says what reads it; a picture that is cut off is corrupt."""
    predict = Rows("predict", GOLDEN)
    (row,) = predict({"bytes": b"%PDF-1.7\n%%EOF", "path": "a.pdf"})
    assert (row["file"], row["kind"]) == ("a.pdf", "unreadable")
    assert "digitlens read FILE reads the pages of a PDF" in row["error"]
    (row,) = predict(b"\x89PNG")
    assert row["kind"] == "corrupt"


def test_a_process_that_dies_costs_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hang or a crash takes with it is one picture, and its row says so."""

    def run(tasks: Any, *_: Any, **__: Any) -> Any:
        for task in tasks:
            dead = (
                WorkerError("the process that read this died")
                if "1" in task.item.name
                else None
            )
            yield TaskResult(task, None if dead else [{"file": task.item.name}], dead)

    monkeypatch.setattr("digitlens.batch.run.run_in_order", run)
    items = [Item(Path(f"{index}.png"), f"{index}.png", "") for index in range(3)]
    rows = Rows("predict", GOLDEN, flat=False)
    ((part, made),) = LocalEngine(1)(iter([(5, items)]), rows)
    assert (part, [row.get("kind") for row in made]) == (5, [None, "died", None])


ROWS = [
    {"file": 'a, "kind": "b".png', "page": 1, "text": "0042", "confidence": 0.5, "sure": True},
    {"file": "b\n.png", "page": None, "error": "no\n  seen    it", "kind": "corrupt"},
    {"file": "c.png", "page": 3},
]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_rows_of_every_form_are_counted_and_joined(tmp_path: Path, form: str) -> None:
    """The same rows are the same bytes; rows and kinds are counted; parts become one file."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    columns = Rows("read").columns
    rows = [{name: row.get(name) for name in columns} for row in ROWS]
    content = encode_rows(rows, form, columns)
    assert content == encode_rows(rows, form, columns)
    paths = [tmp_path / f"{index}.{form}" for index in range(2)]
    for path in paths:
        path.write_bytes(content)
        assert count_rows(path) == (3, {"corrupt": 1})
    whole = tmp_path / f"whole.{form}"
    with whole.open("wb") as file:
        join_parts(paths, form, file)
    assert count_rows(whole) == (6, {"corrupt": 2})
    if form == "jsonl":
        assert [json.loads(line) for line in whole.read_text().splitlines()] == rows * 2
