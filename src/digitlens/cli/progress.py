"""The progress of training: one line drawn again and again, or plain lines in a log."""

from __future__ import annotations

import math
import shutil
import sys
import time
from typing import TYPE_CHECKING

from digitlens.cli.output import is_live

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from digitlens.diagnosis import Epoch

_REDRAW = 0.1
"""Seconds between two drawings: more often is not seen, and costs training time."""


class TrainingProgress:
    """Progress on stderr: a live line on a terminal, one line an epoch elsewhere.

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
        self._live = is_live(self._stream)
        self._width = shutil.get_terminal_size().columns - 1
        self._next = 0.0
        self._begun: tuple[int, float] | None = None
        self._last = ""
        self._drawn = False
        self._total, self._epochs, self._digits = 1, 1, 0

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Begin: `note` says what is trained, on what."""
        self._total = max(1, total_steps)
        self._epochs = epochs
        self._digits = epochs * digits_per_epoch
        if note:
            self._line(note)

    def step(self, done_steps: int) -> None:
        """Tell that `done_steps` of all steps are done; cheap, and drawn now and then."""
        if not self._live:
            return
        now = self._clock()
        if self._begun is None:
            self._begun = (done_steps, now)
        if now >= self._next:
            self._next = now + _REDRAW
            self._draw(done_steps, now)

    def epoch(self, epoch: Epoch) -> None:
        """Tell that an epoch has been trained and measured."""
        accuracy = epoch.validation_accuracy
        self._last = "" if accuracy is None else f"validation {100 * accuracy:.2f} %"
        if not self._live:
            self._line(self._words(epoch))

    def finish(self) -> None:
        """End, also after an error: the live line is wiped."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False

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

    def _draw(self, done: int, now: float) -> None:
        assert self._begun is not None
        share = min(1.0, done / self._total)
        number = min(self._epochs, int(share * self._epochs) + 1)
        parts = [f"epoch {number} of {self._epochs}", f"{100 * share:3.0f} %"]
        first, began = self._begun
        if done > first and now > began:
            steps_a_second = (done - first) / (now - began)
            left = (self._total - done) / steps_a_second
            parts.append(f"{steps_a_second * self._digits / self._total:,.0f} digits/s")
            parts.append(f"{clock_time(left)} left")
        if self._last:
            parts.append(self._last)
        self._stream.write("\r" + "   ".join(parts)[: self._width] + "\x1b[K")
        self._stream.flush()
        self._drawn = True

    def _line(self, text: str) -> None:
        self.finish()
        self._stream.write(text + "\n")
        self._stream.flush()


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
