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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from digitlens.ctc import Line
from digitlens.errors import DataError, DigitlensWarning, UsageError
from digitlens.mail.barcodes import decode_imb
from digitlens.mail.plan import make_plan
from digitlens.mail.plan_files import parse_plan
from digitlens.mail.sorting import Review, Sorting, SortSummary, sort_folder
from digitlens.mail.sorting import sort as sort_module
from digitlens.mail.sorting import trays as trays_module
from digitlens.mail.sorting.sort import _Pictures, scan_names, watch_folder
from digitlens.workers import run_in_order

Places = dict[str, list[str]]


def listed(out: Path) -> list[dict[str, str]]:
    """Return the rows of pieces.csv."""
    return list(csv.DictReader((out / "pieces.csv").read_text(encoding="utf-8").splitlines()))


def test_pieces_go_to_their_trays(mail: Any, right_places: Places) -> None:
    """Each piece is in the tray of its state, or in the review folder; pictures stay."""
    summary = mail.sort()
    assert mail.places() == right_places
    assert (summary.pieces, summary.new, summary.accepted, summary.waiting) == (6, 6, 4, 2)
    assert summary.reasons == {"unknown-zip": 1, "unreadable": 1}
    assert summary.trays == {"CA": 1, "MA": 1, "NY": 2}
    assert 0 < summary.expected_errors < 0.01
    assert summary.warnings() == []
    assert (mail.folder / "a.png").read_text() == "02134"
    assert (mail.out / "MA/a.png").samefile(mail.folder / "a.png")


def test_the_listing_says_it_all(mail: Any) -> None:
    """pieces.csv and pieces.json hold the ZIP as text, reason, place, tray and barcode."""
    plan = parse_plan(
        'default = "rest"\n[trays]\nny = ["005", "1"]\n[plants]\nny = "SCF MID-ISLAND NY 117"\n'
    )
    summary = mail.sort(plan=plan)
    rows = {row["name"]: row for row in listed(mail.out)}
    row = rows["b.png"]
    assert (row["zip"], row["tray"], row["plant"]) == ("00501", "ny", "SCF MID-ISLAND NY 117")
    assert (row["city"], row["state"], row["decision"]) == ("Holtsville", "NY", "accepted")
    assert row["digits"] == " ".join(["0.9995"] * 5)
    bars = decode_imb(row["barcode"])
    assert (bars.routing, bars.serial, bars.mailer) == ("00501", "000000002", "000000")
    assert rows["c.jpg"]["reason"] == "unknown-zip"
    assert rows["e.tif"]["why"] == "the picture cannot be decoded; 7 bytes"
    assert rows["e.tif"]["barcode"] == ""
    whole = json.loads((mail.out / "pieces.json").read_text(encoding="utf-8"))
    assert whole["summary"] == summary.as_dict()
    assert [piece["zip"] for piece in whole["pieces"]][:2] == ["02134", "00501"]
    assert list(whole["pieces"][0]) == list(rows["b.png"])


def test_copies_are_copies(mail: Any, right_places: Places) -> None:
    """With copies the trays hold files of their own."""
    summary = mail.sort(copy=True)
    assert not (mail.out / "MA/a.png").samefile(mail.folder / "a.png")
    assert mail.places() == right_places
    assert summary.copies == 0


def test_a_second_run_does_only_what_is_new(mail: Any, right_places: Places) -> None:
    """Pieces that were sorted are not read again; a new one is."""
    read: list[str] = []

    def reading(path: Path) -> Sequence[Line]:
        read.append(path.name)
        return mail.sorting.read(path)

    noting = replace(mail.sorting, read=reading)
    out = mail.folder / "trays"  # within the folder: what is in the trays is not mail
    sort_folder(mail.folder, out, noting)
    assert len(read) == 6
    assert sort_folder(mail.folder, out, noting).new == 0
    (mail.folder / "f.png").write_text("96799")
    summary = sort_folder(mail.folder, out, noting)
    assert (read[6:], summary.new, summary.pieces) == (["f.png"], 1, 7)
    assert replace(mail, out=out).places() == right_places | {"f.png": ["AS"]}


def test_progress_is_told(mail: Any) -> None:
    """Progress counts the pieces that are put away."""
    told: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        told.append((done, total))

    sort_folder(mail.folder, mail.out, mail.sorting, progress=note)
    assert told[-1] == (6, 6)


def test_the_address_of_a_piece_is_used(mail: Any, right_places: Places) -> None:
    """A known city sends what contradicts it to a person; an unknown one is left out."""
    addresses = {"d.png": ("Boston", "MA"), "b.png": ("Nowhere", "NY"), "a.png": ("X", "YY")}
    mail.sort(policy=replace(mail.sorting.policy, addresses=addresses))
    assert mail.places() == right_places | {"d.png": ["review"]}


def test_an_unknown_city_for_all_stops_before_the_first_piece(mail: Any) -> None:
    """A mistyped --city is told before anything is written."""
    with pytest.raises(UsageError, match="no city of that name"):
        mail.sort(policy=replace(mail.sorting.policy, city="Bostn"))
    assert not mail.out.exists()


def test_a_changed_plan_moves_nothing_silently(mail: Any, right_places: Places) -> None:
    """Sorted pieces stay and are counted; on request they are moved, each into one tray."""
    mail.sort()
    other = make_plan(mail.sorting.policy.directory, "first-digit")
    (mail.folder / "f.png").write_text("10007")
    summary = mail.sort(plan=other)
    assert (summary.would_move, summary.moved) == (4, 0)
    assert "4 sorted pieces would now go to another tray" in summary.warnings()[0]
    assert mail.places() == right_places | {"f.png": ["1"]}
    summary = mail.sort(plan=other, move=True)
    assert (summary.would_move, summary.moved) == (0, 4)
    moved = {"a.png": ["0"], "b.png": ["0"], "b~2.png": ["9"], "d.png": ["1"], "f.png": ["1"]}
    assert mail.places() == right_places | moved


def test_a_tray_that_vanished_is_told(mail: Any, right_places: Places) -> None:
    """Pieces taken out are counted, and put back only on request."""
    mail.sort()
    for path in (mail.out / "NY").iterdir():
        path.unlink()
    (mail.out / "NY").rmdir()
    summary = mail.sort()
    assert summary.missing == {"NY": 2}
    assert "2 pieces no longer in the tray: NY 2" in summary.warnings()[0]
    assert not (mail.out / "NY").exists()
    assert mail.sort(restore=True).missing == {}
    assert mail.places() == right_places


def test_a_picture_that_changed_is_told(mail: Any) -> None:
    """A picture written anew after it was sorted is counted, not read again."""
    mail.sort(copy=True)
    (mail.folder / "a.png").write_text("90210 ")
    assert mail.sort().changed == 1


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


@pytest.mark.parametrize("few", [1, 100])
def test_a_folder_is_sorted_alike_by_many_and_by_one(
    mail: Any, read: Any, right_places: Places, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Processes change nothing of what is sorted; for a few pieces none is started."""
    monkeypatch.setattr(sort_module, "MIN_FOR_WORKERS", few)
    started: list[int] = []

    def noted(*arguments: Any, workers: int, **options: Any) -> Any:
        started.append(workers)
        return run_in_order(*arguments, workers=workers, **options)

    monkeypatch.setattr(sort_module, "run_in_order", noted)
    summary = mail.sort(read=read, workers=2)
    assert started == [2 if few == 1 else 0]
    assert (summary.pieces, summary.accepted, summary.waiting) == (6, 4, 2)
    assert mail.places() == right_places
    assert mail.sort(read=read, workers=2).changed == 0
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


def test_whatever_a_picture_does_costs_one_piece(mail: Any) -> None:
    """A fault of the reader, a confidence that is no number, a pipe and a link end no run."""
    (mail.folder / "f.png").write_text("fault")
    (mail.folder / "n.png").write_text("nan")
    (mail.folder / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(mail.folder / "pipe.png")
    (mail.folder / "photo.heic").write_text("96799")
    (mail.folder / "scan").write_bytes(b"%PDF-1.4\xe9")

    def read(path: Path) -> Sequence[Any]:
        text = path.read_text()
        if text == "fault":
            raise IndexError("index out of range")
        lines = (
            mail.sorting.read(path)
            if text != "nan"
            else mail.sorting.read(mail.folder / "a.png")
        )
        if text == "nan":
            return [replace(lines[0], probability=float("nan"))]
        return lines

    with pytest.warns(DigitlensWarning) as caught:
        summary = mail.sort(read=read)
    told = [str(item.message) for item in caught]
    assert any("not read are 1 other file (pipe.png)" in text for text in told)
    assert any(text.startswith("gone.png: ") for text in told)
    rows = {row["name"]: row for row in listed(mail.out)}
    assert rows["f.png"]["why"].startswith("IndexError: index out of range")
    assert rows["photo.heic"]["tray"] == "AS"
    for name in ("f.png", "n.png", "gone.png", "scan"):
        assert (rows[name]["reason"], rows[name]["tray"]) == ("unreadable", "review")
    assert (summary.pieces, summary.missing) == (11, {"review": 1})


def test_a_piece_that_vanished_does_not_stop_the_mail(
    mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between row and tray, and the picture deleted then: the other mail is sorted."""
    monkeypatch.setattr(trays_module, "put_in_tray", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        mail.sort()
    monkeypatch.undo()
    content = (mail.folder / "a.png").read_text()
    (mail.folder / "a.png").unlink()
    (mail.folder / "z.png").write_text("96799")
    for _ in range(2):
        with pytest.warns(DigitlensWarning, match="a.png cannot be put into a tray"):
            summary = mail.sort()
        assert (mail.places()["z.png"], summary.missing) == (["AS"], {"MA": 1})
    (mail.folder / "a.png").write_text(content)  # it is there again
    assert mail.sort().missing == {}
    assert mail.places()["a.png"] == ["MA"]


@pytest.mark.parametrize("copy", [False, True])
def test_names_of_any_length_and_bytes_are_sorted(
    tmp_path: Path, sorting: Sorting, copy: bool
) -> None:
    """The longest names, two of them alike, and bytes that are no UTF-8."""
    folder, out = tmp_path / "mail", tmp_path / "out"
    names = ["x" * 251 + ".png", "deep/" + "x" * 251 + ".png", os.fsdecode(b"caf\xe9.png")]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("02134")
    for _ in range(2):
        summary = sort_folder(folder, out, replace(sorting, copy=copy))
        assert (summary.pieces, summary.accepted, summary.missing) == (3, 3, {})
    filed = {path.name for path in (out / "MA").iterdir()}
    assert filed == {"caf\\xe9.png", "x" * 249 + "~2.png", "x" * 251 + ".png"}
    assert {row["name"] for row in listed(out)} == {*names[:2], "caf\\xe9.png"}


def test_after_a_run_that_was_ended_few_pieces_are_read_in_processes(
    mail: Any, read: Any
) -> None:
    """A picture that crashed the last run crashes a process of this one, and costs its row."""
    (mail.folder / "crash.png").write_text("dies")
    mail.out.mkdir()
    (mail.out / ".lock").write_text("process 4711, which was ended")
    summary = mail.sort(read=read, workers=2)
    assert (summary.pieces, mail.places()["crash.png"]) == (7, ["review"])
    assert (mail.out / ".lock").read_text() == ""


def test_what_a_broken_reader_could_not_read_is_read_again(
    mail: Any, right_places: Places
) -> None:
    """Filed as unreadable by a broken reader, mail is sorted by the next run, once each."""

    def broken(path: Path) -> Sequence[Any]:
        if path.suffix == ".jpg":
            raise DataError("the picture is damaged")
        raise RuntimeError("the engine is not what it was")

    assert mail.sort(read=broken).waiting == 6
    assert mail.sort(read=broken).waiting == 6
    summary = mail.sort()
    # c.jpg was told to be damaged: that is not asked again.
    assert mail.places() == right_places
    assert (summary.new, summary.pieces, summary.waiting) == (0, 6, 2)
    assert {row["name"]: row["why"] for row in listed(mail.out)}["c.jpg"] == (
        "the picture is damaged"
    )
    read: list[str] = []
    mail.sort(read=lambda path: read.append(path.name) or mail.sorting.read(path))
    assert read == []


def test_what_a_person_settled_is_not_read_again(mail: Any) -> None:
    """Nor is a piece taken from a person who has said what it is while it was read."""

    def broken(path: Path) -> Sequence[Any]:
        raise RuntimeError("the engine is not what it was")

    mail.sort(read=broken)
    review = Review(mail.out, mail.sorting.plan, mail.sorting.policy.directory)
    task, other = review.claim("ann"), review.claim("bob")
    review.settle(task, "90210")

    def settling(path: Path) -> Sequence[Any]:
        if path.name == other.name:
            review.settle(other, "90210")
        return mail.sorting.read(path)

    mail.sort(read=settling)
    places = mail.places()
    assert places[task.name] == places[other.name] == ["CA"]
    assert all(len(trays) == 1 for trays in places.values())


def test_a_watched_folder_is_sorted_as_it_fills(
    mail: Any, right_places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes is sorted, once it is no longer written to; what rests is left alone."""
    monkeypatch.setattr(sort_module, "WATCH_AGE", 100.0)
    written = [path for path in mail.folder.rglob("*") if path.is_file()]
    for path in written:
        os.utime(path, (1, 1))
    looks: list[float] = []
    runs = watch_folder(mail.folder, mail.out, mail.sorting, wait=looks.append)
    assert next(runs).new == 6
    new = mail.folder / "f.png"
    new.write_text("96799")
    assert next(runs).new == 0  # a scanner is still at work
    os.utime(new, (1, 1))
    assert next(runs).new == 1
    assert mail.places() == right_places | {"f.png": ["AS"]}
    assert looks.count(100.0) == 2


def test_a_folder_that_is_removed_does_not_end_the_watch(
    mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scanner's own folder may be gone between two looks at it."""
    monkeypatch.setattr(sort_module, "WATCH_AGE", 0.0)
    names = [str(mail.folder), str(mail.folder / "gone")]
    monkeypatch.setattr(os, "walk", lambda _: [(name, [], []) for name in names])
    assert next(watch_folder(mail.folder, mail.out, mail.sorting)).pieces == 6


@pytest.mark.parametrize("seed", range(20))
def test_pictures_without_a_row_are_found_in_whichever_order_rows_stand(
    tmp_path: Path, seed: int
) -> None:
    """Rows of earlier days, of pictures that are gone and of other folders are among them."""
    random, folder = Random(seed), tmp_path / "mail"
    names = ["b.png", "b-1.png", "b/x.png", "b/y/z.png", "b/y.png", "b0/x.png", "a.png"]
    names += [f"{index}.png" for index in range(12)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    walk = list(scan_names(folder, tmp_path / "out"))
    rows = random.sample(walk, random.randrange(len(walk)))
    half = len(rows) // 2
    rows = sorted(rows[:half], key=walk.index) + rows[half:]
    others = [str(folder / "gone.png"), str(tmp_path / "n/a.png"), str(tmp_path / "a/b.png")]
    pictures = _Pictures(folder, tmp_path / "out")
    for path in [*rows[:half], *others, *rows[half:]]:
        pictures.meet(path)
    assert pictures.end() == [path for path in walk if path not in rows]
