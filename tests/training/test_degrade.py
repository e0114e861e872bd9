"""Degraded digits and pictures that are no digit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from digitlens.digits import SIDE, Digits
from digitlens.models.recipe import Recipe
from digitlens.training import negatives
from digitlens.training.augment import GROUPS, NO_DIGIT, augment_epoch, make_generator
from digitlens.training.distort import EFFECTS, blur_images, degrade
from digitlens.training.negatives import MAKERS, make_negatives

PLAIN = Recipe(epochs=1, batch=10, learning_rate=0.1)


def tensors(digits: Digits) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures uint8 and labels int64."""
    return torch.from_numpy(digits.images), torch.from_numpy(digits.labels.astype(np.int64))


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_each_effect_changes_pictures_and_keeps_their_shape(
    effect: object, digits: Digits
) -> None:
    """An effect gives as many pictures of the same size, and other ones."""
    assert callable(effect)
    pixels = torch.from_numpy(digits.images[:40]).float() / 255
    before = pixels.clone()
    rng = torch.Generator().manual_seed(3)
    several = [effect(pixels, rng) for _ in range(5)]
    assert all(after.shape == pixels.shape for after in several)
    assert not all(torch.allclose(after, before) for after in several)
    assert torch.equal(pixels, before), "what came in is left alone"


def test_degradations_stay_in_range_and_follow_their_generator(
    digits: Digits,
) -> None:
    """Degraded pixels lie in 0..1; the same seed degrades the same, another one does not."""
    pixels = torch.from_numpy(digits.images[:40]).float() / 255
    for seed in range(20):
        after = degrade(pixels, torch.Generator().manual_seed(seed))
        assert float(after.min()) >= 0
        assert float(after.max()) <= 1
    one, same, other = (
        degrade(pixels, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_blur_keeps_the_ink_there_is() -> None:
    """Far from the edge a blur spreads ink and loses none."""
    dot = torch.zeros(1, SIDE, SIDE)
    dot[0, 14, 14] = 1
    after = blur_images(dot, 1.0)
    assert float(after.sum()) == pytest.approx(1, abs=1e-5)
    assert float(after.max()) < 0.2
    assert torch.allclose(after, after.flip(1).roll(1, 1), atol=1e-6)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_each_kind_of_negative_differs_from_the_digits_it_is_made_of(
    make: object, digits: Digits
) -> None:
    """What a maker gives is a picture for each digit, and not that digit."""
    assert callable(make)
    images, labels = tensors(digits)
    pixels = images.float() / 255
    made = make(pixels, labels, torch.Generator().manual_seed(0))
    assert made.shape == pixels.shape
    same = (made - pixels).abs().flatten(1).amax(1) < 0.1
    assert int(same.sum()) == 0


def test_no_digit_is_its_own_mirror_among_the_negatives() -> None:
    """Only classes that are no digit in a mirror are mirrored, and likewise for halves."""
    assert not {0, 1, 8} & set(negatives.NO_DIGIT_MIRRORED)
    assert not {0, 1, 6, 8, 9} & set(negatives.NO_DIGIT_ROTATED)
    assert not {1, 6, 7, 8, 9} & set(negatives.NO_DIGIT_HALVED_DOWN)
    assert not {1, 7} & set(negatives.NO_DIGIT_HALVED_ACROSS)


@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_as_many_negatives_as_are_asked_for(count: int, digits: Digits) -> None:
    """Any count is made, all in 0..1, and the same seed makes the same."""
    images, labels = tensors(digits)
    made = make_negatives(images, labels, count, torch.Generator().manual_seed(4))
    assert made.shape == (count, SIDE, SIDE)
    assert torch.equal(
        made, make_negatives(images, labels, count, torch.Generator().manual_seed(4))
    )
    if count:
        assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_an_epoch_holds_the_degraded_and_the_negatives_of_its_recipe(digits: Digits) -> None:
    """A quarter of the digits is degraded, the others are clean; negatives have class 10."""
    images, labels = tensors(digits)
    recipe = replace(PLAIN, degrade=0.25, negatives=0.2)
    epoch_data = augment_epoch(images, labels, recipe=recipe, rng=make_generator(0, 0))
    assert len(epoch_data.labels) == len(digits) * 6 // 5
    no_digit = epoch_data.labels == NO_DIGIT
    assert int(no_digit.sum()) == len(digits) // 5
    changed = (epoch_data.images != epoch_data.clean).flatten(1).any(1)
    assert not changed[no_digit].any(), "negatives have no clean side"
    share = float(changed[~no_digit].float().mean())
    assert 0.25 * 0.7 < share <= 0.25 + GROUPS / len(digits) / 4
    assert sorted(epoch_data.labels[~no_digit].tolist()) == sorted(labels.tolist())


def test_degrading_leaves_the_other_digits_as_they_were(digits: Digits) -> None:
    """Without deformation, what is not degraded is byte for byte a training digit."""
    images, labels = tensors(digits)
    recipe = replace(PLAIN, degrade=0.25)
    epoch_data = augment_epoch(images, labels, recipe=recipe, rng=make_generator(1, 0))
    known = {picture.numpy().tobytes() for picture in images}
    assert {picture.numpy().tobytes() for picture in epoch_data.clean} == known
