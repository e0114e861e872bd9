"""Strokes drawn with a pen: in MNIST's frame whatever the pen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlens.synth.pen import JOINTS, Pen, frame_ink, render_strokes, sample_pen

SEVEN = [
    np.array([[0, 0], [60, 0], [20, 100]], np.float32),
    np.array([[15, 50], [60, 50]], np.float32),
]
POINTS = st.lists(st.tuples(*[st.floats(0, 300, width=32)] * 2), min_size=1, max_size=8)


def spread(digit: np.ndarray) -> tuple[int, int]:
    """Return the height and width of the ink."""
    rows, columns = np.nonzero(digit)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@settings(deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=3), st.integers(0, 2**32))
def test_any_strokes_fill_the_frame(
    strokes: list[list[tuple[float, float]]], seed: int
) -> None:
    """The longer side is 20 pixels, and the centre of mass is in the middle."""
    rng = np.random.default_rng(seed)
    drawn = [np.array(stroke, np.float32) for stroke in strokes]
    digit = render_strokes(drawn, sample_pen(rng), rng)
    assert digit.shape == (28, 28)
    assert digit.dtype == np.uint8
    assert max(spread(digit)) == 20
    mass = digit.astype(float) / digit.sum()
    places = np.arange(28) + 0.5
    for axis in (0, 1):
        centre = float(mass.sum(axis=axis) @ places)
        # As near to the middle as a whole pixel, or the edge, allows.
        ink = np.flatnonzero(digit.any(axis=axis))
        assert abs(centre - 14) < 1.01 or ink[0] == 0 or ink[-1] == 27


def test_a_wider_pen_leaves_more_ink() -> None:
    """The width is that of the stroke, for each joint."""
    for joint in JOINTS:
        ink = [
            render_strokes(SEVEN, Pen(width=w, joint=joint)).sum() for w in (0.06, 0.12, 0.2)
        ]
        assert ink == sorted(ink)
        assert ink[0] * 1.3 < ink[2]


def test_a_stem_is_as_wide_as_the_pen() -> None:
    """A stroke of an eighth of the digit is an eighth of 20 pixels wide."""
    stem = render_strokes([np.array([[0, 0], [0, 90]], np.float32)], Pen(width=0.125))
    across = stem[14].sum() / 255
    assert 2.0 <= across <= 3.0


def test_slant_leans_to_the_right() -> None:
    """With a slant the top lies to the right of the bottom; without one above it."""
    stem = [np.array([[0, 0], [0, 90]], np.float32)]
    leaning = render_strokes(stem, Pen(slant=0.5))
    top, bottom = (np.flatnonzero(leaning[row]).mean() for row in (5, 22))
    assert top - bottom > 6
    upright = render_strokes(stem, Pen())
    assert spread(upright)[1] <= 3


def test_aspect_and_rotation_change_the_shape() -> None:
    """A broad hand is broader; a stem turned by a quarter lies."""
    narrow, broad = (spread(render_strokes(SEVEN, Pen(aspect=a)))[1] for a in (0.7, 1.4))
    assert narrow < broad
    stem = [np.array([[0, 0], [0, 90]], np.float32)]
    height, width = spread(render_strokes(stem, Pen(rotation=90.0)))
    assert (height <= 3, width) == (True, 20)


def test_the_same_generator_draws_the_same() -> None:
    """Chance comes from the generator alone, and moves an unsteady hand."""
    pen = Pen(wobble=0.05)
    one, two, other = (
        render_strokes(SEVEN, pen, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (one == two).all()
    assert (one != other).any()


def test_a_dot_is_drawn() -> None:
    """A stroke of one point is a dot as wide as the pen."""
    dotted = [*SEVEN, np.array([[5, 90]], np.float32)]
    assert render_strokes(dotted, Pen()).sum() > render_strokes(SEVEN, Pen()).sum()


def test_strokes_are_not_changed() -> None:
    """Drawing leaves the points as they were."""
    before = [stroke.copy() for stroke in SEVEN]
    render_strokes(SEVEN, Pen(wobble=0.1), np.random.default_rng(0))
    assert all((one == two).all() for one, two in zip(before, SEVEN, strict=True))


@pytest.mark.parametrize("shape", [(120, 40), (30, 200), (21, 21), (500, 3)])
def test_ink_of_any_shape_is_framed(shape: tuple[int, int]) -> None:
    """Full ink stays full ink, its longer side becomes 20 pixels."""
    digit = frame_ink(np.full(shape, 255, np.uint8))
    assert max(spread(digit)) == 20
    assert digit.max() == 255
