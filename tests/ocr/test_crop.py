"""Ink and paper of a line, quickly, and where its writing is."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlens.ocr.recognize import find_writing_body, quick_binarize

Gray = np.ndarray
Print = Callable[..., Gray]


def test_paper_is_0_and_ink_255(print_line: Print) -> None:
    """Dark strokes become 255, paper 0, edges something between."""
    gray = print_line("4028")
    ink = quick_binarize(gray)
    assert ink.dtype == np.uint8
    assert ink.shape == gray.shape
    assert ink[gray == 255].max() == 0
    assert ink[gray == 0].min() == 255
    assert 0 < np.median(ink[(gray > 100) & (gray < 150)]) < 255


@pytest.mark.parametrize("margin", [10, 400])
def test_light_ink_is_ink_as_dark_is(print_line: Print, margin: int) -> None:
    """White on black gives the ink of black on white, much bare paper around it or little."""
    gray = print_line("4028", margin=margin)
    assert np.array_equal(quick_binarize(255 - gray), quick_binarize(gray))
    assert quick_binarize(gray).max() == 255


def test_faint_ink_becomes_full(print_line: Print) -> None:
    """Contrast does not matter: pale strokes on grey paper are full ink, too."""
    pale = (120 + print_line("4028") // 5).astype(np.uint8)
    ink = quick_binarize(pale)
    assert ink[pale == 120].min() == 255
    assert ink[pale == 171].max() == 0


def test_bare_paper_has_no_ink() -> None:
    """A picture of one grey value is paper all over."""
    assert quick_binarize(np.full((20, 30), 90, np.uint8)).max() == 0


def test_the_body_is_the_tall_marks_with_a_little_paper(
    print_line: Print, ink_box: Callable[[Gray], tuple[int, ...]]
) -> None:
    """The place holds all digits and no more than a fraction of their height around them."""
    for gray in (print_line("4028", margin=60), 255 - print_line("4028", margin=60)):
        place = find_writing_body(gray)
        assert place is not None
        left, top, right, bottom = ink_box(gray)
        height = bottom - top
        assert place[0] <= left < place[0] + 0.45 * height
        assert place[1] <= top < place[1] + 0.3 * height
        assert right <= place[2] < right + 0.45 * height
        assert bottom <= place[3] < bottom + 0.3 * height


def test_specks_and_commas_are_not_the_body(print_line: Print) -> None:
    """Small marks above and beside the digits do not widen the place."""
    gray = print_line("4028", margin=80)
    plain = find_writing_body(gray)
    marks = [
        [(20, 20), (22, 20), 6],  # a blot
        [(15, 60), (50, 60), 7],  # a dash, broad but low
        [(15, 150), (15, 166), 1],  # a hair, high but thin
    ]
    for start, end, thick in marks:
        marked = cv2.line(gray.copy(), start, end, 0, thick)
        assert find_writing_body(marked) == pytest.approx(plain, abs=3)


def test_uneven_light_is_not_the_body(print_line: Print) -> None:
    """Under light that falls to a half the same place is found."""
    gray = print_line("4028", margin=60)
    light = np.linspace(1, 0.5, gray.shape[1])
    assert find_writing_body((gray * light).astype(np.uint8)) == pytest.approx(
        find_writing_body(gray), abs=6
    )


@pytest.mark.parametrize("shape", [(5, 5), (5, 400), (300, 40), (120, 120)])
def test_bare_paper_has_no_body(shape: tuple[int, int]) -> None:
    """Where nothing is written there is no place."""
    assert find_writing_body(np.full(shape, 200, np.uint8)) is None


@pytest.mark.parametrize("seed", range(10))
def test_a_place_lies_in_the_picture(seed: int) -> None:
    """Whatever the pixels are, a place is a part of the picture, and not empty."""
    rng = np.random.default_rng(seed)
    gray = rng.integers(0, 256, rng.integers(5, 200, 2), np.uint8)
    place = find_writing_body(cv2.GaussianBlur(gray, (0, 0), 0.5 + seed / 3))
    if place is not None:
        assert 0 <= place[0] < place[2] <= gray.shape[1]
        assert 0 <= place[1] < place[3] <= gray.shape[0]
