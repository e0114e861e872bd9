"""The report of one model, and of several side by side, as one HTML page each.

A page needs nothing beside it; all that comes from names and values is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from digitlens.metrics.formatting import (
    DECISIONS,
    decision_cells,
    p_value,
    percent,
    plural,
    rate,
    threshold,
)
from digitlens.viz import html
from digitlens.viz.html import page, paragraph, section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitlens.metrics.comparison import Comparison
    from digitlens.metrics.evaluation import Evaluation


MAX_MISTAKES = 48


def render(
    result: Evaluation,
    *,
    card: Mapping[str, object],
    measured: Mapping[str, object],
    limit: int = MAX_MISTAKES,
) -> str:
    """Return the report of one model, with the pictures of at most `limit` mistakes.

    `card` says what the model is and `measured` how it was measured (machine, versions, date):
    texts, numbers, lists or mappings by name; None and "" are left out.
    """
    source = result.source or "an unnamed source"
    return page(
        f"{result.model} on {source}",
        _head(result, source),
        section(
            "The mistakes it was surest of",
            paragraph(_shown(result, limit)),
            html.mistakes(result, limit),
        ),
        section("Digit by digit", html.per_class(result)),
        section(
            "What was taken for what", paragraph(_confused(result)), html.confusion(result)
        ),
        section("How much it can answer", *_coverage(result)),
        section("Whether its confidence can be trusted", *_calibration(result)),
        section("What the model is", html.facts(card)),
        section("How it was measured", _measured(result, source, measured)),
    )


def _head(result: Evaluation, source: str) -> str:
    low, high = result.interval
    items = [
        ("misread", f"{result.misses:,}", f"of {plural(result.count, 'digit')}"),
        (
            "right",
            percent(result.accuracy),
            f"95 % interval {percent(low)} to {percent(high)}",
        ),
    ]
    clean = result.undisputed
    if clean is not None and clean.count < result.count:
        left_out = plural(result.count - clean.count, "disputed label")
        about = f"{clean.misses:,} of {clean.count:,} misread, without {left_out}"
        items.append(("right, undisputed", percent(clean.accuracy), about))
    decided = result.decisions
    if decided is not None:
        about = (
            f"{decided.unsure:,} unsure, to be checked; {decided.refused:,} taken for no digit"
        )
        items.append(("answered and wrong", f"{decided.wrong:,}", about))
    speed = f"{result.digits_per_second:,.0f}"
    items.append(("digits a second", speed, f"all in {result.seconds:.2g} s"))
    return (
        f"<header>\n<h1>{escape(result.model)} on {escape(source)}</h1>\n"
        f"{html.figures(items)}\n</header>"
    )


def _shown(result: Evaluation, limit: int) -> str:
    if not result.misses:
        return "There are none."
    if result.misses <= limit:
        return "All of its mistakes, the surest first."
    return f"{limit} of its {result.misses:,} mistakes, the surest first."


def _confused(result: Evaluation) -> str:
    top = result.top_confusions(3)
    if not top:
        return "Nothing was confused."
    pairs = [f"{truth} read as {answer} ({times:,})" for truth, answer, times in top]
    return f"Most often: {', '.join(pairs)}."


def _coverage(result: Evaluation) -> list[str]:
    before = (
        "What it is least sure of can go on to a person. The surest answered first, and no "
        "more than a given share of the answers wrong:"
    )
    after = (
        "The thresholds are chosen on these very digits, so the figures are a little "
        "optimistic: choose them on validation digits before you rely on them."
    )
    rows = []
    for item in result.coverage.values():
        least = "" if item.threshold is None else threshold(item.threshold)
        row = (rate(item.error_rate), percent(item.share), f"{item.answered:,}")
        rows.append((*row, f"{item.count - item.answered:,}", f"{item.misses:,}", least))
    head = ("at most wrong", "answered", "digits", "passed on", "misses", "confidence at least")
    table = html.table(f"Coverage at {len(rows)} error rates", head, rows)
    return [paragraph(before), table, paragraph(after, muted=True)]


def _calibration(result: Evaluation) -> list[str]:
    before = (
        f"How sure it is and how often it is right lie {100 * result.calibration.error:.2f} "
        f"points apart in the mean (expected calibration error). Negative log likelihood "
        f"{result.nll:.4f} nats, Brier score {result.brier:.4f}; both are 0 at best."
    )
    after = (
        "Each dot is a fifteenth of the digits, or more where many are equally sure, with its "
        "95 % interval; an open dot is one without a mistake. On the broken line confidence "
        "is what it says. Both axes are stretched towards 100 %."
    )
    return [paragraph(before), html.reliability(result), paragraph(after, muted=True)]


def _measured(result: Evaluation, source: str, measured: Mapping[str, object]) -> str:
    counted: dict[str, object] = {
        "digits": f"all {result.count:,} of {source}, none left out",
        "interval": "Wilson (1927), 95 %",
        "speed": f"{result.seconds:.2g} s for all digits, warming up included",
    }
    if result.undisputed is not None:
        counted["disputed labels"] = (
            "15 of MNIST's 10,000 test labels, with which most of five people disagreed "
            "(Northcutt, Athalye and Mueller 2021)"
        )
    return html.facts(counted | dict(measured))


def render_comparison(result: Comparison, *, measured: Mapping[str, object]) -> str:
    """Return the report of several models on the same digits; `measured` as in `render`."""
    first = result.evaluations[0]
    source = first.source or "an unnamed source"
    names = ", ".join(item.model for item in result.evaluations)
    digits = plural(first.count, "digit")
    return page(
        f"{names} on {source}",
        f"<header>\n<h1>{escape(names)}</h1>\n"
        f"{paragraph(f'side by side on the same {digits} of {source}', muted=True)}\n</header>",
        section("Accuracy", html.intervals(result.evaluations), _models(result)),
        section(
            "Whether they differ by more than chance",
            *(paragraph(words) for words in result.in_words()),
            _pairs(result),
        ),
        section("How it was measured", html.facts(measured)),
    )


def _models(result: Comparison) -> str:
    head = ("model", "misses", *DECISIONS, "right", "undisputed", "log loss", "digits a second")
    rows = [
        (
            item.model,
            f"{item.misses:,}",
            *decision_cells(item.decisions),
            percent(item.accuracy),
            _undisputed(item),
            f"{item.nll:.4f}",
            f"{item.digits_per_second:,.0f}",
        )
        for item in result.evaluations
    ]
    caption = "Undisputed: without the disputed labels of the MNIST test set, where it is that."
    return html.table(caption, head, rows)


def _undisputed(result: Evaluation) -> str:
    return "" if result.undisputed is None else percent(result.undisputed.accuracy)


def _pairs(result: Comparison) -> str:
    head = ("pair", "only the first right", "only the second right", "both wrong", "McNemar")
    rows = []
    for pair in result.pairs:
        one, two = (result.evaluations[index].model for index in (pair.first, pair.second))
        split = pair.discordance
        counts = (split.only_first, split.only_second, split.both_wrong)
        rows.append((f"{one}, {two}", *(f"{n:,}" for n in counts), p_value(pair.p)))
    return html.table("McNemar's test, exact and two-sided", head, rows)
