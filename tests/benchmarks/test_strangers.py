"""The pictures that are no digit, and how a model is asked about them."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.digits import Digits, Images
from digitlens.errors import DataError
from digitlens.imaging import FramedStack
from digitlens.models.inference import Predictions
from rejection import TEST, VALIDATION, Knowing, ask, no_digit, table
from strangers import DIGITS_TO_SOME, STRANGERS, UNMET, draw
from strangers.frame import fit


class Wary:
    """A model that takes bright pictures for no digit."""

    name = "wary"

    def predict(self, images: Images) -> Predictions:
        """Be as wary as the picture is bright."""
        rows = np.full((len(images), 10), 0.1, np.float32)
        bright = images.mean(axis=(1, 2)).astype(np.float32)
        return Predictions(rows.argmax(1).astype(np.uint8), rows, bright)


@pytest.mark.parametrize("name", STRANGERS)
def test_a_set_is_drawn_by_its_seed(name: str, digits: Digits) -> None:
    """As many pictures as wanted, the same for the same seed, others for another."""
    first, again, other = (draw(name, 40, digits, seed=seed) for seed in (1, 1, 2))
    assert (first.dtype, first.shape) == (np.uint8, (40, 28, 28))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", sorted({*STRANGERS} - {"textures", "noise", "blank paper"}))
def test_writing_is_in_the_frame(name: str, digits: Digits) -> None:
    """Whatever is written lies in 20 x 20 pixels, with its weight near the middle."""
    for picture in draw(name, 40, digits):
        rows, columns = np.nonzero(picture > 64)
        assert max(np.ptp(rows), np.ptp(columns)) < 20
        weight = picture / picture.sum()
        assert abs(weight.sum(axis=1) @ np.arange(28) - 13.5) < 3
        assert abs(weight.sum(axis=0) @ np.arange(28) - 13.5) < 3


def test_the_sets_are_named_rightly() -> None:
    """Sets that are never met, and those apart, are among the sets and not both."""
    assert set(UNMET) | set(DIGITS_TO_SOME) <= set(STRANGERS)
    assert not set(UNMET) & set(DIGITS_TO_SOME)


def test_nothing_fits_an_empty_frame() -> None:
    """A drawing without ink gives bare paper."""
    assert not fit(np.zeros((50, 60), np.uint8)).any()


def test_a_model_without_a_score_is_asked_how_unsure_it_is() -> None:
    """Its own score counts where there is one, else 1 less the greatest probability."""
    rows = np.full((1, 10), 0.05, np.float32)
    rows[0, 3] = 0.55
    answers = Predictions(np.array([3], np.uint8), rows)
    assert no_digit(answers) == pytest.approx([0.45])
    own = Predictions(answers.labels, rows, np.array([0.9], np.float32))
    assert no_digit(own) == pytest.approx([0.9])


def test_the_bar_is_chosen_on_validation_digits(digits: Digits) -> None:
    """What is brighter than 99 % of them is refused, and so is what cannot be framed."""
    light, nothing = np.full((10, 28, 28), 255, np.uint8), np.zeros((10, 28, 28), np.uint8)
    sets = {
        "light": FramedStack(light, {}),
        "dark": FramedStack(nothing, {}),
        "half rejected": FramedStack(
            nothing, {index: DataError("nothing there") for index in range(5)}
        ),
        VALIDATION: FramedStack(digits.images, {}),
        TEST: FramedStack(digits.images, {}),
    }
    result = ask(Wary(), "framed", sets)
    assert result.sets == {"light": (1.0, 1.0), "dark": (0.0, 0.0), "half rejected": (0.5, 0.5)}
    assert (result.name, result.kept) == ("wary framed", 0.99)


def test_the_table_leaves_out_what_some_take_for_digits() -> None:
    """Means are of the sets that nobody takes for digits."""
    sets = dict.fromkeys(STRANGERS, (1.0, 1.0))
    sets |= dict.fromkeys(DIGITS_TO_SOME, (0.5, 0.0))
    lines = table([Knowing("m", sets, 0.99)]).splitlines()
    means = [line for line in lines if "mean" in line]
    assert len(means) == 2
    assert all("1.0000 | 100.0 %" in line for line in means)
    assert sum("(not counted)" in line for line in lines) == 2
    assert lines[-1] == "| test digits | | 99.00 % kept |"
