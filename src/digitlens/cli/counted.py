"""The progress of many pictures: one line drawn again and again, or a line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

from digitlens.cli.output import is_live
from digitlens.cli.progress import clock_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

REDRAW, RETELL = 0.1, 10.0
"""Seconds between two drawings on a terminal, and between two lines in a log."""


class Counted:
    """Progress on stderr through pictures that are done one after the other.

    Parameters
    ----------
    total
        How many there are, as far as is known.
    stream
        Where to draw; stderr by default.
    clock
        Seconds that only go up; given in tests.
    """

    def __init__(
        self,
        total: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._live = is_live(self._stream)
        self._done = 0
        self._began = clock()
        self._next = self._began + (REDRAW if self._live else RETELL)
        self._drawn = False

    def more(self, count: int) -> None:
        """Add `count` pictures that were not known of."""
        self._total += count

    def step(self) -> None:
        """Tell that one more is done; cheap, and drawn now and then."""
        self._done += 1
        now = self._clock()
        if now < self._next or self._total < 2:
            return
        self._next = now + (REDRAW if self._live else RETELL)
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r" + self._words(now)[:width] + "\x1b[K")
            self._drawn = True
        else:
            self._stream.write(self._words(now) + "\n")
        self._stream.flush()

    def wipe(self) -> None:
        """Wipe the live line: something else is to be written, or all is done."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    def _words(self, now: float) -> str:
        speed = self._done / max(now - self._began, 1e-9)
        left = clock_time((self._total - self._done) / speed)
        return f"{self._done:,} of {self._total:,}   {speed:,.1f} pictures/s   {left} left"
