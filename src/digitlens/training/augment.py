"""An epoch's digits: their order and their changes, drawn once an epoch, not once a step.

* Pictures that are no digit, made from digits and from chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.imaging import frame_stack
from digitlens.training.distort import (
    CENTRE,
    blur_images,
    degrade,
    sample_deformation,
    sampling,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from digitlens.models.recipe import Recipe

    Maker = Callable[[Tensor, Tensor, torch.Generator], Tensor]


MIRRORED = (3, 4, 6, 7, 9)
"""Classes that are no digit in a mirror."""

LAID_DOWN = (2, 3, 4, 5, 7)
"""Classes that are no digit when they are turned by a quarter."""

UPPER_LOWER = (2, 3, 4, 5)
"""Classes whose upper and lower halves are no digit: those of 6, 8 and 9 hold a 0."""

LEFT_RIGHT = (0, 2, 3, 4, 5, 6, 8, 9)
"""Classes whose left and right halves are no digit: those of 1 and 7 can be a 1."""

HALF = SIDE // 2
STROKES = 4
"""A made-up sign has two to so many strokes."""

POINTS = 24
"""Points on a stroke: nearer to each other than the pen is wide."""

PEN_LIFTED = 0.3
"""How often a stroke begins somewhere else than where the last one ended."""

BENT = 0.5
"""How often a stroke is bent."""

STRAIGHT = 3.0
"""Ink whose variance across is below this, in square pixels, is one straight stroke."""

MARGIN = 4
"""Pixels around the 20 x 20 box that digits fill."""


def make_negatives(images: Tensor, labels: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Make `count` pictures that are no digit: float32 (count, 28, 28) in 0..1, 1 = ink.

    Parameters
    ----------
    images, labels
        Digits to make them of: uint8 (N, 28, 28) and int64 (N,), N > 0, in random order.
    rng
        A generator on the processor.

    Notes
    -----
    The kinds are equally frequent and take turns: quarters of four digits, quarters that
    changed places, halves, two digits on top of each other and side by side, digits in a
    mirror or laid down, scribbles, made-up signs (twice), blobs, noise.
    """
    result = torch.empty(count, SIDE, SIDE, device=images.device)
    every = torch.arange(count, device=images.device)
    for index, make in enumerate(MAKERS):
        places = every[index :: len(MAKERS)]
        chosen = torch.randint(len(labels), (len(places),), generator=rng)
        chosen = chosen.to(images.device)
        if len(places):
            digits = images[chosen].float().div_(255)
            result[places] = make(digits, labels[chosen], rng)
    return result.clamp_(0, 1)


def _quarters(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    mixed = digits.clone()
    mixed[:, :HALF, HALF:] = digits.roll(1, 0)[:, :HALF, HALF:]
    mixed[:, HALF:, :HALF] = digits.roll(2, 0)[:, HALF:, :HALF]
    mixed[:, HALF:, HALF:] = digits.roll(3, 0)[:, HALF:, HALF:]
    return mixed


def _jigsaw(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    return digits.roll((HALF - 1, HALF - 1), (1, 2))


def _half(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:
    """Cut each digit in two and bring one half to the size of a whole one."""
    across = _is_one_of(labels, LEFT_RIGHT)
    along = _is_one_of(labels, UPPER_LOWER)
    flat = digits.flatten(1)
    result = digits.roll((HALF, HALF), (1, 2)).flatten(1)  # what is left of 1 and 7: corners
    scale = 0.55 + 0.35 * float(torch.rand((), generator=rng))
    for column, row, fits in (
        (-1.0, 0.0, across),
        (1.0, 0.0, across),
        (0.0, -1.0, along),
        (0.0, 1.0, along),
    ):
        wanted = fits & (torch.rand(len(labels), generator=rng).to(fits.device) < 0.4)
        if bool(wanted.any()):
            matrix = _placing(scale, scale, 5 * column, 5 * row, inside=(column, row))
            result[wanted] = flat[wanted] @ matrix.to(flat.device)
    return result.reshape(-1, SIDE, SIDE)


def _overlaid(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    moves = torch.randint(-5, 6, (2,), generator=rng).tolist()
    return torch.maximum(digits, digits.roll(1, 0).roll(moves, (1, 2)))


def _side_by_side(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    """Lay two digits beside each other, narrow as in the frame of one."""
    high = 1.2 + 0.8 * float(torch.rand((), generator=rng))
    flat = digits.flatten(1)
    left = flat @ _placing(2.0, high, 10.0, 0.0).to(flat.device)
    right = flat.roll(1, 0) @ _placing(2.0, high, -10.0, 0.0).to(flat.device)
    return torch.maximum(left, right).reshape(-1, SIDE, SIDE)


def _turned(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:
    mirrored = digits.flip(2)
    laid = digits.rot90(1, (1, 2))
    either = torch.rand(len(labels), generator=rng).to(labels.device) < 0.5
    mirror = _is_one_of(labels, MIRRORED) & (either | ~_is_one_of(labels, LAID_DOWN))
    lay = _is_one_of(labels, LAID_DOWN) & ~mirror
    others = _jigsaw(digits, labels, rng)
    result = torch.where(mirror[:, None, None], mirrored, others)
    return torch.where(lay[:, None, None], laid, result)


def _scribble(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    """Draw the curves on which a smooth random field is zero, cut where another is low."""
    knots = int(torch.randint(4, 9, (), generator=rng))
    field = _field(len(digits), knots, rng)
    slope_y, slope_x = torch.gradient(field, dim=(1, 2))
    steep = (slope_y.square() + slope_x.square()).sqrt().add_(0.02)
    width = 0.8 + float(torch.rand((), generator=rng))
    ink = (width + 0.5 - field.abs() / steep).clamp_(0, 1)
    cut = (_field(len(digits), 4, rng) * 4 + 1).clamp_(0, 1)
    return (ink * cut * _window()).to(digits.device)


def _sign(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    """Write signs that nobody uses: two to four strokes between points of a coarse grid."""
    count = len(digits)
    ends = torch.randint(0, 4, (count, STROKES + 1, 2), generator=rng).float() / 3
    ends += 0.08 * torch.randn(ends.shape, generator=rng)
    starts, stops = ends[:, :-1].clone(), ends[:, 1:]
    lifted = torch.rand(count, STROKES, 1, generator=rng) < PEN_LIFTED
    starts = torch.where(lifted, torch.rand(starts.shape, generator=rng), starts)
    middles = (starts + stops) / 2
    bent = torch.rand(count, STROKES, 1, generator=rng) < BENT
    middles += bent * 0.45 * torch.randn(middles.shape, generator=rng)
    along = torch.linspace(0, 1, POINTS).view(1, 1, -1, 1)
    curve = (
        (1 - along) ** 2 * starts[:, :, None]
        + 2 * along * (1 - along) * middles[:, :, None]
        + along**2 * stops[:, :, None]
    )
    box = 20 * (0.5 + 0.5 * torch.rand(count, 1, 1, 2, generator=rng))
    places = (curve - 0.5) * box + CENTRE
    used = torch.randint(2, STROKES + 1, (count, 1), generator=rng)
    unused = torch.arange(STROKES) >= used
    places = places.masked_fill(unused[:, :, None, None], -2.0 * SIDE).flatten(1, 2)
    rows, columns = _grid()
    pixels = torch.stack([columns, rows], dim=1).expand(count, -1, -1)
    away = torch.cdist(pixels, places).amin(2).reshape(-1, SIDE, SIDE)
    pen = 0.8 + 1.2 * torch.rand(count, 1, 1, generator=rng)
    signs = (pen + 0.5 - away).clamp_(0, 1)
    # Strokes that fell on one line are a 1: they get a second sign on top.
    straight = _breadth(signs) < STRAIGHT
    signs[straight] = torch.maximum(signs, signs.roll(1, 0))[straight]
    return signs.to(digits.device)


def _breadth(pictures: Tensor) -> Tensor:
    """Return the variance of the ink across its main direction, in square pixels: (N,)."""
    rows, columns = _grid()
    ink = pictures.flatten(1)
    ink = ink / ink.sum(1, keepdim=True).clamp_min(1e-6)
    y, x = ink @ rows, ink @ columns
    high = (ink * (rows - y[:, None]).square()).sum(1)
    wide = (ink * (columns - x[:, None]).square()).sum(1)
    both = (ink * (rows - y[:, None]) * (columns - x[:, None])).sum(1)
    return (high + wide) / 2 - (((high - wide) / 2).square() + both.square()).sqrt()


def _blob(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    knots = int(torch.randint(3, 7, (), generator=rng))
    shape = (_field(len(digits), knots, rng) * 8 + 1).clamp_(0, 1)
    gray = 0.4 + 0.6 * torch.rand(len(digits), 1, 1, generator=rng)
    inside = 1 + 0.5 * _field(len(digits), 10, rng)
    return (shape * gray * inside * _window()).clamp_(0, 1).to(digits.device)


def _noise(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    grains = torch.randn(digits.shape, generator=rng)
    sigma = 2 * float(torch.rand((), generator=rng))
    if sigma > 0.3:
        grains = blur_images(grains, sigma) * (1 + 2 * sigma)
    strength = torch.rand(len(digits), 1, 1, generator=rng)
    return (grains * strength).to(digits.device)


MAKERS: tuple[Maker, ...] = (
    _quarters,
    _jigsaw,
    _half,
    _overlaid,
    _side_by_side,
    _turned,
    _scribble,
    _sign,
    _sign,
    _blob,
    _noise,
)


def _is_one_of(labels: Tensor, classes: tuple[int, ...]) -> Tensor:
    return torch.isin(labels, torch.tensor(classes, device=labels.device))


def _field(count: int, knots: int, rng: torch.Generator) -> Tensor:
    """Draw smooth random fields: float32 (count, 28, 28), mean 0, standard deviation near 1."""
    coarse = torch.randn(count, 1, knots, knots, generator=rng)
    size = (SIDE, SIDE)
    return functional.interpolate(coarse, size=size, mode="bicubic").squeeze(1)


def _grid() -> tuple[Tensor, Tensor]:
    """Return row and column of each pixel of an unrolled picture: float32 (784,) each."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    return rows.flatten(), columns.flatten()


def _window() -> Tensor:
    """Return 1 in the box that digits fill, falling to 0 outside: float32 (28, 28)."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    edge = (torch.minimum(axis, SIDE - 1 - axis) - MARGIN + 2).clamp_(0, 1)
    return edge[:, None] * edge[None]


def _placing(
    wide: float,
    high: float,
    column: float,
    row: float,
    inside: tuple[float, float] = (0.0, 0.0),
) -> Tensor:
    """Return the matrix that takes each pixel from (x wide + column, y high + row).

    Coordinates are those from the middle. With `inside` = (-1, 0) only what lies left of the
    middle is taken, and so on.
    """
    rows, columns = _grid()
    x, y = (columns - CENTRE) * wide + column, (rows - CENTRE) * high + row
    beyond = (x * inside[0] < 0) | (y * inside[1] < 0)
    x = torch.where(beyond, -2.0 * SIDE, x)
    assert len(x) == FEATURES
    return sampling(torch.stack([x, y], dim=1) + CENTRE)


GROUPS = 64
"""Changes drawn for an epoch. A batch of 256 holds each of them four times."""

NO_DIGIT = CLASSES
"""The class of a picture that is no digit, for networks that have one: 10."""


@dataclass(frozen=True)
class EpochData:
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


def augment_epoch(
    images: Tensor,
    labels: Tensor,
    *,
    recipe: Recipe,
    rng: torch.Generator,
    bf16: bool = False,
) -> EpochData:
    """Return one epoch: all digits in a new order, each changed as the recipe says.

    Parameters
    ----------
    images
        uint8 (N, 28, 28); 0 = paper, 255 = ink.
    labels
        int64 (N,).
    recipe
        Its `shift`, `turn`, `stretch`, `slant`, `bend` and `wear` say how much is changed, its
        `make_negatives` how many pictures that are no digit are added.
    rng
        A generator on the processor; it decides order and changes.
    bf16
        Deform in bfloat16, which moves a pixel by less than one grey level in 255.

    Notes
    -----
    The order is random already, so of M changes the k-th is given to every digit whose place
    is k modulo M: each is as frequent as each other within every batch, and an epoch is
    changed by M tensor operations.
    """
    order = torch.randperm(len(labels), generator=rng).to(images.device)
    shuffled, truth = images[order], labels[order]
    changed = clean = shuffled
    if recipe.deforms or recipe.degrade:
        changed, clean = _changed(shuffled, recipe, rng, bf16=bf16)
    elif recipe.translate:
        changed = clean = _shifted(shuffled, recipe.translate)
    lesson = EpochData(changed, truth, clean)
    count = recipe.count_negatives(len(labels))
    return _with_outliers(lesson, count, recipe, rng) if count else lesson


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
    images: Tensor, recipe: Recipe, rng: torch.Generator, *, bf16: bool
) -> tuple[Tensor, Tensor]:
    """Deform each digit by one of `GROUPS` matrices, then wear those of the first groups."""
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
                changed[index::GROUPS] = _framed(worse, recipe.reframe)
    return changed, clean


def _with_outliers(
    lesson: EpochData, count: int, recipe: Recipe, rng: torch.Generator
) -> EpochData:
    """Mix `count` pictures that are no digit into the lesson, worn as often as digits."""
    strange = make_negatives(lesson.clean, lesson.labels, count, rng)
    for index in range(min(GROUPS, count)):
        if index < recipe.degrade * GROUPS:
            strange[index::GROUPS] = degrade(strange[index::GROUPS], rng)
    pixels = _framed(_as_bytes(strange * 255), recipe.reframe)
    labels = torch.full((count,), NO_DIGIT, device=lesson.labels.device)
    order = torch.randperm(len(lesson.labels) + count, generator=rng)
    order = order.to(lesson.labels.device)
    return EpochData(
        torch.cat([lesson.images, pixels])[order],
        torch.cat([lesson.labels, labels])[order],
        torch.cat([lesson.clean, pixels])[order],
    )


def _framed(pictures: Tensor, share: float) -> Tensor:
    """Bring the first `share` of the pictures into MNIST's frame, as users' pictures are."""
    count = round(share * len(pictures))
    if count:
        result = frame_stack(pictures[:count].cpu().numpy())
        here = [index for index in range(count) if index not in result.rejected]
        pictures[here] = torch.from_numpy(result.images[here]).to(pictures.device)
    return pictures


def _as_bytes(pixels: Tensor) -> Tensor:
    return pixels.add(0.5).clamp_(0, 255).to(torch.uint8)
