"""The figures of all readers as Markdown."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from readers.pictures import (
    CHEQUES,
    FIVES,
    FORMS,
    GRIDS,
    PHOTOS,
    PRINTED,
    SINGLE,
    STRIPS,
    SUDOKU,
    WANTED,
)
from readers.results import NO_FIGURE, NOTHING, ReaderResults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from readers.pictures import Task

    Count = Callable[[ReaderResults, list[Task]], int | None]

LINES = (*STRIPS, CHEQUES, FIVES)
LISTED = (PHOTOS, FORMS, SINGLE)
"""Sets whose truth lists all lines in the picture; on an envelope it is only the wanted one."""

MEGAPIXEL = 1_000_000
NO_SUCH = "–"
"""In the table, for a figure that a reader cannot have."""


def table(readers: Sequence[ReaderResults], tasks: dict[str, list[Task]]) -> str:
    """Return all tables; sets that were not asked for are left out.

    Parameters
    ----------
    readers
        In the order of the columns.
    tasks
        By set.
    """
    missing = [
        f"**NOT MEASURED: {reader.kind.name}: {reader.problem}**\n"
        for reader in readers
        if reader.problem
    ]
    parts = [lines_table(readers, tasks), pages_table(readers, tasks), cost(readers, tasks)]
    return "\n".join([*missing, *(part + "\n" for part in parts if part)])


def _table(
    first: str, count: str, readers: Sequence[ReaderResults], rows: list[list[str]]
) -> str:
    if not rows:
        return ""
    head = [first, count, *(reader.kind.name for reader in readers)]
    ruler = ["---"] * len(head)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def lines_table(readers: Sequence[ReaderResults], tasks: dict[str, list[Task]]) -> str:
    """Return the two tables of lines."""
    groups = [group for group in LINES if tasks.get(group)]
    exact = [
        [_told(group), str(len(tasks[group])), *(item.exact(tasks[group]) for item in readers)]
        for group in groups
    ]
    read = [
        [_told(item), str(len(tasks[item])), *(one.read(item, tasks[item]) for one in readers)]
        for item in groups
    ]
    both = (
        _table("lines, exactly right", "lines", readers, exact),
        _table("lines, read at 1 % error", "lines", readers, read),
    )
    return "\n\n".join(part for part in both if part)


def _told(group: str) -> str:
    if group == FIVES:
        return f"{group}, length told"
    return f"strips, {group}" if group in STRIPS else group


def pages_table(readers: Sequence[ReaderResults], tasks: dict[str, list[Task]]) -> str:
    """Return the table of whole pictures."""
    wanted = _some(tasks, *WANTED)
    printed, grids, sudoku = (_some(tasks, group) for group in (PRINTED, GRIDS, SUDOKU))
    whole = "all lines, no others"
    figures: list[tuple[str, list[Task], Count]] = [
        ("photos, envelopes, forms: wanted strings found", wanted, ReaderResults.count_found),
        *(
            (f"– of these {group}", _some(tasks, group), ReaderResults.count_found)
            for group in WANTED
        ),
        ("photos, envelopes, forms: ranked first, length told", wanted, ReaderResults.first),
        *((f"{item}: {whole}", _some(tasks, item), ReaderResults.all_lines) for item in LISTED),
        ("printed numbers: found", printed, ReaderResults.count_found),
        ("printed grids: all cells right", grids, ReaderResults.whole_grids),
        ("printed grids: cells", grids, ReaderResults.cells),
        ("sudoku by hand: cells", sudoku, ReaderResults.cells),
    ]
    rows = [
        [
            title,
            str(_cells(some) if count is ReaderResults.cells else len(some)),
            *(_number(count(item, some)) for item in readers),
        ]
        for title, some, count in figures
        if some
    ]
    return _table("whole pictures", "of", readers, rows)


def _cells(tasks: Sequence[Task]) -> int:
    return sum(len("".join(task.truth).replace("0", "")) for task in tasks)


def _some(tasks: dict[str, list[Task]], *groups: str) -> list[Task]:
    return [task for group in groups for task in tasks.get(group, [])]


def _number(count: int | None) -> str:
    if count is None:
        return NOTHING
    return NO_SUCH if count == NO_FIGURE else str(count)


def cost(readers: Sequence[ReaderResults], tasks: dict[str, list[Task]]) -> str:
    """Return the table of times and sizes."""
    wanted = _some(tasks, *WANTED)
    large = [task for task in wanted if task.pixels > MEGAPIXEL]
    timed: list[tuple[str, list[Task], Callable[[list[float]], float]]] = [
        ("a strip, median", _some(tasks, *STRIPS), median),
        ("a cheque amount, median", _some(tasks, CHEQUES), median),
        ("a photo, envelope or form, median", wanted, median),
        ("– of these the slowest", wanted, max),
        ("– of more than a megapixel, median", large, median),
    ]
    rows = [
        [title, str(len(some)), *(item.milliseconds(some, of) for item in readers)]
        for title, some, of in timed
        if some
    ]
    sizes = [NOTHING if item.size is None else f"{item.size:.0f} MB" for item in readers]
    rows.append(["installed", "", *sizes])
    return _table("processor time, one thread", "pictures", readers, rows)
