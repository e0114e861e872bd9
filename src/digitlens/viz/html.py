"""The parts of a report as HTML: its page, tables, diagrams as SVG, digits as pictures.

The page itself is `report.html`, its look `report.css`; both lie next to this file.
"""

from __future__ import annotations

import base64
import io
from html import escape
from math import sqrt
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from digitlens.digits import CLASSES
from digitlens.metrics.calibration import logit_bins
from digitlens.metrics.formatting import DECISIONS, confidence, percent
from digitlens.metrics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from digitlens.metrics.evaluation import Evaluation


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
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return _scroll(
        f'<table class="lined"><caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    )


def per_class(result: Evaluation) -> str:
    """Return the figures of each digit, with a bar as long as its misses."""
    most = max([item.misses for item in result.per_class] + [1])
    told = result.decisions is not None
    rows = []
    for item in result.per_class:
        recall = "" if item.recall is None else percent(item.recall)
        precision = "" if item.precision is None else percent(item.precision)
        counts = (item.wrong, item.unsure, item.refused) if told else ()
        decided = "".join(f"<td>{count:,}</td>" for count in counts)
        bar = f'<i style="width:{100 * item.misses / most:.0f}%"></i>' if item.misses else ""
        rows.append(
            f'<tr><th scope="row">{item.digit}</th><td>{item.count:,}</td>'
            f'<td>{item.misses:,}</td><td class="bar">{bar}</td><td>{recall}</td>'
            f"<td>{precision}</td>{decided}</tr>"
        )
    caption = (
        "Found: of the pictures of this digit, the share that was read as it. "
        "Trusted: of the answers with this digit, the share that was right."
    )
    head = ("digit", "pictures", "misses", "", "found", "trusted", *(DECISIONS if told else ()))
    top = "".join(f'<th scope="col">{name}</th>' if name else "<td></td>" for name in head)
    body = "\n".join(rows)
    return _scroll(
        f'<table class="lined"><caption>{caption}</caption>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table>"
    )


def confusion(result: Evaluation) -> str:
    """Return the confusion matrix: the more often two were confused, the deeper the color."""
    counts = result.confusion.tolist()
    wrong = (result.confusion * (1 - np.eye(CLASSES, dtype=int))).max()
    most = max(int(wrong), 1)
    answers = "".join(f'<th scope="col">{answer}</th>' for answer in range(CLASSES))
    rows = []
    for truth, row in enumerate(counts):
        cells = "".join(_cell(truth, answer, count, most) for answer, count in enumerate(row))
        missed = f'<td class="total">{sum(row) - row[truth]:,}</td>'
        rows.append(f'<tr><th scope="row">{truth}</th>{cells}{missed}</tr>')
    body = "\n".join(rows)
    return _scroll(
        '<table class="confusion"><caption>Each row is a digit as it was written, each column '
        "an answer; the last column counts the misses of the row. What was right is "
        f"grey.</caption>\n<thead><tr><td></td>{answers}"
        f'<th scope="col">missed</th></tr></thead>\n<tbody>\n{body}\n</tbody></table>'
    )


def _cell(truth: int, answer: int, count: int, most: int) -> str:
    if truth == answer:
        return f'<td class="right">{count}</td>'
    if not count:
        return '<td class="never"></td>'
    depth = 0.1 + 0.65 * sqrt(count / most)
    return f'<td style="--depth:{depth:.2f}">{count}</td>'


def _scroll(inside: str) -> str:
    # A table too wide for a phone scrolls by itself, by keyboard too.
    return f'<div class="scroll" tabindex="0">{inside}</div>'


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


def picture(image: NDArray[np.uint8]) -> str:
    """Return a digit, uint8 (28, 28) with 255 = ink, as a PNG in a ``data:`` address.

    The picture has black ink on white paper.
    """
    file = io.BytesIO()
    Image.fromarray(255 - image).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def mistakes(result: Evaluation, limit: int) -> str:
    """Return the mistakes that the model was surest of, at most `limit` of them."""
    shown = []
    for mistake in result.worst(limit):
        source = picture(result.digits.images[mistake.index])
        shown.append(
            f'<figure><img src="{source}" width="28" height="28" '
            f'alt="a {mistake.label}, read as {mistake.predicted}">'
            f"<figcaption>{mistake.label} read as <b>{mistake.predicted}</b>"
            f"<small>{confidence(mistake.confidence)} sure<br>no. {mistake.position}</small>"
            "</figcaption></figure>"
        )
    return f'<div class="mistakes">{"".join(shown)}</div>' if shown else ""
