"""What differs from system to system, with the system faked."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from digitlens import storage, workers
from digitlens.batch.ledger import Claims
from digitlens.imaging import inputs
from digitlens.server import prometheus, serve, train_jobs
from digitlens.synth import fonts
from digitlens.training import device
from digitlens.training.line_data import LineProducers


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Pretend to be Windows; return what its lock is asked."""
    asked: list[tuple[int, int, int]] = []
    msvcrt = ModuleType("msvcrt")
    msvcrt.LK_NBLCK = 2  # type: ignore[attr-defined]

    def locking(handle: int, mode: int, count: int) -> None:
        asked.append((os.lseek(handle, 0, os.SEEK_CUR), mode, count))
        if len(asked) > 1:
            raise PermissionError(13, "taken")

    msvcrt.locking = locking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    monkeypatch.setattr(signal, "CTRL_BREAK_EVENT", 1, raising=False)
    return asked


def test_windows_locks_a_byte_far_behind_the_text(
    windows: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    """A lock there is one byte beyond any text; who comes second is refused."""
    with storage.lock_file(tmp_path / "lock", "me", wanted="taken", try_="wait"):
        assert windows == [(1 << 30, 2, 1)]
        assert (tmp_path / "lock").read_text() == "me"
        with (
            pytest.raises(storage.RunError, match="taken"),
            storage.lock_file(tmp_path / "lock", "you", wanted="taken", try_="wait"),
        ):
            pass


def test_windows_moves_a_file_after_it_is_closed(
    windows: list[tuple[int, int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There an open file cannot be moved, so a new one gets its name when it is closed."""
    closed: list[bool] = []
    kept: list[Any] = []
    move = Path.replace

    def replace(self: Path, target: Path) -> Path:
        closed.append(kept[0].closed)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    leftover = tmp_path / ".a.b.tmp"
    leftover.touch()
    with storage.new_file(tmp_path / "a") as (file, _):
        kept.append(file)
        file.write(b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert closed == [True]
    assert leftover.exists()  # whose lock cannot be asked there
    assert windows == []


def test_windows_claims_a_part_by_a_byte_of_its_own(
    windows: list[tuple[int, int, int]], tmp_path: Path
) -> None:
    """A part of a batch is a byte of a file there too; who comes second does not get it."""
    claims = Claims(tmp_path / "claims")
    assert claims.take(7)
    assert windows == [(7, 2, 1)]
    assert not claims.take(7)
    claims.close()


def test_a_lab_stops_its_training_by_the_systems_own_signal(
    windows: list[tuple[int, int, int]],
) -> None:
    """On Windows, where SIGTERM kills unsaved, it is Ctrl-Break to a group of its own."""
    assert train_jobs.own_group() == {"creationflags": 512}
    assert train_jobs.stop_signal() == 1


def test_elsewhere_it_is_sigterm() -> None:
    """On Linux and macOS a session of its own is asked to end by SIGTERM."""
    assert train_jobs.own_group() == {"start_new_session": True}
    assert train_jobs.stop_signal() == signal.SIGTERM


def test_training_hears_ctrl_break_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGBREAK is a wish to stop too."""
    assert device.stop_signals() == [signal.SIGINT, signal.SIGTERM]
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    before = signal.getsignal(signal.SIGUSR1)
    with device.GracefulInterrupt() as stop:
        signal.raise_signal(signal.SIGUSR1)
        assert stop.requested
    assert signal.getsignal(signal.SIGUSR1) == before


def test_a_dead_process_is_told_without_sigkill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no SIGKILL; a process that ended early is an error in words all the same."""
    monkeypatch.delattr(signal, "SIGKILL")
    process = SimpleNamespace(name="lines", exitcode=1, join=lambda _: None)
    batches = SimpleNamespace(_processes=[process])
    error = LineProducers._died(batches, 0)  # type: ignore[arg-type]
    assert error.seen == "lines, exit code 1"


@pytest.mark.parametrize(("system", "shared"), [("win32", False), ("darwin", True)])
def test_a_port_is_ones_own(system: str, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows would let two programs have a port that is reused, so it is not asked to."""
    monkeypatch.setattr(sys, "platform", system)
    listener = serve.open_listener("127.0.0.1", 0)
    with listener:
        asked = listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert bool(asked) == shared


def test_fonts_are_looked_for_where_each_system_has_them(
    windows: list[tuple[int, int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows' own folder is asked on Windows, the libraries of macOS are always."""
    (tmp_path / "Fonts").mkdir()
    (tmp_path / "Fonts" / "Arial.TTF").touch()
    monkeypatch.setenv("WINDIR", str(tmp_path))
    monkeypatch.setattr(fonts, "FOLDERS", ())
    fonts.find_fonts.cache_clear()
    assert fonts.find_fonts() == (str(tmp_path / "Fonts" / "Arial.TTF"),)
    monkeypatch.setattr(sys, "platform", "darwin")
    fonts.find_fonts.cache_clear()
    assert fonts.find_fonts() == ()
    monkeypatch.undo()
    fonts.find_fonts.cache_clear()
    assert "/Library/Fonts" in fonts.FOLDERS


@pytest.mark.parametrize("library", [TypeError, OSError, SimpleNamespace()])
def test_memory_is_tuned_where_glibc_is(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no library of that kind, macOS no mallopt: nothing happens there."""

    def open_library(_: object) -> Any:
        if isinstance(library, type):
            raise library
        return library

    monkeypatch.setattr(ctypes, "CDLL", open_library)
    inputs.tune_malloc()


def test_workers_do_without_what_other_systems_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `resource`, no affinity, no /proc: no limit, all cores, a size that is not known."""
    monkeypatch.setitem(sys.modules, "resource", None)
    workers._limit_memory()
    monkeypatch.delattr(os, "sched_getaffinity")
    assert workers.visible_cpus() == os.cpu_count()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: (_ for _ in ()).throw(OSError))
    assert prometheus.resident_bytes() == 0
    assert workers.available_cpus(Path("nowhere"), Path("nowhere")) >= 1


def test_processes_are_spawned_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and macOS cannot fork safely, so processes begin by spawn on every system."""
    asked: list[str | None] = []

    def context(method: str | None = None) -> Any:
        asked.append(method)
        raise RuntimeError("asked")

    monkeypatch.setattr(multiprocessing, "get_context", context)
    with pytest.raises(RuntimeError, match="asked"):
        workers._Worker(lambda: None)
    assert asked == ["spawn"]
