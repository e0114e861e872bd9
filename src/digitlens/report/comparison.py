"""The report of several models side by side."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from digitlens.evaluation.printed import p_value, percent, several
from digitlens.report import diagram, tables
from digitlens.report.page import page, paragraph, section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitlens.evaluation import Comparison, Evaluation


def render_comparison(found: Comparison, *, measured: Mapping[str, object]) -> str:
    """Return the models side by side as one HTML page that needs nothing beside it.

    Parameters
    ----------
    found
        As `digitlens.evaluation.compare` gives it.
    measured
        How it was measured, name by value; None and "" are left out.

    Returns
    -------
    HTML; everything that comes from names and values is escaped.
    """
    first = found.evaluations[0]
    source = first.source or "an unnamed source"
    names = ", ".join(each.model for each in found.evaluations)
    digits = several(first.count, "digit")
    return page(
        f"{names} on {source}",
        f"<header>\n<h1>{escape(names)}</h1>\n"
        f"{paragraph(f'side by side on the same {digits} of {source}', muted=True)}\n</header>",
        section("Accuracy", diagram.intervals(found.evaluations), _models(found)),
        section(
            "Whether they differ by more than chance",
            *(paragraph(words) for words in found.in_words()),
            _pairs(found),
        ),
        section("How it was measured", tables.facts(measured)),
    )


def _models(found: Comparison) -> str:
    head = ("model", "misses", "right", "undisputed", "log loss", "digits a second")
    rows = [
        (
            each.model,
            f"{each.misses:,}",
            percent(each.accuracy),
            _undisputed(each),
            f"{each.nll:.4f}",
            f"{each.digits_per_second:,.0f}",
        )
        for each in found.evaluations
    ]
    caption = "Undisputed: without the disputed labels of the MNIST test set, where it is that."
    return tables.table(caption, head, rows)


def _undisputed(found: Evaluation) -> str:
    return "" if found.undisputed is None else percent(found.undisputed.accuracy)


def _pairs(found: Comparison) -> str:
    head = ("pair", "only the first right", "only the second right", "both wrong", "McNemar")
    rows = []
    for pair in found.pairs:
        one, two = (found.evaluations[at].model for at in (pair.first, pair.second))
        split = pair.discordance
        counts = (split.only_first, split.only_second, split.both_wrong)
        rows.append((f"{one}, {two}", *(f"{n:,}" for n in counts), p_value(pair.p)))
    return tables.table("McNemar's test, exact and two-sided", head, rows)
