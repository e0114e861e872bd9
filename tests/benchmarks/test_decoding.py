"""The benchmark of decoding times what it says it does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from decoding import KINDS, made_line, plain_beam
from digitlens.ctc.forward import string_probabilities
from digitlens.ctc.probs import to_probs


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_beam_is_a_right_one(kind: str) -> None:
    """On the lines of the benchmark the plain beam finds a string and most of its mass."""
    line = made_line(np.random.default_rng(0), KINDS[kind])
    text, logarithm = plain_beam(line)
    exact = string_probabilities(to_probs(line), [text])[0]
    assert text
    assert 0.9 * exact <= math.exp(logarithm) <= exact * 1.001


def test_lines_of_the_benchmark_are_a_networks() -> None:
    """Made lines are float32 log-probabilities of 120 frames, the same for the same seed."""
    one, two = (made_line(np.random.default_rng(3), KINDS["hard"]) for _ in range(2))
    assert (one.dtype, one.shape) == (np.float32, (120, 11))
    assert np.array_equal(one, two)
