"""Noise of too little light, and of dead pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from corruptions.pixels import pixels, shares

if TYPE_CHECKING:
    from digitlens.digits import Images


def shot_noise(images: Images, rng: np.random.Generator, *, photons: float = 3) -> Images:
    """Let full ink be `photons` hits in the mean, counted by chance (severity 5).

    Parameters
    ----------
    photons
        Above 0; the fewer, the stronger. Severities 1 to 5: 60, 25, 12, 5, 3.
    """
    return pixels(rng.poisson(shares(images) * photons) / photons)


def impulse_noise(images: Images, rng: np.random.Generator, *, share: float = 0.17) -> Images:
    """Turn a share of the pixels black or white, either as often (severity 4).

    Parameters
    ----------
    share
        0..1. Severities 1 to 5: .03, .06, .09, .17, .27.
    """
    hit = rng.random(images.shape) < share
    salt = rng.random(images.shape) < 0.5
    return np.where(hit, np.where(salt, np.uint8(255), np.uint8(0)), images)
