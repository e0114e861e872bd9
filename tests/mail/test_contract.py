"""What every store of sorting promises: nothing lost, nothing twice, whoever asks at once."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digitlens.errors import (
    CorruptFileError,
    MissingDataError,
    RunError,
    StorageError,
    UsageError,
)
from digitlens.mail.sorting import NotYoursError, Review, sort_folder
from digitlens.mail.sorting.postgres import _SETTLE, ANSWER, CLAIM, LOAN, PostgresStore
from digitlens.mail.sorting.repair import repair_state
from digitlens.mail.sorting.rows import Asking, Said
from digitlens.mail.sorting.sqlite import COUNTS, FILE
from digitlens.mail.sorting.stores import make_store, open_store

Places = dict[str, list[str]]

_spec = importlib.util.spec_from_file_location(
    "postgres_server", Path(__file__).parents[2] / "tools/postgres_server.py"
)
assert _spec is not None and _spec.loader is not None
postgres_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(postgres_server)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Return the folder of a PostgreSQL server's socket."""
    pytest.importorskip("psycopg", reason="PostgreSQL is not tested: no psycopg")
    programs = postgres_server.find_programs()
    if programs is None:
        warnings.warn("PostgreSQL is not tested: it is not installed", stacklevel=1)
        pytest.skip("PostgreSQL is not tested: apt-get install postgresql")
    with postgres_server.run_postgres(programs) as socket:
        yield socket


_numbers = itertools.count()


@pytest.fixture
def database(server: str) -> str:
    """Return the address of an empty database."""
    import psycopg

    name = f"mail{next(_numbers)}"
    user = postgres_server.TRUSTED
    with psycopg.connect(
        f"host={server} user={user} dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://{user}@/{name}?host={server}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    """Return the address of a store of either kind; None for the file in the trays."""
    return None if request.param == "sqlite" else request.getfixturevalue("database")


@pytest.fixture
def stored(mail: Any, store: str | None) -> Any:
    """Return the made-up pictures, sorted with either store."""
    kept = replace(mail, sorting=replace(mail.sorting, store=store))
    kept.sort()
    return kept


def open_review(mail: Any, **options: Any) -> Review:
    """Return the queue of these pictures."""
    policy = mail.sorting.policy
    store = mail.sorting.store
    return Review(mail.out, mail.sorting.plan, policy.directory, store=store, **options)


def add_waiting(mail: Any, count: int) -> None:
    """Sort more pieces, of which none is read."""
    for index in range(count):
        (mail.folder / f"w{index:03d}.png").write_text("90219")
    mail.sort()


def test_pieces_are_sorted_settled_and_sorted_on(stored: Any, right_places: Places) -> None:
    """A run, a review, what is taken back, another plan and another run: each in one tray."""
    assert stored.places() == right_places
    review = open_review(stored)
    task = review.claim("ann")
    assert task is not None
    review.settle(task, "02134")
    assert review.status("ann")["yours"] == 1
    again = review.take_back(task.piece, "ann")
    with pytest.raises(NotYoursError, match="no longer yours"):
        review.settle(task, "90210")
    review.settle(again, "90210")
    assert [item.zip for item in review.corrections()] == ["90210"]
    other = review.claim("bob")
    assert other is not None
    assert other.piece != task.piece
    review.settle(other, None)
    assert review.claim("cy") is None
    settled = {task.name: ["CA"], other.name: ["unsortable"]}
    assert stored.places() == right_places | settled
    summary = stored.sort()
    assert (summary.new, summary.settled, summary.unsortable) == (0, 1, 1)
    assert (summary.missing, summary.changed, summary.would_move) == ({}, 0, 0)
    assert stored.places() == right_places | settled
    with open_store(stored.out, stored.sorting.store) as state:
        assert state.unplaced() == []


def test_a_broken_reader_is_made_good(mail: Any, store: str | None) -> None:
    """What no fault of a picture left unread is read again, in either store."""

    def broken(path: Path) -> Any:
        raise RuntimeError("the engine is not what it was")

    assert mail.sort(read=broken, store=store).waiting == 6
    summary = mail.sort(store=store)
    assert (summary.new, summary.pieces, summary.waiting) == (0, 6, 2)


def test_many_people_at_once_settle_each_piece_once(stored: Any) -> None:
    """Eight people, each with a connection of their own, and every piece has one answer."""
    add_waiting(stored, 60)
    review = open_review(stored)

    def work(person: str) -> list[int]:
        numbers = []
        while task := review.claim(person):
            review.settle(task, "02134" if task.piece % 3 else None)
            numbers.append(task.piece)
        return numbers

    with ThreadPoolExecutor(8) as pool:
        done = [item for part in pool.map(work, map(str, range(8))) for item in part]
    review.close()
    assert len(done) == len(set(done)) == 62
    assert sorted(item.piece for item in review.corrections()) == sorted(done)
    status = review.status()
    assert (status["waiting"], status["lent"]) == (0, 0)
    places = stored.places()
    assert all(len(trays) == 1 for trays in places.values())
    assert len(places) == 66
    with open_store(stored.out, stored.sorting.store) as state:
        assert state.unplaced() == []
        assert {row["tray"] for row in state.pieces()} == {"MA", "NY", "CA", "unsortable"}
        assert sum(state.counts("tray").values()) == 66


def test_an_expired_loan_goes_to_one_of_many(stored: Any) -> None:
    """When a loan ends, of those who ask at once one gets the piece."""
    times = [1000.0]
    review = open_review(stored, now=lambda: times[0])
    first = {review.claim(name, lease=60).piece for name in ("ann", "bob")}  # type: ignore[union-attr]
    assert review.claim("cy") is None
    times[0] += 61
    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(review.claim, [f"person {index}" for index in range(8)]))
    lent = [task.piece for task in tasks if task is not None]
    assert sorted(lent) == sorted(first)


def test_a_loan_that_a_power_cut_took_settles_nothing(stored: Any) -> None:
    """Claims do not wait for the disk: a piece may be lent anew, and one of the two has it."""
    review = open_review(stored)
    lost = review.claim("ann")
    with review.store.transaction() as run:  # type: ignore[attr-defined]
        run("DELETE FROM leases")
    again = review.claim("bob")
    assert lost is not None
    assert again is not None
    assert again.piece == lost.piece
    with pytest.raises(NotYoursError):
        review.settle(lost, "02134")
    review.settle(again, "02135")
    with pytest.raises(NotYoursError):
        review.settle(lost, "02134")
    assert [item.piece for item in review.corrections()] == [again.piece]


def test_a_picture_that_comes_twice_is_one_piece(stored: Any) -> None:
    """Two runs that read the same picture at the same time write one row."""
    with open_store(stored.out, stored.sorting.store) as state:
        row = next(state.pieces())
        from digitlens.mail.sorting.rows import RoutedPiece, find_source

        routing = {"zip": "02134", "zip4": None, "probability": 1.0, "reason": None}
        piece = RoutedPiece(find_source(row), row["name"], "1 1", routing, "MA", 1.0)
        new = replace(piece, source=Path("/mail/new.png"))
        assert state.add([piece, new, new]) == [row["id"], 7, 7] or stored.sorting.store
        names = [row["filed"] for row in state.pieces()]
    assert len(names) == len(set(names)) == 7


def test_the_listing_is_left_alone_while_nothing_changes(stored: Any) -> None:
    """It is written anew when a row, a tray, how it is made or the listing itself changes."""
    stored.sort()  # the second run has nothing new to tell

    def written(**changes: Any) -> bool:
        # Not its time, which a system may count in steps longer than a run takes.
        before = (stored.out / "pieces.json").stat().st_ino
        stored.sort(**changes)
        return (stored.out / "pieces.json").stat().st_ino != before

    assert not written()
    review = open_review(stored)
    task = review.claim("ann")
    assert task is not None
    review.settle(task, "02134")
    review.close()
    assert written()
    assert not written()
    (stored.out / "pieces.csv").write_text("cut")
    assert written()
    (stored.out / "MA/a.png").unlink()
    assert written()
    assert written(mailer=("00", "000", "900000000"))
    assert not written(mailer=("00", "000", "900000000"))


SCANNER = """
import sys
from pathlib import Path
from digitlens.ctc import Line, LineDigit
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Sorting, sort_folder

def read(path):
    text = path.read_text()[:5]
    digits = tuple(LineDigit(digit, 0.999, (0, 0, 1, 1)) for digit in text)
    return [ZipCandidate(Line(text, 0.9999, (0, 0, 9, 9), digits))]

known = Directory([Place("02134", "Allston", ("Allston",), "MA", "", "STANDARD")])
folder, out, store = sys.argv[1:]
sorting = Sorting(read, RoutingPolicy(known), make_plan(known, "state"), store=store)
print(sort_folder(Path(folder), Path(out), sorting).new)
"""


def test_several_scanners_sort_into_the_same_trays(tmp_path: Path, database: str) -> None:
    """Three processes, with files of the same names, while people review: each piece once."""
    folders = [tmp_path / f"scanner{number}" for number in range(3)]
    for folder, index in itertools.product(folders, range(40)):
        folder.mkdir(exist_ok=True)
        text = "90219" if index % 4 == 0 else "02134"
        (folder / f"{index:03d}.png").write_text(f"{text} {folder.name} {index}")
    (tmp_path / "scan.py").write_text(SCANNER)
    runs = [
        subprocess.Popen(
            [sys.executable, tmp_path / "scan.py", folder, tmp_path / "out", database],
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    assert [run.communicate()[0].split() for run in runs] == [["40"]] * 3
    files = list((tmp_path / "out").glob("*/*.png"))
    assert len(files) == 120
    assert len({path.read_text() for path in files}) == 120
    with open_store(tmp_path / "out", database) as state:
        assert state.counts("tray") == {"MA": 90, "review": 30}
        assert state.unplaced() == []


def test_a_store_belongs_to_its_trays(stored: Any, tmp_path: Path, database: str) -> None:
    """Neither store is used for trays of which the other, or another one, keeps the state."""
    plan, directory = stored.sorting.plan, stored.sorting.policy.directory
    if stored.sorting.store is None:
        with pytest.raises(UsageError, match=f"is in {FILE}, not in a database"):
            stored.sort(store=database)
        with pytest.raises(MissingDataError, match="nothing was sorted into"):
            Review(tmp_path, plan, directory, store=database)
        with pytest.raises(UsageError, match="a store is postgresql://"):
            stored.sort(store="mysql://x")
        return
    with pytest.raises(UsageError, match="is in a database"):
        Review(stored.out, plan, directory)
    with pytest.raises(UsageError, match="is in a database"):
        repair_state(stored.folder, stored.out)
    with pytest.raises(RunError, match="keeps the state of other trays than"):
        sort_folder(stored.folder, tmp_path / "others", stored.sorting)
    shutil.copytree(stored.out, tmp_path / "copy")
    assert not (tmp_path / "others/.store").exists()


@pytest.mark.parametrize("is_same", [True, False])
def test_of_those_who_begin_at_once_one_pairs_trays_and_store(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_same: bool
) -> None:
    """With the same trays all may go on; with others one has the database, the rest is told."""
    together, read = threading.Barrier(4), PostgresStore.read_fact

    def read_together(self: PostgresStore, name: str) -> str | None:
        kept = read(self, name)
        if kept is None:
            together.wait(60)
        return kept

    monkeypatch.setattr(PostgresStore, "read_fact", read_together)

    def begin(index: int) -> bool:
        out = tmp_path / ("trays" if is_same else str(index))
        try:
            make_store(out, database, create=True).close()
        except RunError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        went_on = list(pool.map(begin, range(4)))
    assert went_on.count(True) == (4 if is_same else 1)
    assert begin(went_on.index(True))
    assert len(list(tmp_path.glob("*/.store"))) == 1


def test_a_database_that_is_gone_is_told(server: str, tmp_path: Path) -> None:
    """The error names it without its password, and what to do."""
    address = f"postgresql://{postgres_server.TRUSTED}:secret@/none?host={server}"
    with pytest.raises(StorageError, match="could not be reached") as caught:
        PostgresStore(address, create=True)
    assert "secret" not in str(caught.value)


def test_a_lost_connection_costs_one_answer(stored: Any, server: str, database: str) -> None:
    """When the database was started anew, the next but one who asks is served."""
    if stored.sorting.store is None:
        pytest.skip("a file has no connection")
    import psycopg

    review = open_review(stored)
    assert review.waiting() == 2
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'digitlens'"
        )
    with pytest.raises(StorageError, match="could not be reached"):
        review.waiting()
    assert review.waiting() == 2


def test_a_file_of_an_older_version_goes_on(mail: Any, right_places: Places) -> None:
    """A mail.sqlite without figures gets them, and what was settled stays."""
    mail.sort()
    with sqlite3.connect(mail.out / FILE) as connection:
        for kind, name in connection.execute(
            "SELECT type, name FROM sqlite_master WHERE name IN"
            " ('facts', 'counts', 'corrections_piece') OR type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP {kind} {name}")
    connection.close()
    assert len(COUNTS) > 0
    review = open_review(replace(mail, sorting=mail.sorting))
    assert review.waiting() == 2
    assert review.status()["trays"] == {"CA": 1, "MA": 1, "NY": 2}
    review.close()
    assert mail.sort().pieces == 6
    assert mail.places() == right_places


def test_a_state_under_review_is_not_repaired(mail: Any) -> None:
    """What people say would be written into the file that is replaced."""
    mail.sort()
    review = open_review(mail)
    with pytest.raises(RunError, match="mail is being reviewed in"):
        repair_state(mail.folder, mail.out)
    review.close()
    assert repair_state(mail.folder, mail.out).salvaged == 6
    assert make_store(mail.out).counts("tray")["review"] == 2


def test_a_state_that_cannot_be_opened_is_repaired_at_once(mail: Any) -> None:
    """It is held by nobody, also while the error that says so is kept."""
    mail.sort()
    (mail.out / FILE).write_bytes(b"")
    with pytest.raises(CorruptFileError) as kept:
        make_store(mail.out)
    assert repair_state(mail.folder, mail.out).listed == 6
    assert kept.value.seen


def test_claims_do_not_look_at_all_that_waits(stored: Any) -> None:
    """The search ends at the first piece that is free: no sort, no walk over the queue."""
    if stored.sorting.store is not None:
        pytest.skip("the plan of a small table says nothing")
    from digitlens.mail.sorting.store import _FREE, _THEIRS

    store = make_store(stored.out)
    # What is lent already is looked for among the loans, which are few.
    theirs = _THEIRS.format("token = :token")
    plan = store.query("EXPLAIN QUERY PLAN " + theirs, after=0, token="a")
    assert plan[0]["detail"].startswith("SCAN leases")
    values = {"after": 0, "now": 0.0}
    plan = store.query("EXPLAIN QUERY PLAN " + _FREE.format(">"), **values)
    words = " ".join(row["detail"] for row in plan)
    assert "USING INDEX pieces_tray (tray=? AND rowid>?)" in words
    assert "B-TREE" not in words


def test_who_waits_is_told_of_a_piece(stored: Any) -> None:
    """A wait ends when a piece comes, or one is given back, and lasts where nothing does."""
    review = open_review(stored)
    task = review.claim("ann", token="")
    assert task is not None and review.claim("bob", token="") is not None
    assert review.claim("cy", token="") is None
    assert review.wait(0.0), "the first who waits looks once more"
    assert not review.wait(0.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(review.wait, 60.0)
        add_waiting(stored, 1)
        assert waiting.result()
    assert review.claim("cy", token="") is not None
    while review.wait(0.0):
        pass
    review.release(task)
    assert review.wait(60.0)
    review.close()
    assert review.wait(0.0), "the queue can be used after it was closed"
    review.close()


def test_a_claim_does_not_walk_over_what_waits(database: str, tmp_path: Path) -> None:
    """In a database that was never analyzed it looks at few rows of the queue and of loans."""
    with PostgresStore(database, create=True).transaction() as run:
        run(
            "INSERT INTO pieces"
            " (source, name, filed, stamp, routing, probability, tray, placed, at)"
            " SELECT CAST(CAST(n AS TEXT) AS BYTEA), n, n, '', :routing, 0, 'review', 1, 0"
            " FROM generate_series(1, 8000) AS n",
            routing="-" * 400,
        )
        run(
            "INSERT INTO leases"
            " SELECT id, 'bob', id, 0.5 FROM pieces ORDER BY id DESC LIMIT 300"
        )
        (plan,) = run(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + CLAIM.format("token = :token"),
            **vars(Asking("ann", "t", 0, 1.0, 2.0)),
            new="t",
        )

    def walk(node: Any) -> Iterator[float]:
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        yield rows * node["Actual Loops"]
        for part in node.get("Plans", ()):
            yield from walk(part)

    (top,) = plan["QUERY PLAN"]
    assert 0 < max(walk(top["Plan"])) < 10


def test_claims_and_answers_do_not_walk_over_old_loans(database: str) -> None:
    """A server that knows the table of loans as empty still finds a loan by an index."""
    store = PostgresStore(database, create=True)
    with store.transaction() as run:
        run("ANALYZE")
    claim = CLAIM.format("token = :token")
    asking = vars(Asking("ann", "t", 0, 1.0, 2.0)) | {"new": "t"}
    said = Said(1, "t", "02134", "a tray", 1.0).columns() | {"token": "t", "digits": "02134"}
    for kind, sql, values in ((LOAN, claim, asking), (ANSWER, _SETTLE, said)):
        plan = store._run(kind, f"EXPLAIN {sql}", values)
        assert "Seq Scan" not in str(plan)
    store.close()
