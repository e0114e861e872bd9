"""Trays and their state stay whole: full disks, two runs at once, foreign files, kills."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from digitlens.errors import (
    CorruptFileError,
    DigitlensWarning,
    MissingDataError,
    RunError,
    StorageError,
)
from digitlens.mail.sorting import sort_folder
from digitlens.mail.sorting.sort import lock_trays
from digitlens.mail.sorting.sqlite import FILE
from digitlens.mail.sorting.stores import open_store
from digitlens.storage import write_bytes

Places = dict[str, list[str]]


def test_the_second_of_two_runs_says_who_holds_the_state(mail: Any) -> None:
    """While one run sorts, another is told its process and its folder."""
    mail.out.mkdir()
    with (
        lock_trays(mail.out, mail.folder, 0.0),
        pytest.raises(RunError, match=f"process {os.getpid()} on .*, sorting {mail.folder}"),
    ):
        mail.sort()
    assert mail.sort().pieces == 6


@pytest.mark.parametrize("copy", [False, True])
def test_a_full_disk_loses_nothing(
    mail: Any, monkeypatch: pytest.MonkeyPatch, copy: bool, right_places: Places
) -> None:
    """When the disk is full the run says so, and the next one goes on."""
    count = 0
    link = os.link

    def fill(*arguments: object) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", lambda *item: (fill(), link(*item)))

        def filling(path: Path, content: bytes) -> None:
            try:
                fill()
            except OSError as error:
                raise StorageError("full") from error
            write_bytes(path, content)

        patch.setattr("digitlens.mail.sorting.trays.write_bytes", filling)
        with pytest.raises(StorageError):
            mail.sort(copy=copy)
    assert sum(map(len, mail.places().values())) == 2
    mail.sort(copy=copy)
    assert mail.places() == right_places


def test_a_full_state_file_is_told(mail: Any) -> None:
    """SQLite's own word for a full disk becomes ours."""
    mail.sort()
    with (
        pytest.raises(StorageError, match="likely  the disk is full"),
        open_store(mail.out) as store,
        store.transaction() as run,
    ):
        run("PRAGMA max_page_count=1")
        for number in range(1000):
            run(f"CREATE TABLE t{number} AS SELECT * FROM pieces")


def test_a_disk_without_links_gets_copies(
    mail: Any, monkeypatch: pytest.MonkeyPatch, right_places: Places
) -> None:
    """Where no link can be made the pieces are copied, and that is said."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    summary = mail.sort()
    assert (summary.copies, mail.places()) == (6, right_places)
    assert summary.warnings() == ["6 pieces copied, as no link could be made"]


def test_a_foreign_file_is_not_taken_for_a_piece(
    mail: Any, tmp_path: Path, right_places: Places
) -> None:
    """A file that somebody put into a tray under a piece's name is neither kept nor lost."""
    (mail.out / "MA").mkdir(parents=True)
    (mail.out / "MA/a.png").write_text("foreign")
    with pytest.warns(DigitlensWarning, match="is another file than"):
        summary = mail.sort()
    assert (summary.pieces, summary.missing) == (6, {"MA": 1})  # the others are sorted
    (mail.out / "MA/a.png").rename(tmp_path / "foreign.png")
    mail.sort()
    assert mail.places() == right_places


def test_what_is_no_folder_and_no_state_is_told(mail: Any, tmp_path: Path) -> None:
    """A missing folder, a damaged state and one of a newer version have their errors."""
    with pytest.raises(MissingDataError, match="there is no folder"):
        sort_folder(tmp_path / "none", mail.out, mail.sorting)
    mail.out.mkdir()
    (mail.out / FILE).write_text("this is no database, it is only a text " * 30)
    with pytest.raises(CorruptFileError, match="is not a state of sorting"):
        mail.sort()
    (mail.out / FILE).unlink()
    with open_store(mail.out, create=True) as store, store.transaction() as run:
        run("PRAGMA user_version=99")
    with pytest.raises(RunError, match="made by a newer version"):
        mail.sort()


DRIVER = r'''
import json, os, random, shutil, signal, sys
from pathlib import Path

from digitlens.mail import sorting
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review, Sorting, sort_folder
from digitlens.mail.sorting.stores import open_store
from digitlens.mail.candidates import ZipCandidate
from digitlens.ctc import Line, LineDigit

ROOT, WAY = Path(sys.argv[1]), sys.argv[2]
ZIPS = [f"{index}{index}{index}0{index % 7}" for index in range(10)]
DIRECTORY = Directory(Place(z, "C", ("C",), "NY", "", "STANDARD") for z in ZIPS)
PUBLISHED = ("/mail/sorting/", "digitlens/storage.py")
COUNT, KILLS = 36, 40
rng = random.Random(WAY)

def read(path):
    text = path.read_text()[:5]
    with (ROOT / "log").open("a") as log:
        log.write(path.name + "\n")
    digits = tuple(LineDigit(each, 0.999, (0, 0, 1, 1)) for each in text)
    return [ZipCandidate(Line(text, 0.9999, (0, 0, 9, 9), digits))]

def plan(way):
    return make_plan(DIRECTORY, way)

def work(out):
    chosen = plan("zip3" if (ROOT / "moved").exists() else "first-digit")
    how = Sorting(read, RoutingPolicy(DIRECTORY), chosen, copy=WAY == "copy", move=True)
    sort_folder(ROOT / "mail", out, how)
    if WAY == "review":
        review = Review(out, chosen, DIRECTORY)
        while task := review.claim("ann"):
            review.settle(task, ZIPS[task.piece % 10] if task.piece % 3 else None)

def killed_at(line, out):
    """Run in a process of its own, killed before its `line`-th line of our code."""
    child = os.fork()
    if not child:
        left = line
        def trace(frame, event, _):
            nonlocal left
            if not any(each in frame.f_code.co_filename for each in PUBLISHED):
                return None
            if event == "line":
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace
        try:
            sys.settrace(trace)
            work(out)
            sys.settrace(None)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code != 0

def check(out, *, whole):
    """No file is in two folders or half written; when `whole`, all are in their folder."""
    places = {}
    for path in out.glob("*/*"):
        if not path.name.startswith("."):
            places.setdefault(path.name, []).append(path.parent.name)
            assert path.read_text() == (ROOT / "mail" / path.name).read_text(), path
    assert all(len(each) == 1 for each in places.values()), places
    if whole:
        with open_store(out) as store:
            rows = {row["filed"]: [row["tray"]] for row in store.pieces()}
            assert not store.unplaced()
        assert places == rows
        assert len(places) == COUNT
        assert not list(out.glob("*/.*"))

(ROOT / "mail").mkdir()
for index in range(COUNT):
    # One in four has a ZIP that is not there, and goes to the queue.
    text = "99998" if index % 4 == 3 else ZIPS[index % 10]
    (ROOT / "mail" / f"{index:02d}.png").write_text(text + " " * index)
kills = rounds = reads = 0
while kills < KILLS:
    rounds += 1
    out = ROOT / f"out{rounds}"
    (ROOT / "log").write_text("")
    (ROOT / "moved").unlink(missing_ok=True)
    reach = 700
    for phase in ("sorted", "moved"):
        if phase == "moved":
            (ROOT / "moved").touch()
        while killed_at(rng.randrange(1, reach), out):
            kills += 1
            reach = int(reach * 1.25)
            check(out, whole=False)
        check(out, whole=True)
    reads = max(reads, len((ROOT / "log").read_text().split()))
print(json.dumps({"kills": kills, "rounds": rounds, "reads": reads}))
'''


@pytest.mark.parametrize("way", ["link", "copy", "review"])
def test_a_kill_at_any_line_loses_and_doubles_nothing(tmp_path: Path, way: str) -> None:
    """Killed at 40 random lines and run again, the trays hold each piece once, whole."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), way],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["kills"] >= 40
    assert result["reads"] > 36, "some kills came between reading and writing down"
