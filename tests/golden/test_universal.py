"""universal as published: forms that people meet everywhere are answered, and rightly.

The pictures are those of public bug reports, as kinds with a smallest input.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitlens.imaging import frame_digit
from digitlens.models.inference import Model, load_model

Line = list[tuple[int, int]]

ZERO = [
    (140 + round(60 * float(np.cos(a))), 140 + round(85 * float(np.sin(a))))
    for a in np.linspace(0, 2 * np.pi, 40)
]
FORMS: dict[str, tuple[int, list[Line]]] = {
    "1 with a flag and an upright stem": (1, [[(80, 130), (150, 60), (150, 220)]]),
    "1 with a short flag": (1, [[(115, 95), (150, 60), (150, 220)]]),
    "1 as one upright stroke": (1, [[(140, 60), (140, 220)]]),
    "1 with a foot": (1, [[(110, 95), (145, 60), (145, 220)], [(100, 220), (190, 220)]]),
    "0 with a slash": (0, [ZERO, [(200, 60), (80, 220)]]),
    "4 open, of two strokes": (
        4,
        [[(140, 80), (90, 140), (260, 150)], [(140, 80), (140, 185)]],
    ),
    "8 of straight strokes": (8, [[(90, 60), (190, 60), (90, 220), (190, 220), (90, 60)]]),
    "6 of straight strokes": (
        6,
        [[(200, 60), (110, 60), (110, 220), (180, 220), (180, 140), (110, 140)]],
    ),
    "7 with a bar": (7, [[(80, 60), (200, 60), (120, 220)], [(100, 145), (190, 145)]]),
}


@pytest.fixture(scope="module")
def model() -> Model:
    """Return the published network."""
    return load_model("universal", threads=1)


@pytest.mark.parametrize("name", FORMS)
def test_a_common_form_is_answered(model: Model, name: str) -> None:
    """Written with a pen of 12 pixels on white, 280 pixels wide."""
    label, lines = FORMS[name]
    paper = np.full((280, 280), 255, np.uint8)
    for line in lines:
        cv2.polylines(paper, [np.array(line, np.int32)], False, 0, 12, cv2.LINE_AA)
    given = model.predict(frame_digit(paper)[None])
    assert given.labels.tolist() == [label]
    assert given.refused is not None
    assert given.refused.tolist() == [False]
