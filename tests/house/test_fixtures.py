"""What the tests stand on: made-up digits, and no network."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from digitlens.digits import Digits

ASK = "import urllib.request\nurllib.request.urlopen('http://digits.example/', timeout=5)\n"


@pytest.mark.parametrize("address", [("127.0.0.1", 9), ("192.0.2.1", 443)])
def test_a_test_that_reaches_for_the_network_fails(address: tuple[str, int]) -> None:
    """Connecting anywhere, even to this machine, raises an error that says so."""
    with socket.socket() as end, pytest.raises(RuntimeError, match="a test tried to reach"):
        end.connect(address)


def test_processes_that_tests_start_are_offline() -> None:
    """A process that a test starts finds nobody at its proxy."""
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Connection refused" in done.stderr


def test_made_up_digits_are_the_same_each_time(make_digits: Callable[..., Digits]) -> None:
    """The same seed draws the same pixels, another one does not; all classes are there."""
    digits = make_digits(30, seed=4)
    assert np.array_equal(digits.images, make_digits(30, seed=4).images)
    assert not np.array_equal(digits.images, make_digits(30, seed=5).images)
    assert digits.counts.tolist() == [3] * 10
    assert digits.images.max() == 255
    edges = [digits.images[:, 0], digits.images[:, -1], digits.images[..., 0]]
    assert not any(edge.any() for edge in edges)
