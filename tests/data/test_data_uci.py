"""The digits that come with digitlens."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.data import load_digits
from digitlens.data.uci import read_embedded, to_mnist


def test_the_embedded_digits_are_scikit_learns() -> None:
    """Every value of the 1,797 digits, and every label, in the same order."""
    sklearn = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    theirs = sklearn.load_digits()
    small, labels, _ = read_embedded()
    assert small.shape == (1797, 8, 8)
    assert np.array_equal(small, theirs.images)
    assert np.array_equal(labels, theirs.target)


def test_loading_gives_three_parts() -> None:
    """A fifth is the test part, a tenth of the rest is held back, nothing is lost."""
    data = load_digits("uci")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1294, 144, 359]
    assert data.split == (
        "by class: 144 of 1,438 digits are held back; the test part is 359 digits, "
        "a fifth of each class"
    )
    assert list(data.hashes) == ["uci.gz"]
    assert len(data.part("all")) == 1797


def test_digits_are_in_mnists_frame() -> None:
    """28 x 28 with empty edges, ink up to 255, the centre of mass within a pixel."""
    images = load_digits("uci").test.images
    assert images.shape[1:] == (28, 28)
    assert images.max() == 255
    # A 20 x 20 box that is moved by a few pixels leaves most of the edge empty.
    assert (images[:, [0, -1], :].max() == 0) and (images[:, :, [0, -1]].max() == 0)
    grid = np.arange(28) + 0.5
    mass = images.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = images.sum(axis=3 - axis) @ grid / mass
        assert np.abs(centre - 14).max() <= 0.5 + 1e-9


def test_scaling_is_smooth_and_keeps_flat_areas() -> None:
    """Full ink stays 255, bare paper 0, and a step becomes a slope."""
    assert to_mnist(np.full((1, 8, 8), 16, np.uint8))[0, 4:24, 4:24].min() == 255
    assert to_mnist(np.zeros((1, 8, 8), np.uint8)).max() == 0
    half = np.zeros((1, 8, 8), np.uint8)
    half[:, :, :4] = 16
    row = to_mnist(half)[0, 14].astype(int)
    assert len(set(row)) > 3
    assert (np.diff(row[row.argmax() :]) <= 0).all()
