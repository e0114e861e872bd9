"""The pen digits: found, checked, fetched and drawn. Nothing is fetched from the network."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitlens.data import load_digits, pen_digits
from digitlens.data.download import UnreachableError
from digitlens.data.pen_digits import FILE, draw_digits, fetch_pen, find_file, read_strokes
from digitlens.errors import CorruptFileError, MissingDataError

WRITERS, EACH = 10, 20
Get = Callable[[str, Path, Callable[[int], None]], None]


REAL = find_file()


@pytest.mark.skipif(REAL is None, reason="DIGITLENS_DATA names no folder with the pen digits")
def test_the_published_digits_are_whole() -> None:
    """7,494 digits in 9,433 strokes by 30 writers; six of them are the test part."""
    data = load_digits("pen")
    parts = (data.train, data.validation, data.test)
    assert sum(len(part) for part in parts) == 7_494
    assert [len(np.unique(part.writers)) for part in parts] == [22, 2, 6]
    assert data.train.counts.min() > 500


def small_text() -> bytes:
    """Return UNIPEN text of 10 writers, each of whom wrote every digit twice."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(WRITERS * EACH):
        writer, label = number // EACH, number % 10
        lines += [f'.SEGMENT DIGIT {number} ? "{label}"', f".COMMENT {label} {writer} {number}"]
        points = rng.integers(0, 300, (4, 2))
        lines += [".PEN_DOWN", *(f" {x} {y}" for x, y in points), ".PEN_UP", ".DT 100"]
    return "\n".join(lines).encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that DIGITLENS_DATA names, for a small collection; the cache is empty."""
    monkeypatch.setattr(pen_digits, "COUNTS", (WRITERS * EACH, WRITERS * EACH, WRITERS))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def giving(content: bytes | Exception) -> Get:
    """Return what copies `content` from any address."""

    def get(address: str, path: Path, tell: Callable[[int], None]) -> None:
        if isinstance(content, Exception):
            raise content
        path.write_bytes(content)
        tell(len(content))

    return get


def archive(**files: bytes) -> bytes:
    """Return a zip archive of files; a name's "_" stands for "."."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(name.replace("_", ".").replace("pendigits", "pendigits-"), content)
    return buffer.getvalue()


@pytest.mark.parametrize("place", ["pen", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_digits_are_read_from_the_named_folder(folder: Path, place: str, packed: bool) -> None:
    """Below it or in it, packed or not; each digit once, in MNIST's frame."""
    (folder / place).mkdir(exist_ok=True)
    text = small_text()
    path = folder / place / (f"{FILE}.gz" if packed else FILE)
    path.write_bytes(gzip.compress(text) if packed else text)
    data = load_digits("pen")
    counts = len(data.train), len(data.validation), len(data.test)
    assert counts == (140, 20, 40)
    assert list(data.hashes) == [path.name]
    assert data.train.images.max() == 255


def test_writers_are_in_one_part_only(folder: Path) -> None:
    """A fifth of the writers is the test part, a tenth of the others validation."""
    (folder / FILE).write_bytes(small_text())
    data = load_digits("pen")
    parts = [
        set(part.writers.tolist())
        for part in (data.train, data.validation, data.test)
        if part.writers is not None
    ]
    assert [len(part) for part in parts] == [7, 1, 2]
    assert len(set.union(*parts)) == WRITERS
    again = load_digits("pen")
    assert (again.train.images == data.train.images).all()


def test_several_folders_may_be_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DIGITLENS_DATA lists folders as PATH does; they are looked into in turn."""
    other = tmp_path / "other"
    (other / "pen").mkdir(parents=True)
    (other / "pen" / FILE).write_bytes(small_text())
    monkeypatch.setenv("DIGITLENS_DATA", os.pathsep.join([str(folder), str(other)]))
    assert find_file() == other / "pen" / FILE


@pytest.mark.parametrize(("keep", "likely"), [(0.5, "cut off"), (2.0, "another part")])
def test_another_number_of_digits_is_refused(folder: Path, keep: float, likely: str) -> None:
    """What is read is counted, whatever the file's hash."""
    lines = small_text().split(b".SEGMENT")[1:]
    lines = (lines * 2)[: int(keep * len(lines))]
    (folder / FILE).write_bytes(b"".join(b".SEGMENT" + line for line in lines))
    with pytest.raises(CorruptFileError, match="must hold 200 digits in 200 strokes") as caught:
        read_strokes()
    assert likely in str(caught.value.likely)


def test_the_archive_is_fetched_once(folder: Path) -> None:
    """Its strokes are kept in the cache, packed, and found there afterwards."""
    content = archive(README=b"x", pendigitsorig_tra=small_text())
    path = fetch_pen(giving(content))
    assert path.name == f"{FILE}.gz"
    assert gzip.decompress(path.read_bytes()) == small_text()
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert find_file() == path
    assert len(read_strokes()[0]) == WRITERS * EACH


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"<html>", "must be a zip archive"),
        (archive(README=b"x"), "must hold pendigits-orig.tra.Z"),
        (archive(pendigitsorig_tra=small_text().rpartition(b".SEGMENT")[0]), "must hold 200"),
    ],
)
def test_a_wrong_archive_is_refused(folder: Path, content: bytes, wanted: str) -> None:
    """Nothing is kept of what is not the collection."""
    with pytest.raises(CorruptFileError, match=wanted):
        fetch_pen(giving(content))
    assert find_file() is None


def test_without_a_network_the_error_says_where_it_looked(folder: Path) -> None:
    """All three places are named, and what helps."""
    with pytest.raises(MissingDataError) as caught:
        fetch_pen(giving(UnreachableError("no connection")))
    seen = str(caught.value.seen)
    assert str(folder) in seen
    assert "the cache" in seen
    assert seen.endswith("no connection")
    assert "DIGITLENS_DATA" in str(caught.value.try_)


def test_each_drawing_has_a_pen_of_its_own(folder: Path) -> None:
    """The same digit drawn again looks different, and the same again with the same chance."""
    (folder / FILE).write_bytes(small_text())
    digits, _ = read_strokes()
    twice = np.zeros(2, np.int64)
    one = draw_digits(digits, twice, np.random.default_rng(0))
    assert (one[0] != one[1]).any()
    assert (one == draw_digits(digits, twice, np.random.default_rng(0))).all()
    assert draw_digits(digits, twice[:0], np.random.default_rng(0)).shape == (0, 28, 28)
