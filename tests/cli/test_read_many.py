"""read: folders, stdin, many pages, bad input, Ctrl-C."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.cli.progress import CountProgress
from digitlens.cli.reference import output_keys
from digitlens.ocr.network import PUBLISHED

Cli = Callable[..., Any]
Strokes = Callable[..., np.ndarray]


@pytest.fixture
def png(strokes: Strokes) -> Callable[..., bytes]:
    """Return a function that makes a PNG file of numbers."""

    def make(*lines: str) -> bytes:
        file = io.BytesIO()
        Image.fromarray(strokes(*lines)).save(file, "PNG")
        return file.getvalue()

    return make


Png = Callable[..., bytes]


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Return a function that lays bytes into stdin."""

    def place_pictures(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return place_pictures


def test_a_folder_is_read_and_the_bad_are_named(read: Cli, png: Png, in_tmp: Path) -> None:
    """The pictures of a folder come by name; a truncated one is named, and the code is 3."""
    folder = in_tmp / "scans"
    folder.mkdir()
    (folder / "b.png").write_bytes(png("14"))
    (folder / "a.png").write_bytes(png("171"))
    (folder / "c.png").write_bytes(png("1")[:-40])
    ended = read("scans")
    rows = [line.split()[:2] for line in ended.out.splitlines()]
    assert (ended.code, rows) == (3, [["scans/a.png", "171"], ["scans/b.png", "14"]])
    first, *_, last = ended.err.splitlines()
    assert first == "rejected: scans/c.png is a damaged picture"
    assert last == "1 of 3 pictures could not be read"


def test_each_page_is_a_line_of_json(read: Cli, strokes: Strokes, in_tmp: Path) -> None:
    """--jsonl gives a line a page as --json has it, errors with their kind among them."""
    pages = [Image.fromarray(strokes(number)) for number in ("1", "71")]
    pages[0].save("a.tif", save_all=True, append_images=pages[1:])
    Path("b.png").write_bytes(b"")
    ended = read("a.tif", "b.png", "--jsonl")
    *good, bad = map(json.loads, ended.out.splitlines())
    assert (ended.code, good) == (3, json.loads(read("a.tif", "--json").out)["pictures"])
    assert list(good[0] | bad)[:3] == list(output_keys()["digitlens read --jsonl"])[:3]
    assert (bad["file"], bad["page"], bad["kind"]) == ("b.png", None, "corrupt")
    assert bad["error"].startswith("b.png is not a picture that can be read")


def test_pages_have_numbers(read: Cli, strokes: Strokes, in_tmp: Path) -> None:
    """Pages of a TIFF are named with their numbers, in every form."""
    pages = [Image.fromarray(strokes(number)) for number in ("1", "71")]
    pages[0].save("a.tif", save_all=True, append_images=pages[1:])
    ended = read("a.tif")
    assert [line.split()[:4] for line in ended.out.splitlines()] == [
        ["a.tif", "page", "1", "1"],
        ["a.tif", "page", "2", "71"],
    ]
    rows = read("a.tif", "--csv").out.splitlines()
    assert [row.split(",")[:4] for row in rows[1:]] == [
        ["a.tif", "1", "", "1"],
        ["a.tif", "2", "", "71"],
    ]


def test_stdin_is_a_file_like_others(read: Cli, png: Png, stdin: Any, in_tmp: Path) -> None:
    """A picture from stdin is read under that name."""
    stdin(png("1714"))
    ended = read("-")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.split()[:2] == ["stdin", "1714"]


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7"])
def test_stdin_that_is_no_picture_is_told(
    read: Cli, stdin: Any, in_tmp: Path, content: bytes
) -> None:
    """What comes through stdin and is no picture is rejected, with code 1."""
    if content.startswith(b"%PDF"):
        pytest.importorskip("pypdfium2")
    stdin(content)
    ended = read("-")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("rejected: stdin ")
    assert ended.err.endswith("1 of 1 pictures could not be read\n")


def test_stdin_is_named_once(read: Cli, in_tmp: Path) -> None:
    """To name stdin twice is wrong usage."""
    assert read("-", "-").code == 2


def test_nobody_waits_for_a_terminal(
    read: Cli, in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When stdin is a terminal nothing is waited for: that is wrong usage."""
    terminal = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)
    ended = read("-")
    assert ended.code == 2
    assert "a terminal" in ended.err


def test_a_missing_network_is_told_before_all(digitlens: Cli, in_tmp: Path) -> None:
    """A network that is not there is an error, and no picture is blamed."""
    ended = digitlens("read", "none.png", "--model", "none.onnx")
    assert ended.code == 1
    assert ended.err.startswith("error: none.onnx is no line network")


def test_a_network_for_single_digits_is_refused(digitlens: Cli, in_tmp: Path) -> None:
    """A network that reads single digits is told apart, and the other command named."""
    from digitlens.cli.doctor import GOLDEN

    ended = digitlens("read", "none.png", "--model", GOLDEN)
    assert ended.code == 1
    assert "digitlens predict" in ended.err


WAITING = """
import sys
if "--multiprocessing-fork" in sys.orig_argv:
    import digitlens.storage
    digitlens.storage.read_file = lambda *_, **__: open("pipe", "rb").read()
"""
"""A sitecustomize.py with which workers wait for a pipe instead of reading a file."""


def test_ctrl_c_ends_all_processes(stroke_network: Path, png: Png, in_tmp: Path) -> None:
    """Ctrl-C during a folder ends the command with 130 and one word, and no worker goes on."""
    os.mkfifo("pipe")
    Path("sitecustomize.py").write_text(WAITING)
    Path("a.png").write_bytes(png("1"))
    words = ["read", "a.png", "a.png", "--workers", "1", "--model", str(stroke_network)]
    paths = os.pathsep.join([str(in_tmp), *sys.path])
    command = subprocess.Popen(
        [sys.executable, "-m", "digitlens", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    with Path("pipe").open("wb", buffering=0) as pipe:  # opens when a worker reads it
        os.killpg(command.pid, signal.SIGINT)
        _, err = command.communicate(timeout=300)
        with pytest.raises(BrokenPipeError):
            pipe.write(b"is anybody there?")
    assert (command.returncode, err) == (130, "stopped\n")


def test_predict_names_read(digitlens: Cli, in_tmp: Path) -> None:
    """Predict says that a picture has several digits, and which command reads them."""
    page = np.full((120, 300), 255, np.uint8)
    for left in (40, 120, 200):
        page[30:90, left : left + 12] = 0
        page[30:42, left : left + 40] = 0
    Image.fromarray(page).save("three.png")
    ended = digitlens("predict", "three.png")
    assert ended.code == 1
    assert "rejected: three.png must show one digit\n" in ended.err
    assert "  seen    3 marks as high as a digit, side by side\n" in ended.err
    assert "  try     digitlens read three.png" in ended.err


@pytest.mark.skipif(
    not (PUBLISHED / "reader.onnx").is_file(), reason="the published reader is not here yet"
)
def test_the_published_reader_reads(digitlens: Cli, in_tmp: Path) -> None:
    """Without --model the reader that comes with digitlens reads a line of printed digits."""
    import cv2

    page = np.full((300, 500), 255, np.uint8)
    cv2.putText(page, "40285", (60, 170), cv2.FONT_HERSHEY_SIMPLEX, 3, 0, 5, cv2.LINE_AA)
    Image.fromarray(page).save("a.png")
    ended = digitlens("read", "a.png", "--length", 5, "--max-error", 0.01)
    assert ended.code == 0, ended.err
    assert ended.out.split()[:2] == ["a.png", "40285"]


class Terminal(io.StringIO):
    """A stream on which a line can be drawn again."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def test_progress_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal one line tells how many are done, how fast, and what is left."""
    monkeypatch.setenv("TERM", "xterm")
    stream, times = Terminal(), iter([0.0, 1.0, 1.05, 2.0])
    progress = CountProgress(3, stream, lambda: next(times))
    for _ in range(3):
        progress.step()
        progress.add(1)
    progress.wipe()
    assert stream.getvalue() == (
        "\r1 of 3   1.0 pictures/s   0:02 left\x1b[K"
        "\r3 of 5   1.5 pictures/s   0:02 left\x1b[K"
        "\r\x1b[K"
    )


def test_progress_is_told_now_and_then_in_a_log() -> None:
    """Elsewhere a line comes every ten seconds, and none for a single picture."""
    stream, times = io.StringIO(), iter([0.0, 4.0, 11.0, 12.0, 0.0, 99.0])
    progress = CountProgress(4, stream, lambda: next(times))
    for _ in range(3):
        progress.step()
    progress.wipe()
    alone = CountProgress(1, stream, lambda: next(times))
    alone.step()
    assert stream.getvalue() == "2 of 4   0.2 pictures/s   0:11 left\n"
