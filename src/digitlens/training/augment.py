"""An epoch's digits: their order and their changes, drawn once an epoch, not once a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.ink import frame_stack
from digitlens.training.deform import deformation
from digitlens.training.outliers import outliers
from digitlens.training.wear import worn

if TYPE_CHECKING:
    from torch import Tensor

    from digitlens.networks.recipe import Recipe

GROUPS = 64
"""Changes drawn for an epoch. A batch of 256 holds each of them four times."""

NO_DIGIT = CLASSES
"""The class of a picture that is no digit, for networks that have one: 10."""


@dataclass(frozen=True)
class Lesson:
    """The digits of one epoch, on the device, in the order in which they are learnt.

    Parameters
    ----------
    images
        uint8 (N, 28, 28).
    labels
        int64 (N,): 0..9, and 10 for what is no digit.
    clean
        uint8 (N, 28, 28): the same pictures without wear, for a teacher.
    """

    images: Tensor
    labels: Tensor
    clean: Tensor


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
) -> Lesson:
    """Return one epoch: all digits in a new order, each changed as the recipe says.

    Parameters
    ----------
    images
        uint8 (N, 28, 28); 0 = paper, 255 = ink.
    labels
        int64 (N,).
    recipe
        Its `shift`, `turn`, `stretch`, `slant`, `bend` and `wear` say how much is changed, its
        `outliers` how many pictures that are no digit are added.
    chance
        A generator on the processor; it decides order and changes.
    bf16
        Deform in bfloat16, which moves a pixel by less than one grey level in 255.

    Notes
    -----
    The order is random already, so of M changes the k-th is given to every digit whose place
    is k modulo M: each is as frequent as each other within every batch, and an epoch is
    changed by M tensor operations.
    """
    order = torch.randperm(len(labels), generator=chance).to(images.device)
    shuffled, truth = images[order], labels[order]
    changed = clean = shuffled
    if recipe.deforms or recipe.wear:
        changed, clean = _changed(shuffled, recipe, chance, bf16=bf16)
    elif recipe.shift:
        changed = clean = _shifted(shuffled, recipe.shift)
    lesson = Lesson(changed, truth, clean)
    count = recipe.outliers_beside(len(labels))
    return _with_outliers(lesson, count, recipe, chance) if count else lesson


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


def _changed(
    images: Tensor, recipe: Recipe, chance: torch.Generator, *, bf16: bool
) -> tuple[Tensor, Tensor]:
    """Deform each digit by one of `GROUPS` matrices, then wear those of the first groups."""
    precision = torch.bfloat16 if bf16 else torch.float32
    flat = images.reshape(len(images), FEATURES)
    clean = torch.empty_like(images)
    changed = torch.empty_like(images) if recipe.wear else clean
    for index in range(min(GROUPS, len(images))):
        matrix = deformation(recipe, chance).to(images.device, precision)
        pixels = (flat[index::GROUPS].to(precision) @ matrix).float().reshape(-1, SIDE, SIDE)
        clean[index::GROUPS] = _as_bytes(pixels)
        if recipe.wear:
            changed[index::GROUPS] = _as_bytes(pixels)
            if index < recipe.wear * GROUPS:
                worse = _as_bytes(worn(pixels / 255, chance) * 255)
                changed[index::GROUPS] = _framed(worse, recipe.framed)
    return changed, clean


def _with_outliers(
    lesson: Lesson, count: int, recipe: Recipe, chance: torch.Generator
) -> Lesson:
    """Mix `count` pictures that are no digit into the lesson, worn as often as digits."""
    strange = outliers(lesson.clean, lesson.labels, count, chance)
    for index in range(min(GROUPS, count)):
        if index < recipe.wear * GROUPS:
            strange[index::GROUPS] = worn(strange[index::GROUPS], chance)
    pixels = _framed(_as_bytes(strange * 255), recipe.framed)
    labels = torch.full((count,), NO_DIGIT, device=lesson.labels.device)
    order = torch.randperm(len(lesson.labels) + count, generator=chance)
    order = order.to(lesson.labels.device)
    return Lesson(
        torch.cat([lesson.images, pixels])[order],
        torch.cat([lesson.labels, labels])[order],
        torch.cat([lesson.clean, pixels])[order],
    )


def _framed(pictures: Tensor, share: float) -> Tensor:
    """Bring the first `share` of the pictures into MNIST's frame, as users' pictures are."""
    count = round(share * len(pictures))
    if count:
        found = frame_stack(pictures[:count].cpu().numpy())
        here = [at for at in range(count) if at not in found.rejected]
        pictures[here] = torch.from_numpy(found.images[here]).to(pictures.device)
    return pictures


def _as_bytes(pixels: Tensor) -> Tensor:
    return pixels.add(0.5).clamp_(0, 255).to(torch.uint8)
