"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path


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
