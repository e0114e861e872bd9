"""Processes that tests begin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MORTAL = Path(__file__).with_name("mortal.py")
PARENT = """
import subprocess, sys
child = "print('begun', flush=True); import sys; sys.stdin.read()"
subprocess.Popen([sys.executable, sys.argv[1], sys.executable, "-c", child])
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")
def test_what_a_test_began_ends_with_it() -> None:
    """A lab of a test that was killed does not serve nobody for ever."""
    waits, kept_open = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(MORTAL)], stdin=waits, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"begun\n"
        parent.kill()
        # The end of the pipe: the child, which has it too, is gone.
        assert parent.stdout.read() == b""
    os.close(waits)
    os.close(kept_open)
