"""Tables and lists of facts as HTML."""

from __future__ import annotations

from html import escape
from math import sqrt
from typing import TYPE_CHECKING

from digitlens.digits import CLASSES
from digitlens.evaluation.printed import percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitlens.evaluation import Evaluation


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


def per_class(found: Evaluation) -> str:
    """Return the figures of each digit, with a bar as long as its misses."""
    most = max([each.misses for each in found.per_class] + [1])
    rows = []
    for each in found.per_class:
        recall = "" if each.recall is None else percent(each.recall)
        precision = "" if each.precision is None else percent(each.precision)
        bar = f'<i style="width:{100 * each.misses / most:.0f}%"></i>' if each.misses else ""
        rows.append(
            f'<tr><th scope="row">{each.digit}</th><td>{each.count:,}</td>'
            f'<td>{each.misses:,}</td><td class="bar">{bar}</td><td>{recall}</td>'
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


def confusion(found: Evaluation) -> str:
    """Return the confusion matrix, the deeper the colour the more often confused."""
    counts = found.confusion.tolist()
    off = [row[at] for truth, row in enumerate(counts) for at in range(CLASSES) if at != truth]
    most = max([*off, 1])
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
