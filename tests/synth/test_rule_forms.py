"""Digits by rule: every form of every digit, in MNIST's frame, never the same twice."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitlens.synth import rule_forms
from digitlens.synth.rule_forms import MATRIX, SEGMENTS, STRAIGHT, render_form, render_open_four


@pytest.mark.parametrize("label", range(10))
def test_each_digit_is_drawn_in_its_frame(label: int) -> None:
    """50 of each digit: uint8, full ink somewhere, the longer side 20 pixels."""
    rng = np.random.default_rng(label)
    digits = np.stack([render_form(label, rng) for _ in range(50)])
    assert digits.shape == (50, 28, 28)
    assert (digits.max(axis=(1, 2)) > 120).all()
    for digit in digits:
        rows, columns = np.nonzero(digit)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    assert len({digit.tobytes() for digit in digits}) == 50


def test_the_same_generator_makes_the_same_forms() -> None:
    """Chance comes from the generator alone."""
    one, two = (
        [render_form(i % 10, rng) for i in range(40)]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_an_open_four_has_no_hole() -> None:
    """Arm and stem meet at the bar alone: nearly always the paper is in one piece."""
    rng = np.random.default_rng(3)
    closed = 0
    for _ in range(60):
        digit = render_open_four(rng)
        assert digit.shape == (28, 28)
        closed += cv2.connectedComponents((digit < 64).astype(np.uint8), connectivity=4)[0] > 2
    assert closed < 6


def test_displays_show_ten_digits_that_differ() -> None:
    """No two digits have the same segments, or the same dots."""
    assert len({"".join(sorted(lit)) for lit in SEGMENTS}) == 10
    assert len(set(MATRIX)) == 10
    assert all([len(row) for row in rows.split()] == [5] * 7 for rows in MATRIX)


def test_every_digit_has_straight_forms() -> None:
    """The table of straight strokes holds all ten digits, each stroke of two points or more."""
    assert sorted(STRAIGHT) == list(range(10))
    forms = [form for forms in STRAIGHT.values() for form in forms]
    assert all(len(stroke) >= 2 for form in forms for stroke in form)


def test_a_display_of_another_kind_is_a_variant() -> None:
    """A variant lights other segments or dots than the usual form."""
    for label, lit in rule_forms.VARIANTS.items():
        assert sorted(lit) != sorted(SEGMENTS[label])
    for label, rows in rule_forms.MATRIX_VARIANTS.items():
        assert rows != MATRIX[label]
