"""The page around a report: head, style, sections.

* Tables and lists of facts as HTML.
* Diagrams as SVG: reliability, and accuracies with their intervals.
* The mistakes as pictures.
"""

from __future__ import annotations

import base64
import io
from html import escape
from math import sqrt
from typing import TYPE_CHECKING

from PIL import Image

from digitlens.digits import CLASSES
from digitlens.metrics import logit_bins, wilson
from digitlens.metrics.formatting import confidence, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.metrics.evaluation import Evaluation


POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What the browser may load: what is in the file, and nothing else."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #5b636d; --line: #dfe3e8;
  --paper: #ffffff; --card: #f5f7f9; --hot: 213 94 0; --cool: #0072b2; --band: #9cc7e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --muted: #a3abb5;
  --line: #343b44; --paper: #14171b; --card: #1d2127; --hot: 240 120 30; --cool: #56b4e9;
  --band: #2c5f7e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 3rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans",
  sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; }
p { margin: .5rem 0; max-width: 42rem; }
.muted, caption, figcaption small { color: var(--muted); }
.figures { display: grid; gap: 1rem; margin: 1.5rem 0 0; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); }
.figures div { background: var(--card); border-radius: .6rem; padding: .9rem 1.1rem; }
.figures dt { color: var(--muted); font-size: .9rem; }
.figures dd { margin: 0; }
.figures dd.large { font-size: 1.75rem; font-weight: 650; line-height: 1.3; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; }
caption { text-align: left; padding-bottom: .5rem; font-size: .9rem; width: max-content;
  max-width: min(42rem, 100vw - 2rem); }
th, td { padding: .3rem .75rem; text-align: right; font-weight: 400; white-space: nowrap; }
th { color: var(--muted); }
th[scope=row] { color: var(--ink); font-weight: 600; text-align: left; }
.lined td, .lined th { border-bottom: 1px solid var(--line); }
.lined tr > :first-child { padding-left: 0; text-align: left; }
.lined td.bar { min-width: 7rem; text-align: left; }
.bar i { display: block; height: .6rem; border-radius: .2rem; background: rgb(var(--hot)); }
.confusion { border-spacing: 3px; border-collapse: separate; }
.confusion th, .confusion td { padding: 0; min-width: 2.8rem; height: 2.4rem;
  text-align: center; border-radius: .25rem; }
.confusion td { background: rgb(var(--hot) / var(--depth, 0)); font-weight: 600; }
.confusion td.never { background: var(--card); }
.confusion td.right { background: var(--line); color: var(--muted); font-weight: 400; }
.confusion td.total { background: none; font-weight: 400; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr);
  gap: .25rem 1.25rem; margin: .75rem 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.mistakes { display: grid; gap: 1rem; margin: 1rem 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(6.2rem, 1fr)); }
.mistakes figure { margin: 0; break-inside: avoid; }
.mistakes img { display: block; width: 100%; height: auto; aspect-ratio: 1;
  border: 1px solid var(--line); border-radius: .25rem; image-rendering: pixelated; }
.mistakes figcaption { font-size: .9rem; line-height: 1.35; margin-top: .3rem; }
.mistakes b { color: rgb(var(--hot)); }
.mistakes small { display: block; }
svg { display: block; width: 100%; max-width: 30rem; height: auto; }
svg text { fill: var(--muted); font-size: 12px; }
svg .name { font-size: 15px; fill: var(--ink); }
svg .grid { stroke: var(--line); } svg .honest { stroke: var(--muted); stroke-dasharray: 4 4; }
svg .spread { stroke: var(--band); stroke-width: 2.5; stroke-linecap: round; }
svg .dot { fill: var(--cool); stroke: var(--cool); stroke-width: 2; }
svg .open { fill: var(--paper); }
svg .wide { stroke-width: 8; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem;
  color: var(--muted); font-size: .9rem; }
@media (max-width: 40rem) { body { padding: 1.25rem .9rem 2rem; } h1 { font-size: 1.5rem; }
  th, td { padding: .25rem .45rem; } .confusion { border-spacing: 2px; font-size: .72rem; }
  .confusion th, .confusion td { min-width: 1.55rem; height: 1.75rem; }
  .lined { font-size: .85rem; } .lined thead th { white-space: normal; }
  .lined td.bar { min-width: 2.5rem; } .figures dd.large { font-size: 1.4rem; }
  .figures { gap: .6rem; grid-template-columns: repeat(2, 1fr); }
  .figures div { padding: .75rem; }
  .mistakes { gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(4.9rem, 1fr)); }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; } .facts dd { margin-bottom: .5rem; }
}
@media (prefers-color-scheme: dark) { .mistakes img { filter: invert(1);
  border-color: transparent; } }
@media print { :root { --ink: #000; --muted: #444; --paper: #fff; --card: #f2f2f2;
    --line: #ccc; --hot: 213 94 0; --cool: #0072b2; --band: #9cc7e0; color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
  .mistakes { grid-template-columns: repeat(8, 1fr); gap: .6rem; }
  .mistakes img { filter: none; } h2, h2 + p { break-after: avoid; }
  table, svg, .figures { break-inside: avoid; } .scroll { overflow: visible; } }
"""


def page(title: str, *parts: str) -> str:
    """Return a whole HTML page; `title` is escaped, `parts` are HTML already.

    Examples
    --------
    >>> "<title>2 &lt; 3</title>" in page("2 < 3", "<p>so it is</p>")
    True
    """
    body = "\n".join(part for part in parts if part)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="digitlens">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


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
        f'<dd class="muted">{escape(_kept(about))}</dd></div>'
        for name, figure, about in items
    ]
    return f'<dl class="figures">{"".join(cards)}</dl>'


def _kept(words: str) -> str:
    """Keep the sign of per cent on the line of its number."""
    return words.replace(" %", "\N{NO-BREAK SPACE}%")


def facts(items: Mapping[str, object]) -> str:
    """Return a list of names and values; a mapping within is set as a line of its own.

    Examples
    --------
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
    rows = []
    for item in result.per_class:
        recall = "" if item.recall is None else percent(item.recall)
        precision = "" if item.precision is None else percent(item.precision)
        bar = f'<i style="width:{100 * item.misses / most:.0f}%"></i>' if item.misses else ""
        rows.append(
            f'<tr><th scope="row">{item.digit}</th><td>{item.count:,}</td>'
            f'<td>{item.misses:,}</td><td class="bar">{bar}</td><td>{recall}</td>'
            f"<td>{precision}</td></tr>"
        )
    caption = (
        "Found: of the pictures of this digit, the share that was read as it. "
        "Trusted: of the answers with this digit, the share that was right."
    )
    head = ("digit", "pictures", "misses", "", "found", "trusted")
    top = "".join(f'<th scope="col">{name}</th>' if name else "<td></td>" for name in head)
    body = "\n".join(rows)
    return _scroll(
        f'<table class="lined"><caption>{caption}</caption>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table>"
    )


def confusion(result: Evaluation) -> str:
    """Return the confusion matrix, the deeper the colour the more often confused."""
    counts = result.confusion.tolist()
    offset = [
        row[index]
        for truth, row in enumerate(counts)
        for index in range(CLASSES)
        if index != truth
    ]
    most = max([*offset, 1])
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


MOST = 4.6
"""The end of both axes in nines: 99.997 %."""

TICKS = ("0 %", "90 %", "99 %", "99.9 %", "99.99 %")

LEFT, TOP, SIDE = 62, 26, 390


def reliability(result: Evaluation) -> str:
    """Return the reliability diagram: across how sure, up how often right.

    Both axes are stretched towards 100 %; `digitlens.viz.plot_evaluation` draws the same.
    """
    lines = [_tick(index, label) for index, label in enumerate(TICKS)]
    lines.append(_line("honest", (0, 0), (MOST, MOST)))
    dots = []
    for part in result.calibration.bins:
        x, y = logit_bins(part.confidence, MOST), logit_bins(part.accuracy, MOST)
        low, high = (logit_bins(end, MOST) for end in wilson(part.misses, part.count))
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
    return LEFT + x / MOST * SIDE, TOP + (1 - y / MOST) * SIDE


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = _place(*start), _place(*end)
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _tick(index: int, label: str) -> str:
    across, down = _place(index, index)
    return (
        _line("grid", (index, 0), (index, MOST))
        + _line("grid", (0, index), (MOST, index))
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
    """Return a digit as a PNG in a ``data:`` address, black ink on white paper.

    Parameters
    ----------
    image
        uint8 (28, 28); 0 = paper, 255 = ink, so it is turned round here.
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
