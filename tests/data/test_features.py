"""Features from pixels and back; a digit as text and as a picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from digitlens.data.features import (
    as_text,
    feature_index,
    from_one_hot,
    grid,
    grid_png,
    one_hot,
    pixel_at,
    rescale,
    unroll,
)
from digitlens.errors import LabelError, ShapeError, UsageError

RAMP = np.arange(784, dtype=np.uint32).astype(np.uint8).reshape(1, 28, 28)


def test_grey_is_divided_by_255() -> None:
    """0 becomes 0, 255 becomes exactly 1, and the type is float32."""
    scaled = rescale(np.arange(256, dtype=np.uint8))
    assert scaled.dtype == np.float32
    assert (scaled[0], scaled[255]) == (0, 1)
    assert np.array_equal(scaled, (np.arange(256) / 255).astype(np.float32))


@pytest.mark.parametrize("wrong", [np.zeros((1, 28, 28)), np.zeros(3, np.int64), [0, 255]])
def test_what_is_scaled_already_is_not_scaled_again(wrong: object) -> None:
    """Only uint8 is rescaled."""
    with pytest.raises(ShapeError, match="must be uint8"):
        rescale(wrong)  # type: ignore[arg-type]


def test_a_picture_is_unrolled_row_by_row() -> None:
    """Feature 28 is the first pixel of the second row."""
    rows = unroll(RAMP)
    assert rows.shape == (1, 784)
    assert rows.dtype == np.float32
    assert rows[0, 28] == np.float32(28 / 255)
    assert unroll(RAMP[:0]).shape == (0, 784)


def test_a_single_picture_is_told_from_many() -> None:
    """The message says what to type."""
    with pytest.raises(ShapeError, match=r"images\[None\]"):
        unroll(RAMP[0])


def test_the_corners_have_known_features() -> None:
    """Upper right is 27, lower left 756, lower right 783."""
    assert [feature_index(0, 27), feature_index(27, 0), feature_index(27, 27)] == [27, 756, 783]


@pytest.mark.parametrize(("row", "column"), [(28, 0), (0, 28), (-1, 0), (0, -1)])
def test_a_pixel_outside_has_no_feature(row: int, column: int) -> None:
    """A column of 28 is not the next row."""
    with pytest.raises(UsageError, match=r"0\.\.27"):
        feature_index(row, column)


@pytest.mark.parametrize("feature", [-1, 784])
def test_a_feature_outside_has_no_pixel(feature: int) -> None:
    """There are 784 features."""
    with pytest.raises(UsageError, match=r"0\.\.783"):
        pixel_at(feature)


def test_one_hot_is_ten_zeros_with_a_single_one() -> None:
    """The one stands at the label."""
    rows = one_hot(np.array([3, 0], np.uint8))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert one_hot(np.zeros(0, np.uint8)).shape == (0, 10)


@pytest.mark.parametrize("wrong", [[10], [-1], [1.5], [[1]], 3])
def test_one_hot_refuses_what_is_no_label(wrong: object) -> None:
    """Labels are whole numbers in 0..9, in one row."""
    with pytest.raises(LabelError):
        one_hot(np.array(wrong))


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ([0] * 10, "row 1: 0 0 0 0 0 0 0 0 0 0"),
        ([1, 1] + [0] * 8, "row 1: 1 1 0 0 0 0 0 0 0 0"),
        ([0.5, 0.5] + [0] * 8, "row 1: 0.5 0.5 0 0 0 0 0 0 0 0"),
        ([1, 0.1] + [0] * 8, "row 1: 1 0.1 0 0 0 0 0 0 0 0"),
        ([float("nan"), 1] + [0] * 8, "row 1: nan 1 0 0 0 0 0 0 0 0"),
    ],
)
def test_rows_that_are_not_one_hot_are_named(row: list[float], seen: str) -> None:
    """Probabilities, empty rows and rows of two ones are refused, with the row."""
    with pytest.raises(LabelError, match="a single one") as caught:
        from_one_hot(np.array([[1.0] + [0.0] * 9, row]))
    assert caught.value.seen == seen


def test_one_hot_rows_have_ten_columns() -> None:
    """Eleven classes are not ours."""
    with pytest.raises(LabelError, match=r"\(N, 10\)"):
        from_one_hot(np.zeros((2, 11)))


def test_a_grid_holds_every_picture_where_it_belongs() -> None:
    """Pictures are laid row by row with black between them; what is left stays black."""
    images = np.full((3, 28, 28), 200, np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None]
    picture = grid(images, columns=2, gap=3)
    assert picture.shape == (59, 59)
    assert (picture[:28, :28] == 200).all()
    assert (picture[:28, 31:] == 201).all()
    assert (picture[31:, :28] == 202).all()
    assert not picture[31:, 31:].any()
    assert not picture[28:31].any()


def test_a_grid_is_no_wider_than_its_pictures() -> None:
    """One picture makes a grid of one."""
    assert np.array_equal(grid(RAMP, columns=10, gap=2), RAMP[0])


@pytest.mark.parametrize(("columns", "gap", "zoom"), [(0, 2, 1), (2, -1, 1), (2, 2, 0)])
def test_a_grid_of_no_size_is_refused(columns: int, gap: int, zoom: int) -> None:
    """At least one column, no negative gap, and each pixel at least once."""
    with pytest.raises(UsageError):
        grid_png(RAMP, columns, gap, zoom)


def test_a_grid_of_nothing_is_refused() -> None:
    """There is no picture of no pictures."""
    with pytest.raises(UsageError, match="at least one picture"):
        grid(RAMP[:0])


def test_a_grid_is_written_as_png() -> None:
    """The PNG holds the same grey values, each zoom x zoom times."""
    with Image.open(io.BytesIO(grid_png(RAMP, zoom=3))) as picture:
        assert picture.mode == "L"
        pixels = np.asarray(picture)
    assert np.array_equal(pixels[::3, ::3], RAMP[0])
    assert np.array_equal(pixels[1::3, 2::3], RAMP[0])


def test_shades_need_no_colour() -> None:
    """Two characters a pixel, dark to light, no codes, nothing but blanks for paper."""
    image = np.zeros((28, 28), np.uint8)
    image[0, :5] = [0, 64, 128, 191, 255]
    lines = as_text(image).split("\n")
    assert lines == ["  ░░▒▒▓▓██", *[""] * 27]


def test_colours_are_used_when_asked_for() -> None:
    """Fourteen lines of half blocks, each line closed with a reset."""
    lines = as_text(RAMP[0], color=True).split("\n")
    assert len(lines) == 14
    assert all(line.count("▀") == 28 and line.endswith("\x1b[0m") for line in lines)
    assert "\x1b" not in as_text(RAMP[0]) + as_text(RAMP[0], numbers=True)


def test_numbers_show_the_ink_and_where_it_is() -> None:
    """Only rows and columns with ink are printed, and the first line says which."""
    image = np.zeros((28, 28), np.uint8)
    image[3:5, 7:9] = [[0, 128], [255, 64]]
    assert as_text(image, numbers=True) == (
        "rows 3..4, columns 7..8; every other pixel is 0\n  0 128\n255  64"
    )
    assert as_text(np.zeros((28, 28), np.uint8), numbers=True) == "every pixel is 0"


def test_text_is_of_one_digit() -> None:
    """Two digits at once are refused."""
    with pytest.raises(ShapeError):
        as_text(np.zeros((2, 28, 28), np.uint8))
