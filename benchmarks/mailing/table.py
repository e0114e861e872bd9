"""The figures of mail as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readers.results import NOTHING, share
from readers.score_lines import interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailing.alone import Counted
    from mailing.envelopes import Codes
    from mailing.simulated import Row
    from mailing.whole import Sorted
    from readers.pictures import Task
    from readers.results import ReaderResults

HOUR = 3600


def rows_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    ruler = ["---"] * len(head)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def among(count: int, of: int) -> str:
    """Return some of the accepted, with Clopper and Pearson's interval.

    Examples
    --------
    >>> among(0, 300), among(0, 0)
    ('0 of 300: 0.00 % (0.00 to 1.22)', '–')
    """
    if not of:
        return "–"
    low, high = (100 * end for end in interval(count, of))
    return f"{count} of {of:,}: {100 * count / of:.2f} % ({low:.2f} to {high:.2f})"


def whole_table(sorted_: Mapping[str, Sorted]) -> str:
    """Return what became of sample mail, by what was known of its addresses."""
    rows = []
    for known, item in sorted_.items():
        speed = item.pieces / item.seconds
        rows.append(
            [
                known,
                share(item.accepted, item.pieces),
                among(item.wrong, item.accepted),
                f"{item.expected:.1f}",
                str(item.misrouted),
                f"{speed:.1f}",
                f"{HOUR * speed:,.0f}",
            ]
        )
    head = (
        "sample mail",
        "read",
        "wrong ZIP",
        "expected",
        "wrong plant",
        "pieces/s",
        "an hour",
    )
    return rows_table(head, rows)


def lines_table(
    readers: Sequence[ReaderResults],
    tasks: Mapping[str, list[Task]],
    counted: Mapping[str, Counted],
) -> str:
    """Return what readers make of the same lines; `counted` is ours, read as `route` reads."""
    rows = []
    for group, some in tasks.items():
        size, ours = str(len(some)), counted[group]
        exact = [item.exact(some) for item in readers]
        read = [item.read(group, some) for item in readers]
        mail = f"{share(ours.accepted, ours.count)}, wrong {among(ours.wrong, ours.accepted)}"
        rows.append([f"{group}: exactly right, length told", size, *exact])
        rows.append(["– read at 1 % error, length told", size, *read])
        rows.append(
            ["– read as `route` does, 5 or 9 digits", size, mail, *["–"] * (len(read) - 1)]
        )
    return rows_table(("lines", "of", *(item.kind.name for item in readers)), rows)


def codes_table(codes: Codes) -> str:
    """Return what became of the codes on real envelopes."""
    row = [
        str(codes.count),
        str(codes.right),
        f"{codes.accepted}, {codes.wrong} of them wrong",
        str(codes.count - codes.accepted),
    ]
    head = ("real envelopes", "code found", "accepted", "to a person")
    return rows_table(head, [row])


def simulated_table(parts: Mapping[str, Sequence[Row]]) -> str:
    """Return the simulations, one below the other."""
    rows = []
    for name, some in parts.items():
        for row in some:
            low, high = 100 * row.low, 100 * row.high
            rows.append(
                [
                    name,
                    row.known,
                    f"{100 * row.read:.1f} % ({low:.1f} to {high:.1f})",
                    _of(row.wrong, row.accepted)
                    + f" ({100 * row.wrong_low:.2f} to {100 * row.wrong_high:.2f})",
                    _of(row.misrouted, row.accepted),
                ]
            )
    return rows_table(("simulated mail", "known", "read", "wrong ZIP", "wrong plant"), rows)


def _of(count: int, of: int) -> str:
    return f"{count} of {of:,}: {100 * count / of:.2f} %" if of else NOTHING


def compare_priors(before: Sequence[Row], changed: Mapping[str, Sequence[Row]]) -> str:
    """Return in words how far other priors change what is read."""
    parts = []
    for name, rows in changed.items():
        moved = [100 * (new.read - old.read) for new, old in zip(rows, before, strict=True)]
        wrong = [new.wrong - old.wrong for new, old in zip(rows, before, strict=True)]
        shown = ", ".join(
            f"{old.known} {move:+.1f} points, {more:+d} wrong"
            for old, move, more in zip(before, moved, wrong, strict=True)
            if abs(move) >= 0.05 or more
        )
        parts.append(f"{name}: {shown or 'no change'}")
    return "; ".join(parts)
