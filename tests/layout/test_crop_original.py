"""A crop as it stands in the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from digitlens.layout import LineCrop, find_lines
from digitlens.layout.line_crops import crop_original

Write = Callable[..., np.ndarray]


def ink_of(view: np.ndarray) -> np.ndarray:
    """Return dark ink on white as ink: 255 = full."""
    return 255 - view


def offset(one: np.ndarray, two: np.ndarray) -> float:
    """Return the mean difference of two pictures, 0..255."""
    return float(np.abs(one.astype(float) - two).mean())


def test_a_clean_page_gives_the_crop(page: np.ndarray) -> None:
    """On a page without rules or patterns the view is the crop, paper and all."""
    for crop in find_lines(page).crops:
        view = crop_original(page, crop)
        assert view.dtype == np.uint8
        assert view.shape == crop.ink.shape
        assert offset(ink_of(view), crop.ink) < 8


def test_it_is_the_pixels_of_the_picture(page: np.ndarray) -> None:
    """Where nothing is enlarged, turned or shortened, the view is cut out of the picture."""
    turn = np.array([[1.0, 0, 100], [0, 1.0, 90]])
    crop = LineCrop(np.zeros((50, 120), np.uint8), np.arange(121.0), turn, 40, 0.0, 4, 1.0)
    assert np.array_equal(crop_original(page, crop), page[90:140, 100:220])


def test_the_paper_stays(page: np.ndarray) -> None:
    """A rule that was taken out of the crop, and a tint of the paper, are in the view."""
    ruled = np.minimum(page, 230)
    cv2.line(ruled, (20, 125), (680, 125), 120, 2)
    crop = find_lines(ruled).crops[0]
    view = crop_original(ruled, crop)
    assert (view[0, 0], view.max()) == (230, 230)
    ends = [0, 1, -2, -1]
    assert view[:, ends].min(axis=0).max() < 150, "the rule runs on beside the digits"
    assert crop.picture[:, ends].min() == 255


def test_polarity_is_the_picture_s_own(page: np.ndarray) -> None:
    """White on black stays white on black, though the crop's ink is 255 as ever."""
    crop = find_lines(255 - page).crops[0]
    view = crop_original(255 - page, crop)
    assert np.median(view) == 0
    assert offset(view, crop.ink) < 8


def test_colours_become_grey(page: np.ndarray) -> None:
    """A coloured picture is seen as its grey values."""
    coloured = np.dstack([page, page, np.full_like(page, 255)])
    crop = find_lines(coloured).crops[0]
    assert np.array_equal(
        crop_original(coloured, crop),
        crop_original(cv2.cvtColor(coloured, cv2.COLOR_RGB2GRAY), crop),
    )


@pytest.mark.parametrize("angle", [-10, 7])
def test_sloping_lines_are_levelled(page: np.ndarray, angle: float) -> None:
    """Of a sloping line the view is level, as the crop is."""
    turn = cv2.getRotationMatrix2D((350, 250), angle, 1.0)
    sloped = cv2.warpAffine(page, turn, (700, 500), borderValue=255)
    for crop in find_lines(sloped).crops:
        assert offset(ink_of(crop_original(sloped, crop)), crop.ink) < 10


def test_shortened_gaps_are_shortened_in_the_view_too(write: Write) -> None:
    """The columns are those of the crop, wide gaps left out."""
    sheet = np.full((300, 700), 255, np.uint8)
    for index, digit in enumerate("20142"):
        line = write(digit)
        sheet[
            100 : 100 + line.shape[0], 40 + 130 * index : 40 + 130 * index + line.shape[1]
        ] = line
    crop = find_lines(sheet).ranked[0]
    assert np.diff(crop.columns).max() > 20
    assert offset(ink_of(crop_original(sheet, crop)), crop.ink) < 8


def test_turned_over_it_is_the_other_way_up(page: np.ndarray) -> None:
    """A crop turned over has the view turned over."""
    for crop in find_lines(page).crops:
        over = crop_original(page, crop.upside_down())
        assert offset(over[::-1, ::-1], crop_original(page, crop)) < 1


def test_a_page_on_its_side_is_seen_upright(page: np.ndarray) -> None:
    """On a page that lies on its side the view is upright, as the crop is."""
    lying = np.ascontiguousarray(np.rot90(page))
    for crop in find_lines(lying).crops:
        assert offset(ink_of(crop_original(lying, crop)), crop.ink) < 8


@pytest.mark.parametrize(
    "place", [(-30.0, 80.0), (640.0, 470.0), (-30.0, -30.0), (5000.0, 0.0)]
)
def test_beyond_the_picture_its_edge_goes_on(
    page: np.ndarray, place: tuple[float, float]
) -> None:
    """What of a crop lies outside is filled with paper, never an error."""
    tinted = np.minimum(page, 230)
    crop = find_lines(tinted).crops[0]
    turn = crop.to_picture.copy()
    turn[:, 2] = place
    view = crop_original(tinted, replace(crop, to_picture=turn))
    assert view.shape == crop.ink.shape
    if place[0] < 1000:
        assert view[0, 0] == view.max() == 230
    else:
        assert (view == 255).all(), "nothing of the picture is near"
