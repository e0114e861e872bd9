"""An epoch's digits: order and augmentation, drawn once an epoch, not once a step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.imaging import frame_stack
from digitlens.models.recipe import Recipe
from digitlens.training.distort import degrade, sample_deformation
from digitlens.training.negatives import make_negatives

GROUPS = 64  # augmentations drawn for an epoch. A batch of 256 holds each of them four times.

# One in so many pictures that are no digit is a given one, where there are given ones.
GIVEN = 3

NO_DIGIT = CLASSES  # the class of a picture that is no digit, for networks that have one: 10


@dataclass(frozen=True)
class EpochData:
    """The digits of one epoch, on the device, in the order in which they are learnt."""

    images: Tensor  # uint8 (N, 28, 28)
    labels: Tensor  # int64 (N,): 0..9, and 10 for what is no digit
    # uint8 (N, 28, 28): the same pictures before they are degraded, for a teacher
    clean: Tensor
    # int64 (N,): which training digit each is of; -1 for what is no digit
    order: Tensor


def make_generator(seed: int, epoch: int) -> torch.Generator:
    """Return the generator of one epoch: the same for a seed and epoch, whatever came before.

    That is what lets a run that was cut off go on to the same weights.
    """
    # The epochs of a seed are spread over all 64 bits (the multiplier is that of
    # Steele and Vigna 2021, arXiv 2001.05304), so that no two runs share a stream.
    mixed = (seed * 0xD1342543DE82EF95 + epoch * 0x9E3779B97F4A7C15 + 1) % 2**63
    return torch.Generator().manual_seed(mixed)


def augment_epoch(
    images: Tensor,
    labels: Tensor,
    *,
    recipe: Recipe,
    rng: torch.Generator,
    bf16: bool = False,
    negatives: Tensor | None = None,
) -> EpochData:
    """Return one epoch: all digits in a new order, each augmented as the recipe says.

    images: uint8 (N, 28, 28); 0 = paper, 255 = ink
    labels: int64 (N,)
    recipe: says how much is augmented, and how many negatives are added
    rng: a generator on the processor; it decides order and augmentation
    bf16: deform in bfloat16, which moves a pixel by less than one gray level in 255
    negatives: uint8 (M, 28, 28): pictures that are no digit; one in `GIVEN` of those that are
        added is drawn from them

    The order is random already, so of M augmentations the k-th is given to every digit whose
    index is k modulo M: each is as frequent as each other within every batch, and an epoch
    is augmented by M tensor operations.
    """
    # Shuffle.
    order = torch.randperm(len(labels), generator=rng).to(images.device)
    shuffled, truth = images[order], labels[order]
    # Augment.
    changed = clean = shuffled
    if recipe.deforms or recipe.degrade:
        changed, clean = _deform_and_degrade(shuffled, recipe, rng, bf16=bf16)
    elif recipe.translate:
        changed = clean = _translate(shuffled, recipe.translate)
    # Mix in pictures that are no digit.
    data = EpochData(changed, truth, clean, order)
    count = recipe.count_negatives(len(labels))
    return _add_negatives(data, count, recipe, rng, negatives) if count else data


def _translate(images: Tensor, distance: int) -> Tensor:
    """Move each digit by one of the (2 distance + 1)**2 moves; paper enters at the edges."""
    padded = functional.pad(images, [distance] * 4)
    moved = torch.empty_like(images)
    across = 2 * distance + 1
    for move in range(across**2):
        top, left = divmod(move, across)
        window = padded[move :: across**2, top : top + SIDE, left : left + SIDE]
        moved[move :: across**2] = window
    return moved


def _deform_and_degrade(
    images: Tensor, recipe: Recipe, rng: torch.Generator, *, bf16: bool
) -> tuple[Tensor, Tensor]:
    """Deform each digit by one of `GROUPS` matrices, then degrade those of the first groups."""
    precision = torch.bfloat16 if bf16 else torch.float32
    flat = images.reshape(len(images), FEATURES)
    clean = torch.empty_like(images)
    changed = torch.empty_like(images) if recipe.degrade else clean
    for index in range(min(GROUPS, len(images))):
        matrix = sample_deformation(recipe, rng).to(images.device, precision)
        pixels = (flat[index::GROUPS].to(precision) @ matrix).float().reshape(-1, SIDE, SIDE)
        clean[index::GROUPS] = _as_bytes(pixels)
        if recipe.degrade:
            changed[index::GROUPS] = _as_bytes(pixels)
            if index < recipe.degrade * GROUPS:
                worse = _as_bytes(degrade(pixels / 255, rng) * 255)
                changed[index::GROUPS] = _reframe(worse, recipe.reframe)
    return changed, clean


def _add_negatives(
    data: EpochData,
    count: int,
    recipe: Recipe,
    rng: torch.Generator,
    given: Tensor | None,
) -> EpochData:
    """Mix `count` pictures that are no digit into the epoch, degraded as often as digits."""
    negatives = make_negatives(data.clean, data.labels, count, rng)
    if given is not None:
        which = torch.randint(len(given), (len(negatives[::GIVEN]),), generator=rng)
        chosen = given[which.to(given.device)]
        negatives[::GIVEN] = _deform(chosen, recipe, rng).div_(255)
    for index in range(min(GROUPS, count)):
        if index < recipe.degrade * GROUPS:
            negatives[index::GROUPS] = degrade(negatives[index::GROUPS], rng)
    pixels = _reframe(_as_bytes(negatives * 255), recipe.reframe)
    labels = torch.full((count,), NO_DIGIT, device=data.labels.device)
    order = torch.randperm(len(data.labels) + count, generator=rng)
    order = order.to(data.labels.device)
    return EpochData(
        torch.cat([data.images, pixels])[order],
        torch.cat([data.labels, labels])[order],
        torch.cat([data.clean, pixels])[order],
        torch.cat([data.order, torch.full_like(labels, -1)])[order],
    )


def _deform(pictures: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Deform pictures as digits are: float32 (N, 28, 28) in 0..255."""
    flat = pictures.reshape(len(pictures), FEATURES).float()
    for index in range(min(GROUPS, len(pictures))):
        matrix = sample_deformation(recipe, rng).to(pictures.device)
        flat[index::GROUPS] = flat[index::GROUPS] @ matrix
    return flat.reshape(-1, SIDE, SIDE).clamp_(0, 255)


def _reframe(pictures: Tensor, share: float) -> Tensor:
    """Bring the first `share` of the pictures into MNIST's frame, as users' pictures are."""
    count = round(share * len(pictures))
    if count:
        result = frame_stack(pictures[:count].cpu().numpy())
        here = [index for index in range(count) if index not in result.rejected]
        pictures[here] = torch.from_numpy(result.images[here]).to(pictures.device)
    return pictures


def _as_bytes(pixels: Tensor) -> Tensor:
    return pixels.add(0.5).clamp_(0, 255).to(torch.uint8)
