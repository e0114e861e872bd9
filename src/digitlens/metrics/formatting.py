"""How figures are printed: the same in the terminal, on the plots and in the report."""

from __future__ import annotations

import textwrap
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.metrics.classification import ClassScore, Decisions
    from digitlens.metrics.risk_coverage import Coverage


WIDTH = 80  # columns that every terminal has

# The head of the columns that tell the three kinds of answer apart.
DECISIONS = ("answered wrong", "unsure", "refused")


def percent(share: float, places: int = 2) -> str:
    """Print a share 0..1 as per cent; what is not all never reads 100, nor what is not none 0.

    >>> percent(0.9794), percent(0.99999), percent(1.0), percent(0.000001, 1)
    ('97.94 %', '99.99 %', '100.00 %', '0.1 %')
    """
    least = 10.0**-places
    shown = round(100 * share, places)
    if 0 < share < 1:
        shown = min(max(shown, least), 100 - least)
    return f"{shown:.{places}f} %"


def certainty(share: float, places: int = 2) -> str:
    """Print how sure a network is; rounding never makes it 100 %, as no network is certain.

    >>> certainty(0.873), certainty(0.99999), certainty(0.9999, 0)
    ('87.30 %', '>99.99 %', '>99 %')
    """
    shown = f"{100 * share:.{places}f}"
    return f"{shown} %" if float(shown) < 100 else f">{100 - 10.0**-places:.{places}f} %"


def rate(share: float) -> str:
    """Print an error rate as it was given, without needless zeros.

    >>> rate(0.01), rate(0.005), rate(0.001)
    ('1 %', '0.5 %', '0.1 %')
    """
    return f"{round(100 * share, 6):g} %"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Print a count with its noun.

    >>> plural(1, "miss", "misses"), plural(1234, "digit")
    ('1 miss', '1,234 digits')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def p_value(p: float) -> str:
    """Print a p-value with its sign of comparison.

    >>> p_value(0.0703), p_value(0.00123), p_value(1e-12), p_value(1.0)
    ('p = 0.07', 'p = 0.0012', 'p < 0.0001', 'p = 1')
    """
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def confidence(share: float) -> str:
    """Print how sure an answer was; what is not all never reads 100 %.

    >>> confidence(0.873), confidence(0.9999), confidence(1.0)
    ('87 %', '99.9 %', '100 %')
    """
    if share >= 1:
        return "100 %"
    return percent(share, 1) if share > 0.99 else percent(share, 0)


def threshold(value: float) -> str:
    """Print a threshold cut short, not rounded up, so that it shuts out no answer let in.

    >>> threshold(0.98765), threshold(0.9998765), threshold(1.0)
    ('0.987', '0.9998', '1')
    """
    if value >= 1:
        return "1"
    # float32 knows nothing between 1 - 6e-8 and 1: seven places tell all apart.
    places = next((p for p in range(3, 7) if 1 - value >= 10.0**-p), 7)
    return f"{floor(value * 10**places) / 10**places:.{places}f}"


def hang(head: str, text: str, width: int = WIDTH) -> str:
    """Set `text` behind `head`, in lines of at most `width` columns that start below it.

    >>> print(hang("  seen  ", "a long story of four", 20))
      seen  a long story
            of four
    """
    if not text:
        return head.rstrip()
    below = " " * len(head)
    whole = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(
        text,
        width,
        initial_indent=head,
        subsequent_indent=below,
        **whole,  # type: ignore[arg-type]
    )


def facts(rows: Sequence[tuple[str, str]], width: int = WIDTH) -> list[str]:
    """Set names left and their values beside them, in lines of at most `width` columns.

    >>> facts([("misses", "3"), ("speed", "fast")])
    ['  misses       3', '  speed        fast']
    """
    left = min(26, max([13, *(len(name) + 2 for name, _ in rows)]))
    return [hang("  " + f"{name}  ".ljust(left), value, width) for name, value in rows]


def table(rows: Sequence[Sequence[str]], width: int = WIDTH) -> list[str]:
    """Set the first column left and the others right, two spaces between.

    Columns that `width` has no room for stand below, the first column before them again.

    >>> table([("model", "misses"), ("cnn", "41")])
    ['  model  misses', '  cnn        41']
    """
    widths = [2 + max(map(len, column)) for column in zip(*rows, strict=True)]
    blocks: list[list[int]] = [[]]
    for index in range(1, len(widths)):
        taken = sum(widths[other] for other in (0, *blocks[-1], index))
        if blocks[-1] and taken > width:
            blocks.append([])
        blocks[-1].append(index)
    lines: list[str] = []
    for block in blocks:
        lines += [""] * bool(lines)
        for row in rows:
            cells = (row[index].rjust(widths[index]) for index in block)
            lines.append(("  " + row[0].ljust(widths[0] - 2) + "".join(cells)).rstrip())
    return lines


def coverage_words(result: Coverage) -> str:
    """Say how much can be answered at one error rate."""
    if not result.answered:
        return f"at most {rate(result.error_rate)} wrong: none can be answered"
    words = f"at most {rate(result.error_rate)} wrong: {percent(result.share)} answered"
    if result.answered == result.count or result.threshold is None:
        return words
    return f"{words} (confidence {threshold(result.threshold)} or more)"


def decision_words(decisions: Decisions) -> str:
    """Say what was answered wrongly, left to be checked and refused."""
    return (
        f"{decisions.wrong:,} answered and wrong, {decisions.unsure:,} unsure (check these), "
        f"{decisions.refused:,} refused as no digit"
    )


def decision_cells(decisions: Decisions | None) -> tuple[str, ...]:
    """Return the three counts for the columns `DECISIONS`; "-" where a model cannot tell."""
    if decisions is None:
        return ("-",) * len(DECISIONS)
    return tuple(f"{count:,}" for count in vars(decisions).values())


def per_class(scores: Sequence[ClassScore]) -> list[str]:
    """Return a line for each digit, with the three kinds of answer where they are known."""
    decided = all(item.wrong is not None for item in scores)
    rows: list[tuple[str, ...]] = [
        ("digit", "count", "misses", "recall", "precision", *(DECISIONS if decided else ()))
    ]
    for item in scores:
        recall = "-" if item.recall is None else percent(item.recall)
        precision = "-" if item.precision is None else percent(item.precision)
        cells = (str(item.digit), f"{item.count:,}", f"{item.misses:,}", recall, precision)
        counts = (item.wrong, item.unsure, item.refused) if decided else ()
        rows.append((*cells, *(f"{count:,}" for count in counts)))
    return table(rows)
