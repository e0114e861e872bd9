"""The report of one model, and of several side by side, as one HTML page each.

A page needs nothing beside it: its frame is `report.html`, its look `report.css`, diagrams are
SVG, and digits pictures in the text. All that comes from names and values is escaped.
"""

from __future__ import annotations

from html import escape
from math import sqrt
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES
from digitlens.imaging.io import png_data_url
from digitlens.metrics.calibration import logit_bins
from digitlens.metrics.formatting import (
    DECISIONS,
    confidence,
    decision_cells,
    p_value,
    percent,
    plural,
    rate,
    threshold,
)
from digitlens.metrics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
            mistakes(result, limit),
        ),
        section("Digit by digit", per_class(result)),
        section("What was taken for what", paragraph(_confused(result)), confusion(result)),
        section("How much it can answer", *_coverage(result)),
        section("Whether its confidence can be trusted", *_calibration(result)),
        section("What the model is", facts(card)),
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
        f"{figures(items)}\n</header>"
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
    shown = table(f"Coverage at {len(rows)} error rates", head, rows)
    return [paragraph(before), shown, paragraph(after, muted=True)]


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
    return [paragraph(before), reliability(result), paragraph(after, muted=True)]


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
    return facts(counted | dict(measured))


def render_comparison(result: Comparison, *, measured: Mapping[str, object]) -> str:
    """Return the report of several models on the same digits; `measured` as in `render`."""
    source = result.evaluations[0].source or "an unnamed source"
    names = ", ".join(item.model for item in result.evaluations)
    return page(
        f"{names} on {source}",
        f"<header>\n<h1>{escape(names)}</h1>\n"
        f"{paragraph(f'side by side on the same {result.digits}', muted=True)}\n</header>",
        section("Accuracy", intervals(result.evaluations), _models(result)),
        section(
            "Whether they differ by more than chance",
            *(paragraph(words) for words in result.in_words()),
            _pairs(result),
        ),
        section("How it was measured", facts(measured)),
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
    return table(caption, head, rows)


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
    return table("McNemar's test, exact and two-sided", head, rows)


# The parts of a page.


def page(title: str, *parts: str) -> str:
    """Return a whole HTML page; `title` is escaped, `parts` are HTML already.

    >>> "<title>2 &lt; 3</title>" in page("2 < 3", "<p>so it is</p>")
    True
    """
    return Template(_read("report.html")).substitute(
        title=escape(title),
        style=_read("report.css"),
        body="\n".join(part for part in parts if part),
    )


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def section(heading: str, *parts: str) -> str:
    """Return a section; `heading` is escaped, `parts` are HTML already, empty ones left out."""
    inside = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(heading)}</h2>\n{inside}\n</section>" if inside else ""


def paragraph(words: str, *, muted: bool = False) -> str:
    """Return a paragraph of plain words, escaped."""
    kind = ' class="muted"' if muted else ""
    return f"<p{kind}>{escape(words)}</p>"


def figures(items: Sequence[tuple[str, str, str]]) -> str:
    """Return large figures: each a name, the figure and a word about it."""
    cards = [
        f'<div><dt>{escape(name)}</dt><dd class="large">{escape(figure)}</dd>'
        f'<dd class="muted">{escape(_join_percent(about))}</dd></div>'
        for name, figure, about in items
    ]
    return f'<dl class="figures">{"".join(cards)}</dl>'


def _join_percent(words: str) -> str:
    """Keep each number and its % on one line."""
    return words.replace(" %", "\N{NO-BREAK SPACE}%")


def facts(items: Mapping[str, object]) -> str:
    """Return a list of names and values; a mapping within is set as a line of its own.

    >>> facts({"network": "cnn", "seeds": [1, 2], "loss": None})
    '<dl class="facts"><dt>network</dt><dd>cnn</dd><dt>seeds</dt><dd>1, 2</dd></dl>'
    """
    rows = [
        f"<dt>{escape(str(name).replace('_', ' '))}</dt><dd>{escape(_plain(value))}</dd>"
        for name, value in items.items()
        if value is not None and value != ""
    ]
    return f'<dl class="facts">{"".join(rows)}</dl>' if rows else ""


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        # A year or a seed takes no comma; a count of weights does.
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first cell of each row names it. All words are escaped."""
    cells = [
        (escape(row[0]), "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]))
        for row in rows
    ]
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return _table("lined", caption, top, cells)


def _table(kind: str, caption: str, top: str, rows: Sequence[tuple[object, str]]) -> str:
    """Return a table of HTML: the cells of its head, and of each row its name and its cells."""
    body = "\n".join(f'<tr><th scope="row">{name}</th>{cells}</tr>' for name, cells in rows)
    # A table too wide for a phone scrolls by itself, by keyboard too.
    return (
        f'<div class="scroll" tabindex="0"><table class="{kind}"><caption>{escape(caption)}'
        f"</caption>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def per_class(result: Evaluation) -> str:
    """Return the figures of each digit, with a bar as long as its misses."""
    # The longest bar is that of the digit with the most misses.
    most = max([item.misses for item in result.per_class] + [1])
    is_decided = result.decisions is not None
    rows = []
    for item in result.per_class:
        recall, precision = (
            "" if share is None else percent(share) for share in (item.recall, item.precision)
        )
        bar = f'<i style="width:{100 * item.misses / most:.0f}%"></i>' if item.misses else ""
        counts = (item.wrong, item.unsure, item.refused) if is_decided else ()
        cells = (
            f'<td>{item.count:,}</td><td>{item.misses:,}</td><td class="bar">{bar}</td>'
            f"<td>{recall}</td><td>{precision}</td>"
        ) + "".join(f"<td>{count:,}</td>" for count in counts)
        rows.append((item.digit, cells))
    caption = (
        "Recall: of the pictures of this digit, the share that was read as it. "
        "Precision: of the answers with this digit, the share that was right."
    )
    decided = DECISIONS if is_decided else ()
    head = ("digit", "pictures", "misses", "", "recall", "precision", *decided)
    top = "".join(f'<th scope="col">{name}</th>' if name else "<td></td>" for name in head)
    return _table("lined", caption, top, rows)


def confusion(result: Evaluation) -> str:
    """Return the confusion matrix: the more often two were confused, the deeper the color."""
    wrong = (result.confusion * (1 - np.eye(CLASSES, dtype=int))).max()
    most = max(int(wrong), 1)
    rows = []
    for truth, row in enumerate(result.confusion.tolist()):
        cells = "".join(_cell(truth, answer, count, most) for answer, count in enumerate(row))
        rows.append((truth, f'{cells}<td class="total">{sum(row) - row[truth]:,}</td>'))
    caption = (
        "Each row is a digit as it was written, each column an answer; the last column counts "
        "the misses of the row. What was right is grey."
    )
    answers = "".join(f'<th scope="col">{answer}</th>' for answer in range(CLASSES))
    top = f'<td></td>{answers}<th scope="col">missed</th>'
    return _table("confusion", caption, top, rows)


def _cell(truth: int, answer: int, count: int, most: int) -> str:
    if truth == answer:
        return f'<td class="right">{count}</td>'
    if not count:
        return '<td class="never"></td>'
    depth = 0.1 + 0.65 * sqrt(count / most)
    return f'<td style="--depth:{depth:.2f}">{count}</td>'


# The end of both axes of a reliability diagram, in nines: 99.997 %.
MAX_NINES = 4.6

NINES_TICKS = ("0 %", "90 %", "99 %", "99.9 %", "99.99 %")

# Where the reliability diagram lies in its SVG.
LEFT, TOP, SIDE = 62, 26, 390


def reliability(result: Evaluation) -> str:
    """Return the reliability diagram: across how sure, up how often right.

    Both axes are stretched towards 100 %; `digitlens.viz.plot_evaluation` draws the same.
    """
    lines = [_tick(index, label) for index, label in enumerate(NINES_TICKS)]
    lines.append(_line("honest", (0, 0), (MAX_NINES, MAX_NINES)))
    dots = []
    for part in result.calibration.bins:
        x, y = logit_bins(part.confidence, MAX_NINES), logit_bins(part.accuracy, MAX_NINES)
        low, high = (logit_bins(end, MAX_NINES) for end in wilson(part.misses, part.count))
        lines.append(_line("spread", (x, low), (x, high)))
        across, down = _place(x, y)
        kind = "dot" if part.misses else "dot open"
        words = (
            f"{part.count:,} digits, {percent(part.confidence)} sure in the mean: "
            f"{part.misses:,} misses"
        )
        dots.append(
            f'<circle class="{kind}" cx="{across:.1f}" cy="{down:.1f}" r="5">'
            f"<title>{escape(words)}</title></circle>"
        )
    bottom, right = TOP + SIDE, LEFT + SIDE
    # Names of the axes, and of what lies on either side of the diagonal.
    texts = [
        f'<text x="{LEFT}" y="14">right</text>',
        f'<text x="{right}" y="{bottom + 36}" text-anchor="end">sure</text>',
        f'<text x="{LEFT + 8}" y="{TOP + 30}">more often right than sure</text>',
        f'<text x="{right - 8}" y="{bottom - 10}" text-anchor="end">surer than right</text>',
    ]
    label = "Reliability diagram: how often answers are right, by how sure the model was"
    return _svg(right + 14, bottom + 44, label, [*lines, *dots, *texts])


def _place(x: float, y: float) -> tuple[float, float]:
    return LEFT + x / MAX_NINES * SIDE, TOP + (1 - y / MAX_NINES) * SIDE


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = _place(*start), _place(*end)
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _tick(index: int, label: str) -> str:
    across, down = _place(index, index)
    return (
        _line("grid", (index, 0), (index, MAX_NINES))
        + _line("grid", (0, index), (MAX_NINES, index))
        + f'<text x="{across:.1f}" y="{TOP + SIDE + 18}" text-anchor="middle">{label}</text>'
        + f'<text x="{LEFT - 7}" y="{down + 4:.1f}" text-anchor="end">{label}</text>'
    )


def intervals(evaluations: Sequence[Evaluation]) -> str:
    """Return the accuracy of each model with its 95 % interval, one under the other."""
    # All on one scale, whose ends are written below.
    low = min(item.interval.low for item in evaluations)
    high = max(item.interval.high for item in evaluations)
    span = max(high - low, 1e-9)
    rows = []
    for row, item in enumerate(evaluations):
        y = 32 + 50 * row
        shares = (*item.interval, item.accuracy)
        start, end, dot = (10 + 460 * (share - low) / span for share in shares)
        rows.append(
            f'<text class="name" x="4" y="{y - 12}">{escape(item.model)}</text>'
            f'<line class="spread wide" x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot" cx="{dot:.1f}" cy="{y}" r="6"/>'
        )
    bottom = 50 * len(evaluations) + 16
    rows.append(
        f'<text class="name" x="4" y="{bottom}">{percent(low)}</text>'
        f'<text class="name" x="476" y="{bottom}" text-anchor="end">{percent(high)}</text>'
    )
    label = "Accuracy of each model with its 95 % interval"
    return _svg(480, bottom + 6, label, rows)


def _svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    size = f"0 0 {width:g} {height:g}"
    return f'<svg viewBox="{size}" role="img" aria-label="{label}">\n{inside}\n</svg>'


def mistakes(result: Evaluation, limit: int) -> str:
    """Return the mistakes that the model was surest of, at most `limit` of them."""
    shown = []
    for mistake in result.worst(limit):
        source = png_data_url(255 - result.digits.images[mistake.index], optimize=True)
        shown.append(
            f'<figure><img src="{source}" width="28" height="28" '
            f'alt="a {mistake.label}, read as {mistake.predicted}">'
            f"<figcaption>{mistake.label} read as <b>{mistake.predicted}</b>"
            f"<small>{confidence(mistake.confidence)} sure<br>no. {mistake.position}</small>"
            "</figcaption></figure>"
        )
    return f'<div class="mistakes">{"".join(shown)}</div>' if shown else ""
