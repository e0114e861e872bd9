"""Worn digits: what pens, paper, cameras and framing do to a digit before a network sees it.

Turning and bending change where ink lies (`deform`); wear changes how it lies: strokes thicker
or thinner, blurred, faded, grainy, coarse, partly hidden, with a neighbour's ink at the edge.
Each effect stands for something that a real picture brings and that `digitlens.ink` cannot
take out. None is one of MNIST-C's corruptions, which are a test and are never trained on.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Effect = Callable[[Tensor, torch.Generator], Tensor]

OFTEN = 0.4
"""How often each effect is part of one wear."""

STROKE = (-0.8, 1.0)
"""Share of the way to strokes a pixel thinner (below 0) or thicker on each side."""

BLUR = (0.4, 1.3)
"""Standard deviation of the blur in pixels."""

FADE = (0.4, 1.0)
"""Darkest ink that is left."""

GAMMA = 0.7
"""Greys are raised to exp(-this) .. exp(this)."""

GRAIN = (0.03, 0.25)
"""Standard deviation of the noise, paper 0, ink 1."""

COVER = (4, 9)
"""Sides of the patch of paper that hides a part, in pixels."""

AWAY = (14.0, 18.0)
"""How far off the middle of a neighbouring digit lies, in pixels."""

COARSE = (10, 18)
"""Pixels a side that a coarse scan leaves."""


def worn(pixels: Tensor, chance: torch.Generator) -> Tensor:
    """Wear a group of digits: one draw of effects for all, noise of its own for each.

    Parameters
    ----------
    pixels
        float32 (N, 28, 28) in 0..1, 1 = ink.
    chance
        A generator on the processor.

    Returns
    -------
    float32 (N, 28, 28) in 0..1.
    """
    for effect in EFFECTS:
        if _draw(0, 1, chance) < OFTEN:
            pixels = effect(pixels, chance)
    return pixels.clamp(0, 1)


def _stroke(pixels: Tensor, chance: torch.Generator) -> Tensor:
    amount = _draw(*STROKE, chance)
    if amount > 0:
        return torch.lerp(pixels, functional.max_pool2d(pixels, 3, 1, 1), amount)
    return torch.lerp(pixels, -functional.max_pool2d(-pixels, 3, 1, 1), -amount)


def _neighbour(pixels: Tensor, chance: torch.Generator) -> Tensor:
    angle = _draw(0, 2 * math.pi, chance)
    away = _draw(*AWAY, chance)
    across, down = round(away * math.cos(angle)), round(away * math.sin(angle))
    other = pixels.roll(1, 0)
    framed = functional.pad(other, [SIDE] * 4)
    top, left = SIDE - down, SIDE - across
    return torch.maximum(pixels, framed[:, top : top + SIDE, left : left + SIDE])


def _cover(pixels: Tensor, chance: torch.Generator) -> Tensor:
    high, wide = (int(_draw(COVER[0], COVER[1] + 1, chance)) for _ in range(2))
    top, left = int(_draw(2, 26 - high, chance)), int(_draw(2, 26 - wide, chance))
    covered = pixels.clone()
    covered[:, top : top + high, left : left + wide] = 0
    return covered


def _coarse(pixels: Tensor, chance: torch.Generator) -> Tensor:
    side = int(_draw(COARSE[0], COARSE[1] + 1, chance))
    small = functional.adaptive_avg_pool2d(pixels.unsqueeze(1), side)
    return functional.interpolate(small, size=(SIDE, SIDE), mode="bilinear").squeeze(1)


def _blur(pixels: Tensor, chance: torch.Generator) -> Tensor:
    return blurred(pixels, _draw(*BLUR, chance))


def _fade(pixels: Tensor, chance: torch.Generator) -> Tensor:
    return pixels.pow(math.exp(_draw(-GAMMA, GAMMA, chance))) * _draw(*FADE, chance)


def _grain(pixels: Tensor, chance: torch.Generator) -> Tensor:
    noise = torch.randn(pixels.shape, generator=chance).to(pixels.device)
    return pixels + noise * _draw(*GRAIN, chance)


EFFECTS: tuple[Effect, ...] = (_stroke, _neighbour, _cover, _coarse, _blur, _fade, _grain)


def blurred(pixels: Tensor, sigma: float) -> Tensor:
    """Blur float (N, 28, 28) by a Gaussian of standard deviation `sigma` pixels."""
    reach = max(1, math.ceil(2.5 * sigma))
    places = torch.arange(-reach, reach + 1, device=pixels.device)
    bell = torch.exp(-places.square() / (2 * sigma**2))
    bell = bell / bell.sum()
    maps = pixels.unsqueeze(1)
    maps = functional.conv2d(maps, bell.view(1, 1, -1, 1), padding=(reach, 0))
    return functional.conv2d(maps, bell.view(1, 1, 1, -1), padding=(0, reach)).squeeze(1)


def _draw(low: float, high: float, chance: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=chance))
