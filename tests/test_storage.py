"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from digitlens.errors import DataError, RunError, StorageError
from digitlens.storage import (
    is_folder,
    lock_file,
    make_folder,
    new_file,
    read_file,
    storage_errors,
    write_bytes,
    write_text,
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """A file holds the bytes or the text that was written, and nothing else is left."""
    write_bytes(tmp_path / "a", b"\x00\xff")
    write_text(tmp_path / "b", "2 ± 1\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "2 ± 1\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_file_gets_the_usual_rights(tmp_path: Path) -> None:
    """Others may read the file as the umask says, though it was a temporary one first."""
    before = os.umask(0o022)
    try:
        write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("step", ["fsync", "fdopen"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """When the disk is full in the middle, the old file stays whole and nothing is left."""
    path = tmp_path / "weights"
    write_bytes(path, b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, step, full)
    with pytest.raises(StorageError) as caught:
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["weights"]
    assert str(caught.value) == (
        f"{path} could not be written\n"
        "  seen    No space left on device\n"
        "  likely  the disk is full; what was written before is still whole\n"
        "  try     make room, then run the command again"
    )


def test_ctrl_c_in_the_middle_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C during a write leaves the old file, and passes on."""
    path = tmp_path / "weights"
    write_bytes(path, b"old")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["weights"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Writing where no folder is says which file, and what to try."""
    with pytest.raises(StorageError, match="could not be written") as caught:
        write_text(tmp_path / "none" / "a", "")
    assert caught.value.try_ == "name a folder that you may write to"


def test_a_file_where_a_folder_belongs_is_named(tmp_path: Path) -> None:
    """Making a folder where a file stands says so."""
    (tmp_path / "a").write_text("")
    with pytest.raises(StorageError) as caught:
        make_folder(tmp_path / "a")
    assert caught.value.try_ == "name another place: a file stands where a folder is wanted"


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    """A folder is made with its parents; making it again is fine."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_other_errors_pass(tmp_path: Path) -> None:
    """Only errors of the storage are turned into storage errors."""
    with pytest.raises(ValueError, match="mine"), storage_errors(tmp_path):
        raise ValueError("mine")


def test_a_locked_file_is_refused_and_says_who_holds_it(tmp_path: Path) -> None:
    """While one holds the lock another is told who; afterwards the lock is free again."""
    about = {"wanted": "the trays are in use", "try_": "wait"}
    with (
        lock_file(tmp_path / ".lock", "process 7 since noon", **about),
        pytest.raises(RunError) as caught,
        lock_file(tmp_path / ".lock", "process 8", **about),
    ):
        raise AssertionError("two hold the lock")
    assert str(caught.value) == (
        "the trays are in use\n  seen    process 7 since noon\n  try     wait"
    )
    with lock_file(tmp_path / ".lock", "8", **about):
        assert (tmp_path / ".lock").read_text() == "8"


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    """The system gives the lock of a process back, however it ended."""
    code = (
        "import os, sys; from pathlib import Path; from digitlens.storage import lock_file\n"
        "with lock_file(Path(sys.argv[1]), 'other', wanted='-', try_='-'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(RunError, match="seen    other"),
            lock_file(tmp_path / ".lock", "us", wanted="taken", try_="wait"),
        ):
            raise AssertionError("two hold the lock")
        other.kill()
        other.wait()
    with lock_file(tmp_path / ".lock", "us", wanted="taken", try_="wait"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes as files")
def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A pipe, which could be waited on for ever, a device and links to them are refused."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    seen = "{}, no file; only files are opened"
    for name, what in (
        ("pipe", "a named pipe"),
        ("link", "a named pipe"),
        ("zero", "a device"),
    ):
        with pytest.raises(DataError, match="cannot be read") as caught:
            read_file(tmp_path / f"{name}.png")
        assert caught.value.seen == seen.format(what)


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    """A file of more bytes than the limit is refused before it is read."""
    path = tmp_path / "large"
    path.write_bytes(bytes(100_001))
    assert len(read_file(path, limit=100_001).content) == 100_001
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_file(path, limit=100_000)
    assert caught.value.seen == "more than 100,000 bytes"
    with pytest.raises(DataError, match="cannot be read"):
        read_file(path, limit=9)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "x/" * 3000], ids=["long", "null", "deep"])
def test_names_that_no_file_can_have_are_told(name: str) -> None:
    """A name that is too long or holds a null byte is an error of ours, not a traceback."""
    assert not is_folder(Path(name))
    with pytest.raises(DataError):
        read_file(Path(name))


def test_a_file_may_have_the_longest_name(tmp_path: Path) -> None:
    """A name of 255 bytes can be written: the temporary one is no longer."""
    write_bytes(tmp_path / ("é" * 127), b"it")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"it"]


def test_a_file_of_the_system_without_a_size_is_read() -> None:
    """Linux says of its own files that they have 0 bytes."""
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("no /proc here")
    assert read_file(path).content.startswith(b"Name")


KILLED = """
import os, signal, sys
from pathlib import Path
from digitlens.storage import new_file

with new_file(Path(sys.argv[1])) as (file, _):
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_swept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its half file goes when another process writes there; one at work keeps its own."""
    monkeypatch.setattr("digitlens.storage._swept", set())
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a")], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.")
    os.mkfifo(tmp_path / ".pipe.tmp")
    with new_file(tmp_path / "b") as (file, _):
        file.write(b"other")
        assert not left.exists()
        monkeypatch.setattr("digitlens.storage._swept", set())
        write_bytes(tmp_path / "c", b"third")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pipe.tmp", "b", "c"]
    assert (tmp_path / "b").read_bytes() == b"other"


def test_a_new_name_is_synced_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is synced after the file has its name: a power cut finds it there."""
    synced: list[bool] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        synced.append((tmp_path / "a").exists())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    write_bytes(tmp_path / "a", b"x")
    assert synced == [False, True]
