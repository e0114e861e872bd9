"""The history of a line reader's training: loss, and lines that are read exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.plots.panel import Panel, labelled, round_values
from digitlens.plots.sheet import LABEL, TRAINING, VALIDATION, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.training.lines.progress import Point

WIDTH, HEIGHT = 3.9, 2.75
"""Of each panel, in inches."""


def line_history(points: Sequence[Point], *, title: str = "") -> bytes:
    """Draw how the loss fell, and how the share of lines read exactly rose, over the steps.

    Parameters
    ----------
    points
        At least one, in order.
    title
        What was trained, such as ``"reader-1"``.

    Returns
    -------
    A PNG, 1575 x 645 pixels.
    """
    last = points[-1]
    note = "no lines were held back"
    if last.held_back:
        note = f"{last.held_back - last.misread:,} of {last.held_back:,} lines read exactly"
    sheet = Sheet(10.5, 4.3, heading=title or "A line reader's training", note=note)
    high = 1.12 * max(_middle([point.loss for point in points]), last.loss, 1e-6)
    _panel(sheet, 0.6, points, [point.loss for point in points], (0.0, high), "Loss")
    exact = [point.exact for point in points if point.exact is not None]
    if len(exact) == len(points):
        shares = [100 * share for share in exact]
        low = max(0.0, 1.5 * _middle(shares) - 50)
        _panel(sheet, 5.8, points, shares, (low, 100.0), "Read exactly, %")
    return sheet.png()


def _middle(values: Sequence[float]) -> float:
    """Return what about three quarters of a curve lie below, or above if it rises."""
    return values[len(values) // 4]


def _panel(
    sheet: Sheet,
    left: float,
    points: Sequence[Point],
    values: list[float],
    y: tuple[float, float],
    label: str,
) -> None:
    last = points[-1].step
    unit, below = (1000, "thousand steps") if last >= 10_000 else (1, "steps")
    steps = [point.step / unit for point in points]
    panel = Panel(sheet, left, 0.98, WIDTH, HEIGHT, (0.0, steps[-1]), y)
    panel.mark_y(labelled(round_values(*y)))
    panel.mark_x(labelled(round_values(0.0, steps[-1])))
    panel.frame(label, below)
    colour = TRAINING if label == "Loss" else VALIDATION
    panel.curve(steps, values, colour)
    end = panel.at(steps[-1], min(max(values[-1], y[0]), y[1]))
    figure = f"{values[-1]:.3f}" if label == "Loss" else f"{values[-1]:.1f} %"
    sheet.text((end[0] - 0.05, end[1] - 0.12), figure, size=LABEL, colour=colour, align="right")
