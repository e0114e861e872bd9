"""An epoch's digits: their order and their changes, drawn once an epoch, not once a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import FEATURES, SIDE
from digitlens.training.deform import deformation

if TYPE_CHECKING:
    from torch import Tensor

    from digitlens.networks.recipe import Recipe

DEFORMATIONS = 64
"""Deformations drawn for an epoch. A batch of 256 holds each of them four times."""


def generator(seed: int, epoch: int) -> torch.Generator:
    """Return the chance of one epoch: the same for a seed and epoch, whatever came before.

    That is what lets a run that was cut off go on to the same weights.
    """
    # The epochs of a seed are spread over all 64 bits (the multiplier is that of
    # Steele and Vigna 2021, arXiv 2001.05304), so that no two runs share a stream.
    mixed = (seed * 0xD1342543DE82EF95 + epoch * 0x9E3779B97F4A7C15 + 1) % 2**63
    return torch.Generator().manual_seed(mixed)


def epoch_of(
    images: Tensor,
    labels: Tensor,
    *,
    recipe: Recipe,
    chance: torch.Generator,
    bf16: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return one epoch: all digits in a new order, each changed as the recipe says.

    Parameters
    ----------
    images
        uint8 (N, 28, 28); 0 = paper, 255 = ink.
    labels
        int64 (N,).
    recipe
        Its `shift`, `turn`, `stretch`, `slant` and `bend` say how much is changed.
    chance
        A generator on the processor; it decides order and changes.
    bf16
        Deform in bfloat16, which moves a pixel by less than one grey level in 255.

    Returns
    -------
    images, labels
        In the new order, same shapes and dtypes, on the same device.

    Notes
    -----
    The order is random already, so of M changes the k-th is given to every digit whose place
    is k modulo M: each is as frequent as each other within every batch, and an epoch is
    changed by M tensor operations.
    """
    order = torch.randperm(len(labels), generator=chance).to(images.device)
    shuffled, truth = images[order], labels[order]
    if recipe.deforms:
        return _deformed(shuffled, recipe, chance, bf16=bf16), truth
    if recipe.shift:
        return _shifted(shuffled, recipe.shift), truth
    return shuffled, truth


def _shifted(images: Tensor, shift: int) -> Tensor:
    """Move each digit by one of the (2 shift + 1)**2 moves; paper enters at the edges."""
    framed = functional.pad(images, [shift] * 4)
    moved = torch.empty_like(images)
    across = 2 * shift + 1
    for move in range(across**2):
        top, left = divmod(move, across)
        window = framed[move :: across**2, top : top + SIDE, left : left + SIDE]
        moved[move :: across**2] = window
    return moved


def _deformed(images: Tensor, recipe: Recipe, chance: torch.Generator, *, bf16: bool) -> Tensor:
    """Deform each digit by one of `DEFORMATIONS` matrices: one product for each of them."""
    precision = torch.bfloat16 if bf16 else torch.float32
    flat = images.reshape(len(images), FEATURES)
    result = torch.empty_like(flat)
    for index in range(min(DEFORMATIONS, len(images))):
        matrix = deformation(recipe, chance).to(images.device, precision)
        pixels = flat[index::DEFORMATIONS].to(precision) @ matrix
        result[index::DEFORMATIONS] = pixels.float().add_(0.5).clamp_(0, 255).to(torch.uint8)
    return result.reshape(images.shape)
