"""A second opinion about single digits: what it changes, and what it leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlens.ctc import decode
from digitlens.ctc.rescoring import find_digit_steps, rescore


def draw_probs(rng: np.random.Generator, steps: int, sharpness: float) -> np.ndarray:
    """Return probabilities of so many time steps: float64 (T, 11)."""
    logits = sharpness * rng.normal(size=(steps, 11))
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(probs / probs.sum(axis=1, keepdims=True))


def text_of(probs: np.ndarray) -> str:
    """Return the likeliest string."""
    best = decode(probs).best
    assert best is not None
    return best.text


@given(
    seed=st.integers(0, 1_000_000),
    sharpness=st.sampled_from([0.5, 3.0, 30.0, 300.0]),
    weight=st.floats(0, 2),
)
def test_they_stay_probabilities(seed: int, sharpness: float, weight: float) -> None:
    """Rows sum to 1, no number leaves 0..1, and blanks and other steps stay as they are."""
    rng = np.random.default_rng(seed)
    probs = draw_probs(rng, 9, sharpness)
    steps = np.flatnonzero(rng.random(9) < 0.5)
    with np.errstate(divide="ignore"):
        said = np.log(draw_probs(rng, len(steps), sharpness))
    before = probs.copy()
    result = rescore(probs, steps, said, weight)
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-9)
    assert result.min() >= 0
    assert result.max() <= 1
    others = np.setdiff1d(np.arange(9), steps)
    assert np.array_equal(result[others], probs[others])
    assert np.array_equal(result[:, 10], probs[:, 10])
    assert np.array_equal(probs, before)


def test_without_weight_nothing_changes() -> None:
    """An opinion that counts nothing changes nothing but the last places."""
    rng = np.random.default_rng(0)
    probs = draw_probs(rng, 12, 2.0)
    steps = find_digit_steps(probs)
    said = np.log(draw_probs(rng, len(steps), 5.0))
    result = rescore(probs, steps, said, 0.0)
    np.testing.assert_allclose(result, probs, atol=1e-6)


@pytest.mark.parametrize("digit", range(10))
def test_which_digit_it_is_says_nothing_about_whether_there_is_one(digit: int) -> None:
    """A digit that the second opinion sees gains; that it sees none changes nothing."""
    probs = draw_probs(np.random.default_rng(digit), 1, 1.0)
    sure = np.full((1, 11), 0.001)
    sure[0, digit] = 0.99
    seen = rescore(probs, np.array([0]), np.log(sure), 1.0)
    assert seen[0, digit] > probs[0, digit]
    sure[0, 10] = 100.0
    unseen = rescore(probs, np.array([0]), np.log(sure / sure.sum()), 1.0)
    np.testing.assert_allclose(unseen, seen, atol=1e-2)


@given(seed=st.integers(0, 1_000_000), weight=st.floats(0, 3))
def test_the_same_opinion_twice_makes_nothing_surer(seed: int, weight: float) -> None:
    """The pool of an opinion with itself is that opinion, however much the second counts."""
    probs = draw_probs(np.random.default_rng(seed), 5, 1.0)
    result = rescore(probs, np.arange(5), np.log(probs), weight)
    np.testing.assert_allclose(result, probs, atol=2e-3)


def test_a_digit_is_put_right() -> None:
    """Of a line 4 9 the second is judged to be a 7."""
    probs = np.full((7, 11), 1e-3)
    probs[:, 10] = 0.99
    probs[2, [4, 10]] = 0.98, 0.011
    probs[4, [9, 7, 10]] = 0.6, 0.381, 0.011
    steps = find_digit_steps(probs)
    assert steps.tolist() == [2, 4]
    said = np.full((2, 11), 0.001)
    said[0, 4], said[1, 7] = 0.99, 0.99
    assert text_of(probs) == "49"
    assert text_of(rescore(probs, steps, np.log(said), 0.5)) == "47"


def test_a_line_without_digits_is_left_alone() -> None:
    """Without a step to judge the very same array comes back."""
    probs = np.full((5, 11), 1e-4)
    probs[:, 10] = 0.999
    steps = find_digit_steps(probs)
    assert not len(steps)
    assert rescore(probs, steps, np.empty((0, 11)), 1.0) is probs
