"""A second opinion about single digits, taken into a line's probabilities.

A reader finds digits and says which they are; another network, which was trained apart from
it, looks at each of the places once more. Two that were trained apart make different mistakes
(Hansen and Salamon 1990, Neural network ensembles): a logarithmic pool weighs what they say
(Genest and Zidek 1986, Combining probability distributions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.probs import BLANK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.ctc.probs import Probs
    from digitlens.digits import Indices

MIN_DIGIT = 0.02
"""Time steps in which a digit is less likely than this are not looked at again: four in ten
digits have a second such step beside their own."""

# The least share of a digit in either opinion: neither rules one out for good.
FLOOR = 1e-7
POOL_FLOOR = 1e-4


def find_digit_steps(probs: Probs) -> Indices:
    """Return the time steps of a line that may show a digit, rising: int64 (N,).

    >>> probs = np.full((3, 11), 0.001)
    >>> probs[:, 10], probs[1, [4, 10]] = 0.99, (0.9, 0.091)
    >>> find_digit_steps(probs)
    array([1])
    """
    return np.flatnonzero(1.0 - probs[:, BLANK] > MIN_DIGIT)


def rescore(
    probs: Probs, steps: Indices, log_probs: NDArray[np.floating[Any]], weight: float
) -> Probs:
    """Return a line's probabilities with a second opinion about some time steps taken in.

    Among the digits of a step the shares of both opinions are pooled logarithmically: those of
    the second, which count `weight` times as much, are multiplied with the first's, and the
    products taken to a power that makes both weights sum to 1. Without that two unsure opinions
    that agree would be sure, as if neither had learnt from what the other did.

    Whether there is a digit at all is left to the first, which found the place. Heard on that
    too, the second made a letter that both take for a digit surer, and put hardly a line right.

    Other steps stay as they are.

    probs: float64 (T, 11), from `to_probs`
    steps: int64 (N,), each once, from `find_digit_steps`
    log_probs: float (N, 11): natural logarithms of what the second opinion says of these steps,
        ten digits and no digit
    weight: how much the second opinion counts, beside 1 for the first: 0 for not at all

    >>> probs = np.full((1, 11), 0.01)
    >>> probs[0, [4, 9]] = 0.5, 0.41
    >>> other = np.full((1, 11), 0.01)
    >>> other[0, [4, 9]] = 0.1, 0.81
    >>> rescore(probs, np.array([0]), np.log(other), 0.5).argmax()
    np.int64(9)
    """
    if not len(steps):
        return probs
    first = probs[steps, :BLANK]
    second = np.exp(np.asarray(log_probs, np.float64)[:, :BLANK])
    shares = second / (second.sum(axis=1, keepdims=True) + FLOOR)
    present = np.maximum(first.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    pooled = (first / present + FLOOR) * (shares + POOL_FLOOR) ** weight
    pooled **= 1.0 / (1.0 + weight)
    result = probs.copy()
    result[steps, :BLANK] = present * pooled / pooled.sum(axis=1, keepdims=True)
    return result
