"""The probability of a length, summed over all strings."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from digitlens.ctc.decode import decode
from digitlens.ctc.forward import length_posterior, string_probabilities


def made(count: int, seed: int) -> np.ndarray:
    """Return the probabilities of time steps that may be anything."""
    return np.random.default_rng(seed).dirichlet(np.full(11, 0.3), count)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_sum_over_all_strings(seed: int) -> None:
    """What is returned is the sum of the probabilities of all strings of these lengths."""
    probs = made(6, seed)
    for length in range(4):
        texts = ["".join(item) for item in product("0123456789", repeat=length)]
        summed = string_probabilities(probs, texts).sum()
        assert length_posterior(probs, [length], floor=0.0) == pytest.approx(summed)
    assert length_posterior(probs, range(7), floor=0.0) == pytest.approx(1.0)


def test_several_lengths_add_up() -> None:
    """The probability of one or the other length is the sum of both; twice is once."""
    probs = made(12, 5)
    one, two = (length_posterior(probs, [length]) for length in (3, 5))
    assert length_posterior(probs, (3, 5, 3)) == pytest.approx(one + two)


def test_settled_probs_change_little() -> None:
    """Frames that are surely blank are passed over, also between two like digits."""
    probs = np.full((40, 11), 1e-9)
    probs[:, 10] = 1.0
    probs[[5, 9], 4] = 0.9
    probs[[5, 9], 10] = 0.1
    probs /= probs.sum(axis=1, keepdims=True)
    assert length_posterior(probs, [2]) == pytest.approx(0.81, rel=1e-6)
    assert length_posterior(probs, [1]) == pytest.approx(0.18, rel=1e-6)
    assert length_posterior(probs, [9]) < 1e-12


def test_it_agrees_with_the_search() -> None:
    """Where each place has one likely digit, the search's own estimate is near it."""
    probs = np.full((14, 11), 1e-4)
    probs[:, 10] = 1.0
    probs[[1, 4, 7, 10, 13], [4, 7, 1, 1, 0]] = 1.0
    probs /= probs.sum(axis=1, keepdims=True)
    assert decode(probs, lengths={4, 6}).length_probability == pytest.approx(
        length_posterior(probs, {4, 6}), rel=0.1
    )
