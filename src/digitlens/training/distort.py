"""Augmentations of digits: deformations as matrices, and degradations.

A deformed picture takes each of its pixels from somewhere in the old one, by cubic
interpolation: a weighted sum of sixteen old pixels. That is linear in the pixels, whatever the
deformation, so it is a 784 x 784 matrix, and deforming a thousand digits is one matrix
product: the operation that processors do fastest. Elastic distortion follows Simard, Steinkraus
and Platt 2003 (Best practices for convolutional neural networks applied to visual document
analysis): a random field, smoothed.

Degradations are what pens, paper, cameras and framing do to a digit before a network sees it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from digitlens.digits import FEATURES, SIDE
from digitlens.models.recipe import Recipe

Effect = Callable[[Tensor, torch.Generator], Tensor]


KNOTS = 7  # the elastic field is drawn on so many points a side and interpolated between them

CENTRE = (SIDE - 1) / 2

CUBIC_TAPS = 4  # pixels a side that cubic interpolation looks at


def sample_deformation(recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Draw one deformation as a matrix: float32 (784, 784), unrolled picture @ matrix.

    Rotation, scale, shear and translation are uniform between minus and plus what the recipe
    says, the elastic field is normal. What comes from outside the picture is paper.
    """
    return sampling_matrix(_sample_sources(recipe, rng))


def _sample_sources(recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Return where each pixel comes from: float32 (784, 2), column and row."""
    angle, width, height, shear, across, down = (
        torch.rand(6, generator=rng).mul_(2).sub_(1).tolist()
    )
    angle = math.radians(angle * recipe.rotate)
    rotation = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    shearing = torch.tensor([[1.0, shear * recipe.shear], [0.0, 1.0]])
    scaling = torch.diag(torch.tensor([1 + width * recipe.scale, 1 + height * recipe.scale]))
    axis = torch.arange(SIDE) - CENTRE
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    places = torch.stack([columns.flatten(), rows.flatten()], dim=1)
    moved = torch.tensor([across, down]) * recipe.translate + CENTRE
    sources = places @ (rotation @ shearing @ scaling).T + moved
    if recipe.elastic:
        knots = torch.randn(1, 2, KNOTS, KNOTS, generator=rng) * recipe.elastic
        field = functional.interpolate(
            knots, size=(SIDE, SIDE), mode="bicubic", align_corners=True
        )
        sources += field.reshape(2, FEATURES).T
    return sources


def sampling_matrix(sources: Tensor) -> Tensor:
    """Return the matrix that takes pixel i from `sources[i]` by cubic interpolation.

    Bilinear interpolation blurs, so a network would train on digits that are softer than
    the ones it is to read: to such a network MNIST's own digits look strange. The cubic
    kernel (Keys 1981, Cubic convolution interpolation for digital image processing, a = -1/2)
    keeps edges; what it overshoots is clipped afterwards.

    sources: float32 (784, 2): column and row in the old picture, 0..27; outside is paper

    Returns float32 (784, 784): old unrolled picture @ matrix = new one; columns sum to 1 where
    all sixteen neighbours lie inside.
    """
    corner = sources.floor()
    right, down = _cubic(sources - corner).unbind(1)
    column, row = corner.long().unbind(1)
    matrix = torch.zeros(FEATURES, FEATURES)
    target = torch.arange(FEATURES)
    for step_down in range(CUBIC_TAPS):
        y = row + step_down - 1
        for step_right in range(CUBIC_TAPS):
            x = column + step_right - 1
            weight = right[:, step_right] * down[:, step_down]
            inside = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE)
            matrix[(SIDE * y + x)[inside], target[inside]] = weight[inside]
    return matrix


def _cubic(offsets: Tensor) -> Tensor:
    """Return the weights of the pixels at -1, 0, 1 and 2 for offsets in 0..1: (..., 4)."""
    t = offsets.unsqueeze(-1)
    t2, t3 = t.square(), t**3
    weights = [-t + 2 * t2 - t3, 2 - 5 * t2 + 3 * t3, t + 4 * t2 - 3 * t3, t3 - t2]
    return torch.cat(weights, dim=-1) / 2


EFFECT_SHARE = 0.4  # how often each effect is part of one degradation

# Share of the way to strokes a pixel thinner (below 0) or thicker on each side.
STROKE_CHANGE = (-0.8, 1.0)

BLUR = (0.4, 1.3)  # standard deviation of the blur in pixels
INK_LEFT = (0.4, 1.0)  # the darkest ink that is left, as a share
GAMMA = 0.7  # grays are raised to exp(-this) .. exp(this).
GRAIN = (0.03, 0.25)  # standard deviation of the noise, paper 0, ink 1
PATCH_SIDES = (4, 9)  # sides of the patch of paper that hides a part, in pixels

# How far off the middle of a neighbouring digit lies, in pixels.
NEIGHBOR_DISTANCE = (14.0, 18.0)

SCAN_SIDES = (10, 18)  # pixels a side that a coarse scan leaves


def degrade(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """Degrade a group of digits: one draw of effects for all, noise of its own for each.

    pixels: float32 (N, 28, 28) in 0..1, 1 = ink
    rng: a generator on the processor

    Returns float32 (N, 28, 28) in 0..1.
    """
    for effect in EFFECTS:
        if _uniform(0, 1, rng) < EFFECT_SHARE:
            pixels = effect(pixels, rng)
    return pixels.clamp(0, 1)


def _change_stroke_width(pixels: Tensor, rng: torch.Generator) -> Tensor:
    amount = _uniform(*STROKE_CHANGE, rng)
    if amount > 0:
        return torch.lerp(pixels, functional.max_pool2d(pixels, 3, 1, 1), amount)
    return torch.lerp(pixels, -functional.max_pool2d(-pixels, 3, 1, 1), -amount)


def _add_neighbor(pixels: Tensor, rng: torch.Generator) -> Tensor:
    angle = _uniform(0, 2 * math.pi, rng)
    distance = _uniform(*NEIGHBOR_DISTANCE, rng)
    across, down = round(distance * math.cos(angle)), round(distance * math.sin(angle))
    other = pixels.roll(1, 0)
    padded = functional.pad(other, [SIDE] * 4)
    top, left = SIDE - down, SIDE - across
    return torch.maximum(pixels, padded[:, top : top + SIDE, left : left + SIDE])


def _cover_patch(pixels: Tensor, rng: torch.Generator) -> Tensor:
    height, width = (int(_uniform(PATCH_SIDES[0], PATCH_SIDES[1] + 1, rng)) for _ in range(2))
    top, left = int(_uniform(2, 26 - height, rng)), int(_uniform(2, 26 - width, rng))
    covered = pixels.clone()
    covered[:, top : top + height, left : left + width] = 0
    return covered


def _scan_coarsely(pixels: Tensor, rng: torch.Generator) -> Tensor:
    side = int(_uniform(SCAN_SIDES[0], SCAN_SIDES[1] + 1, rng))
    small = functional.adaptive_avg_pool2d(pixels.unsqueeze(1), side)
    return functional.interpolate(small, size=(SIDE, SIDE), mode="bilinear").squeeze(1)


def _blur(pixels: Tensor, rng: torch.Generator) -> Tensor:
    return blur_images(pixels, _uniform(*BLUR, rng))


def _fade(pixels: Tensor, rng: torch.Generator) -> Tensor:
    return pixels.pow(math.exp(_uniform(-GAMMA, GAMMA, rng))) * _uniform(*INK_LEFT, rng)


def _add_noise(pixels: Tensor, rng: torch.Generator) -> Tensor:
    noise = torch.randn(pixels.shape, generator=rng).to(pixels.device)
    return pixels + noise * _uniform(*GRAIN, rng)


EFFECTS: tuple[Effect, ...] = (
    _change_stroke_width,
    _add_neighbor,
    _cover_patch,
    _scan_coarsely,
    _blur,
    _fade,
    _add_noise,
)


def blur_images(pixels: Tensor, sigma: float) -> Tensor:
    """Blur float (N, 28, 28) by a Gaussian of standard deviation `sigma` pixels."""
    reach = max(1, math.ceil(2.5 * sigma))
    places = torch.arange(-reach, reach + 1, device=pixels.device)
    bell = torch.exp(-places.square() / (2 * sigma**2))
    bell = bell / bell.sum()
    maps = pixels.unsqueeze(1)
    maps = functional.conv2d(maps, bell.view(1, 1, -1, 1), padding=(reach, 0))
    return functional.conv2d(maps, bell.view(1, 1, 1, -1), padding=(0, reach)).squeeze(1)


def _uniform(low: float, high: float, rng: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=rng))
