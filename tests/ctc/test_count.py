"""How likely so many digits are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from digitlens.ctc.decode import decode
from digitlens.ctc.forward import length_posterior, string_probabilities
from digitlens.errors import ShapeError


def made(count: int, seed: int) -> np.ndarray:
    """Return log-probabilities of frames that may be anything."""
    return np.log(np.random.default_rng(seed).dirichlet(np.full(11, 0.3), count))


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_sum_over_all_strings(seed: int) -> None:
    """What is returned is the sum of the probabilities of all strings of these lengths."""
    frames = made(6, seed)
    for length in range(4):
        texts = ["".join(item) for item in product("0123456789", repeat=length)]
        summed = string_probabilities(np.exp(frames), texts).sum()
        assert length_posterior(frames, [length], floor=0.0) == pytest.approx(summed)
    assert length_posterior(frames, range(7), floor=0.0) == pytest.approx(1.0)


def test_several_lengths_add_up() -> None:
    """The probability of one or the other length is the sum of both; twice is once."""
    frames = made(12, 5)
    one, two = (length_posterior(frames, [length]) for length in (3, 5))
    assert length_posterior(frames, (3, 5, 3)) == pytest.approx(one + two)


def test_settled_frames_change_little() -> None:
    """Frames that are surely blank are passed over, also between two like digits."""
    frames = np.full((40, 11), 1e-9)
    frames[:, 10] = 1.0
    frames[[5, 9], 4] = 0.9
    frames[[5, 9], 10] = 0.1
    frames /= frames.sum(axis=1, keepdims=True)
    assert length_posterior(np.log(frames), [2]) == pytest.approx(0.81, rel=1e-6)
    assert length_posterior(np.log(frames), [1]) == pytest.approx(0.18, rel=1e-6)
    assert length_posterior(np.log(frames), [9]) < 1e-12


def test_it_agrees_with_the_search() -> None:
    """Where each place has one likely digit, the search's own estimate is near it."""
    frames = np.full((14, 11), 1e-4)
    frames[:, 10] = 1.0
    frames[[1, 4, 7, 10, 13], [4, 7, 1, 1, 0]] = 1.0
    frames = np.log(frames / frames.sum(axis=1, keepdims=True))
    assert decode(frames, lengths={4, 6}).length_probability == pytest.approx(
        length_posterior(frames, {4, 6}), rel=0.1
    )


def test_what_is_no_line_is_refused() -> None:
    """Arrays of another shape have the error that decoding gives."""
    with pytest.raises(ShapeError, match="log-probabilities must be float"):
        length_posterior(np.zeros((3, 10)), [1])
