"""Digits: what they accept, what they say about what they do not."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.digits import Digits, check_images, check_labels
from digitlens.errors import LabelError, ShapeError

BLANK = np.zeros((3, 28, 28), np.uint8)


def test_positions_count_up_when_not_given() -> None:
    """Without positions, a digit's place is its index."""
    assert Digits(BLANK, np.array([1, 2, 3])).positions.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "which", [slice(1, 3), np.array([1, 2]), np.array([False, True, True])]
)
def test_a_part_keeps_positions_and_writers(which: slice | np.ndarray) -> None:
    """A slice, indices and a mask pick the same digits, with all that is known of them."""
    digits = Digits(
        BLANK, np.array([1, 2, 3]), "here", np.array([5, 6, 9]), np.array([0, 0, 4])
    )
    part = digits[which]
    assert len(part) == 2
    assert part.source == "here"
    assert part.labels.tolist() == [2, 3]
    assert part.positions.tolist() == [6, 9]
    assert part.writers is not None
    assert part.writers.tolist() == [0, 4]


def test_counts_name_every_class() -> None:
    """Counts hold ten numbers, also for classes that do not occur."""
    digits = Digits(BLANK, np.array([7, 7, 0]))
    assert digits.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 2, 0, 0]
    assert digits[:0].counts.tolist() == [0] * 10


def test_digits_are_walked_over_in_pairs() -> None:
    """Walking over digits gives each picture with its label as a plain number."""
    pairs = list(Digits(BLANK, np.array([1, 2, 3])))
    assert [label for _, label in pairs] == [1, 2, 3]
    assert all(image.shape == (28, 28) for image, _ in pairs)


def test_labels_become_uint8() -> None:
    """Labels of any whole-number type are kept as uint8."""
    assert Digits(BLANK, np.array([1, 2, 9], np.int64)).labels.dtype == np.uint8


@pytest.mark.parametrize(
    ("images", "seen", "likely", "attempt"),
    [
        (BLANK[0], "uint8 (28, 28)", "a single picture", "images[None]"),
        (
            BLANK[..., None],
            "uint8 (3, 28, 28, 1)",
            "pictures with a channel axis",
            "images.reshape(-1, 28, 28)",
        ),
        (
            BLANK.reshape(3, 784),
            "uint8 (3, 784)",
            "unrolled pictures, 784 features a row",
            "images.reshape(-1, 28, 28)",
        ),
        (
            np.ones((3, 28, 28), np.float32),
            "float32 (3, 28, 28)",
            "pictures that are scaled already",
            "(images * 255).round().astype('uint8')",
        ),
        (np.zeros((3, 32, 32), np.uint8), "uint8 (3, 32, 32)", None, None),
    ],
)
def test_other_shapes_are_named(
    images: np.ndarray, seen: str, likely: str | None, attempt: str | None
) -> None:
    """Pictures of another shape are refused, with what they probably are."""
    with pytest.raises(ShapeError) as caught:
        check_images(images)
    error = caught.value
    assert error.wanted == "the images must be uint8 (N, 28, 28), 0 = paper, 255 = ink"
    assert (error.seen, error.likely, error.try_) == (seen, likely, attempt)


def test_what_is_no_array_is_refused() -> None:
    """A list of pictures is refused with the way to make an array of it."""
    with pytest.raises(ShapeError) as caught:
        check_images([BLANK[0]])
    assert caught.value.seen == "list"


@pytest.mark.parametrize("worst", [10, -1, 26])
def test_a_label_outside_0_to_9_is_named(worst: int) -> None:
    """A label outside 0..9 is refused; the first is named with its index."""
    with pytest.raises(LabelError) as caught:
        check_labels(np.array([0, 9, worst, 11]), count=4)
    assert f"the first is {worst}, at index 2" in str(caught.value)


def test_labels_must_be_as_many_as_pictures() -> None:
    """One label too few is refused, with both shapes."""
    with pytest.raises(LabelError, match=r"one for each picture: \(3,\)"):
        Digits(BLANK, np.array([1, 2]))


def test_one_hot_labels_are_recognised() -> None:
    """One-hot rows where labels belong are refused with the way back."""
    with pytest.raises(LabelError) as caught:
        check_labels(np.eye(10, dtype=np.float32), count=10)
    assert "from_one_hot" in str(caught.value.try_)


def test_fractions_are_no_labels() -> None:
    """Labels that are not of a whole-number type are refused."""
    with pytest.raises(LabelError) as caught:
        check_labels(np.array([0.5]), count=1)
    assert caught.value.seen == "dtype float64"
