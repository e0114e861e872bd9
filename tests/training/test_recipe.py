"""Recipes: learning rates, small training sets, and older config.toml files."""

from __future__ import annotations

import tomllib
from itertools import pairwise

import pytest

from digitlens import models
from digitlens.models.recipe import MIN_STEPS, LineRecipe, Recipe
from digitlens.training.digit_task import count_steps

RECIPE = Recipe(epochs=2, batch=256, learning_rate=0.02, warmup=0.25)


def test_the_learning_rate_rises_then_falls_to_near_zero() -> None:
    """It peaks at the end of the warm-up at the recipe's rate, and nowhere exceeds it."""
    rates = [RECIPE.rate_at(step, 100) for step in range(100)]
    peak = rates.index(max(rates))
    assert 24 <= peak <= 25
    assert max(rates) == pytest.approx(0.02)
    assert all(a < b for a, b in pairwise(rates[:25]))
    assert all(a > b for a, b in pairwise(rates[25:]))
    assert 0 < rates[-1] < 0.001


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_a_recipe_may_only_rise_or_only_fall(warmup: float) -> None:
    """The extremes of the warm-up give rates that are positive and at most the highest."""
    recipe = Recipe(epochs=1, batch=1, learning_rate=0.5, warmup=warmup)
    assert all(0 < recipe.rate_at(step, 10) <= 0.5 for step in range(10))


def test_enough_digits_leave_the_recipe_as_it_is() -> None:
    """From 10,000 digits on the published recipe is what is trained."""
    assert RECIPE.fit_to(10_000) is RECIPE


@pytest.mark.parametrize("name", list(models.NETWORKS))
@pytest.mark.parametrize("count", [1, 15, 40, 300, 1_293, 9_999])
def test_few_digits_are_given_steps_enough(name: str, count: int) -> None:
    """There are at least `MIN_STEPS` steps, in batches that the digits can fill."""
    recipe = models.load_recipe(name).fit_to(count)
    batch, steps = count_steps(count, recipe)
    assert batch == recipe.batch <= count
    assert steps * recipe.epochs >= MIN_STEPS
    assert recipe.learning_rate <= models.load_recipe(name).learning_rate


OLD_DIGITS = """
epochs = 14
batch = 256
learning_rate = 0.01
betas = [0.9, 0.99]
weight_decay = 0.05
warmup = 0.25
smoothing = 0.05
temperature = 1.5
shift = 2
turn = 8.0
stretch = 0.08
slant = 0.1
bend = 0.4
wear = 0.0625
outliers = 0.06
framed = 0.4
frozen = 0.3
teacher = "best"
threshold = 0.5
"""

OLD_LINES = """
steps = 35000
batch = 64
learning_rate = 0.002
betas = [0.9, 0.98]
weight_decay = 0.02
warmup = 400
decay = 11000
average = 0.999
fade = 6000
clip = 4.0
widths = [32, 64, 128, 192]
style = "training"
others = ["touching", "clean"]
other_share = 0.25
longest = 480
every = 1000
"""


def test_the_recipes_of_older_runs_are_read() -> None:
    """config.toml files that name the fields in the old words give the same recipe."""
    assert Recipe.from_dict(tomllib.loads(OLD_DIGITS)) == Recipe(
        epochs=14,
        batch=256,
        learning_rate=0.01,
        weight_decay=0.05,
        label_smoothing=0.05,
        temperature=1.5,
        translate=2,
        rotate=8.0,
        scale=0.08,
        shear=0.1,
        elastic=0.4,
        degrade=0.0625,
        negatives=0.06,
        reframe=0.4,
        freeze_norm=0.3,
        teacher="best",
    )
    assert LineRecipe.from_dict(tomllib.loads(OLD_LINES)) == LineRecipe(
        warmup_steps=400,
        max_grad_norm=4.0,
        other_styles=("touching", "clean"),
        max_width=480,
    )


@pytest.mark.parametrize("recipe", [RECIPE, LineRecipe(steps=7)])
def test_a_recipe_comes_back_from_its_dict(recipe: Recipe | LineRecipe) -> None:
    """What is written in today's words is read again, and holds no tuple."""
    written = recipe.to_dict()
    assert type(recipe).from_dict(written) == recipe
    assert not any(isinstance(value, tuple) for value in written.values())


def test_an_unknown_name_is_refused() -> None:
    """A name that no version ever had is an error."""
    with pytest.raises(TypeError, match="wobble"):
        Recipe.from_dict({**RECIPE.to_dict(), "wobble": 1})
