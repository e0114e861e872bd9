"""ONNX Runtime's session of a model file, as all of digitlens opens it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from digitlens.errors import ModelError


def open_session(name: str | Path, content: bytes) -> Any:
    """Open a session of one thread on the processor.

    Parameters
    ----------
    name
        What messages call the file.
    content
        Its bytes.

    Raises
    ------
    ModelError
        The bytes are no ONNX file that the engine takes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a call, and as many calls at once as there are cores: engines with several
    # threads each starve one another, and one digit is not worth a second thread.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors share no other base
        raise ModelError(
            f"{name} must be an ONNX file that digitlens wrote",
            seen=f"ONNX Runtime: {str(error).splitlines()[0][:200]}",
            likely="the file is damaged, or of another kind"
            if content
            else "the file is empty",
            try_="digitlens export RUN --to onnx writes it again",
        ) from error


def cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many cores this process may use.

    A container may be given the time of fewer cores than it sees: more processes than that
    only wait for one another.

    Parameters
    ----------
    groups
        Where Linux tells the limits of the control group (version 2: ``cpu.max``; version 1:
        ``cpu/cpu.cfs_quota_us``); a container sees its own there.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, math.ceil(min(count, _quota(groups))))


def _quota(groups: Path) -> float:
    """Return the cores whose time this process may take; infinite where that is not said."""
    whole, quota, period = (
        groups / name for name in ("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
    )
    try:
        if whole.is_file():
            share, unit = whole.read_text().split()
        else:
            share, unit = quota.read_text(), period.read_text()
        return float(share) / float(unit) if float(share) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # "max", no such file, another system
        return math.inf
