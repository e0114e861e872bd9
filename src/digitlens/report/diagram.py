"""Diagrams as SVG: reliability, and accuracies with their intervals."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from digitlens.evaluation.printed import percent
from digitlens.score import nines, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.evaluation import Evaluation

MOST = 4.6
"""The end of both axes in nines: 99.997 %."""

TICKS = ("0 %", "90 %", "99 %", "99.9 %", "99.99 %")

LEFT, TOP, SIDE = 62, 26, 390


def reliability(found: Evaluation) -> str:
    """Return the reliability diagram: across how sure, up how often right.

    Both axes are stretched towards 100 %; `digitlens.plots.calibration` draws the same.
    """
    lines = [_tick(at, label) for at, label in enumerate(TICKS)]
    lines.append(_line("honest", (0, 0), (MOST, MOST)))
    dots = []
    for part in found.calibration.bins:
        x, y = nines(part.confidence, MOST), nines(part.accuracy, MOST)
        low, high = (nines(end, MOST) for end in wilson(part.misses, part.count))
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


def _tick(at: int, label: str) -> str:
    across, down = _place(at, at)
    return (
        _line("grid", (at, 0), (at, MOST))
        + _line("grid", (0, at), (MOST, at))
        + f'<text x="{across:.1f}" y="{TOP + SIDE + 18}" text-anchor="middle">{label}</text>'
        + f'<text x="{LEFT - 7}" y="{down + 4:.1f}" text-anchor="end">{label}</text>'
    )


def intervals(evaluations: Sequence[Evaluation]) -> str:
    """Return the accuracy of each model with its 95 % interval, one under the other."""
    low = min(each.interval.low for each in evaluations)
    high = max(each.interval.high for each in evaluations)
    span = max(high - low, 1e-9)
    rows = []
    for row, each in enumerate(evaluations):
        y = 32 + 50 * row
        shares = (*each.interval, each.accuracy)
        start, end, dot = (10 + 460 * (share - low) / span for share in shares)
        rows.append(
            f'<text class="name" x="4" y="{y - 12}">{escape(each.model)}</text>'
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
