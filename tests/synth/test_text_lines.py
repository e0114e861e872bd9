"""Lines of text know what each frame of them shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.synth.random import Random
from digitlens.synth.text_lines import (
    DIGIT,
    LETTER,
    MARK,
    NO_DIGIT,
    POINT,
    SEPARATOR,
    TextLineWriter,
    sign_of,
)


@pytest.fixture(scope="module")
def digits() -> Digits:
    """Return two drawings of each digit."""
    images = np.zeros((20, 28, 28), np.uint8)
    for label in range(20):
        place = (5, 23)
        cv2.putText(images[label], str(label // 2), place, 0, 0.8, 255, 2)
    return Digits(images, np.repeat(np.arange(10, dtype=np.uint8), 2))


def test_signs_of_characters() -> None:
    """Letters of any language are letters; a superscript or a fraction is no digit."""
    chars = dict(zip("0Aéß-/–.,$(½²", (1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 5), strict=True))
    assert {char: sign_of(char) for char in chars} == chars
    assert [DIGIT, LETTER, SEPARATOR, POINT, MARK] == [1, 2, 3, 4, 5]


def test_the_seed_decides(digits: Digits) -> None:
    """The same generator writes the same lines, in the shape that a network takes."""
    fonts = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX]
    one, two = (
        [TextLineWriter(fonts, digits).sample(rng) for _ in range(12)]
        for rng in (Random(np.random.default_rng(4)), Random(np.random.default_rng(4)))
    )
    for (gray, signs), again in zip(one, two, strict=True):
        assert np.array_equal(gray, again[0])
        assert gray.shape == signs.shape
        assert signs.max() < NO_DIGIT
    seen = np.concatenate([signs.ravel() for _, signs in one])
    assert {0, DIGIT, LETTER} <= set(seen.tolist())
