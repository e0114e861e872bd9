"""The course of a training run, for a network of digits and for a reader of lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitlens.metrics.formatting import percent
from digitlens.viz.canvas import (
    LABEL,
    MUTED,
    ORANGE,
    TRAINING,
    VALIDATION,
    Axes,
    Canvas,
    blend,
    format_ticks,
    integer_ticks,
    round_ticks,
    spread_labels,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.metrics.diagnosis import Diagnosis
    from digitlens.metrics.history import Epoch, LinePoint


AXES_WIDTH, AXES_HEIGHT = 3.75, 2.75


@dataclass(frozen=True)
class Curve:
    """A curve with a name: one value for each epoch."""

    name: str
    color: str
    values: list[float]


def history(epochs: Sequence[Epoch], diagnosis: Diagnosis, *, title: str = "") -> bytes:
    """Draw how accuracy and loss went, epoch by epoch.

    Accuracy in per cent on the left and loss in nats on the right, training in blue and
    validation in orange, each curve named at its end. The best epoch has a ring; where the run
    overfits the background is shaded. The later half of the epochs fills the ranges; an early
    epoch may lie outside. `epochs` are at least one, `diagnosis` is that of the same epochs,
    and `title` says what was trained.

    Returns a PNG, 1575 x 645 pixels.
    """
    canvas = Canvas(10.5, 4.3, heading=_heading(diagnosis, title), note=_note(diagnosis))
    accuracies = [
        Curve(item.name, item.color, [100 * value for value in item.values])
        for item in _curves([(e.train_accuracy, e.validation_accuracy) for e in epochs])
    ]
    losses = _curves([(e.train_loss, e.validation_loss) for e in epochs])
    numbers = [item.epoch for item in epochs]
    # A single epoch is a dot in the middle.
    room = 0.5 if len(numbers) == 1 else 0.03 * (numbers[-1] - numbers[0])
    x = (numbers[0] - room, numbers[-1] + room)
    left = Axes(canvas, 0.6, 0.98, AXES_WIDTH, AXES_HEIGHT, x, accuracy_range(accuracies))
    right = Axes(canvas, 5.8, 0.98, AXES_WIDTH, AXES_HEIGHT, x, loss_range(losses))
    # The same for both: shade, ticks, frame, curves, best epoch.
    for axes, label, curves in ((left, "Accuracy, %", accuracies), (right, "Loss", losses)):
        _shade_overfitting(axes, diagnosis, named=axes is right)
        axes.draw_y_ticks(format_ticks(round_ticks(*axes.y)))
        axes.draw_x_ticks({n: str(n) for n in integer_ticks(numbers[0], numbers[-1])})
        axes.frame(label, "epoch")
        for curve in curves:
            axes.curve(numbers, curve.values, curve.color)
        if len(curves) == 2 and len(numbers) > 1:  # else no epoch is better than another
            _mark_best(axes, numbers, curves[1], diagnosis.best, named=axes is left)
    _name_ends(left, accuracies, [percent(c.values[-1] / 100) for c in accuracies])
    _name_ends(right, losses, [_loss(curve.values[-1]) for curve in losses])
    return canvas.png()


def accuracy_range(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the range of an accuracy axis, in per cent: up to three times the late errors."""
    everything = [value for curve in curves for value in curve.values]
    # An early epoch must not flatten the late ones, which are looked at.
    errors = 100 - min(_later_half(curves))
    low, high = max(min(everything), 100 - 3 * max(errors, 0.1)), max(everything)
    span = max(high - low, 0.4)
    return max(low - 0.12 * span, 0.0), min(high + 0.12 * span, 100 + 0.04 * span)


def loss_range(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the range of a loss axis, from just under 0 to 2.5 times the late losses."""
    everything = [value for curve in curves for value in curve.values]
    high = max(min(max(everything), 2.5 * max(_later_half(curves))), 1e-6)
    return -0.03 * high, 1.12 * high


def _later_half(curves: Sequence[Curve]) -> list[float]:
    return [value for curve in curves for value in curve.values[len(curve.values) // 2 :]]


def _curves(values: Sequence[tuple[float, float | None]]) -> list[Curve]:
    trained = Curve("training", TRAINING, [train for train, _ in values])
    validated = [validation for _, validation in values if validation is not None]
    if len(validated) < len(values):
        return [trained]
    return [trained, Curve("validation", VALIDATION, validated)]


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


def _shade_overfitting(axes: Axes, diagnosis: Diagnosis, *, named: bool) -> None:
    if diagnosis.since is None:
        return
    # From the last epoch that did not overfit, where the curves begin to separate.
    start = axes.locate(diagnosis.since - 1, axes.y[1])
    end = axes.locate(axes.x[1], axes.y[0])
    axes.canvas.area(start, end, blend(ORANGE, 0.09))
    if named:
        room = 0.08
        width = axes.canvas.measure("overfits")
        inside = start[0] + 2 * room + width <= end[0]
        place = (start[0] + (room if inside else -room - width), start[1] + 0.17)
        axes.canvas.text(place, "overfits", color=ORANGE)


def _mark_best(
    axes: Axes, numbers: Sequence[int], curve: Curve, best: int, *, named: bool
) -> None:
    top, bottom = axes.locate(best, axes.y[1]), axes.locate(best, axes.y[0])
    axes.canvas.line([top, bottom], MUTED, dashes=(1, 2))
    axes.ring(best, curve.values[numbers.index(best)], curve.color)
    if named:
        late = best > (numbers[0] + numbers[-1]) / 2
        place = (bottom[0] + (-0.1 if late else 0.1), bottom[1] - 0.08)
        words = f"best: epoch {best}"
        axes.canvas.text(place, words, color=MUTED, align="right" if late else "left")


def _name_ends(axes: Axes, curves: Sequence[Curve], figures: Sequence[str]) -> None:
    """Write each curve's name and last value beside its end, none over the other."""
    # Names keep clear of each other and of the lower edge.
    ends = [axes.locate(axes.x[1], curve.values[-1])[1] for curve in curves]
    lowest = axes.top + axes.height - 0.1
    places = spread_labels([min(end, lowest) for end in ends], 0.42)
    shift = max(0.0, max(places) - lowest)
    for place, curve, figure in zip(places, curves, figures, strict=True):
        left, color = axes.left + axes.width + 0.08, curve.color
        baseline = place - shift
        axes.canvas.text((left, baseline), curve.name, size=LABEL, color=color, bold=True)
        axes.canvas.text((left, baseline + 0.17), figure, size=LABEL, color=color)


def _loss(loss: float) -> str:
    return f"{loss:.3f}" if loss >= 0.01 else f"{loss:.4f}"


def line_history(points: Sequence[LinePoint], *, title: str = "") -> bytes:
    """Draw how the loss fell, and how the share of lines read exactly rose, over the steps.

    Returns a PNG, 1575 x 645 pixels, of at least one point.
    """
    last = points[-1]
    note = "no lines were held back"
    if last.validation:
        note = f"{last.validation - last.misread:,} of {last.validation:,} lines read exactly"
    canvas = Canvas(10.5, 4.3, heading=title or "A line reader's training", note=note)
    # The first losses are many times the last ones, and may lie outside.
    height = 1.12 * max(_typical([point.loss for point in points]), last.loss, 1e-6)
    _line_axes(canvas, 0.6, points, [point.loss for point in points], (0.0, height), "Loss")
    exact = [point.exact for point in points if point.exact is not None]
    if len(exact) == len(points):
        shares = [100 * share for share in exact]
        low = max(0.0, 1.5 * _typical(shares) - 50)
        _line_axes(canvas, 5.8, points, shares, (low, 100.0), "Read exactly, %")
    return canvas.png()


def _typical(values: Sequence[float]) -> float:
    """Return what about three quarters of a curve lie below, or above if it rises."""
    return values[len(values) // 4]


def _line_axes(
    canvas: Canvas,
    left: float,
    points: Sequence[LinePoint],
    values: list[float],
    y: tuple[float, float],
    label: str,
) -> None:
    last = points[-1].step
    # Round numbers below the axis, however long the training.
    unit, below = (1000, "thousand steps") if last >= 10_000 else (1, "steps")
    steps = [point.step / unit for point in points]
    axes = Axes(canvas, left, 0.98, AXES_WIDTH + 0.15, AXES_HEIGHT, (0.0, steps[-1]), y)
    axes.draw_y_ticks(format_ticks(round_ticks(*y)))
    axes.draw_x_ticks(format_ticks(round_ticks(0.0, steps[-1])))
    axes.frame(label, below)
    color = TRAINING if label == "Loss" else VALIDATION
    axes.curve(steps, values, color)
    end = axes.locate(steps[-1], min(max(values[-1], y[0]), y[1]))
    figure = f"{values[-1]:.3f}" if label == "Loss" else f"{values[-1]:.1f} %"
    canvas.text((end[0] - 0.05, end[1] - 0.12), figure, size=LABEL, color=color, align="right")
