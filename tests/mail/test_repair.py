"""A state that is damaged, emptied or gone is noticed, and made anew without doubling."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.errors import CorruptFileError, MissingDataError
from digitlens.mail.sorting import Review
from digitlens.mail.sorting.repair import repair_state
from digitlens.mail.sorting.rows import LISTING
from digitlens.mail.sorting.sqlite import FILE
from digitlens.mail.sorting.stores import open_store
from digitlens.storage import write_csv

Places = dict[str, list[str]]


def settle(mail: Any, zip_: str | None) -> str:
    """Let a person settle the next piece, and return the name of its file."""
    review = Review(mail.out, mail.sorting.plan, mail.sorting.policy.directory)
    task = review.claim("ann")
    assert task is not None
    review.settle(task, zip_)
    return str(task.name)


def empty(path: Path) -> None:
    """Cut the file to nothing."""
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    """Put something else in its place."""
    path.write_bytes(b"this is no database" * 100)


def remove(path: Path) -> None:
    """Remove it."""
    path.unlink()


def flip(path: Path) -> None:
    """Damage the pages behind the first."""
    content = bytearray(path.read_bytes())
    for index in range(4096, len(content), 7):
        content[index] ^= 0x55
    path.write_bytes(content)


def blur(path: Path) -> None:
    """Leave a file that SQLite takes for whole, with rows that say nothing."""
    with open_store(path.parent) as store, store.transaction() as run:
        run("UPDATE pieces SET routing = 'x' WHERE id = 2")


@pytest.mark.parametrize("damage", [empty, overwrite, remove, flip, blur])
@pytest.mark.parametrize("copy", [False, True])
def test_a_lost_state_is_noticed_and_made_anew(
    mail: Any, right_places: Places, damage: Callable[[Path], None], copy: bool
) -> None:
    """Route names the command; after it each piece is in one tray, settled ones too."""
    mail.sort(copy=copy)
    settled = settle(mail, "02134")
    damage(mail.out / FILE)
    with pytest.raises(CorruptFileError, match="digitlens mail repair"):
        mail.sort(copy=copy)
    made = repair_state(mail.folder, mail.out)
    assert (made.salvaged + made.listed, made.adopted, made.missing, made.unknown) == (
        6,
        0,
        0,
        0,
    )
    wanted = right_places | {settled: ["MA"]}
    assert mail.places() == wanted
    (mail.folder / "f.png").write_text("96799")
    summary = mail.sort(copy=copy)
    assert mail.places() == wanted | {"f.png": ["AS"]}
    assert (summary.pieces, summary.new, summary.settled, summary.waiting) == (7, 1, 1, 1)
    assert repair_state(mail.folder, mail.out).salvaged == 7  # done again, it changes nothing
    assert mail.sort(copy=copy).pieces == 7


@pytest.mark.parametrize("copy", [False, True])
def test_trays_alone_are_enough(mail: Any, right_places: Places, copy: bool) -> None:
    """Without a listing too nothing is sorted twice, and what waits is read again."""
    mail.sort(copy=copy)
    settled = settle(mail, None)
    (mail.out / "MA/other.txt").write_text("not mail")
    (mail.out / FILE).unlink()
    (mail.out / LISTING).unlink()
    made = repair_state(mail.folder, mail.out)
    assert (made.adopted, made.unknown) == (6, 1)
    summary = mail.sort(copy=copy)
    assert (summary.pieces, summary.new) == (6, 0)
    assert mail.places() == right_places | {settled: ["unsortable"], "other.txt": ["MA"]}


def test_what_was_doubled_by_hand_is_single_again(mail: Any, right_places: Places) -> None:
    """A state moved away and sorted anew has settled pieces in the queue too."""
    mail.sort()
    settled = settle(mail, "02134")
    (mail.out / FILE).unlink()
    (mail.out / LISTING).unlink()
    mail.sort()
    assert mail.places()[settled] == ["MA", "review"]
    made = repair_state(mail.folder, mail.out)
    assert (made.doubled, made.settled) == (1, 1)
    mail.sort()
    assert mail.places() == right_places | {settled: ["MA"]}


def test_saved_corrections_say_what_was_settled(mail: Any) -> None:
    """The ZIP and the person come from what mail corrections saved."""
    mail.sort()
    settled = settle(mail, "02134")
    with open_store(mail.out) as store:
        (number,) = store.query("SELECT id FROM pieces WHERE name = :name", name=settled)[0]
    (mail.out / FILE).unlink()
    saved = mail.out.parent / "saved"
    (saved / "lines").mkdir(parents=True)
    head = ("file", "truth", "n_digits", "read", "piece", "person", "at")
    row = (f"{number:06d}.png", "02134", 5, "90219", number, "ann", 7)
    write_csv(saved / "lines/truth.csv", head, [row])
    assert repair_state(mail.folder, mail.out, saved).corrections == 1
    with open_store(mail.out) as store:
        piece = dict(store.query("SELECT * FROM pieces WHERE id = :id", id=number)[0])
    assert (piece["zip"], piece["person"], piece["tray"]) == ("02134", "ann", "MA")


def test_a_copy_of_the_damaged_state_is_kept(
    mail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file stays beside the new one, also in a process that writes there first."""
    mail.sort()
    overwrite(mail.out / FILE)
    monkeypatch.setattr("digitlens.storage._swept", set())
    repair_state(mail.folder, mail.out)
    assert (mail.out / f"{FILE}.damaged").read_bytes().startswith(b"this is no database")
    assert not list(mail.out.glob(".*.tmp"))


def test_repair_wants_trays(mail: Any, tmp_path: Path) -> None:
    """Without trays or pictures there is nothing to make a state of."""
    with pytest.raises(MissingDataError, match="nothing was sorted"):
        repair_state(mail.folder, mail.out)
    with pytest.raises(MissingDataError, match="there is no folder"):
        repair_state(tmp_path / "none", mail.out)
    shutil.rmtree(mail.folder)
