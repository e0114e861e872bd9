"""Pieces read in several processes: in order, with their errors, and without a trace left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digitlens.errors import DataError, DigitlensError
from digitlens.mail.sorting import Sorting, sort_folder
from digitlens.mail.sorting import sort as sort_module
from digitlens.mail.sorting.sort import PREFETCH, prefetch_pieces

Where = Callable[[Path], dict[str, list[str]]]

READER = """
import multiprocessing, os
from digitlens.errors import DataError
from digitlens.mail.candidates import ZipCandidate
from digitlens.ctc import Line, LineDigit

def read(path):
    text = path.read_text()[:7]
    if multiprocessing.parent_process() is not None and "FIFO" in os.environ:
        # Open for as long as this process lives.
        globals().setdefault("held", os.open(os.environ["FIFO"], os.O_WRONLY))
    if text == "damaged":
        raise DataError("the picture cannot be decoded", seen="7 bytes")
    if text == "fault":
        raise ZeroDivisionError("division by zero")
    if text == "dies":
        os._exit(7)
    digits = tuple(LineDigit(each, 0.999, (0, 0, 1, 1)) for each in text)
    return [ZipCandidate(Line(text, 0.9999, (0, 0, 9, 9), digits))]
"""
"""A reader that another process finds by its name; what it reads is the file's content."""

DRIVER = """
import sys
from pathlib import Path
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Sorting, sort_folder
from reader_of_text import read

if __name__ == "__main__":
    root = Path(sys.argv[1])
    known = Directory([Place("02134", "Allston", ("Allston",), "MA", "", "STANDARD")])
    sorting = Sorting(read, RoutingPolicy(known), make_plan(known, "state"), workers=2)
    told = lambda done, all_: print(done, flush=True)
    print(sort_folder(root / "mail", root / "out", sorting, progress=told).pieces)
"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a reader that can be pickled."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/reader_of_text.py").write_text(READER)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    yield __import__("reader_of_text").read
    del sys.modules["reader_of_text"]


def pieces(folder: Path, *contents: str) -> list[Path]:
    """Write pieces of mail and return their paths, in order."""
    folder.mkdir()
    paths = [folder / f"{index:03d}.png" for index in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    return paths


def test_lines_come_in_the_order_they_are_asked_for(tmp_path: Path, read: Any) -> None:
    """Two processes read, and each piece gets its own lines; an unreadable one its error."""
    paths = pieces(
        tmp_path / "mail", "00501", "damaged", *(f"{index:05d}" for index in range(60))
    )
    with prefetch_pieces(read, paths, 2) as given:
        assert given(paths[0])[0].line.text == "00501"
        with pytest.raises(DataError) as caught:
            given(paths[1])
        assert str(caught.value) == "the picture cannot be decoded\n  seen    7 bytes"
        texts = [given(path)[0].line.text for path in paths[2:]]
        assert texts == [f"{index:05d}" for index in range(60)]
    assert multiprocessing.active_children() == []


def test_no_more_than_a_window_is_read_ahead(tmp_path: Path, read: Any) -> None:
    """However many pieces there are, only so many are taken before the first is asked for."""
    paths = pieces(tmp_path / "mail", *["02134"] * (PREFETCH + 20))
    taken: list[Path] = []
    with prefetch_pieces(read, (taken.append(path) or path for path in paths), 2) as given:
        assert len(taken) == PREFETCH
        given(paths[0])
        assert len(taken) == PREFETCH + 1
    assert multiprocessing.active_children() == []


def test_a_fault_ends_the_work_and_names_the_piece(tmp_path: Path, read: Any) -> None:
    """An error that nobody expected is not taken for a bad picture."""
    paths = pieces(tmp_path / "mail", "02134", "fault")
    with prefetch_pieces(read, paths, 1) as given:
        given(paths[0])
        with pytest.raises(DigitlensError) as caught:
            given(paths[1])
    assert not isinstance(caught.value, DataError)
    assert str(caught.value).startswith(
        f"{paths[1]} could not be read\n  seen    ZeroDivisionError: division by zero\n"
    )
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_takes_one_piece_with_it(tmp_path: Path, read: Any) -> None:
    """The piece that ended a process goes to a person; the others are read."""
    paths = pieces(tmp_path / "mail", "dies", "02134")
    with prefetch_pieces(read, paths, 1) as given:
        with pytest.raises(DataError, match="the process that read this died"):
            given(paths[0])
        assert given(paths[1])[0].line.text == "02134"


@pytest.mark.parametrize("few", [1, 100])
def test_a_folder_is_sorted_alike_by_many_and_by_one(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    read: Any,
    where: Where,
    right_places: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    """Processes change nothing of what is sorted; for a few pieces none is started."""
    monkeypatch.setattr(sort_module, "MIN_FOR_WORKERS", few)
    started: list[int] = []

    def noted(read: Any, paths: Any, workers: int) -> Any:
        started.append(workers)
        return prefetch_pieces(read, paths, workers)

    monkeypatch.setattr(sort_module, "prefetch_pieces", noted)
    several = replace(sorting, read=read, workers=2)
    summary = sort_folder(folder, tmp_path / "out", several)
    assert started == ([2] if few == 1 else [])
    assert (summary.pieces, summary.accepted, summary.waiting) == (6, 4, 2)
    assert where(tmp_path / "out") == right_places
    assert sort_folder(folder, tmp_path / "out", several).changed == 0
    assert multiprocessing.active_children() == []


def test_a_killed_run_leaves_no_process_and_loses_nothing(tmp_path: Path, read: Any) -> None:
    """When the run is killed its processes end, and the next run finishes its work."""
    pieces(tmp_path / "mail", *["02134"] * 200)
    (tmp_path / "code/driver.py").write_text(DRIVER)
    os.mkfifo(tmp_path / "alive")
    command = [sys.executable, str(tmp_path / "code/driver.py"), str(tmp_path)]
    environment = os.environ | {"FIFO": str(tmp_path / "alive")}
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as first,
        (tmp_path / "alive").open("rb") as alive,
    ):
        assert first.stdout is not None
        assert int(first.stdout.readline()) < 200, "it is killed in the middle of its work"
        first.send_signal(signal.SIGKILL)
        # The end of the pipe: no process that read holds it open any more.
        assert alive.read() == b""
        assert first.wait() == -signal.SIGKILL
    # From here on the pipe has no reader: processes would wait for one.
    del environment["FIFO"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "200"
    assert len(list((tmp_path / "out/MA").iterdir())) == 200
    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == ["MA"]
