"""One reader's figures: what it was asked and what it answered, made into cells of a table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from digitlens.metrics.intervals import mcnemar
from readers.processes import OURS
from readers.score_lines import (
    choose_threshold,
    interval,
    read_at_best,
    read_by,
    read_by_own,
    right,
)
from readers.score_pages import all_lines, cells, ranked_first, wanted_found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from readers.answer_cache import AnswerCache
    from readers.pictures import Task
    from readers.processes import ReaderSpec
    from readers.protocol import Answer, Piece
    from readers.score_lines import Read

NOTHING = "not measured"
NO_FIGURE = -1
"""For a count that a reader cannot have."""


@dataclass
class ReaderResults:
    """A reader and its answers.

    Parameters
    ----------
    kind, kept
        Which reader, and its answers.
    problem
        Why it could not be measured; "" where it was.
    line_setting
        That lines were read with.
    validation
        Validation lines by set, from which a peer's bars come.
    """

    kind: ReaderSpec
    kept: AnswerCache
    problem: str = ""
    line_setting: str = ""
    validation: dict[str, list[Task]] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether this is digitlens."""
        return self.kind.name == OURS

    @property
    def size(self) -> float | None:
        """Megabytes installed; None where that is not known."""
        size: float | None = self.kept.about.get("size")
        return size

    def answers(
        self, tasks: Sequence[Task], setting: str, *, told: bool = True
    ) -> list[Answer] | None:
        """Return the answers to all of these pictures; None where one was not asked."""
        answers = []
        for task in tasks:
            length = task.length if told and self.kind.takes_line_length else None
            answer = self.kept.get(task, length, setting)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    def exact(self, tasks: Sequence[Task]) -> str:
        """Return the cell: per cent exactly right, with its interval."""
        answers = self.answers(tasks, self.line_setting)
        return (
            NOTHING if answers is None else share(int(right(tasks, answers).sum()), len(tasks))
        )

    def read(self, group: str, tasks: Sequence[Task]) -> str:
        """Return the cell: per cent read at 1 % error, how many of these wrong, and at best."""
        answers = self.answers(tasks, self.line_setting)
        if answers is None:
            return NOTHING
        if self.ours and all(answer["bar"] is None for answer in answers):
            return f"no bar; {at_best(read_at_best(tasks, answers))}"
        if self.ours:
            return shown_read(read_by_own(tasks, answers), read_at_best(tasks, answers))
        known = self.validation[group]
        validation = self.answers(known, self.line_setting)
        if validation is None:
            return NOTHING
        bar = choose_threshold(known, validation)
        return shown_read(read_by(bar, tasks, answers), read_at_best(tasks, answers, bar.sign))

    def _best(
        self, tasks: Sequence[Task], good: Callable[[list[Piece], Task], int]
    ) -> int | None:
        """Return the most that any setting reaches; None where one was not asked."""
        most = 0
        for setting in self.kind.page_settings:
            answers = self.answers(tasks, setting, told=False)
            if answers is None:
                return None
            pairs = zip(tasks, answers, strict=True)
            most = max(most, sum(good(answer["pieces"], task) for task, answer in pairs))
        return most

    def count_found(self, tasks: Sequence[Task]) -> int | None:
        """Return in how many pictures all wanted strings were found."""
        loose = not self.ours
        return self._best(
            tasks, lambda pieces, task: wanted_found(pieces, task.truth, joined=loose)
        )

    def all_lines(self, tasks: Sequence[Task]) -> int | None:
        """Return in how many pictures exactly these lines were read."""
        loose = not self.ours
        return self._best(
            tasks, lambda pieces, task: all_lines(pieces, task.truth, joined=loose)
        )

    def cells(self, tasks: Sequence[Task]) -> int | None:
        """Return how many cells of grids were read."""
        return self._best(tasks, lambda pieces, task: cells(pieces, task.truth)[0])

    def whole_grids(self, tasks: Sequence[Task]) -> int | None:
        """Return in how many grids all cells were read, and nothing else."""

        def whole(pieces: list[Piece], task: Task) -> int:
            read, count = cells(pieces, task.truth)
            return read == count

        return self._best(tasks, whole)

    def first(self, tasks: Sequence[Task]) -> int | None:
        """Return in how many pictures wanted strings came first, their length told."""
        if not self.kind.takes_page_length:
            return NO_FIGURE
        good = 0
        for task in tasks:
            by_length: dict[int, Sequence[Piece]] = {}
            for length in {len(text) for text in task.truth}:
                answer = self.kept.get(task, length, "")
                if answer is None:
                    return None
                by_length[length] = answer["pieces"]
            good += ranked_first(by_length, task.truth)
        return good

    def milliseconds(
        self, tasks: Sequence[Task], of: Callable[[list[float]], float] = statistics.median
    ) -> str:
        """Return the cell: processor time of a picture, the median unless `of` says else.

        Of several settings the quickest counts: again in the reader's favour.
        """
        settings = self.kind.page_settings if tasks[0].page else (self.line_setting,)
        every = [self.answers(tasks, setting, told=False) for setting in settings]
        times = [of([item["cpu"] for item in answers]) for answers in every if answers]
        return f"{1000 * min(times):.1f} ms" if times else NOTHING

    def errors(self, tasks: Sequence[Task]) -> int:
        """Return how many questions ended in an error of the reader: they count as not read."""
        questions = (
            (task, length, setting)
            for task in tasks
            for length, setting in self.kind.questions(task, self.line_setting)
        )
        answers = (self.kept.get(*question) for question in questions)
        return sum(1 for answer in answers if answer is not None and answer["error"])


def paired(one: ReaderResults, other: ReaderResults, tasks: Sequence[Task]) -> str | None:
    """Return on how many lines only one of two readers is right, in words; None if unknown."""
    answers = one.answers(tasks, one.line_setting), other.answers(tasks, other.line_setting)
    if answers[0] is None or answers[1] is None:
        return None
    first, second = (right(tasks, item) for item in answers if item is not None)
    only = int((first & ~second).sum()), int((second & ~first).sum())
    return (
        f"{only[0]} only {one.kind.name} reads right, {only[1]} only {other.kind.name} "
        f"(McNemar's p {mcnemar(*only):.2g})"
    )


def share(hits: int, count: int) -> str:
    """Return hits as per cent with Clopper and Pearson's interval.

    Examples
    --------
    >>> share(9, 10)
    '90.0 % (55.5 to 99.7)'
    """
    low, high = (100 * end for end in interval(hits, count))
    return f"{100 * hits / count:.1f} % ({low:.1f} to {high:.1f})"


def shown_read(read: Read, best: Read) -> str:
    """Return what a bar accepts, how many of these wrong, and what the best bar would."""
    shown = f"{100 * read.accepted / read.count:.1f} %"
    wrong = f", {read.wrong} of {read.accepted} wrong" if read.accepted else ""
    return f"{shown}{wrong}; {at_best(best)}"


def at_best(best: Read) -> str:
    """Return what the best bar would accept, in words."""
    return f"at best {100 * best.accepted / best.count:.1f} %"
