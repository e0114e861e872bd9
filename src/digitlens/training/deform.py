"""A deformation as a matrix: turning, scaling, slanting, moving and bending in one product.

A deformed picture takes each of its pixels from somewhere in the old one, by cubic
interpolation: a weighted sum of sixteen old pixels. That is linear in the pixels, whatever the
deformation, so it is a 784 x 784 matrix, and deforming a thousand digits is one matrix
product: the operation that processors do fastest. Bending follows Simard, Steinkraus and Platt
2003 (Best practices for convolutional neural networks applied to visual document analysis): a
random field, smoothed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import FEATURES, SIDE

if TYPE_CHECKING:
    from torch import Tensor

    from digitlens.networks.recipe import Recipe

KNOTS = 7
"""The field of `bend` is drawn on so many points a side and smoothly filled between them."""

CENTRE = (SIDE - 1) / 2

TAPS = 4
"""Pixels a side that cubic interpolation looks at."""


def deformation(recipe: Recipe, chance: torch.Generator) -> Tensor:
    """Draw one deformation as a matrix: float32 (784, 784), unrolled picture @ matrix.

    Turn, stretch, slant and shift are drawn evenly between minus and plus what the recipe
    says, `bend` normally. What comes from outside the picture is paper.
    """
    return sampling(_sources(recipe, chance))


def _sources(recipe: Recipe, chance: torch.Generator) -> Tensor:
    """Return where each pixel comes from: float32 (784, 2), column and row."""
    turn, wide, high, slant, across, down = (
        torch.rand(6, generator=chance).mul_(2).sub_(1).tolist()
    )
    angle = math.radians(turn * recipe.turn)
    turning = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    slanting = torch.tensor([[1.0, slant * recipe.slant], [0.0, 1.0]])
    scaling = torch.diag(torch.tensor([1 + wide * recipe.stretch, 1 + high * recipe.stretch]))
    axis = torch.arange(SIDE) - CENTRE
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    places = torch.stack([columns.flatten(), rows.flatten()], dim=1)
    moved = torch.tensor([across, down]) * recipe.shift + CENTRE
    sources = places @ (turning @ slanting @ scaling).T + moved
    if recipe.bend:
        knots = torch.randn(1, 2, KNOTS, KNOTS, generator=chance) * recipe.bend
        field = functional.interpolate(
            knots, size=(SIDE, SIDE), mode="bicubic", align_corners=True
        )
        sources += field.reshape(2, FEATURES).T
    return sources


def sampling(sources: Tensor) -> Tensor:
    """Return the matrix that takes pixel i from `sources[i]` by cubic interpolation.

    Bilinear interpolation blurs, so a network would train on digits that are softer than
    the ones it is to read: to such a network MNIST's own digits look strange. The cubic
    kernel (Keys 1981, Cubic convolution interpolation for digital image processing, a = -1/2)
    keeps edges; what it overshoots is clipped afterwards.

    Parameters
    ----------
    sources
        float32 (784, 2): column and row in the old picture, 0..27; outside is paper.

    Returns
    -------
    Tensor
        float32 (784, 784): old unrolled picture @ matrix = new one; columns sum to 1 where
        all sixteen neighbours lie inside.
    """
    corner = sources.floor()
    right, down = _cubic(sources - corner).unbind(1)
    column, row = corner.long().unbind(1)
    matrix = torch.zeros(FEATURES, FEATURES)
    target = torch.arange(FEATURES)
    for step_down in range(TAPS):
        y = row + step_down - 1
        for step_right in range(TAPS):
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
