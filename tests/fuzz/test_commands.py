"""Commands under fire: whatever their files are, the exit code is one of four, and no fault.

Always each command gets three mutated files; ``DIGITLENS_FUZZ`` says ten times how many.
``tools/fuzz.py`` gives thousands to these and some slower commands, with limits.
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

# What is run on a file, and which seeds it is made of: {} is the file, {in} the folder that
# holds it alone, OUT a new folder.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "predict": (["predict", "{}", "--model", TINY], ["picture"]),
    "explain": (["explain", TINY, "{}", "--json", "--out", "OUT"], ["picture"]),
    "read": (["read", "{}", "--json"], ["picture", "document"]),
    "route": (
        [*("route", "{in}", "--plan", "plan.toml", "--out", "OUT")],
        ["picture"],
    ),
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
        ["batch", "predict", "{}", "--model", TINY, "--out", "OUT"],
        ["picture", "tar", "zip", "parquet", "names"],
    ),
    "batch read": (
        ["batch", "read", "{}", "--out", "OUT"],
        ["picture", "document"],
    ),
    "data info": (["data", "info", "{}"], ["idx", "gz", "npz", "csv"]),
    "data check": (["data", "check", "{}", "--model", TINY, "--out", "OUT.html"], ["npz"]),
    "data lines": (["data", "lines", "{}", "--count", "1", "--out", "OUT.png"], ["npz"]),
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


def fill(folder: Path) -> None:
    """Write what commands need besides the file."""
    (folder / "plan.toml").write_text(PLAN)
    (folder / "one.png").write_bytes(fuzz.picture("PNG"))
    (folder / "digits.npz").write_bytes(fuzz.npz())
    (folder / "mail").mkdir()
    (folder / "mail" / "a.png").write_bytes(fuzz.picture("PNG"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what commands need besides the file."""
    folder = tmp_path_factory.mktemp("commands")
    fill(folder)
    return folder


NUMBERS = itertools.count()


def fit(words: list[str], path: str, holder: str) -> list[str]:
    """Return the arguments of a command for a file and the folder that holds it."""
    out = f"out-{next(NUMBERS)}"
    given = {"{}": path, "{in}": holder}
    return [given.get(word) or word.replace("OUT", out) for word in words]


def check(capsys: Any, arguments: list[str]) -> None:
    """Run a command; its end must be one of the four, told in words, and soon."""
    begun = time.process_time()
    code = run(arguments)
    took = time.process_time() - begun
    err = capsys.readouterr().err
    assert code in (0, 1, 2, 3), arguments
    assert "a fault in digitlens" not in err, err
    assert "Traceback" not in err, err
    assert took < SECONDS, arguments


def group(kinds: list[str]) -> dict[str, list[bytes]]:
    """Return the seeds of these kinds by the end of their names."""
    result: dict[str, list[bytes]] = {}
    for kind in kinds:
        _, suffix, seeds = fuzz.READERS[kind]
        result.setdefault(suffix, []).extend(seeds)
    return result


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_mutated_file_is_told_in_words(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A command ends in order on any file, or says what is wrong with it."""
    monkeypatch.chdir(folder)
    # What a batch reads is read in this process.
    monkeypatch.setattr("digitlens.batch.run.available_cpus", lambda: 0)
    words, kinds = COMMANDS[name]
    for suffix, seeds in group(kinds).items():

        @FEW
        @given(fuzz.mutated(seeds))
        def play(content: bytes) -> None:
            path = Path(f"in-{next(NUMBERS)}", f"train{suffix}")  # noqa: B023
            path.parent.mkdir()
            fuzz.write(path, content)
            check(capsys, fit(words, str(path), str(path.parent)))

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
    """The same of names, pipes, devices, links and folders: of all commands, nineteen each."""
    monkeypatch.chdir(folder)
    path = BY_HAND[what]()
    check(capsys, fit(COMMANDS[name][0], path, path))
