"""The wish to stop."""

from __future__ import annotations

import signal
import threading

import pytest

from digitlens.training.device import GracefulInterrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted_and_handlers_come_back(number: signal.Signals) -> None:
    """A signal becomes a wish, and afterwards the handlers are those of before."""
    before = signal.getsignal(number)
    with GracefulInterrupt() as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_acts_at_once() -> None:
    """Who presses twice does not wait for the step to end."""
    with GracefulInterrupt(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_nothing_is_touched() -> None:
    """Handlers can be set in the main thread alone, so elsewhere there is no wish."""
    seen: list[bool] = []

    def work() -> None:
        with GracefulInterrupt() as stop:
            seen.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
