"""The history of a training run: accuracy and loss, training beside validation.

* The history of a line reader's training: loss, and lines that are read exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitlens.viz.canvas import (
    LABEL,
    MUTED,
    ORANGE,
    TRAINING,
    VALIDATION,
    Canvas,
    Panel,
    blend,
    labelled,
    round_values,
    spread,
    whole_values,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.metrics.diagnosis import Diagnosis
    from digitlens.metrics.history import Epoch, LinePoint


WIDTH, HEIGHT = 3.75, 2.75
"""Of each panel, in inches."""


@dataclass(frozen=True)
class Curve:
    """A curve with a name: one value for each epoch."""

    name: str
    color: str
    values: list[float]


def history(epochs: Sequence[Epoch], diagnosis: Diagnosis, *, title: str = "") -> bytes:
    """Draw how accuracy and loss went, epoch by epoch.

    Two panels: accuracy in per cent and loss in nats, training in blue, validation in
    orange, each curve named at its end. The best epoch is ringed; where the run overfits
    the ground is shaded. The ranges are chosen so that the later half of the epochs fills
    them; an early epoch may lie outside.

    Parameters
    ----------
    epochs
        At least one, in order.
    diagnosis
        As `digitlens.metrics.diagnosis.diagnose` gives it for the same epochs.
    title
        What was trained, such as ``"dense"``; set before the verdict.

    Returns
    -------
    A PNG, 1575 x 645 pixels.
    """
    sheet = Canvas(10.5, 4.3, heading=_heading(diagnosis, title), note=_note(diagnosis))
    accuracies = [
        Curve(item.name, item.color, [100 * value for value in item.values])
        for item in _curves([(e.train_accuracy, e.validation_accuracy) for e in epochs])
    ]
    losses = _curves([(e.train_loss, e.validation_loss) for e in epochs])
    numbers = [item.epoch for item in epochs]
    room = 0.5 if len(numbers) == 1 else 0.03 * (numbers[-1] - numbers[0])
    x = (numbers[0] - room, numbers[-1] + room)
    left = Panel(sheet, 0.6, 0.98, WIDTH, HEIGHT, x, accuracy_range(accuracies))
    right = Panel(sheet, 5.8, 0.98, WIDTH, HEIGHT, x, loss_range(losses))
    for panel, label, curves in ((left, "Accuracy, %", accuracies), (right, "Loss", losses)):
        _shade(panel, diagnosis, named=panel is right)
        panel.mark_y(labelled(round_values(*panel.y)))
        panel.mark_x({index: str(index) for index in whole_values(numbers[0], numbers[-1])})
        panel.frame(label, "epoch")
        for curve in curves:
            panel.curve(numbers, curve.values, curve.color)
        if len(curves) == 2 and len(numbers) > 1:  # else no epoch is better than another
            _ring(panel, numbers, curves[1], diagnosis.best, named=panel is left)
    _name_ends(left, accuracies, [f"{_short_of_100(c):.2f} %" for c in accuracies])
    _name_ends(right, losses, [_loss(curve.values[-1]) for curve in losses])
    return sheet.png()


def accuracy_range(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the range of an accuracy axis, in per cent: up to three times the late errors."""
    everything = [value for curve in curves for value in curve.values]
    errors = 100 - min(_late(curves))
    low, high = max(min(everything), 100 - 3 * max(errors, 0.1)), max(everything)
    span = max(high - low, 0.4)
    return max(low - 0.12 * span, 0.0), min(high + 0.12 * span, 100 + 0.04 * span)


def loss_range(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the range of a loss axis, from just under 0 to 2.5 times the late losses."""
    everything = [value for curve in curves for value in curve.values]
    height = max(min(max(everything), 2.5 * max(_late(curves))), 1e-6)
    return -0.03 * height, 1.12 * height


def _late(curves: Sequence[Curve]) -> list[float]:
    return [value for curve in curves for value in curve.values[len(curve.values) // 2 :]]


def _curves(values: Sequence[tuple[float, float | None]]) -> list[Curve]:
    trained = Curve("training", TRAINING, [train for train, _ in values])
    held = [held for _, held in values if held is not None]
    if len(held) < len(values):
        return [trained]
    return [trained, Curve("validation", VALIDATION, held)]


def _heading(diagnosis: Diagnosis, title: str) -> str:
    verdict = str(diagnosis.verdict)
    if diagnosis.since is not None:
        verdict += f" from epoch {diagnosis.since} on"
    return f"{title}: {verdict}" if title else verdict[0].upper() + verdict[1:]


def _note(diagnosis: Diagnosis) -> str:
    if diagnosis.gap is None:
        return "no digits were held back"
    side = "ahead of" if diagnosis.gap >= 0 else "behind"
    return f"at the end training is {100 * abs(diagnosis.gap):.2f} points {side} validation"


def _shade(panel: Panel, diagnosis: Diagnosis, *, named: bool) -> None:
    if diagnosis.since is None:
        return
    # From the last epoch that did not overfit, where the curves begin to part.
    start = panel.at(diagnosis.since - 1, panel.y[1])
    end = panel.at(panel.x[1], panel.y[0])
    panel.sheet.area(start, end, blend(ORANGE, 0.09))
    if named:
        room = 0.08
        width = panel.sheet.measure("overfits")
        inside = start[0] + 2 * room + width <= end[0]
        place = (start[0] + (room if inside else -room - width), start[1] + 0.17)
        panel.sheet.text(place, "overfits", color=ORANGE)


def _ring(
    panel: Panel, numbers: Sequence[int], curve: Curve, best: int, *, named: bool
) -> None:
    top, bottom = panel.at(best, panel.y[1]), panel.at(best, panel.y[0])
    panel.sheet.line([top, bottom], MUTED, dashes=(1, 2))
    panel.ring(best, curve.values[numbers.index(best)], curve.color)
    if named:
        late = best > (numbers[0] + numbers[-1]) / 2
        place = (bottom[0] + (-0.1 if late else 0.1), bottom[1] - 0.08)
        words = f"best: epoch {best}"
        panel.sheet.text(place, words, color=MUTED, align="right" if late else "left")


def _name_ends(panel: Panel, curves: Sequence[Curve], figures: Sequence[str]) -> None:
    """Write each curve's name and last value beside its end, none over the other."""
    ends = [panel.at(panel.x[1], curve.values[-1])[1] for curve in curves]
    lowest = panel.top + panel.height - 0.1
    places = spread([min(end, lowest) for end in ends], 0.42)
    shift = max(0.0, max(places) - lowest)
    for place, curve, figure in zip(places, curves, figures, strict=True):
        left, color = panel.left + panel.width + 0.08, curve.color
        baseline = place - shift
        panel.sheet.text((left, baseline), curve.name, size=LABEL, color=color, bold=True)
        panel.sheet.text((left, baseline + 0.17), figure, size=LABEL, color=color)


def _short_of_100(curve: Curve) -> float:
    # What is not all of them must not read 100.00 %.
    last = curve.values[-1]
    return min(last, 99.99) if last < 100 else last


def _loss(loss: float) -> str:
    return f"{loss:.3f}" if loss >= 0.01 else f"{loss:.4f}"


LINE_HISTORY_WIDTH, LINE_HISTORY_HEIGHT = 3.9, 2.75
"""Of each panel, in inches."""


def line_history(points: Sequence[LinePoint], *, title: str = "") -> bytes:
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
    if last.validation:
        note = f"{last.validation - last.misread:,} of {last.validation:,} lines read exactly"
    sheet = Canvas(10.5, 4.3, heading=title or "A line reader's training", note=note)
    height = 1.12 * max(_middle([point.loss for point in points]), last.loss, 1e-6)
    _panel(sheet, 0.6, points, [point.loss for point in points], (0.0, height), "Loss")
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
    sheet: Canvas,
    left: float,
    points: Sequence[LinePoint],
    values: list[float],
    y: tuple[float, float],
    label: str,
) -> None:
    last = points[-1].step
    unit, below = (1000, "thousand steps") if last >= 10_000 else (1, "steps")
    steps = [point.step / unit for point in points]
    panel = Panel(
        sheet, left, 0.98, LINE_HISTORY_WIDTH, LINE_HISTORY_HEIGHT, (0.0, steps[-1]), y
    )
    panel.mark_y(labelled(round_values(*y)))
    panel.mark_x(labelled(round_values(0.0, steps[-1])))
    panel.frame(label, below)
    color = TRAINING if label == "Loss" else VALIDATION
    panel.curve(steps, values, color)
    end = panel.at(steps[-1], min(max(values[-1], y[0]), y[1]))
    figure = f"{values[-1]:.3f}" if label == "Loss" else f"{values[-1]:.1f} %"
    sheet.text((end[0] - 0.05, end[1] - 0.12), figure, size=LABEL, color=color, align="right")
