"""Pictures that get worse step by step, and what a model misses of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from digitlens import viz
from digitlens.digits import Digits, Images
from digitlens.errors import DataError, UsageError
from digitlens.imaging import FramedStack
from digitlens.metrics.evaluation import evaluate
from digitlens.metrics.intervals import wilson
from digitlens.metrics.robustness import (
    CORRUPTIONS,
    Corruption,
    RobustnessResult,
    evenly,
    measure_robustness,
)


class Brightest:
    """A reader that knows digits by their mean brightness: it fails as pictures change."""

    name = "brightest"

    def __init__(self, digits: Digits) -> None:
        self._known = digits.images.mean(axis=(1, 2))
        self._labels = digits.labels

    def predict(self, images: Images) -> Brightest:
        """Take each picture for the known digit of the nearest brightness."""
        away = np.abs(images.mean(axis=(1, 2))[:, None] - self._known)
        self.labels = self._labels[away.argmin(axis=1)]
        self.probabilities = np.eye(10, dtype=np.float32)[self.labels]
        return self


def same(images: Images) -> FramedStack:
    """Frame nothing."""
    return FramedStack(images, {})


@pytest.fixture(scope="module")
def result(digits: Digits) -> RobustnessResult:
    """How the reader fares on 300 made-up digits."""
    return measure_robustness(Brightest(digits), digits, frame=same)


def family(name: str) -> Corruption:
    """The family of that name."""
    return next(item for item in CORRUPTIONS if item.name == name)


def test_the_families_are_these() -> None:
    """Ten families of five steps each, rising from 0."""
    assert [item.name for item in CORRUPTIONS] == [
        *("shift", "turn", "scale", "thicken", "thin"),
        *("blur", "fog", "noise", "invert", "occlude"),
    ]
    for item in CORRUPTIONS:
        assert len(item.strengths) == 6
        assert item.strengths[0] == 0
        assert list(item.strengths) == sorted(set(item.strengths))


@pytest.mark.parametrize("item", CORRUPTIONS, ids=lambda item: item.name)
def test_a_family_changes_pictures(item: Corruption, digits: Digits) -> None:
    """Nothing at 0, something at every step, more at the last; no picture given is touched."""
    before = digits.images.copy()
    assert item.apply(0, digits.images) is digits.images
    apart = []
    for strength in item.strengths[1:]:
        changed = item.apply(strength, digits.images, seed=3)
        assert (changed.dtype, changed.shape) == (np.uint8, digits.images.shape)
        assert np.array_equal(changed, item.apply(strength, digits.images, seed=3))
        difference = changed.astype(float) - digits.images
        assert (difference != 0).any(axis=(1, 2)).mean() > 0.7
        apart.append(np.abs(difference).mean())
    assert apart[-1] > 1.3 * apart[0]
    assert np.array_equal(digits.images, before)


@pytest.mark.parametrize("name", ["shift", "turn", "fog", "noise", "invert", "occlude"])
def test_the_seed_decides_where_chance_does(name: str, digits: Digits) -> None:
    """Another seed gives other pictures where there is chance."""
    item = family(name)
    strength = item.strengths[3]
    one, two = (item.apply(strength, digits.images, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("item", CORRUPTIONS, ids=lambda item: item.name)
def test_no_pictures_are_no_trouble(item: Corruption) -> None:
    """An empty stack stays empty."""
    empty = np.empty((0, 28, 28), np.uint8)
    assert item.apply(item.strengths[-1], empty).shape == (0, 28, 28)


def test_changes_do_what_they_say(digits: Digits) -> None:
    """Ink is moved, inverted, covered and made wider or narrower by as much as was asked."""
    square = np.zeros((20, 28, 28), np.uint8)
    square[:, 10:18, 10:18] = 255
    for moved in family("shift").apply(4, square):
        row, column = (places.mean() for places in np.nonzero(moved))
        assert 3.2 < np.hypot(row - 13.5, column - 13.5) < 4.8
    assert np.array_equal(family("invert").apply(100, digits.images), 255 - digits.images)
    half = family("invert").apply(50, square * 0)
    assert (half == 255).mean(axis=(1, 2)).tolist() == [0.5] * 20
    covered = family("occlude").apply(12, square * 0 + 255)
    assert (covered == 0).sum(axis=(1, 2)).tolist() == [144] * 20
    for name, side in (("thicken", 10), ("thin", 6)):
        ink = family(name).apply(2, square)[0].sum() / 255
        assert ink == pytest.approx(side**2, rel=0.08)
    shrunk = family("scale").apply(60, square)[0].sum() / 255
    assert shrunk == pytest.approx(64 * 0.4**2, rel=0.05)


def test_strength_nothing_is_what_evaluate_counts(
    result: RobustnessResult, digits: Digits
) -> None:
    """At 0 every family has the clean misses, alone and framed."""
    odd = Digits(digits.images, np.roll(digits.labels, 1))
    clean = evaluate(Brightest(digits), odd).misses
    assert clean > 0
    missing = measure_robustness(Brightest(digits), odd, frame=same)
    assert {tested.alone[0] for tested in missing.families} == {clean}
    assert {tested.framed[0] for tested in missing.families} == {clean}
    assert (result.misses, missing.misses) == (0, clean)


def test_misses_are_whole_numbers_with_intervals(result: RobustnessResult) -> None:
    """Each step has its misses, an accuracy worked out from them and Wilson's interval."""
    for tested in result.families:
        assert len(tested.alone) == len(tested.family.strengths)
        assert all(isinstance(misses, int) for misses in tested.alone + tested.framed)
        assert tested.accuracies() == [1 - misses / 300 for misses in tested.alone]
        assert tested.intervals()[2] == wilson(tested.alone[2], 300)
    assert result.families[-2].alone[-1] > 100


def test_the_framed_column_is_of_framed_pictures(digits: Digits) -> None:
    """What framing puts right is counted as right in its column alone."""
    result = measure_robustness(
        Brightest(digits), digits, frame=lambda _: FramedStack(digits.images, {})
    )
    assert all(set(item.framed) == {0} for item in result.families)
    assert result.mean_accuracy(framed=True) == 1.0
    assert result.mean_accuracy() < 0.8


def test_what_cannot_be_framed_is_a_miss(digits: Digits) -> None:
    """A picture that framing rejects counts as missed, whatever the network would say."""
    reasons = {index: DataError("nothing to see") for index in (3, 7)}
    result = measure_robustness(
        Brightest(digits), digits, frame=lambda _: FramedStack(digits.images, reasons)
    )
    assert all(set(item.framed) == {2} for item in result.families)


def test_framing_is_that_of_ink(digits: Digits) -> None:
    """Unless told otherwise the framed column is of `digitlens.imaging`."""
    result = measure_robustness(Brightest(digits), digits[:6])
    inverted = result.families[-2]
    assert inverted.family.name == "invert"
    assert inverted.framed[-1] < inverted.alone[-1]


def test_the_same_seed_gives_the_same_misses(result: RobustnessResult, digits: Digits) -> None:
    """Two calls agree in every count; a limit takes digits from all over the set."""
    assert measure_robustness(Brightest(digits), digits, frame=same) == result
    part = measure_robustness(Brightest(digits), digits, frame=same, limit=30)
    assert part.count == 30
    assert evenly(digits, 30).positions.tolist() == list(range(0, 300, 10))
    assert evenly(digits, 900) is digits


def test_each_family_is_announced(digits: Digits) -> None:
    """Progress hears the name of each family, in order."""
    heard: list[str] = []
    measure_robustness(Brightest(digits), digits[:5], frame=same, progress=heard.append)
    assert heard == [item.name for item in CORRUPTIONS]


def test_what_cannot_be_measured_is_refused(digits: Digits) -> None:
    """No digits, and a limit of none, are errors of ours."""
    with pytest.raises(DataError, match="at least one digit"):
        measure_robustness(Brightest(digits), digits[:0], frame=same)
    with pytest.raises(UsageError, match="the limit must be 1 or more"):
        measure_robustness(Brightest(digits), digits, frame=same, limit=0)


def test_the_result_is_plain_values_and_plain_text(result: RobustnessResult) -> None:
    """JSON takes the result as it is; the text has three lines for each family."""
    values = result.as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["families"][0]["misses"] == list(result.families[0].alone)
    lines = result.summary().splitlines()
    assert lines[0] == "brightest on 300 digits of made up, right in %"
    assert len(lines) == 1 + 3 * 10 + 2
    assert lines[2].split()[:2] == ["alone", "100.00"]


def test_the_plot_is_a_picture_of_the_size_it_says(
    result: RobustnessResult, make_digits: Callable[..., Digits]
) -> None:
    """Ten panels on one sheet, the same to the byte each time."""
    drawn = viz.stress(result)
    with Image.open(io.BytesIO(drawn)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1875, 870))
    assert viz.stress(result) == drawn
