"""Lines: exactly right, and read at 1 % error.

A line is exactly right when its digits, all else left out, are the truth, leading zeros
included; several pieces on one line are joined in their order.

"Read at 1 % error" is what is left to no person: the share of the lines whose reading is
accepted, the bar being one below which readings are not accepted. A reading without a digit is
never accepted, nor one with a letter in it, nor one of another length where a length is told.
The bar of a peer, and which of its signs of sureness the bar is laid on, are those that accept
most at 1 % error on validation lines: generated ones of the same style, by writers of MNIST's
validation part (for cheques the style "cheque"). So the peers get a bar for each kind of line,
where our reader has its own, calibrated, one for all. "At best" is the most that any bar
accepts at 1 % error when it is chosen on the very lines that are measured: no user has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.metrics.intervals import Interval, clopper_pearson_upper
from digitlens.metrics.risk_coverage import coverage_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readers.pictures import Task
    from readers.protocol import Answer

ERROR = 0.01
LEVEL = 0.95
OWN, LEAST, PRODUCT = "its own", "the least", "the product"
SIGNS = (OWN, LEAST, PRODUCT)
"""How sure a reader is: its own figure, or of its characters' the least, or their product."""


@dataclass(frozen=True)
class Threshold:
    """What is accepted: a sign of sureness, and the least of it; None accepts nothing."""

    sign: str
    least: float | None


@dataclass(frozen=True)
class Read:
    """What a bar accepts: how many lines of how many, and how many of them wrongly."""

    accepted: int
    wrong: int
    count: int


def digits_of(text: str) -> str:
    """Return the digits of a text, all else left out.

    Examples
    --------
    >>> digits_of("19.133.-")
    '19133'
    """
    return "".join(letter for letter in text if letter in "0123456789")


def line_text(answer: Answer) -> str:
    """Return what was read on a line: digits only."""
    return "".join(digits_of(piece["text"]) for piece in answer["pieces"])


def right(tasks: Sequence[Task], answers: Sequence[Answer]) -> NDArray[np.bool_]:
    """Return which lines were read exactly: bool (N,)."""
    pairs = zip(tasks, answers, strict=True)
    return np.array([line_text(answer) == task.truth[0] for task, answer in pairs], np.bool_)


def interval(hits: int, count: int, level: float = LEVEL) -> Interval:
    """Return Clopper and Pearson's interval of a share, both ends 0..1.

    Examples
    --------
    >>> low, high = interval(0, 10)
    >>> (round(low, 4), round(high, 4))
    (0.0, 0.3085)
    """
    side = (1 + level) / 2
    return Interval(
        1 - clopper_pearson_upper(count - hits, count, side),
        clopper_pearson_upper(hits, count, side),
    )


def sureness(task: Task, answer: Answer, sign: str) -> float:
    """Return how sure a reading is, 0..1; -1 where it is not to be accepted at all."""
    texts = "".join(piece["text"] for piece in answer["pieces"])
    read = line_text(answer)
    if not read or any(letter.isalpha() for letter in texts):
        return -1.0
    if task.length is not None and len(read) != task.length:
        return -1.0
    own = [piece["confidence"] for piece in answer["pieces"]]
    item = [value for piece in answer["pieces"] for value in piece["parts"]] or own
    return float({OWN: min(own), LEAST: min(item), PRODUCT: float(np.prod(item))}[sign])


def surenesses(
    tasks: Sequence[Task], answers: Sequence[Answer], sign: str
) -> NDArray[np.float64]:
    """Return `sureness` of each: float64 (N,)."""
    pairs = zip(tasks, answers, strict=True)
    return np.array([sureness(task, answer, sign) for task, answer in pairs], np.float64)


def most_at(
    sure: NDArray[np.float64], good: NDArray[np.bool_], error: float = ERROR
) -> tuple[int, int, float | None]:
    """Return the most that a bar accepts at `error`, how many wrongly, and the bar."""
    open_to = sure >= 0
    if not open_to.any():
        return 0, 0, None
    (best,) = coverage_at(sure[open_to], good[open_to], (error,))
    return best.answered, best.misses, best.threshold


def choose_threshold(tasks: Sequence[Task], answers: Sequence[Answer]) -> Threshold:
    """Return the bar that accepts most at 1 % error on validation lines."""
    good = right(tasks, answers)
    best, most = Threshold(OWN, None), 0
    for sign in SIGNS:
        accepted, _, least = most_at(surenesses(tasks, answers, sign), good)
        if accepted > most:
            best, most = Threshold(sign, least), accepted
    return best


def read_by(bar: Threshold, tasks: Sequence[Task], answers: Sequence[Answer]) -> Read:
    """Return what a bar accepts."""
    if bar.least is None:
        return Read(0, 0, len(tasks))
    taken = surenesses(tasks, answers, bar.sign) >= bar.least
    wrong = taken & ~right(tasks, answers)
    return Read(int(taken.sum()), int(wrong.sum()), len(tasks))


def read_by_own(tasks: Sequence[Task], answers: Sequence[Answer]) -> Read:
    """Return what a reader accepts by the bar that each of its answers names."""
    sure = surenesses(tasks, answers, OWN)
    bars = np.array([np.inf if answer["bar"] is None else answer["bar"] for answer in answers])
    taken = (sure >= 0) & (sure >= bars)
    wrong = taken & ~right(tasks, answers)
    return Read(int(taken.sum()), int(wrong.sum()), len(tasks))


def read_at_best(tasks: Sequence[Task], answers: Sequence[Answer], sign: str = OWN) -> Read:
    """Return what the best bar accepts that is chosen on these very lines."""
    accepted, wrong, _ = most_at(surenesses(tasks, answers, sign), right(tasks, answers))
    return Read(accepted, wrong, len(tasks))
