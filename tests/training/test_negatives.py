"""Given pictures that are no digit: mixed into an epoch, deformed as digits are."""

from __future__ import annotations

from dataclasses import replace

import torch

from digitlens.digits import SIDE
from digitlens.models.recipe import Recipe
from digitlens.training.augment import GIVEN, NO_DIGIT, augment_epoch, make_generator

RECIPE = Recipe(epochs=1, batch=10, learning_rate=0.1, negatives=0.4)


def lesson(recipe: Recipe, negatives: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures and labels of an epoch of 100 blank digits."""
    images = torch.zeros(100, SIDE, SIDE, dtype=torch.uint8)
    labels = torch.arange(100) % 10
    made = augment_epoch(
        images, labels, recipe=recipe, rng=make_generator(0, 0), negatives=negatives
    )
    return made.images, made.labels


def square() -> torch.Tensor:
    """Return one picture that nothing else looks like: a gray square in the middle."""
    picture = torch.zeros(1, SIDE, SIDE, dtype=torch.uint8)
    picture[:, 8:20, 8:20] = 77
    return picture


def test_one_in_four_of_what_is_no_digit_is_given() -> None:
    """The others are made of digits; the number of all is the recipe's."""
    images, labels = lesson(RECIPE, square())
    assert int((labels == NO_DIGIT).sum()) == 40
    given = (images == square()).flatten(1).all(1)
    assert int(given.sum()) == -(-40 // GIVEN)
    assert (labels[given] == NO_DIGIT).all()


def test_without_given_pictures_all_are_made() -> None:
    """None is the same as before: no square, as many that are no digit."""
    images, labels = lesson(RECIPE, None)
    assert int((labels == NO_DIGIT).sum()) == 40
    assert not (images == square()).flatten(1).all(1).any()


def test_given_pictures_are_moved_as_digits_are() -> None:
    """With a shift in the recipe the square lies in many places, whole."""
    images, labels = lesson(replace(RECIPE, translate=3, rotate=1.0), square())
    flat = images[labels == NO_DIGIT].flatten(1)
    squares = images[labels == NO_DIGIT][(flat.amax(1) > 60) & (flat.amax(1) < 90)]
    assert len(squares) == -(-40 // GIVEN)
    assert len({picture.numpy().tobytes() for picture in squares}) > 5
    ink = squares.flatten(1).float().sum(1)
    assert bool(((ink - 77 * 144).abs() < 77 * 20).all())
