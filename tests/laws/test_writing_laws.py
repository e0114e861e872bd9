"""Laws of written lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlens.digits import Digits
from digitlens.synth import STYLES, Glyphs, prepare_glyphs, synthesize_line
from digitlens.synth.random import Random
from digitlens.synth.strokes import draw_strokes

TEXTS = st.text("0123456789", max_size=14)
STYLE_NAMES = st.sampled_from(sorted(STYLES))


@pytest.fixture(scope="module")
def glyphs(digits: Digits) -> Glyphs:
    """Return made-up digits, ready."""
    return prepare_glyphs(digits)


@settings(max_examples=60)
@given(text=TEXTS, style=STYLE_NAMES, seed=st.integers(0, 2**32))
def test_any_text_can_be_written_in_any_style(
    glyphs: Glyphs, text: str, style: str, seed: int
) -> None:
    """The text stays, zeros in front included; boxes lie inside; a seed can be repeated."""
    chosen = replace(STYLES[style], fonts=())
    one, two = (
        synthesize_line(glyphs, np.random.default_rng(seed), text=text, style=chosen)
        for _ in range(2)
    )
    assert one.text == text
    assert one.boxes.shape == (len(text), 4)
    rows, columns = one.image.shape
    left, top, right, bottom = one.boxes.T
    assert ((left >= 0) & (left < right) & (right <= columns)).all()
    assert ((top >= 0) & (top < bottom) & (bottom <= rows)).all()
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.boxes, two.boxes)


@given(seed=st.integers(0, 2**32), low=st.floats(-9, 9), high=st.floats(-9, 9))
def test_dice_stay_within_their_range(seed: int, low: float, high: float) -> None:
    """A number lies between its bounds, and below(n) is a whole number under n."""
    rng = Random(np.random.default_rng(seed))
    first, last = sorted((low, high))
    assert first <= rng.uniform(first, last) <= last + 1e-9
    assert 0 <= rng.integers(7) < 7


@given(
    points=st.lists(st.tuples(st.floats(-50, 90), st.floats(-50, 90)), min_size=2, max_size=6),
    width=st.floats(1, 9),
)
def test_a_stroke_only_adds_ink(points: list[tuple[float, float]], width: float) -> None:
    """Wherever a stroke goes, inside or out, no pixel gets lighter by more than its edge."""
    ink = np.full((30, 40), 60, np.uint8)
    draw_strokes(ink, points, width)
    assert ink.min() >= 55
