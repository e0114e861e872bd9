"""What holds for every picture and every label."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitlens.data.features import feature_index, from_one_hot, grid, one_hot, pixel_at, unroll

pictures = st.integers(1, 4).flatmap(lambda count: arrays(np.uint8, (count, 28, 28)))
places = st.integers(0, 27)


@given(pictures, places, places)
def test_a_feature_is_the_pixel_that_the_map_says(
    images: np.ndarray, row: int, column: int
) -> None:
    """Unroll puts pixel (row, column) at feature_index(row, column), divided by 255."""
    feature = feature_index(row, column)
    assert pixel_at(feature) == (row, column)
    expected = images[:, row, column].astype(np.float32) / np.float32(255)
    assert np.array_equal(unroll(images)[:, feature], expected)


@given(pictures)
def test_unrolling_loses_nothing(images: np.ndarray) -> None:
    """Times 255, rounded, a row of features is the picture again."""
    back = np.rint(unroll(images) * 255).astype(np.uint8).reshape(-1, 28, 28)
    assert np.array_equal(back, images)


@given(arrays(np.uint8, st.integers(0, 50), elements=st.integers(0, 9)))
def test_labels_come_back_from_one_hot(labels: np.ndarray) -> None:
    """from_one_hot undoes one_hot."""
    assert np.array_equal(from_one_hot(one_hot(labels)), labels)


@given(pictures, st.integers(1, 5), st.integers(0, 3))
def test_a_grid_holds_every_picture(images: np.ndarray, columns: int, gap: int) -> None:
    """Each picture is found in the grid, and nothing else is in it."""
    field = grid(images, columns, gap)
    across = min(columns, len(images))
    for index, image in enumerate(images):
        top, left = (28 + gap) * (index // across), (28 + gap) * (index % across)
        assert np.array_equal(field[top : top + 28, left : left + 28], image)
    assert field.sum(dtype=np.int64) == images.sum(dtype=np.int64)
