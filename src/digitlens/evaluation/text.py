"""Figures as plain text for the terminal, aligned, without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.evaluation.printed import percent, rate, threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens import score


def facts(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Set names left and their values beside them.

    Examples
    --------
    >>> facts([("misses", "3"), ("speed", "fast")])
    ['  misses       3', '  speed        fast']
    """
    return [f"  {name:<13}{value}" for name, value in rows]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Set the first column left and the others right, two spaces between.

    Examples
    --------
    >>> table([("model", "misses"), ("cnn", "41")])
    ['  model  misses', '  cnn        41']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def coverage_words(found: score.Coverage) -> str:
    """Say how much can be answered at one error rate."""
    if not found.answered:
        return f"at most {rate(found.error_rate)} wrong: none can be answered"
    words = f"at most {rate(found.error_rate)} wrong: {percent(found.share)} answered"
    if found.answered == found.count or found.threshold is None:
        return words
    return f"{words} (confidence {threshold(found.threshold)} or more)"


def per_class(scores: Sequence[score.ClassScore]) -> list[str]:
    """Return a line for each digit."""
    rows = [("digit", "count", "misses", "recall", "precision")]
    for each in scores:
        recall = "-" if each.recall is None else percent(each.recall)
        precision = "-" if each.precision is None else percent(each.precision)
        rows.append((str(each.digit), f"{each.count:,}", f"{each.misses:,}", recall, precision))
    return table(rows)
