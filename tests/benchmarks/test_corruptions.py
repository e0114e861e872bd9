"""MNIST-C's corruptions: each does what the paper says, and only by the seed's chance."""

from __future__ import annotations

import numpy as np
import pytest

from corruptions import AFFINE, CORRUPTIONS, OTHERS, corrupt
from corruptions.blur import glass_blur, motion_blur
from corruptions.fog import fog, plasma
from corruptions.light import brightness, stripe
from corruptions.noise import impulse_noise, shot_noise
from corruptions.overlay import dotted_line, spatter
from corruptions.pixels import smooth
from corruptions.warp import rotate, scale, shear, translate
from digitlens.digits import Digits

BY_CHANCE = set(CORRUPTIONS) - {"scale", "brightness", "stripe", "canny edges"}

NOTHING = {
    "impulse noise": (impulse_noise, {"share": 0.0}),
    "glass blur": (glass_blur, {"sigma": 0.0, "rounds": 0}),
    "motion blur": (motion_blur, {"radius": 0}),
    "shear": (shear, {"angle": 0.0}),
    "scale": (scale, {"size": 1.0}),
    "rotate": (rotate, {"angle": 0.0}),
    "brightness": (brightness, {"more": 0.0}),
    "translate": (translate, {"pixels": 0}),
    "stripe": (stripe, {"width": 0}),
    "fog": (fog, {"amount": 0.0}),
    "spatter": (spatter, {"level": 9.0}),
}
"""Strengths of nothing, for all that have a strength which can be nothing."""


def rng(seed: int = 0) -> np.random.Generator:
    """Return a generator."""
    return np.random.default_rng(seed)


def test_the_fifteen_are_four_and_eleven() -> None:
    """The paper's fifteen, of which four are affine."""
    assert len(CORRUPTIONS) == 15
    assert len(AFFINE) == 4
    assert set(AFFINE) | set(OTHERS) == set(CORRUPTIONS)
    assert not set(AFFINE) & set(OTHERS)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_every_picture(name: str, digits: Digits) -> None:
    """New pictures of the same kind, nearly all of them changed, those given untouched."""
    before = digits.images.copy()
    changed = corrupt(name, digits.images)
    assert (changed.dtype, changed.shape) == (np.uint8, digits.images.shape)
    assert (changed != digits.images).any(axis=(1, 2)).mean() > 0.95
    assert np.array_equal(digits.images, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_seed_decides(name: str, digits: Digits) -> None:
    """The same seed gives the same pictures; another one others, where there is chance."""
    first, again, other = (corrupt(name, digits.images, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (name not in BY_CHANCE)


@pytest.mark.parametrize("name", NOTHING)
def test_a_strength_of_nothing_changes_nothing(name: str, digits: Digits) -> None:
    """With nothing of it, the pictures stay as they are to the bit."""
    corruption, nothing = NOTHING[name]
    assert np.array_equal(corruption(digits.images, rng(), **nothing), digits.images)


def test_brightness_and_stripe_are_exact() -> None:
    """Half of full ink is added and cut off at full; seven columns at each side turn about."""
    ramp = np.tile(np.arange(28, dtype=np.uint8) * 9, (1, 28, 1))
    expected = np.minimum(ramp.astype(int) + 128, 255)
    assert np.abs(brightness(ramp, rng()).astype(int) - expected).max() <= 1
    assert int(brightness(ramp * 0, rng()).max()) == 128
    striped = stripe(ramp, rng())
    assert np.array_equal(striped[:, :, 7:21], ramp[:, :, 7:21])
    for side in (np.s_[:, :, :7], np.s_[:, :, 21:]):
        assert np.array_equal(striped[side], 255 - ramp[side])


def test_shot_noise_counts_three_photons() -> None:
    """Paper stays paper; full ink is 0, 1/3, 2/3 or 1, and 1 as often as Poisson has it."""
    ink = np.full((50, 28, 28), 255, np.uint8)
    assert not shot_noise(ink * 0, rng()).any()
    noisy = shot_noise(ink, rng())
    assert set(np.unique(noisy)) == {0, 85, 170, 255}
    below_three = np.exp(-3) * (1 + 3 + 4.5)
    assert (noisy < 255).mean() == pytest.approx(below_three, abs=0.01)


def test_impulse_noise_hits_one_in_six() -> None:
    """17 % of the pixels are hit, half of them white and half black."""
    noisy = impulse_noise(np.full((100, 28, 28), 100, np.uint8), rng())
    for extreme in (0, 255):
        assert (noisy == extreme).mean() == pytest.approx(0.085, abs=0.005)


def test_affine_corruptions_keep_the_middle() -> None:
    """A disc in the middle stays there, 0.7 as wide after scale; translate moves it by 3, 3."""
    rows, columns = np.mgrid[0:28, 0:28] - 13.5
    disc = np.uint8(255) * (np.hypot(rows, columns) < 6).astype(np.uint8)[None].repeat(20, 0)
    ink = disc[0].sum()
    for corruption, size in ((rotate, 1.0), (scale, 0.49), (shear, 1 / np.cos(0.4))):
        changed = corruption(disc, rng())
        assert changed[0].sum() / ink == pytest.approx(size, rel=0.03)
        assert (changed[0] * rows).sum() / changed[0].sum() == pytest.approx(0, abs=0.05)
    moved = translate(disc, rng())
    shifts = {
        (round((item * rows).sum() / item.sum()), round((item * columns).sum() / item.sum()))
        for item in moved.astype(float)
    }
    assert shifts == {(3, 3), (3, -3), (-3, 3), (-3, -3)}


def test_blurs_keep_the_ink() -> None:
    """A dot in the middle is spread, none of its ink lost; the trail goes to the left."""
    dot = np.zeros((40, 28, 28), np.uint8)
    dot[:, 12:17, 12:17] = 255
    trail = motion_blur(dot, rng())
    assert trail.sum() / dot.sum() == pytest.approx(1, rel=0.02)
    columns = np.arange(28)
    assert ((trail * 1.0).sum(axis=1) @ columns / trail.sum(axis=(1, 2)) < 13).all()
    glass = glass_blur(dot, rng())
    assert glass.sum() / dot.sum() == pytest.approx(1, rel=0.05)
    assert smooth(dot / 255, 1.0).sum() == pytest.approx(40 * 25, rel=1e-3)


def test_fog_is_a_plasma_fractal() -> None:
    """Each fractal reaches from 0 to 1; on bare paper there is none, for it has no light."""
    clouds = plasma(3, 1.4, rng())
    assert clouds.shape == (3, 256, 256)
    assert clouds.min(axis=(1, 2)).tolist() == [0, 0, 0]
    assert clouds.max(axis=(1, 2)).tolist() == [1, 1, 1]
    assert not np.array_equal(clouds[0], clouds[1])
    # Near values are alike and far ones are not.
    assert np.abs(np.diff(clouds, axis=1)).mean() < 0.3 * clouds.std()
    assert not fog(np.zeros((1, 28, 28), np.uint8), rng()).any()


def test_a_dotted_line_has_two_columns_on_and_two_off() -> None:
    """On bare paper the line stands in columns 2, 3, 6, 7 and so on."""
    lines = dotted_line(np.zeros((30, 28, 28), np.uint8), rng())
    assert np.flatnonzero(lines.any(axis=(0, 1))).tolist() == [
        *(column for column in range(27) if column % 4 >= 2)
    ]
    assert (lines.max(axis=(1, 2)) > 200).all()
