"""How many cores a process writes on."""

from __future__ import annotations

import cv2


def use_one_core() -> None:
    """Let this process write on one core alone, for there is a process for each.

    Pictures of lines are so small that several threads only wait for each other.
    """
    cv2.setNumThreads(1)
