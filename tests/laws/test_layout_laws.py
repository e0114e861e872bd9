"""Laws of layouts, and of the quick medians that they are made with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitlens.imaging.binarize import count_median
from digitlens.layout import PageLayout, find_lines
from digitlens.layout.detect import MAX_CROPS, reading_order
from digitlens.layout.grouping import fast_median, fast_quantile

SIDES = st.integers(5, 400)


def scrawl(seed: int, height: int, width: int, colors: bool) -> np.ndarray:
    """Draw strokes, boxes, words and noise anyhow."""
    rng = np.random.default_rng(seed)
    shape = (height, width, 3) if colors else (height, width)
    page = np.full(shape, int(rng.integers(0, 256)), np.uint8)
    for _ in range(int(rng.integers(0, 25))):
        one, two = (tuple(rng.integers(-20, 420, 2).tolist()) for _ in range(2))
        ink = tuple(rng.integers(0, 256, 3).tolist())
        thick = int(rng.integers(1, 9))
        kind = rng.integers(4)
        if kind == 0:
            cv2.line(page, one, two, ink, thick)
        elif kind == 1:
            cv2.rectangle(page, one, two, ink, thick)
        elif kind == 2:
            cv2.circle(page, one, 5 * thick, ink, thick)
        else:
            cv2.putText(page, "4028 AB", one, 0, thick / 3, ink, thick)
    noise = rng.normal(0, rng.uniform(0, 30), page.shape)
    return np.clip(page + noise, 0, 255).astype(np.uint8)


def check(layout: PageLayout, height: int, width: int) -> None:
    """Check what holds for every layout."""
    assert layout.size == (width, height)
    assert len(layout) <= MAX_CROPS
    filled = [
        cell.crop for grid in layout.grids for cell in grid.cells if cell.crop is not None
    ]
    for crop in [*layout.crops, *filled]:
        columns = crop.ink.shape[1]
        assert crop.ink.dtype == np.uint8
        assert crop.columns.shape == (columns + 1,)
        assert (np.diff(crop.columns) >= 1).all()
        assert 0 <= crop.score <= 1
        left, top, right, bottom = crop.box
        assert left < right
        assert top < bottom
        # Corners of what slopes may lie outside the picture, its middle not.
        x, y = crop.corners.mean(axis=0)
        assert -2 <= x <= width + 2
        assert -2 <= y <= height + 2
    for grid in layout.grids:
        assert len(grid.cells) == grid.rows * grid.columns


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), height=SIDES, width=SIDES, colors=st.booleans())
def test_any_picture_has_a_layout(seed: int, height: int, width: int, colors: bool) -> None:
    """Whatever is drawn, in whatever colours and size, gives crops as they are promised."""
    check(find_lines(scrawl(seed, height, width, colors)), height, width)


@settings(max_examples=15)
@given(
    picture=arrays(np.uint8, st.tuples(st.integers(5, 40), st.integers(5, 40))),
    count=st.none() | st.integers(1, 9),
    boxes=st.booleans(),
    rotation=st.none() | st.floats(-360, 360),
)
def test_any_pixels_have_a_layout(
    picture: np.ndarray, count: int | None, boxes: bool, rotation: float | None
) -> None:
    """Small pictures of any pixels do not fail, whatever hints are given."""
    check(find_lines(picture, count=count, boxes=boxes, rotation=rotation), *picture.shape)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_turned_over_twice_is_the_same(seed: int) -> None:
    """A layout turned over twice has the same crops; once, they lie in the same places."""
    layout = find_lines(scrawl(seed, 300, 350, colors=False))
    once, twice = layout.upside_down(), layout.upside_down().upside_down()
    for crop, over, back in zip(layout.crops, once.crops[::-1], twice.crops, strict=True):
        assert over.box == pytest.approx(crop.box, abs=1e-6)
        assert np.array_equal(crop.ink, back.ink)
        assert np.allclose(crop.to_picture, back.to_picture)
        assert np.allclose(crop.columns, back.columns)


@given(
    places=st.lists(
        st.tuples(*[st.floats(0, 900), st.floats(0, 900), st.floats(1, 90), st.floats(1, 60)]),
        max_size=30,
    )
)
def test_each_line_is_read_once(places: list[tuple[float, float, float, float]]) -> None:
    """The reading order holds every line once."""
    boxes = np.array([[x, y, x + width, y + height] for x, y, width, height in places]).reshape(
        -1, 4
    )
    assert sorted(reading_order(boxes)) == list(range(len(places)))


FINITE = {"allow_nan": False, "allow_infinity": False, "width": 32}
NUMBERS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda kind: arrays(kind, st.integers(1, 40), elements=st.floats(-1000, 1000, **FINITE))
)


@given(NUMBERS, st.sampled_from([0.0, 0.25, 0.75, 0.8, 0.999, 1.0]))
def test_a_quantile_is_numpys(values: np.ndarray, share: float) -> None:
    """A quantile is what numpy.quantile gives, to the last bit."""
    assert fast_quantile(values, share) == float(np.quantile(values, share))


@given(NUMBERS)
def test_a_median_is_numpys(values: np.ndarray) -> None:
    """A median is what numpy.median gives, to the last bit."""
    assert fast_median(values) == float(np.median(values))


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_a_median_of_grey_values_is_numpys(plane: np.ndarray) -> None:
    """A median that is counted is what numpy.median gives."""
    assert count_median(plane) == np.median(plane)
