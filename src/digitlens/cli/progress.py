"""The progress of training: one line drawn again and again, or plain lines in a log.

* The progress of many pictures: one line drawn again and again, or a line now and then.
"""

from __future__ import annotations

import math
import shutil
import sys
import time
from typing import TYPE_CHECKING

from digitlens.cli.console import is_live

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from digitlens.metrics.history import Epoch, LinePoint


_REDRAW = 0.1
"""Seconds between two drawings: more often is not seen, and costs training time."""


class LiveLine:
    """A line on a terminal that tells how far a work of many steps has come.

    Parameters
    ----------
    stream
        Where to draw; stderr by default.
    clock
        Seconds that only go up; given in tests.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self.live = is_live(self._stream)
        self._width = shutil.get_terminal_size().columns - 1
        self._next = 0.0
        self._begun: tuple[int, float] | None = None
        self._drawn = False
        self._total, self._items, self._what = 1, 0, ""

    def start(self, steps: int, items: int, what: str, note: str) -> None:
        """Begin a work of `steps` on `items` of a kind, such as digits."""
        self._total, self._items, self._what = max(1, steps), items, what
        if note:
            self.line(note)

    def step(self, done: int, last: str, head: Callable[[float], str] | None = None) -> None:
        """Draw now and then, if it is a terminal: `head`, share, speed, time left, `last`."""
        if not self.live:
            return
        now = self._clock()
        if self._begun is None:
            self._begun = (done, now)
        if now < self._next:
            return
        self._next = now + _REDRAW
        share = min(1.0, done / self._total)
        parts = [head(share)] if head else []
        parts.append(f"{100 * share:3.0f} %")
        first, began = self._begun
        if done > first and now > began:
            a_second = (done - first) / (now - began)
            parts.append(f"{a_second * self._items / self._total:,.0f} {self._what}/s")
            parts.append(f"{clock_time((self._total - done) / a_second)} left")
        if last:
            parts.append(last)
        self._stream.write("\r" + "   ".join(parts)[: self._width] + "\x1b[K")
        self._stream.flush()
        self._drawn = True

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self.wipe()
        self._stream.write(text + "\n")
        self._stream.flush()

    def wipe(self) -> None:
        """Wipe the live line."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False


class TrainingProgress:
    """Progress on stderr: a live line on a terminal, one line an epoch elsewhere.

    Parameters
    ----------
    stream, clock
        As `LiveLine` has them.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._live = LiveLine(stream, clock)
        self._last = ""
        self._epochs = 1

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Begin: `note` says what is trained, on what."""
        self._epochs = epochs
        self._live.start(total_steps, epochs * digits_per_epoch, "digits", note)

    def step(self, done_steps: int) -> None:
        """Tell that `done_steps` of all steps are done; cheap, and drawn now and then."""
        self._live.step(done_steps, self._last, self._number)

    def _number(self, share: float) -> str:
        number = min(self._epochs, int(share * self._epochs) + 1)
        return f"epoch {number} of {self._epochs}"

    def epoch(self, epoch: Epoch) -> None:
        """Tell that an epoch has been trained and measured."""
        accuracy = epoch.validation_accuracy
        self._last = "" if accuracy is None else f"validation {100 * accuracy:.2f} %"
        if not self._live.live:
            self._live.line(self._words(epoch))

    def finish(self) -> None:
        """End, also after an error: the live line is wiped."""
        self._live.wipe()

    def _words(self, epoch: Epoch) -> str:
        parts = [
            f"epoch {epoch.epoch:2} of {self._epochs}",
            f"loss {epoch.train_loss:.4f}",
            f"training {100 * epoch.train_accuracy:.2f} %",
            self._last,
            f"{epoch.digits_per_second:,.0f} digits/s",
            f"{epoch.seconds:.1f} s",
        ]
        return "   ".join(part for part in parts if part)


class LineTrainingProgress:
    """Progress of a line reader on stderr: a live line, or a line at each point elsewhere.

    Parameters
    ----------
    stream, clock
        As `LiveLine` has them.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._live = LiveLine(stream, clock)
        self._last = ""

    def start(self, steps: int, batch: int, note: str) -> None:
        """Begin: `note` says what is trained, on what."""
        self._live.start(steps, steps * batch, "lines", note)

    def step(self, done_steps: int) -> None:
        """Tell that `done_steps` of all steps are done; cheap, and drawn now and then."""
        self._live.step(done_steps, self._last)

    def point(self, point: LinePoint) -> None:
        """Tell that a point of the history has been measured."""
        exact = point.exact
        self._last = "" if exact is None else f"{100 * exact:.1f} % read exactly"
        parts = [f"step {point.step:,}", f"loss {point.loss:.4f}", self._last]
        parts += [f"{point.lines_per_second:,.0f} lines/s", f"{point.seconds:.0f} s"]
        if not self._live.live:
            self._live.line("   ".join(part for part in parts if part))

    def finish(self) -> None:
        """End, also after an error: the live line is wiped."""
        self._live.wipe()


def clock_time(seconds: float) -> str:
    """Return `seconds` as people read a clock.

    Examples
    --------
    >>> clock_time(7.2), clock_time(61), clock_time(3700)
    ('0:08', '1:01', '1:01:40')
    """
    whole = math.ceil(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


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
