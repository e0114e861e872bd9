"""The folder of a batch: frozen, refused to others, whole after any kill."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest

from digitlens.batch import (
    Item,
    Ledger,
    Shard,
    drop_failed,
    make_ledger,
    open_ledger,
    run_batch,
)
from digitlens.batch.ledger import Claims
from digitlens.errors import (
    CorruptFileError,
    DataError,
    MissingDataError,
    RunError,
    StorageError,
    UsageError,
    WorkerError,
)

Begin = Callable[..., Ledger]
Snapshot = Callable[[Path], dict[str, bytes]]
NAMES = [f"{index}.png" for index in range(7)]


def test_every_picture_has_its_row_once(
    begin: Begin, rows: Any, engine: Any, names: Any, tmp_path: Path
) -> None:
    """Parts hold the rows of all pictures in the order of the listing; the last is shorter."""
    ledger = begin(tmp_path / "out")
    assert (ledger.items, ledger.parts) == (7, 3)
    told: list[int] = []
    run_batch(ledger, rows, engine, progress=told.append)
    assert (names(ledger.folder), told) == (NAMES, [3, 3, 1])
    status = ledger.read_status()
    assert (status.items, status.parts, status.done, status.rows) == (7, 3, 3, 7)


def test_the_listing_is_frozen(begin: Begin, rows: Any, engine: Any, tmp_path: Path) -> None:
    """What the inputs have become since changes nothing: the first listing counts."""
    begin(tmp_path / "out")
    again = begin(tmp_path / "out", count=9)
    assert (again.items, again.read_items(2)[0].name) == (7, "6.png")


def test_another_request_is_refused(begin: Begin, tmp_path: Path) -> None:
    """A folder goes on with its own request alone, and says in what the other one differs."""
    begin(tmp_path / "out")
    with pytest.raises(RunError) as caught:
        begin(tmp_path / "out", model="other")
    assert "must hold this request, or none" in str(caught.value)
    assert caught.value.seen == "model: None there, other now"


def test_nothing_to_do_begins_no_batch(begin: Begin, tmp_path: Path) -> None:
    """Without a picture there is an error, and nothing of a batch in the folder."""
    with pytest.raises(DataError, match="there is nothing to read"):
        begin(tmp_path / "out", count=0)
    assert list((tmp_path / "out").iterdir()) == []


REST = '"items": 3, "listing": "l.jsonl", "offsets": [0, 9]}'


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("{", CorruptFileError),
        ('{"format": 1}', CorruptFileError),
        ('{"format": 9}', RunError),
        ('{"format": 1, "request": {"part_size": 2}, ' + REST, CorruptFileError),
        (
            '{"format": 1, "request": {"form": "jsonl", "part_size": 0}, ' + REST,
            CorruptFileError,
        ),
        (
            '{"format": 1, "request": {"form": "jsonl", "part_size": 1}, ' + REST,
            CorruptFileError,
        ),
    ],
)
def test_a_damaged_request_is_told(tmp_path: Path, content: str, kind: type) -> None:
    """A request that is cut off, lacks something or is of another format is an error."""
    (tmp_path / "request.json").write_text(content)
    with pytest.raises(kind):
        open_ledger(tmp_path)


def test_a_folder_without_a_batch_is_told(tmp_path: Path) -> None:
    """A folder that holds no batch is no damaged one."""
    with pytest.raises(MissingDataError, match="must be the folder of a batch"):
        open_ledger(tmp_path)


def test_a_listing_that_was_cut_is_told(begin: Begin, tmp_path: Path) -> None:
    """A part whose pictures are no longer listed is an error, no empty part."""
    ledger = begin(tmp_path)
    path = ledger.folder / ledger.listing
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CorruptFileError, match="must be the listing"):
        ledger.read_items(2)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""])
def test_a_shard_counts_from_one(text: str) -> None:
    """A shard that is none of its N is wrong usage."""
    with pytest.raises(UsageError, match="--shard must be I/N") as caught:
        Shard.parse(text)
    assert (caught.value.likely is not None) == (text == "0/3")


def test_shards_do_all_of_it_between_them(
    begin: Begin, rows: Any, engine: Any, snapshot: Snapshot, tmp_path: Path
) -> None:
    """Three shards make, in any order, the bytes that one driver makes."""
    run_batch(begin(tmp_path / "one"), rows, engine)
    for index in (3, 1, 2):
        ledger = begin(tmp_path / "three")
        run_batch(ledger, rows, engine, shard=Shard(index, 3))
    assert snapshot(tmp_path / "three") == snapshot(tmp_path / "one")


def _child(work: Callable[[], object]) -> int:
    """Do something in a forked process; return how that ended, as `os.waitpid` has it."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def test_what_another_driver_has_is_left_to_it(
    begin: Begin, rows: Any, engine: Any, names: Any, tmp_path: Path
) -> None:
    """A second driver on the folder does the parts that are free, and waits for the rest."""
    ledger = begin(tmp_path / "out")
    claims = Claims(ledger.claims_path)
    assert claims.take(0)

    def stop(seconds: float) -> NoReturn:
        os._exit(0)

    assert _child(lambda: run_batch(ledger, rows, engine, wait=stop)) == 0
    assert names(ledger.folder) == NAMES[3:]
    claims.close()
    run_batch(ledger, rows, engine)
    assert names(ledger.folder) == NAMES


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_what_died_is_done_again(
    begin: Begin, rows: Any, engine: Any, snapshot: Snapshot, tmp_path: Path, form: str
) -> None:
    """Parts with such rows are dropped but for one that somebody has; anew, all is calm."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    run_batch(begin(tmp_path / "calm", form=form), rows, engine)
    ledger = begin(tmp_path / "out", form=form)

    def lose(parts: Any, rows: Any) -> Any:
        error = WorkerError("the process that read this died")
        for part, items in parts:
            made = [rows(item) for item in items]
            made[0] = made[0] if part == 1 else rows.error_rows(items[0], error)
            yield part, [row for some in made for row in some]

    run_batch(ledger, rows, lose)
    drop_failed(ledger, ["too-slow"])
    assert ledger.find_done() == {0, 1, 2}
    assert _child(lambda: _drop_while_claimed(ledger)) == 0
    assert ledger.find_done() == {0, 1}
    drop_failed(ledger, ["died"], Shard(2, 2))
    assert ledger.find_done() == {0, 1}
    drop_failed(ledger, ["died"])
    assert ledger.find_done() == {1}
    run_batch(ledger, rows, engine)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "calm")


def _drop_while_claimed(ledger: Ledger) -> None:
    """Drop what died while another process has the first part."""
    ours, theirs = os.pipe()
    if not (child := os.fork()):
        claims = Claims(ledger.claims_path)
        os.write(theirs, b"x" if claims.take(0) else b"-")
        signal.pause()
    assert os.read(ours, 1) == b"x"
    drop_failed(ledger, ["died"])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_part_of_a_killed_driver_is_done_by_others(begin: Begin, tmp_path: Path) -> None:
    """A claim ends with its process, however that ends."""
    path = begin(tmp_path / "out").claims_path

    def die() -> None:
        Claims(path).take(0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert _child(die) == signal.SIGKILL
    assert Claims(path).take(0)


STEPS = [(os, "fsync"), (Path, "replace"), (Path, "hardlink_to"), (Path, "unlink")]
"""What changes the disk: before and after each of them the process is killed."""


def _kill_at(wanted: int) -> None:
    """Let this process be killed at its so-many-th step."""
    steps = count(1)

    def step() -> None:
        if next(steps) == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            step()
            result = real(*arguments, **more)
            step()
            return result

        return call

    for place, name in STEPS:
        setattr(place, name, wrap(getattr(place, name)))


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_killed_at_every_step(
    begin: Begin, rows: Any, engine: Any, snapshot: Snapshot, tmp_path: Path, form: str
) -> None:
    """Killed before and after each change of the disk and begun again, nothing differs."""
    run_batch(begin(tmp_path / "calm", form=form), rows, engine)
    calm, kills = snapshot(tmp_path / "calm"), 0
    for wanted in count(1):
        folder = tmp_path / f"killed-{wanted}"

        def work(folder: Path = folder, wanted: int = wanted) -> None:
            _kill_at(wanted)
            run_batch(begin(folder, form=form), rows, engine)

        if _child(work) != signal.SIGKILL:
            break
        kills += 1
        before = {name: content for name, content in snapshot(folder).items()
                  if name.startswith("part-")}  # fmt: skip
        assert before.items() <= calm.items(), "what is there is whole"
        run_batch(begin(folder, form=form), rows, engine)
        left = snapshot(folder)
        # A new process sweeps temporary files; this one has been in the folder before.
        assert {name: left[name] for name in left if not name.endswith(".tmp")} == calm
    assert kills > 20


def test_a_full_disk_leaves_whole_parts(
    begin: Begin,
    rows: Any,
    engine: Any,
    names: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk ends the run with an error; with room again it goes on where it was."""
    ledger, real, calls = begin(tmp_path / "out"), os.fsync, count()

    def refuse(handle: int) -> None:
        if next(calls) >= 2:  # the first part's file and folder
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(StorageError, match=r"part-00001\.jsonl could not be written"):
            run_batch(ledger, rows, engine)
    assert names(ledger.folder) == NAMES[:3]
    assert [path.name for path in ledger.folder.glob(".*.tmp")] == []
    run_batch(ledger, rows, engine)
    assert names(ledger.folder) == NAMES


def test_of_two_listings_one_is_kept(begin: Begin, tmp_path: Path) -> None:
    """Of two drivers that begin at once the first listing counts, the other is removed."""
    folder = tmp_path / "out"

    def others() -> Any:
        begin(folder)  # somebody else begins, and is faster
        yield Item(Path("late.png"), "late.png", "")

    request = {"inputs": ["made up"], "part_size": 3, "form": "jsonl"}
    ledger = make_ledger(folder, request, others())
    assert (ledger.items, ledger.read_items(0)[0].name) == (7, "0.png")
    assert [path.name for path in folder.glob("listing-*")] == [ledger.listing]


def test_a_listing_that_others_removed_is_no_error(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a faster driver began and swept before a listing has its name, its one counts."""
    folder, real = tmp_path / "out", Path.replace

    def be_late(path: Path, target: Path) -> Path:
        if path.name.startswith("listing-"):
            monkeypatch.undo()
            begin(folder)
        return real(path, target)

    monkeypatch.setattr(Path, "replace", be_late)
    assert begin(folder, count=9).items == 7
