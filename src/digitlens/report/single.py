"""The report of one model."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from digitlens.evaluation.printed import percent, rate, several, threshold
from digitlens.report import diagram, pictures, tables
from digitlens.report.page import page, paragraph, section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitlens.evaluation import Evaluation

SHOWN = 48
"""Mistakes shown as pictures, unless told otherwise."""


def render(
    found: Evaluation,
    *,
    card: Mapping[str, object],
    measured: Mapping[str, object],
    limit: int = SHOWN,
) -> str:
    """Return the report of one model as one HTML page that needs nothing beside it.

    Parameters
    ----------
    found
        As `digitlens.evaluation.evaluate` gives it.
    card
        What the model is, name by value; None and "" are left out. Values may be text,
        numbers, lists or mappings.
    measured
        How it was measured, likewise: machine, versions, date.
    limit
        How many mistakes are shown at most.

    Returns
    -------
    HTML; everything that comes from names and values is escaped.
    """
    source = found.source or "an unnamed source"
    return page(
        f"{found.model} on {source}",
        _head(found, source),
        section(
            "The mistakes it was surest of",
            paragraph(_shown(found, limit)),
            pictures.mistakes(found, limit),
        ),
        section("Digit by digit", tables.per_class(found)),
        section(
            "What was taken for what", paragraph(_confused(found)), tables.confusion(found)
        ),
        section("How much it can answer", *_coverage(found)),
        section("Whether its confidence can be trusted", *_calibration(found)),
        section("What the model is", tables.facts(card)),
        section("How it was measured", _measured(found, source, measured)),
    )


def _head(found: Evaluation, source: str) -> str:
    low, high = found.interval
    items = [
        ("misread", f"{found.misses:,}", f"of {several(found.count, 'digit')}"),
        ("right", percent(found.accuracy), f"95 % interval {percent(low)} to {percent(high)}"),
    ]
    clean = found.undisputed
    if clean is not None and clean.count < found.count:
        left_out = several(found.count - clean.count, "disputed label")
        about = f"{clean.misses:,} of {clean.count:,} misread, without {left_out}"
        items.append(("right, undisputed", percent(clean.accuracy), about))
    speed = f"{found.digits_per_second:,.0f}"
    items.append(("digits a second", speed, f"all in {found.seconds:.2g} s"))
    return (
        f"<header>\n<h1>{escape(found.model)} on {escape(source)}</h1>\n"
        f"{tables.figures(items)}\n</header>"
    )


def _shown(found: Evaluation, limit: int) -> str:
    if not found.misses:
        return "There are none."
    if found.misses <= limit:
        return "All of its mistakes, the surest first."
    return f"{limit} of its {found.misses:,} mistakes, the surest first."


def _confused(found: Evaluation) -> str:
    top = found.top_confusions(3)
    if not top:
        return "Nothing was confused."
    told = [f"{truth} read as {answer} ({times:,})" for truth, answer, times in top]
    return f"Most often: {', '.join(told)}."


def _coverage(found: Evaluation) -> list[str]:
    before = (
        "What it is least sure of can go on to a person. The surest answered first, and no "
        "more than a given share of the answers wrong:"
    )
    after = (
        "The thresholds are chosen on these very digits, so the figures are a little "
        "optimistic: choose them on validation digits before you rely on them."
    )
    rows = []
    for each in found.coverage.values():
        least = "" if each.threshold is None else threshold(each.threshold)
        row = (rate(each.error_rate), percent(each.share), f"{each.answered:,}")
        rows.append((*row, f"{each.count - each.answered:,}", f"{each.misses:,}", least))
    head = ("at most wrong", "answered", "digits", "passed on", "misses", "confidence at least")
    table = tables.table(f"Coverage at {len(rows)} error rates", head, rows)
    return [paragraph(before), table, paragraph(after, muted=True)]


def _calibration(found: Evaluation) -> list[str]:
    before = (
        f"How sure it is and how often it is right lie {100 * found.calibration.error:.2f} "
        f"points apart in the mean (expected calibration error). Negative log likelihood "
        f"{found.nll:.4f} nats, Brier score {found.brier:.4f}; both are 0 at best."
    )
    after = (
        "Each dot is a fifteenth of the digits, or more where many are equally sure, with its "
        "95 % interval; an open dot is one without a mistake. On the broken line confidence "
        "can be taken at its word. Both axes are stretched towards 100 %."
    )
    return [paragraph(before), diagram.reliability(found), paragraph(after, muted=True)]


def _measured(found: Evaluation, source: str, measured: Mapping[str, object]) -> str:
    counted: dict[str, object] = {
        "digits": f"all {found.count:,} of {source}, none left out",
        "interval": "Wilson (1927), 95 %",
        "speed": f"{found.seconds:.2g} s for all digits, warming up included",
    }
    if found.undisputed is not None:
        counted["disputed labels"] = (
            "15 of MNIST's 10,000 test labels, with which most of five people disagreed "
            "(Northcutt, Athalye and Mueller 2021)"
        )
    return tables.facts(counted | dict(measured))
