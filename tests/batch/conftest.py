"""Batches of made-up rows: what is tested is that each is there once, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.batch import Item, Ledger, make_ledger


class NamedRows:
    """Makes a row of a picture's name alone; stands for `Rows`."""

    columns = {"file": "string", "error": "string", "kind": "string"}  # noqa: RUF012 - as there

    def __call__(self, item: Item) -> list[dict[str, Any]]:
        """Return the row."""
        return [{"file": item.name, "error": None, "kind": None}]

    def load(self) -> None:
        """Load nothing."""

    def error_rows(self, item: Item, error: Any) -> list[dict[str, Any]]:
        """Return the row of what could not be read."""
        return [{"file": item.name, **error.as_dict()}]


@pytest.fixture
def rows() -> NamedRows:
    """Return what makes a row of a name."""
    return NamedRows()


def name_engine(parts: Iterator[Any], rows: Any) -> Iterator[Any]:
    """Make the rows of each part in this process."""
    for part, items in parts:
        yield part, [row for item in items for row in rows(item)]


@pytest.fixture
def engine() -> Callable[..., Iterator[Any]]:
    """Return an engine without processes."""
    return name_engine


@pytest.fixture
def begin() -> Callable[..., Ledger]:
    """Return a function that begins a batch of so many pictures, or opens it again."""

    def make(folder: Path, count: int = 7, form: str = "jsonl", **more: Any) -> Ledger:
        request = {"inputs": ["made up"], "part_size": 3, "form": form, **more}
        items = (Item(Path(f"{index}.png"), f"{index}.png", "") for index in range(count))
        return make_ledger(folder, request, items)

    return make


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, bytes]]:
    """Return a function that gives the content of every file of a folder, hidden ones too."""
    return lambda folder: {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def names() -> Callable[[Path], list[str]]:
    """Return a function that gives the names in all parts of JSON lines, in their order."""

    def read(folder: Path) -> list[str]:
        parts = sorted(folder.glob("part-*.jsonl"))
        lines = [line for part in parts for line in part.read_text().splitlines()]
        return [json.loads(line)["file"] for line in lines]

    return read


@pytest.fixture
def write_digit(in_tmp: Path) -> Callable[[str], Path]:
    """Return a function that writes a picture which the golden network reads as a 9."""

    def write(name: str) -> Path:
        pixels = np.zeros((28, 28), np.uint8)
        pixels[4:13, 4:13] = pixels[15:24, 15:24] = 255
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(name)
        return Path(name)

    return write
