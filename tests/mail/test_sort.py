"""From a folder of pictures to trays, read by one process or by several."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digitlens.ctc import Line
from digitlens.errors import DataError, DigitlensError, UsageError
from digitlens.mail.barcodes import decode_imb
from digitlens.mail.plan import make_plan
from digitlens.mail.plan_files import parse_plan
from digitlens.mail.sorting import Sorting, SortSummary, sort_folder
from digitlens.mail.sorting import sort as sort_module
from digitlens.mail.sorting.sort import PREFETCH, prefetch_pieces

Where = Callable[[Path], dict[str, list[str]]]


def listed(out: Path) -> list[dict[str, str]]:
    """Return the rows of pieces.csv."""
    return list(csv.DictReader((out / "pieces.csv").read_text(encoding="utf-8").splitlines()))


def test_pieces_go_to_their_trays(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Each piece is in the tray of its state, or in the review folder; pictures stay."""
    summary = sort_folder(folder, tmp_path / "out", sorting)
    assert where(tmp_path / "out") == right_places
    assert (summary.pieces, summary.new, summary.accepted, summary.waiting) == (6, 6, 4, 2)
    assert summary.reasons == {"unknown-zip": 1, "unreadable": 1}
    assert summary.trays == {"CA": 1, "MA": 1, "NY": 2}
    assert 0 < summary.expected_errors < 0.01
    assert summary.warnings() == []
    assert (folder / "a.png").read_text() == "02134"
    assert (tmp_path / "out/MA/a.png").samefile(folder / "a.png")


def test_the_listing_says_it_all(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """pieces.csv and pieces.json hold the ZIP as text, reason, place, tray and barcode."""
    out = tmp_path / "out"
    plan = parse_plan(
        'default = "rest"\n[trays]\nny = ["005", "1"]\n[plants]\nny = "SCF MID-ISLAND NY 117"\n'
    )
    summary = sort_folder(folder, out, replace(sorting, plan=plan))
    rows = {row["name"]: row for row in listed(out)}
    row = rows["b.png"]
    assert (row["zip"], row["tray"], row["plant"]) == ("00501", "ny", "SCF MID-ISLAND NY 117")
    assert (row["city"], row["state"], row["decision"]) == ("Holtsville", "NY", "accepted")
    assert row["digits"] == " ".join(["0.9995"] * 5)
    mail = decode_imb(row["barcode"])
    assert (mail.routing, mail.serial, mail.mailer) == ("00501", "000000002", "000000")
    assert rows["c.jpg"]["reason"] == "unknown-zip"
    assert rows["e.tif"]["why"] == "the picture cannot be decoded; 7 bytes"
    assert rows["e.tif"]["barcode"] == ""
    whole = json.loads((out / "pieces.json").read_text(encoding="utf-8"))
    assert whole["summary"] == summary.as_dict()
    assert [piece["zip"] for piece in whole["pieces"]][:2] == ["02134", "00501"]
    assert list(whole["pieces"][0]) == list(rows["b.png"])


def test_copies_are_copies(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """With copies the trays hold files of their own."""
    summary = sort_folder(folder, tmp_path / "out", replace(sorting, copy=True))
    assert not (tmp_path / "out/MA/a.png").samefile(folder / "a.png")
    assert where(tmp_path / "out") == right_places
    assert summary.copies == 0


def test_a_second_run_does_only_what_is_new(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Pieces that were sorted are not read again; a new one is."""
    read: list[str] = []

    def reading(path: Path) -> Sequence[Line]:
        read.append(path.name)
        return sorting.read(path)

    noting = replace(sorting, read=reading)
    out = folder / "trays"  # within the folder: what is in the trays is not mail
    sort_folder(folder, out, noting)
    assert len(read) == 6
    assert sort_folder(folder, out, noting).new == 0
    (folder / "f.png").write_text("96799")
    summary = sort_folder(folder, out, noting)
    assert (read[6:], summary.new, summary.pieces) == (["f.png"], 1, 7)
    assert where(out) == right_places | {"f.png": ["AS"]}


def test_progress_is_told(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """Progress counts the pieces that are put away."""
    told: list[tuple[int, int]] = []
    sort_folder(
        folder, tmp_path / "out", sorting, progress=lambda done, all_: told.append((done, all_))
    )
    assert told[-1] == (6, 6)


def test_the_address_of_a_piece_is_used(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """A known city sends what contradicts it to a person; an unknown one is left out."""
    addresses = {"d.png": ("Boston", "MA"), "b.png": ("Nowhere", "NY"), "a.png": ("X", "YY")}
    sort_folder(
        folder,
        tmp_path / "out",
        replace(sorting, policy=replace(sorting.policy, addresses=addresses)),
    )
    assert where(tmp_path / "out") == right_places | {"d.png": ["review"]}


def test_an_unknown_city_for_all_stops_before_the_first_piece(
    folder: Path, tmp_path: Path, sorting: Sorting
) -> None:
    """A mistyped --city is told before anything is written."""
    with pytest.raises(UsageError, match="no city of that name"):
        sort_folder(
            folder,
            tmp_path / "out",
            replace(sorting, policy=replace(sorting.policy, city="Bostn")),
        )
    assert not (tmp_path / "out").exists()


def test_a_changed_plan_moves_nothing_silently(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Sorted pieces stay and are counted; on request they are moved, each into one tray."""
    out = tmp_path / "out"
    sort_folder(folder, out, sorting)
    other = replace(sorting, plan=make_plan(sorting.policy.directory, "first-digit"))
    (folder / "f.png").write_text("10007")
    summary = sort_folder(folder, out, other)
    assert (summary.would_move, summary.moved) == (4, 0)
    assert "4 sorted pieces would now go to another tray" in summary.warnings()[0]
    assert where(out) == right_places | {"f.png": ["1"]}
    summary = sort_folder(folder, out, replace(other, move=True))
    assert (summary.would_move, summary.moved) == (0, 4)
    moved = {"a.png": ["0"], "b.png": ["0"], "b~2.png": ["9"], "d.png": ["1"], "f.png": ["1"]}
    assert where(out) == right_places | moved


def test_a_tray_that_vanished_is_told(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Pieces taken out are counted, and put back only on request."""
    out = tmp_path / "out"
    sort_folder(folder, out, sorting)
    for path in (out / "NY").iterdir():
        path.unlink()
    (out / "NY").rmdir()
    summary = sort_folder(folder, out, sorting)
    assert summary.missing == {"NY": 2}
    assert "2 pieces no longer in the tray: NY 2" in summary.warnings()[0]
    assert not (out / "NY").exists()
    assert sort_folder(folder, out, replace(sorting, restore=True)).missing == {}
    assert where(out) == right_places


def test_a_picture_that_changed_is_told(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """A picture written anew after it was sorted is counted, not read again."""
    sort_folder(folder, tmp_path / "out", replace(sorting, copy=True))
    (folder / "a.png").write_text("90210 ")
    assert sort_folder(folder, tmp_path / "out", sorting).changed == 1


def test_a_summary_is_words() -> None:
    """The summary reads as sentences; one of a thing is not called several."""
    summary = SortSummary(
        1200, 3, 1000, 5, 190, 5, {"unsure": 195}, {"a": 5, "b": 1000}, 3.21, 0.5, moved=1
    )
    assert summary.lines() == [
        "1,200 pieces, 3 new",
        "1,000 read (83.3 %), of which 3.2 are expected to be wrong",
        "5 settled by a person",
        "190 wait for a person: unsure 195",
        "5 unsortable",
        "2 trays: b 1,000, a 5",
        "6.0 pieces/s",
    ]
    empty = SortSummary(0, 0, 0, 0, 0, 0, {}, {}, 0.0, 0.0)
    assert empty.lines()[0] == "0 pieces, 0 new"
    assert re.search("no trays", empty.lines()[-1])


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
