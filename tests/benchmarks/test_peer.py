"""What is said of a process that is timed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from peer import timed


def test_a_process_is_charged_with_its_own_memory_alone(tmp_path: Path) -> None:
    """What the one that begins it holds does not count, and its output is passed on."""
    held = b"x" * (150 << 20)
    command = [sys.executable, "-I", "-S", "-c"]
    seconds, peak, printed = timed([*command, "import os; print(os.getcwd())"], tmp_path)
    assert (seconds > 0, printed) == (True, f"{tmp_path}\n")
    assert 1 < peak < 100 < len(held) / 2**20
    with pytest.raises(SystemExit, match="ended with exit code 3"):
        timed([*command, "import os; os._exit(3)"], tmp_path)
