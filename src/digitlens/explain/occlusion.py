"""Occlusion: what the answer loses when a few pixels are turned to paper.

M. D. Zeiler, R. Fergus: Visualizing and understanding convolutional networks, ECCV 2014, arXiv
1311.2901, section 4.2, where a grey square is moved over a photograph. On a digit the square
is paper, and what falls is measured as log-odds: a probability near 1 would hide it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE, Images, Labels, check_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.models.inference import Model


# Side in pixels: enough to cut a stroke of 2 to 4 pixels.
WINDOW = 5


@dataclass(frozen=True, eq=False)
class Occlusion:
    """How an answer changes when the window around each pixel is turned to paper."""

    # float32 (28, 28): by how much the log-odds of the answer fall; below 0 where the ink spoke
    # against it, exactly 0 where the window holds no ink
    fall: NDArray[np.float32]
    answers: Labels  # uint8 (28, 28): which digit the model then reads
    odds: float  # the answer's log-odds with nothing covered
    window: int  # side of the window in pixels; at the edge it is cut


def occlude(model: Model, digit: Images, *, window: int = WINDOW, step: int = 1) -> Occlusion:
    """Turn the window around each pixel to paper in turn, and see what the model loses.

    digit: uint8 (28, 28); 0 = paper, 255 = ink
    window: side of the window in pixels, odd
    step: only every `step`-th row and column is the middle of a window, and the pixels up to
        the next have its values: 2 costs a quarter
    """
    check_images(digit[None], what="the digit (as (1, 28, 28))")
    covered = _cover_windows(window)
    middles = np.zeros((SIDE, SIDE), bool)
    middles[::step, ::step] = True
    # A window without ink changes nothing, and is not tried.
    inked = (covered & (digit > 0)).any(axis=(1, 2)) & middles.reshape(-1)
    occluded = np.where(covered[inked], np.uint8(0), digit)
    # All of them in one batch, the untouched digit first.
    logits = model.logits(np.concatenate([digit[None], occluded])).astype(np.float64)
    answer = int(logits[0].argmax())
    odds = log_odds(logits, answer)
    fall = np.zeros(SIDE * SIDE, np.float32)
    fall[inked] = odds[0] - odds[1:]
    answers = np.full(SIDE * SIDE, answer, np.uint8)
    answers[inked] = logits[1:].argmax(axis=1)
    # Pixels between the middles take the values of the middle above and left of them.
    middle = np.arange(SIDE) // step * step
    index = np.ix_(middle, middle)
    return Occlusion(
        fall.reshape(SIDE, SIDE)[index],
        answers.reshape(SIDE, SIDE)[index],
        float(odds[0]),
        window,
    )


def log_odds(logits: NDArray[np.float64], label: int) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of the class `label`, without rounding p to 1 first.

    Takes logits (N, 10), returns (N,).

    >>> [round(float(item), 3) for item in log_odds(np.log([[0.9, 0.06, 0.04]]), 0)]
    [2.197]
    """
    others = np.delete(logits, label, axis=1)
    highest = others.max(axis=1)
    rest = highest + np.log(np.exp(others - highest[:, None]).sum(axis=1))
    result: NDArray[np.float64] = logits[:, label] - rest
    return result


@cache
def _cover_windows(window: int) -> NDArray[np.bool_]:
    """Return which pixels the window around each pixel covers: (784, 28, 28)."""
    assert window % 2 == 1, "a window has a middle"
    places = np.arange(SIDE)
    near = np.abs(places[:, None] - places) <= window // 2
    covered: NDArray[np.bool_] = near[:, None, :, None] & near[None, :, None, :]
    return covered.reshape(SIDE * SIDE, SIDE, SIDE)
