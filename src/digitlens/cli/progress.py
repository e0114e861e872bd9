"""Progress on stderr: one line drawn again and again on a terminal, plain lines in a log."""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
import time
from typing import TYPE_CHECKING

from digitlens.cli.console import columns, is_live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from digitlens.metrics.history import Epoch, LinePoint


# Between two drawings on a terminal (more often is not seen, and costs time) or two lines.
REDRAW_SECONDS, LOG_SECONDS = 0.1, 10.0


class Progress:
    """A line that says how far a work of many steps has come, how fast, and what is left.

    stream: where to draw; stderr by default
    clock: seconds that only go up; given in tests
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self.live = is_live(self._stream)
        self._width = shutil.get_terminal_size().columns - 1
        self._drawn = False
        self._next = 0.0
        self._total = 1

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self.wipe()
        self._stream.write(text + "\n")
        self._stream.flush()

    def draw(self, text: str) -> None:
        """Replace the live line, cut to the terminal's width: what wraps cannot be redrawn."""
        self._stream.write("\r" + text[: self._width] + "\x1b[K")
        self._stream.flush()
        self._drawn = True

    def wipe(self) -> None:
        """Wipe the live line: something else is to be written, or all is done."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

    finish = wipe

    def _is_due(self, now: float) -> bool:
        if now < self._next:
            return False
        self._next = now + (REDRAW_SECONDS if self.live else LOG_SECONDS)
        return True

    def _time_left(self, done: int, speed: float) -> str:
        return f"{format_clock((self._total - done) / speed)} left"


class CountProgress(Progress):
    """Progress through pictures that are read one after the other, in a log too.

    `total` is how many there are as far as is known; a single one needs no progress.
    """

    def __init__(
        self,
        total: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream, clock)
        self._total, self._done = total, 0
        self._began = clock()
        self._is_due(self._began)

    def follow(self, lines: Iterable[str], write: Callable[[str], None]) -> None:
        """Write results that are made as the pictures are, each as soon as it is there."""
        try:
            for line in lines:
                write(line)
        finally:
            self.wipe()

    def add(self, count: int) -> None:
        """Add `count` pictures that were not known before."""
        self._total += count

    def step(self, count: int = 1) -> None:
        """Count some more as done; cheap, and drawn now and then."""
        self._done += count
        now = self._clock()
        if self._total < 2 or not self._is_due(now):
            return
        speed = self._done / max(now - self._began, 1e-9)
        done = f"{self._done:,} of {self._total:,}"
        text = "   ".join(
            [done, f"{speed:,.1f} pictures/s", self._time_left(self._done, speed)]
        )
        if self.live:
            self.draw(text)
        else:
            self.line(text)


class TrainingProgress(Progress):
    """Progress of training: a live line on a terminal, in a log one line an epoch."""

    unit = "digits"

    def start(self, total_steps: int, epochs: int, examples_per_epoch: int, note: str) -> None:
        """Begin: `note` says what is trained, on what."""
        self._total, self._items = max(1, total_steps), epochs * examples_per_epoch
        self._epochs = epochs
        self._first: tuple[int, float] | None = None
        self._last_figure = ""
        if note:
            self.line(textwrap.fill(note, columns(), break_long_words=False))

    def step(self, done_steps: int) -> None:
        """Tell that `done_steps` of all steps are done; cheap, and drawn now and then."""
        if not self.live:
            return
        now = self._clock()
        # A run may be resumed: its speed counts from the first step that was seen.
        self._first = first_step, began = self._first or (done_steps, now)
        if not self._is_due(now):
            return
        share = min(1.0, done_steps / self._total)
        parts = [self._position(share), f"{100 * share:3.0f} %"]
        if done_steps > first_step and now > began:
            speed = (done_steps - first_step) / (now - began)
            parts.append(f"{speed * self._items / self._total:,.0f} {self.unit}/s")
            parts.append(self._time_left(done_steps, speed))
        self.draw("   ".join(part for part in [*parts, self._last_figure] if part))

    def _position(self, share: float) -> str:
        return f"epoch {min(self._epochs, int(share * self._epochs) + 1)} of {self._epochs}"

    def epoch(self, epoch: Epoch) -> None:
        """Tell that an epoch has been trained and measured, in a line that stays."""
        accuracy = epoch.validation_accuracy
        self._last_figure = "" if accuracy is None else f"validation {100 * accuracy:.2f} %"
        self.line(epoch.describe(self._epochs))


class LineTrainingProgress(TrainingProgress):
    """Progress of a line reader's training: in a log one line a point of its history."""

    unit = "lines"

    def _position(self, share: float) -> str:  # noqa: ARG002 - lines have no epochs
        return ""

    def epoch(self, point: LinePoint) -> None:  # type: ignore[override]
        """Tell that a point of the history has been measured, in a line that stays."""
        if point.exact is not None:
            self._last_figure = f"{100 * point.exact:.1f} % read exactly"
        self.line(point.describe(self._epochs))


def format_clock(seconds: float) -> str:
    """Return `seconds`, rounded up, as people read a clock.

    >>> format_clock(7.2), format_clock(61), format_clock(3700)
    ('0:08', '1:01', '1:01:40')
    """
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count_progress(what: str, every: int = 1) -> Callable[[int, int], None]:
    """Return a function that says "N of M `what`" on a terminal, at each `every`-th one."""
    live = is_live(sys.stderr)

    def show(done: int, total: int) -> None:
        if live and (done % every == 0 or done == total):
            sys.stderr.write(f"\r{done:,} of {total:,} {what}" + "\n" * (done == total))
            sys.stderr.flush()

    return show
