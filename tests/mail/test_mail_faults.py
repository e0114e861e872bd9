"""Sorting when something is wrong: full disks, two runs at once, foreign files."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from digitlens.errors import CorruptFileError, MissingDataError, RunError, StorageError
from digitlens.mail.sorting import Sorting, sort_folder
from digitlens.mail.sorting.sort import lock_trays
from digitlens.mail.sorting.store import FILE, open_store
from digitlens.storage import write_bytes

Where = Callable[[Path], dict[str, list[str]]]


def test_the_second_of_two_runs_says_who_holds_the_state(
    folder: Path, tmp_path: Path, sorting: Sorting
) -> None:
    """While one run sorts, another is told its process and its folder."""
    out = tmp_path / "out"
    out.mkdir()
    with (
        lock_trays(out, folder, 0.0),
        pytest.raises(RunError, match=f"process {os.getpid()} on .*, sorting {folder}"),
    ):
        sort_folder(folder, out, sorting)
    assert sort_folder(folder, out, sorting).pieces == 6


@pytest.mark.parametrize("copy", [False, True])
def test_a_full_disk_loses_nothing(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    monkeypatch: pytest.MonkeyPatch,
    copy: bool,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """When the disk is full the run says so, and the next one goes on."""
    out, count = tmp_path / "out", 0
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
            sort_folder(folder, out, replace(sorting, copy=copy))
    assert sum(map(len, where(out).values())) == 2
    sort_folder(folder, out, replace(sorting, copy=copy))
    assert where(out) == right_places


def test_a_full_state_file_is_told(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """SQLite's own word for a full disk becomes ours."""
    out = tmp_path / "out"
    sort_folder(folder, out, sorting)
    with (
        pytest.raises(StorageError, match="likely  the disk is full"),
        open_store(out) as store,
    ):
        store.connection.execute("PRAGMA max_page_count=1")
        for number in range(1000):
            store.connection.execute(f"CREATE TABLE t{number} AS SELECT * FROM pieces")


def test_a_disk_without_links_gets_copies(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    monkeypatch: pytest.MonkeyPatch,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Where no link can be made the pieces are copied, and that is said."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    summary = sort_folder(folder, tmp_path / "out", sorting)
    assert (summary.copies, where(tmp_path / "out")) == (6, right_places)
    assert summary.warnings() == ["6 pieces copied, as no link could be made"]


def test_a_foreign_file_is_not_taken_for_a_piece(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """A file that somebody put into a tray under a piece's name is neither kept nor lost."""
    out = tmp_path / "out"
    (out / "MA").mkdir(parents=True)
    (out / "MA/a.png").write_text("foreign")
    with pytest.raises(StorageError, match="is another file than"):
        sort_folder(folder, out, sorting)
    (out / "MA/a.png").rename(tmp_path / "foreign.png")
    sort_folder(folder, out, sorting)
    assert where(out) == right_places


def test_what_is_no_folder_and_no_state_is_told(
    folder: Path, tmp_path: Path, sorting: Sorting
) -> None:
    """A missing folder, a damaged state and one of a newer version have their errors."""
    with pytest.raises(MissingDataError, match="there is no folder"):
        sort_folder(tmp_path / "none", tmp_path / "out", sorting)
    out = tmp_path / "out"
    out.mkdir()
    (out / FILE).write_text("this is no database, it is only a text " * 30)
    with pytest.raises(CorruptFileError, match="is not a state of sorting"):
        sort_folder(folder, out, sorting)
    (out / FILE).unlink()
    with open_store(out, create=True) as store:
        store.connection.execute("PRAGMA user_version=99")
    with pytest.raises(RunError, match="made by a newer version"):
        sort_folder(folder, out, sorting)
