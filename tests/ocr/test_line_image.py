"""A picture of one line -> the line; its ink and where its writing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from digitlens.ocr.line_picture import (
    find_writing_body,
    level_line,
    measure_slope,
    quick_binarize,
    tight_crop,
)
from digitlens.ocr.recognize import recognize_line_image

Gray = np.ndarray
Make = Callable[..., Any]


@pytest.mark.parametrize("margin", [4, 10, 100, 500])
@pytest.mark.parametrize("light", [False, True])
def test_paper_around_does_not_matter(
    print_line: Make, network: Any, ink_box: Make, margin: int, light: bool
) -> None:
    """With little paper around or much a line is read alike, its boxes in the picture."""
    gray = print_line("4028", margin=margin)
    line = recognize_line_image(network, 255 - gray if light else gray, None)
    assert line.text == "4028"
    left, top, right, bottom = ink_box(gray)
    assert line.digits[0].box[0] == pytest.approx(left, abs=1)
    assert line.digits[-1].box[2] == pytest.approx(right, abs=1)
    assert min(digit.box[1] for digit in line.digits) == pytest.approx(top, abs=1)
    assert max(digit.box[3] for digit in line.digits) == pytest.approx(bottom, abs=1)
    lefts = [digit.box[0] for digit in line.digits]
    assert lefts == sorted(lefts)
    assert 0 <= line.box[0] <= left < right <= line.box[2] <= gray.shape[1]
    assert 0 <= line.box[1] <= top < bottom <= line.box[3] <= gray.shape[0]


def test_a_line_that_fills_its_picture_is_read_from_edge_to_edge(
    print_line: Make, network: Any
) -> None:
    """With little paper around nothing is cut away, and sure lines are looked at once."""
    gray = print_line("4028", margin=4)
    line = recognize_line_image(network, gray, None)
    assert line.box == (0, 0, gray.shape[1], gray.shape[0])
    assert [item.shape for item in network.seen] == [gray.shape]


def test_a_little_more_paper_above_and_below_stays(print_line: Make, network: Any) -> None:
    """Paper is cut off above and below from a fifth of the picture's height on, not before."""
    for margin, height in ((12, 45 + 24), (25, 45 + 18)):
        network.seen.clear()
        recognize_line_image(network, print_line("4028", margin=margin), None)
        assert network.seen[0].shape[0] == pytest.approx(height, abs=1)


def test_noise_on_the_paper_does_not_widen_boxes(
    print_line: Make, network: Any, ink_box: Make
) -> None:
    """Each digit's box ends where its strokes do, though the paper is not clean."""
    clean = print_line("4028")
    noise = np.random.default_rng(0).normal(0, 8, clean.shape)
    noisy = np.clip(clean * 0.8 + 20 + noise, 0, 255).astype(np.uint8)
    one, two = (recognize_line_image(network, gray, None) for gray in (clean, noisy))
    assert two.text == "4028"
    for plain, other in zip(one.digits, two.digits, strict=True):
        assert other.box == pytest.approx(plain.box, abs=1.5)


def test_colours_are_read_as_grey(print_line: Make, network: Any) -> None:
    """A coloured picture is shown to the network as the grey that an eye sees."""
    gray = print_line("4028")
    coloured = np.dstack([gray, gray, np.full_like(gray, 255)])
    assert recognize_line_image(network, coloured, None).text == "4028"
    (shown,) = network.seen
    assert shown.ndim == 2
    assert shown.min() == round(0.114 * 255)


def test_a_doubt_is_looked_at_closely(print_line: Make, make_network: Make) -> None:
    """In doubt the line is shown once more, cut closer to its writing; places stay."""
    gray = print_line("4028", margin=30)
    sure, unsure = make_network(), make_network(0.9)
    one, two = (recognize_line_image(item, gray, None) for item in (sure, unsure))
    assert len(sure.seen) == 1
    assert len(unsure.seen) == 2
    assert all(
        near < far for near, far in zip(*(s.shape for s in unsure.seen[::-1]), strict=True)
    )
    assert [digit.box for digit in one.digits] == [digit.box for digit in two.digits]


def test_lengths_are_kept(print_line: Make, make_network: Make) -> None:
    """With a length the line has that many digits, though it shows more."""
    gray = print_line("4028")
    assert len(recognize_line_image(make_network(0.9), gray, frozenset({3})).text) == 3
    assert recognize_line_image(make_network(0.9), gray, frozenset({3, 4})).text == "4028"


@pytest.mark.parametrize("shape", [(60, 300), (5, 5), (5, 900), (400, 20)])
def test_bare_paper_holds_nothing(network: Any, shape: tuple[int, int]) -> None:
    """Bare paper gives an empty line, the picture its box."""
    line = recognize_line_image(network, np.full(shape, 200, np.uint8), None)
    assert (line.text, line.digits) == ("", ())
    assert line.box == (0, 0, shape[1], shape[0])


def test_there_is_no_close_up_of_bare_paper(
    make_frames: Make, replies: Make, print_line: Make
) -> None:
    """Without writing there is no second picture, and the first look stands."""
    paper = np.full((32, 64), 200, np.uint8)
    assert tight_crop(paper) is None
    network = replies(make_frames({"4": 0.6}, step=8))
    assert recognize_line_image(network, paper, None).text == "4"
    close = tight_crop(print_line("4028", margin=40))
    assert close is not None
    assert close.shape[0] < 44 + 40


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


def sloping(gray: Gray, angle: float) -> Gray:
    """Return a line turned by degrees, counter-clockwise, on as much paper as it needs."""
    height, width = gray.shape
    size = width + height, width + height
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned = cv2.warpAffine(gray, turn, size, borderValue=255)
    rows = np.flatnonzero(turned.min(axis=1) < 128)
    return np.ascontiguousarray(turned[max(0, rows[0] - 8) : rows[-1] + 9])


@pytest.mark.parametrize("angle", [-25, -14, -11, 11, 14, 25])
def test_a_sloping_line_is_turned_level(network: Any, print_line: Any, angle: float) -> None:
    """It is read as if it were level, and its boxes lie on the digits where these slope."""
    gray = sloping(print_line("40735"), angle)
    assert measure_slope(gray) == pytest.approx(angle, abs=3)
    line = recognize_line_image(network, gray, None)
    assert line.text == "40735"
    tops = [digit.box[1] for digit in line.digits]
    assert tops == sorted(tops, reverse=angle > 0)
    for digit in line.digits:
        left, top, right, bottom = (round(edge) for edge in digit.box)
        assert (gray[top:bottom, left:right] < 128).mean() > 0.1


@pytest.mark.parametrize("text", ["4", "47", "40735"])
def test_what_is_level_or_short_stays_as_it_is(print_line: Any, text: str) -> None:
    """A level line, and one of too few digits to tell, is not turned."""
    gray = print_line(text)
    assert level_line(gray).gray is gray
    short = sloping(gray, 20) if len(text) < 3 else gray
    assert level_line(short).gray is short


@pytest.mark.parametrize("direction", [0.0, 0.6, 1.6, 2.4, 4.0])
def test_a_line_half_in_a_shadow_is_read(
    network: Any, print_line: Any, direction: float
) -> None:
    """A shadow that leaves a third of the light is no ink, wherever its edge runs."""
    gray = print_line("40735", margin=14)
    height, width = gray.shape
    y, x = np.mgrid[:height, :width]
    across = (x / width - 0.5) * np.cos(direction) + (y / height - 0.5) * np.sin(direction)
    shaded = (gray * (1 - 0.66 / (1 + np.exp(-25 * across)))).astype(np.uint8)
    assert recognize_line_image(network, shaded, None).text == "40735"
