"""Commands under fire: whatever their files are, the exit code is one of four, and no fault.

``make fuzz`` gives each command a tenth of ``DIGITLENS_FUZZ`` mutated files, and every file
made by hand; always it is three mutated ones.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings

from digitlens.cli.app import run
from digitlens.models.checksum import PUBLISHED_FOLDER


def load_readers() -> ModuleType:
    """Return the seeds, and how they are mutated."""
    name = "fuzz_readers"
    spec = importlib.util.spec_from_file_location(
        name, Path(__file__).with_name("test_readers.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


fuzz = load_readers()
FEW = settings(fuzz.FUZZ, max_examples=max(3, int(os.environ.get("DIGITLENS_FUZZ", "0")) // 10))
TINY = str(PUBLISHED_FOLDER / "tiny.onnx")
SECONDS = 10.0  # of a command, in time of the processor; loading the reader is part of it

PLAN = 'default = "rest"\n[trays]\nny = ["005", "1"]\n'

# What is run on a file, and which seeds it is made of. {} is the file, OUT a new folder.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "predict": (["predict", "{}", "--model", TINY, "--workers", "0"], ["picture"]),
    "explain": (["explain", TINY, "{}", "--json", "--out", "OUT"], ["picture"]),
    "read": (["read", "{}", "--json"], ["picture", "document"]),
    "route": (["route", "{}", "--plan", "plan.toml"], ["picture"]),
    "route --readings": (
        ["route", "mail", "--plan", "plan.toml", "--readings", "{}", "--out", "OUT"],
        ["readings"],
    ),
    "route --plan": (["route", "mail", "--plan", "{}", "--out", "OUT"], ["plan"]),
    "route --addresses": (
        [*("route", "mail", "--plan", "plan.toml", "--out", "OUT"), "--addresses", "{}"],
        ["addresses"],
    ),
    "batch predict": (
        ["batch", "predict", "{}", "--model", TINY, "--out", "OUT", "--workers", "0"],
        ["picture", "tar", "zip", "parquet", "names"],
    ),
    "data info": (["data", "info", "{}"], ["idx", "gz", "npz", "csv"]),
    "data show": (
        ["data", "show", "{}", "--out", "OUT.png", "--force"],
        ["npz", "csv", "idx"],
    ),
    "summary": (["summary", "{}"], ["model"]),
    "predict --model": (["predict", "one.png", "--model", "{}"], ["model"]),
    "evaluate": (["evaluate", "{}", "--data", "digits.npz", "--report", "OUT"], ["model"]),
    "evaluate --data": (
        ["evaluate", TINY, "--data", "{}", "--part", "all", "--report", "OUT"],
        ["npz"],
    ),
    "export": (["export", "{}", "--to", "onnx", "--out", "OUT.onnx"], ["model"]),
    "mail plan": (["mail", "plan", "--l002", "{}"], ["l002"]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what commands need besides the file."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "plan.toml").write_text(PLAN)
    (folder / "one.png").write_bytes(fuzz.picture("PNG"))
    (folder / "digits.npz").write_bytes(fuzz.npz())
    (folder / "mail").mkdir()
    (folder / "mail" / "a.png").write_bytes(fuzz.picture("PNG"))
    return folder


NUMBERS = itertools.count()


def check(capsys: Any, words: list[str], path: str) -> None:
    """Run a command on a file; its end must be one of the four, told in words, and soon."""
    out = f"out-{next(NUMBERS)}"
    arguments = [path if word == "{}" else word.replace("OUT", out) for word in words]
    begun = time.process_time()
    code = run(arguments)
    took = time.process_time() - begun
    err = capsys.readouterr().err
    assert code in (0, 1, 2, 3), arguments
    assert "a fault in digitlens" not in err, err
    assert "Traceback" not in err, err
    assert took < SECONDS, arguments


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_mutated_file_is_told_in_words(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A command ends in order on any file, or says what is wrong with it."""
    monkeypatch.chdir(folder)
    words, kinds = COMMANDS[name]
    seeds = [(fuzz.READERS[kind][1], seed) for kind in kinds for seed in fuzz.READERS[kind][2]]
    for suffix in dict.fromkeys(suffix for suffix, _ in seeds):

        @FEW
        @given(fuzz.mutated([seed for end, seed in seeds if end == suffix]))
        def play(content: bytes) -> None:
            path = Path(f"file-{next(NUMBERS)}{suffix}")  # noqa: B023
            path.write_bytes(content)
            check(capsys, words, str(path))
            path.unlink(missing_ok=True)

        play()


def _make(path: str, content: bytes = b"") -> Callable[[], str]:
    def make() -> str:
        Path(path).write_bytes(content)
        return path

    return make


def _fifo() -> str:
    path = f"pipe-{next(NUMBERS)}.png"
    os.mkfifo(path)
    return path


def _link(target: str) -> Callable[[], str]:
    def make() -> str:
        path = Path(f"link-{next(NUMBERS)}.png")
        path.symlink_to(target)
        return str(path)

    return make


def _folder(name: str, *files: str) -> Callable[[], str]:
    def make() -> str:
        path = Path(f"{name}-{next(NUMBERS)}")
        path.mkdir()
        for file in files:
            (path / file).write_bytes(b"x")
        return str(path)

    return make


BY_HAND: dict[str, Callable[[], str]] = {
    "a name of 300 letters": lambda: "n" * 300 + ".png",
    "a name that is no UTF-8": _make("caf\udce9.png", b"x"),
    "a name with a line end": _make("a\nb.png", b"x"),
    "a name with a command for terminals": _make("a\x1b[2J.png", b"x"),
    "a name like an option": _make("./--help.png", b"x"),
    "a pattern that fits nothing": lambda: "nothing-*.png",
    "nothing there": lambda: "nothing.png",
    "an address": lambda: "https://127.0.0.1:9/a.png",
    "no bytes": _make("empty.png"),
    "one byte": _make("one-byte.png", b"\x89"),
    "a named pipe": _fifo,
    "a device": _link("/dev/zero"),
    "a device that ends at once": _link("/dev/null"),
    "a link to itself": lambda: (lambda p: (p.symlink_to(p.name), str(p))[1])(
        Path(f"self-{next(NUMBERS)}.png")
    ),
    "a folder": _folder("folder"),
    "a folder of one bad file": _folder("bad", "a.png"),
    "a folder called like a picture": _folder("x.png"),
    "a folder of hidden files": _folder("hidden", ".a.png"),
    "words": _make("words.png", b"no picture at all\n" * 50),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", BY_HAND)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_was_made_by_hand_is_told_in_words(
    name: str, what: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The same of names, pipes, devices, links and folders: sixteen commands, nineteen each."""
    monkeypatch.chdir(folder)
    check(capsys, COMMANDS[name][0], BY_HAND[what]())
