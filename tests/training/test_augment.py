"""Orders and changes of an epoch's digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from digitlens.digits import SIDE, Digits
from digitlens.models.recipe import Recipe
from digitlens.training.augment import augment_epoch, make_generator
from digitlens.training.distort import CENTRE, sample_deformation, sampling_matrix

PLAIN = Recipe(epochs=1, batch=10, learning_rate=0.1)


def tensors(digits: Digits) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures and labels as the trainer holds them."""
    return torch.from_numpy(digits.images), torch.from_numpy(digits.labels.astype(np.int64))


def test_an_epoch_without_changes_holds_every_digit_once(digits: Digits) -> None:
    """A plain recipe only reorders, and keeps each label with its picture."""
    images, labels = tensors(digits)
    lesson = augment_epoch(images, labels, recipe=PLAIN, rng=make_generator(0, 0))
    shuffled, truth = lesson.images, lesson.labels
    before = sorted((p.numpy().tobytes(), int(t)) for p, t in zip(images, labels, strict=True))
    after = sorted((p.numpy().tobytes(), int(t)) for p, t in zip(shuffled, truth, strict=True))
    assert before == after
    assert not torch.equal(labels, truth)


def test_chance_depends_on_seed_and_epoch_alone(digits: Digits) -> None:
    """The same seed and epoch give the same epoch; another of either gives another."""
    images, labels = tensors(digits)
    recipe = replace(PLAIN, translate=1, rotate=5.0)

    def first(seed: int, epoch: int) -> torch.Tensor:
        return augment_epoch(
            images, labels, recipe=recipe, rng=make_generator(seed, epoch)
        ).images

    assert torch.equal(first(1, 2), first(1, 2))
    assert not torch.equal(first(1, 2), first(1, 3))
    assert not torch.equal(first(1, 2), first(2, 2))


def test_shifts_are_all_moves_equally_often() -> None:
    """Every move of up to one pixel each way comes equally often."""
    images = torch.zeros(900, SIDE, SIDE, dtype=torch.uint8)
    images[:, 10, 12] = 255
    labels = torch.zeros(900, dtype=torch.int64)
    recipe = replace(PLAIN, translate=1)
    moved = augment_epoch(images, labels, recipe=recipe, rng=make_generator(0, 0)).images
    places = moved.flatten(1).argmax(1)
    result, counts = places.unique(return_counts=True)
    expected = sorted(SIDE * (10 + a) + 12 + b for a in (-1, 0, 1) for b in (-1, 0, 1))
    assert result.tolist() == expected
    assert counts.tolist() == [100] * 9


def test_a_shift_lets_paper_in_and_nothing_round_the_edge() -> None:
    """What leaves the field is lost; it does not come back on the other side."""
    images = torch.full((9, SIDE, SIDE), 255, dtype=torch.uint8)
    labels = torch.zeros(9, dtype=torch.int64)
    recipe = replace(PLAIN, translate=1)
    moved = augment_epoch(images, labels, recipe=recipe, rng=make_generator(0, 0)).images
    assert sorted(int((picture == 0).sum()) for picture in moved) == [
        0, 28, 28, 28, 28, 55, 55, 55, 55
    ]  # fmt: skip


def test_no_deformation_is_the_identity() -> None:
    """A recipe that changes nothing gives the identity matrix."""
    matrix = sample_deformation(PLAIN, make_generator(0, 0))
    torch.testing.assert_close(matrix, torch.eye(SIDE * SIDE), atol=1e-5, rtol=0)


def test_a_deformation_only_mixes_pixels() -> None:
    """Weights sum to 1, or to less at the edge; the cubic kernel's are at least -0.15."""
    recipe = replace(PLAIN, translate=2, rotate=20.0, scale=0.2, shear=0.2, elastic=1.0)
    for seed in range(10):
        matrix = sample_deformation(recipe, make_generator(seed, 0))
        assert matrix.min() >= -0.15
        middle = matrix.sum(0).reshape(SIDE, SIDE)[12:16, 12:16]
        torch.testing.assert_close(middle, torch.ones(4, 4), atol=1e-5, rtol=0)


def test_an_overshoot_is_clipped(digits: Digits) -> None:
    """However sharp the edges, a deformed digit has pixels in 0..255 and paper around."""
    images, labels = tensors(digits)
    recipe = replace(PLAIN, rotate=10.0)
    lesson = augment_epoch(images, labels, recipe=recipe, rng=make_generator(0, 0))
    ink = lesson.images.float().flatten(1).mean(1)
    assert float(ink.std()) > 0
    share = float((lesson.images > 250).float().mean() / (images > 250).float().mean())
    assert 0.5 < share < 1.5, "an overshoot that wrapped round would blacken or whiten much"


def test_deforming_keeps_edges() -> None:
    """Half a pixel aside, an edge is as steep as cubic interpolation leaves it: 9 in 16."""
    picture = torch.zeros(SIDE, SIDE)
    picture[:, 14:] = 1
    axis = torch.arange(SIDE, dtype=torch.float32)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    sources = torch.stack([columns.flatten() + 0.5, rows.flatten()], dim=1)
    moved = (picture.flatten() @ sampling_matrix(sources)).reshape(SIDE, SIDE)[14]
    expected = [0.0, -0.0625, 0.5, 1.0625, 1.0]
    torch.testing.assert_close(moved[11:16], torch.tensor(expected), atol=1e-5, rtol=0)


def test_sampling_keeps_a_slope_as_it_is() -> None:
    """On an even slope, a pixel taken from between others lies between them."""
    sources = torch.zeros(SIDE * SIDE, 2)
    sources[0] = torch.tensor([3.25, 5.5])
    picture = torch.arange(SIDE * SIDE, dtype=torch.float32)
    value = (picture @ sampling_matrix(sources))[0]
    assert value == 5.5 * SIDE + 3.25


def test_a_quarter_turn_turns_the_picture() -> None:
    """Sources turned by 90 degrees give numpy's rot90, so columns and rows are not swapped."""
    axis = torch.arange(SIDE) - CENTRE
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    sources = torch.stack([-rows.flatten(), columns.flatten()], 1) + CENTRE
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)).astype(np.float32)
    turned = torch.from_numpy(picture.ravel()) @ sampling_matrix(sources)
    np.testing.assert_allclose(turned.reshape(SIDE, SIDE).numpy(), np.rot90(picture))


def test_deforming_in_bf16_moves_no_pixel_far(digits: Digits) -> None:
    """Half precision changes a pixel by at most two grey levels."""
    images, labels = tensors(digits)
    recipe = replace(PLAIN, translate=1, rotate=8.0, scale=0.1)
    full = augment_epoch(
        images, labels, recipe=recipe, rng=make_generator(0, 0), bf16=False
    ).images
    half = augment_epoch(
        images, labels, recipe=recipe, rng=make_generator(0, 0), bf16=True
    ).images
    assert int((full.int() - half.int()).abs().max()) <= 2
