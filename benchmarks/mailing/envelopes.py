"""Real envelopes: their codes are no ZIPs, so neither directory nor place can help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from readers.pictures import ENVELOPES, Task, pages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from digitlens.ocr import Reader

ERROR = 0.01


@dataclass(frozen=True)
class Codes:
    """Codes on envelopes: how many, found right, accepted, and accepted wrongly."""

    count: int
    right: int
    accepted: int
    wrong: int


def envelopes(real: Path) -> list[Task]:
    """Return the real envelopes, whole and cut."""
    return [task for task in pages(real) if task.group == ENVELOPES]


def count_codes(reader: Reader, tasks: Sequence[Task]) -> Codes:
    """Read each envelope, told how many digits its code has; the first line is the answer.

    It is accepted by the reader's own bar at 1 % error.
    """
    right = accepted = wrong = 0
    for task in tasks:
        (truth,) = task.truth
        lines = reader.read(task.path, len(truth))
        if not lines:
            continue
        bar = reader.bar(ERROR, len(truth)).confidence
        good = lines[0].text == truth
        taken = bar is not None and lines[0].confidence >= bar
        right += good
        accepted += taken
        wrong += taken and not good
    return Codes(len(tasks), right, accepted, wrong)
