"""What holds for every picture of a digit that is framed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlens.errors import DigitlensError
from digitlens.imaging import frame_digit

# Pens of two to four strokes in the inner part of a picture: what a hand may draw.
points = st.tuples(st.integers(12, 68), st.integers(12, 68))
strokes = st.lists(points, min_size=3, max_size=5, unique=True)


def drawn(stroke: list[tuple[int, int]], size: int = 80) -> np.ndarray:
    """Return uint8 (size, size), white ink on black: a line through the points."""
    import cv2

    field = np.zeros((size, size), np.uint8)
    cv2.polylines(field, [np.array(stroke, np.int32)], False, 255, 7, cv2.LINE_AA)
    return field


def close(one: np.ndarray, two: np.ndarray) -> bool:
    """Say whether two digits are the same but for grey values at the strokes' edges."""
    return bool(np.abs(one.astype(int) - two).mean() < 4)


@settings(max_examples=30)
@given(strokes)
def test_a_framed_digit_is_bounded_and_centred(stroke: list[tuple[int, int]]) -> None:
    """The longer side is 20, and the centre of mass is in the middle or as near as fits."""
    digit = frame_digit(drawn(stroke))
    rows, columns = (np.flatnonzero(digit.any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(height, width) == 20
    assert digit.max() == 255
    mass = digit.astype(float)
    for axis, places in ((1, rows), (0, columns)):
        index = float(mass.sum(axis=axis) @ np.arange(28) / mass.sum())
        assert abs(index - 14) <= 0.5 or places[0] == 0 or places[-1] == 27


@settings(max_examples=30)
@given(strokes)
def test_framing_twice_is_framing_once(stroke: list[tuple[int, int]]) -> None:
    """A framed digit framed again is the same, but for grey values at its edges."""
    once = frame_digit(drawn(stroke))
    assert close(frame_digit(once), once)


@settings(max_examples=30)
@given(strokes)
def test_polarity_does_not_matter(stroke: list[tuple[int, int]]) -> None:
    """White on black and black on white give the same digit."""
    picture = drawn(stroke)
    assert close(frame_digit(picture), frame_digit(255 - picture))


@settings(max_examples=30)
@given(strokes, st.integers(0, 60), st.integers(0, 60))
def test_paper_around_does_not_matter(
    stroke: list[tuple[int, int]], above: int, left: int
) -> None:
    """More paper on any side gives the same digit."""
    picture = drawn(stroke)
    width = np.pad(picture, ((above, 5), (left, 9)))
    assert close(frame_digit(picture), frame_digit(width))


@settings(max_examples=20)
@given(strokes, st.integers(2, 4))
def test_size_does_not_matter(stroke: list[tuple[int, int]], times: int) -> None:
    """The same picture two to four times as large gives nearly the same digit."""
    picture = drawn(stroke)
    large = picture.repeat(times, axis=0).repeat(times, axis=1)
    one, two = frame_digit(picture), frame_digit(large)
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.93


@settings(max_examples=100)
@given(
    st.integers(5, 40),
    st.integers(5, 40),
    st.sampled_from([0, 3, 4]),
    st.integers(0, 2**32 - 1),
)
def test_any_array_is_framed_or_refused(
    height: int, width: int, colors: int, seed: int
) -> None:
    """Noise of any size gives a digit or an error of ours, never anything else."""
    shape = (height, width, colors) if colors else (height, width)
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    try:
        digit = frame_digit(noise)
    except DigitlensError:
        return
    assert (digit.shape, digit.dtype) == ((28, 28), np.uint8)
