"""Negatives: pictures that are no digit, made from digits and from noise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from digitlens.digits import FEATURES, SIDE
from digitlens.training.distort import CENTRE, blur_images, sampling_matrix

Maker = Callable[[Tensor, Tensor, torch.Generator], Tensor]


NO_DIGIT_MIRRORED = (3, 4, 6, 7, 9)  # classes that are no digit in a mirror

# Classes that are no digit when they are turned by a quarter.
NO_DIGIT_ROTATED = (2, 3, 4, 5, 7)

# Classes whose upper and lower halves are no digit: those of 6, 8 and 9 hold a 0.
NO_DIGIT_HALVED_DOWN = (2, 3, 4, 5)

# Classes whose left and right halves are no digit: those of 1 and 7 can be a 1.
NO_DIGIT_HALVED_ACROSS = (0, 2, 3, 4, 5, 6, 8, 9)

HALF = SIDE // 2
MAX_STROKES = 4  # a made-up sign has two strokes to this many
STROKE_POINTS = 24  # points on a stroke: nearer to each other than the pen is wide
PEN_LIFT_SHARE = 0.3  # how often a stroke begins somewhere else than where the last one ended
CURVED_SHARE = 0.5  # how often a stroke is curved

# Ink whose variance across is below this, in square pixels, is one straight stroke.
MIN_BREADTH = 3.0

MARGIN = 4  # pixels around the 20 x 20 box that digits fill


def make_negatives(images: Tensor, labels: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Make `count` pictures that are no digit: float32 (count, 28, 28) in 0..1, 1 = ink.

    images, labels: digits to make them of: uint8 (N, 28, 28) and int64 (N,), N > 0, in random
        order
    rng: a generator on the processor

    The kinds are equally frequent and take turns: quarters of four digits, quarters that
    changed places, halves, two digits on top of each other and side by side, digits in a
    mirror or laid down, scribbles, made-up signs (twice), blobs, noise.
    """
    result = torch.empty(count, SIDE, SIDE, device=images.device)
    indices = torch.arange(count, device=images.device)
    for index, make in enumerate(MAKERS):
        places = indices[index :: len(MAKERS)]
        chosen = torch.randint(len(labels), (len(places),), generator=rng)
        chosen = chosen.to(images.device)
        if len(places):
            digits = images[chosen].float().div_(255)
            result[places] = make(digits, labels[chosen], rng)
    return result.clamp_(0, 1)


def _mix_quarters(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    mixed = digits.clone()
    mixed[:, :HALF, HALF:] = digits.roll(1, 0)[:, :HALF, HALF:]
    mixed[:, HALF:, :HALF] = digits.roll(2, 0)[:, HALF:, :HALF]
    mixed[:, HALF:, HALF:] = digits.roll(3, 0)[:, HALF:, HALF:]
    return mixed


def _swap_quarters(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    return digits.roll((HALF - 1, HALF - 1), (1, 2))


def _cut_half(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:
    """Cut each digit in two and bring one half to the size of a whole one."""
    across = _is_one_of(labels, NO_DIGIT_HALVED_ACROSS)
    along = _is_one_of(labels, NO_DIGIT_HALVED_DOWN)
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
            matrix = _placing_matrix(scale, scale, 5 * column, 5 * row, inside=(column, row))
            result[wanted] = flat[wanted] @ matrix.to(flat.device)
    return result.reshape(-1, SIDE, SIDE)


def _overlay(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    moves = torch.randint(-5, 6, (2,), generator=rng).tolist()
    return torch.maximum(digits, digits.roll(1, 0).roll(moves, (1, 2)))


def _put_side_by_side(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    """Put two digits beside each other, squeezed into the frame of one."""
    height = 1.2 + 0.8 * float(torch.rand((), generator=rng))
    flat = digits.flatten(1)
    left = flat @ _placing_matrix(2.0, height, 10.0, 0.0).to(flat.device)
    right = flat.roll(1, 0) @ _placing_matrix(2.0, height, -10.0, 0.0).to(flat.device)
    return torch.maximum(left, right).reshape(-1, SIDE, SIDE)


def _mirror_or_rotate(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:
    mirrored = digits.flip(2)
    rotated = digits.rot90(1, (1, 2))
    either = torch.rand(len(labels), generator=rng).to(labels.device) < 0.5
    mirror = _is_one_of(labels, NO_DIGIT_MIRRORED) & (
        either | ~_is_one_of(labels, NO_DIGIT_ROTATED)
    )
    rotate = _is_one_of(labels, NO_DIGIT_ROTATED) & ~mirror
    others = _swap_quarters(digits, labels, rng)
    result = torch.where(mirror[:, None, None], mirrored, others)
    return torch.where(rotate[:, None, None], rotated, result)


def _draw_scribble(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    """Draw the curves on which a smooth random field is zero, cut where another is low."""
    knots = int(torch.randint(4, 9, (), generator=rng))
    field = _smooth_field(len(digits), knots, rng)
    slope_y, slope_x = torch.gradient(field, dim=(1, 2))
    steep = (slope_y.square() + slope_x.square()).sqrt().add_(0.02)
    width = 0.8 + float(torch.rand((), generator=rng))
    ink = (width + 0.5 - field.abs() / steep).clamp_(0, 1)
    cut = (_smooth_field(len(digits), 4, rng) * 4 + 1).clamp_(0, 1)
    return (ink * cut * _center_window()).to(digits.device)


def _draw_sign(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    """Draw signs that nobody uses: two to four strokes between points of a coarse grid."""
    count = len(digits)
    ends = torch.randint(0, 4, (count, MAX_STROKES + 1, 2), generator=rng).float() / 3
    ends += 0.08 * torch.randn(ends.shape, generator=rng)
    starts, stops = ends[:, :-1].clone(), ends[:, 1:]
    lifted = torch.rand(count, MAX_STROKES, 1, generator=rng) < PEN_LIFT_SHARE
    starts = torch.where(lifted, torch.rand(starts.shape, generator=rng), starts)
    middles = (starts + stops) / 2
    bent = torch.rand(count, MAX_STROKES, 1, generator=rng) < CURVED_SHARE
    middles += bent * 0.45 * torch.randn(middles.shape, generator=rng)
    along = torch.linspace(0, 1, STROKE_POINTS).view(1, 1, -1, 1)
    curve = (
        (1 - along) ** 2 * starts[:, :, None]
        + 2 * along * (1 - along) * middles[:, :, None]
        + along**2 * stops[:, :, None]
    )
    box = 20 * (0.5 + 0.5 * torch.rand(count, 1, 1, 2, generator=rng))
    places = (curve - 0.5) * box + CENTRE
    used = torch.randint(2, MAX_STROKES + 1, (count, 1), generator=rng)
    unused = torch.arange(MAX_STROKES) >= used
    places = places.masked_fill(unused[:, :, None, None], -2.0 * SIDE).flatten(1, 2)
    rows, columns = _pixel_grid()
    pixels = torch.stack([columns, rows], dim=1).expand(count, -1, -1)
    away = torch.cdist(pixels, places).amin(2).reshape(-1, SIDE, SIDE)
    pen_width = 0.8 + 1.2 * torch.rand(count, 1, 1, generator=rng)
    signs = (pen_width + 0.5 - away).clamp_(0, 1)
    # Strokes that fell on one line are a 1: they get a second sign on top.
    straight = _measure_breadth(signs) < MIN_BREADTH
    signs[straight] = torch.maximum(signs, signs.roll(1, 0))[straight]
    return signs.to(digits.device)


def _measure_breadth(pictures: Tensor) -> Tensor:
    """Return the variance of the ink across its main direction, in square pixels: (N,)."""
    rows, columns = _pixel_grid()
    ink = pictures.flatten(1)
    ink = ink / ink.sum(1, keepdim=True).clamp_min(1e-6)
    y, x = ink @ rows, ink @ columns
    vertical = (ink * (rows - y[:, None]).square()).sum(1)
    horizontal = (ink * (columns - x[:, None]).square()).sum(1)
    mixed = (ink * (rows - y[:, None]) * (columns - x[:, None])).sum(1)
    half = (vertical - horizontal) / 2
    return (vertical + horizontal) / 2 - (half.square() + mixed.square()).sqrt()


def _draw_blob(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    knots = int(torch.randint(3, 7, (), generator=rng))
    shape = (_smooth_field(len(digits), knots, rng) * 8 + 1).clamp_(0, 1)
    gray = 0.4 + 0.6 * torch.rand(len(digits), 1, 1, generator=rng)
    inside = 1 + 0.5 * _smooth_field(len(digits), 10, rng)
    return (shape * gray * inside * _center_window()).clamp_(0, 1).to(digits.device)


def _draw_noise(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001
    grains = torch.randn(digits.shape, generator=rng)
    sigma = 2 * float(torch.rand((), generator=rng))
    if sigma > 0.3:
        grains = blur_images(grains, sigma) * (1 + 2 * sigma)
    strength = torch.rand(len(digits), 1, 1, generator=rng)
    return (grains * strength).to(digits.device)


MAKERS: tuple[Maker, ...] = (
    _mix_quarters,
    _swap_quarters,
    _cut_half,
    _overlay,
    _put_side_by_side,
    _mirror_or_rotate,
    _draw_scribble,
    _draw_sign,
    _draw_sign,
    _draw_blob,
    _draw_noise,
)


def _is_one_of(labels: Tensor, classes: tuple[int, ...]) -> Tensor:
    return torch.isin(labels, torch.tensor(classes, device=labels.device))


def _smooth_field(count: int, knots: int, rng: torch.Generator) -> Tensor:
    """Draw smooth random fields: float32 (count, 28, 28), mean 0, standard deviation near 1."""
    coarse = torch.randn(count, 1, knots, knots, generator=rng)
    size = (SIDE, SIDE)
    return functional.interpolate(coarse, size=size, mode="bicubic").squeeze(1)


def _pixel_grid() -> tuple[Tensor, Tensor]:
    """Return row and column of each pixel of an unrolled picture: float32 (784,) each."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    return rows.flatten(), columns.flatten()


def _center_window() -> Tensor:
    """Return 1 in the box that digits fill, falling to 0 outside: float32 (28, 28)."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    edge = (torch.minimum(axis, SIDE - 1 - axis) - MARGIN + 2).clamp_(0, 1)
    return edge[:, None] * edge[None]


def _placing_matrix(
    width: float,
    height: float,
    column: float,
    row: float,
    inside: tuple[float, float] = (0.0, 0.0),
) -> Tensor:
    """Return the matrix that takes each pixel from (x width + column, y height + row).

    Coordinates are those from the middle. With `inside` = (-1, 0) only what lies left of the
    middle is taken, and so on.
    """
    rows, columns = _pixel_grid()
    x, y = (columns - CENTRE) * width + column, (rows - CENTRE) * height + row
    beyond = (x * inside[0] < 0) | (y * inside[1] < 0)
    x = torch.where(beyond, -2.0 * SIDE, x)
    assert len(x) == FEATURES
    return sampling_matrix(torch.stack([x, y], dim=1) + CENTRE)
