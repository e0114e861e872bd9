"""Progress: a line drawn again on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from digitlens.cli.progress import TrainingProgress, format_clock
from digitlens.metrics.history import Epoch

EPOCH = Epoch(1, 0.31234, 0.9123, 0.2, 0.9345, 0.003, 2.04, 26_470.6)


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and keeps what was written."""

    def isatty(self) -> bool:
        """Return True."""
        return True


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture(autouse=True)
def a_terminal_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a terminal on which lines can be drawn again."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")


def test_a_log_gets_one_line_an_epoch() -> None:
    """Elsewhere than on a terminal, an epoch is one plain line, and steps say nothing."""
    stream = io.StringIO()
    progress = TrainingProgress(stream)
    progress.start(200, 2, 54_000, "dense on made up")
    for done in range(1, 101):
        progress.step(done)
    progress.epoch(EPOCH)
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "dense on made up",
        "epoch  1 of 2   loss 0.3123   training 91.23 %   validation 93.45 %   2.0 s",
    ]


def test_without_validation_the_line_says_nothing_of_it() -> None:
    """When no digits are held back, the line has no validation figure."""
    stream = io.StringIO()
    progress = TrainingProgress(stream)
    progress.start(200, 2, 54_000, "")
    progress.epoch(Epoch(2, 0.3, 0.9, None, None, 0.003, 2.0, 27_000.0))
    assert stream.getvalue() == ("epoch  2 of 2   loss 0.3000   training 90.00 %   2.0 s\n")


def test_a_terminal_shows_speed_and_time_left() -> None:
    """On a terminal one line says epoch, share, speed, time left and the last accuracy."""
    stream, clock = Terminal(), Clock()
    progress = TrainingProgress(stream, clock)
    progress.start(200, 2, 54_000, "")
    progress.step(50)
    clock.now = 10.0
    progress.epoch(EPOCH)
    progress.step(150)
    last = stream.getvalue().split("\r")[-1]
    assert last == (
        "epoch 2 of 2    75 %   5,400 digits/s   0:05 left   validation 93.45 %\x1b[K"
    )


def test_a_terminal_is_drawn_on_ten_times_a_second_at_most() -> None:
    """A thousand steps in a second are drawn ten times, not a thousand."""
    stream, clock = Terminal(), Clock()
    progress = TrainingProgress(stream, clock)
    progress.start(1000, 1, 1000, "")
    for done in range(1000):
        clock.now = done / 1000
        progress.step(done)
    assert 9 <= stream.getvalue().count("\r") <= 11


def test_a_line_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow terminal gets the start of the line: a line that wraps cannot be redrawn."""
    monkeypatch.setenv("COLUMNS", "20")
    stream, clock = Terminal(), Clock()
    progress = TrainingProgress(stream, clock)
    progress.start(200, 2, 54_000, "")
    progress.step(1)
    clock.now = 1.0
    progress.step(2)
    assert len(stream.getvalue().split("\r")[-1].removesuffix("\x1b[K")) == 19


def test_an_epoch_stays_on_a_terminal() -> None:
    """The line of an epoch is written below the others, not over them."""
    stream = Terminal()
    progress = TrainingProgress(stream)
    progress.start(200, 2, 54_000, "dense")
    progress.epoch(EPOCH)
    progress.epoch(replace(EPOCH, epoch=2))
    kept = [line for line in stream.getvalue().splitlines() if line.startswith("epoch")]
    assert [line[:12] for line in kept] == ["epoch  1 of ", "epoch  2 of "]


def test_the_live_line_is_wiped_at_the_end() -> None:
    """After finish the terminal's line is empty, and finishing twice changes nothing."""
    stream = Terminal()
    progress = TrainingProgress(stream, Clock())
    progress.start(10, 1, 10, "")
    progress.step(1)
    progress.finish()
    progress.finish()
    assert stream.getvalue().endswith("\r\x1b[K")
    assert stream.getvalue().count("\x1b[K") == 2


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that cannot redraw is treated as a log."""
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    progress = TrainingProgress(stream)
    progress.start(10, 1, 10, "")
    progress.step(1)
    progress.epoch(EPOCH)
    assert "\r" not in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.1, "1:00"), (3599.5, "1:00:00"), (7322, "2:02:02")]
)
def test_time_is_rounded_up(seconds: float, shown: str) -> None:
    """The time left is never shown shorter than it is."""
    assert format_clock(seconds) == shown
