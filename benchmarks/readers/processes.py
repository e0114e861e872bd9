"""Readers started, asked in turn, and closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from readers.installs import BENCH, NotInstalledError, our_size, rapidocr_python, rapidocr_size
from readers.installs import tesseract_size as debian_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from readers.pictures import Task
    from readers.protocol import Answer, Hello, Request

HOME = Path(__file__).parents[1]
OURS = "digitlens"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"}
BORDERED = " bordered"


@dataclass(frozen=True)
class ReaderSpec:
    """A reader that is measured.

    Parameters
    ----------
    name
        In the table.
    module
        Of this package: it serves.
    python
        Which Python runs it.
    size
        Megabytes installed.
    line_settings
        Of which one is chosen on validation lines.
    page_settings
        All are tried on whole pictures, and the best counts.
    takes_line_length, takes_page_length
        Whether it can be told how many digits a line has, or a number on a whole picture.
    arguments
        That its process is started with.
    """

    name: str
    module: str
    python: Callable[[], str | Path]
    size: Callable[[], float]
    line_settings: tuple[str, ...] = ("",)
    page_settings: tuple[str, ...] = ("",)
    takes_line_length: bool = False
    takes_page_length: bool = False
    arguments: tuple[str, ...] = ()

    def questions(self, task: Task, line_setting: str) -> list[tuple[int | None, str]]:
        """Return what this reader is asked of a picture: lengths and settings.

        Of a whole picture one that takes lengths is asked without one, and with each that a
        wanted string has.
        """
        lengths: list[int | None] = [None]
        if self.takes_page_length and task.page:
            lengths += sorted({len(text) for text in task.truth})
        elif self.takes_line_length and not task.page:
            lengths = [task.length]
        settings = self.page_settings if task.page else (line_setting,)
        return [(length, setting) for length in lengths for setting in settings]


READERS = (
    ReaderSpec(
        OURS,
        "readers.digitlens_reader",
        lambda: sys.executable,
        our_size,
        takes_line_length=True,
        takes_page_length=True,
    ),
    ReaderSpec(
        "RapidOCR",
        "readers.rapid",
        rapidocr_python,
        rapidocr_size,
        ("any", "digits"),
        ("any", "digits"),
        takes_line_length=True,
    ),
    ReaderSpec(
        "Tesseract",
        "readers.tesseract",
        lambda: sys.executable,
        debian_size,
        ("6", "7", "8", "13", *(mode + BORDERED for mode in ("6", "7", "8", "13"))),
        ("3", "6", "11", "12"),
    ),
)


class ReaderProcess:
    """A reader in a process of its own.

    Parameters
    ----------
    kind
        Which.

    Raises
    ------
    NotInstalledError
        It cannot be had here, or ended before it said a word.
    """

    def __init__(self, kind: ReaderSpec) -> None:
        self.kind = kind
        command = [str(kind.python()), "-m", kind.module, *kind.arguments]
        logs = BENCH / "reading"
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / f"{kind.name}.log"
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=HOME,
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        said = self._line()
        if not said:
            self.close()
            raise NotInstalledError(
                last_word(log.read_text(encoding="utf-8", errors="replace"))
            )
        self.versions = cast("Hello", json.loads(said))["versions"]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def ask(self, request: Request) -> Answer:
        """Return what it reads in a picture.

        Raises
        ------
        SystemExit
            Its process ended.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        said = self._line()
        if not said:
            sys.exit(f"{self.kind.name} ended while it read {request['path']}")
        return cast("Answer", json.loads(said))

    def close(self) -> None:
        """Let the process end."""
        # Both ends of the wire are closed, and a request that nobody took is dropped.
        self._process.communicate()


def last_word(log: str) -> str:
    """Return why a process ended, from what it wrote: the last line that is not indented.

    Examples
    --------
    >>> last_word("Traceback:\\n  File x\\nValueError: none\\n  seen  y\\n")
    'ValueError: none'
    """
    lines = [line for line in log.splitlines() if line.strip() and not line.startswith(" ")]
    return lines[-1] if lines else "it ended without a word"
