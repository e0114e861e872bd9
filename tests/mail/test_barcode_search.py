"""Barcodes in pictures: found at any angle, mended, and never made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlens.mail.barcode_images import render_pixels
from digitlens.mail.barcode_search import find_barcodes
from digitlens.mail.barcodes import IntelligentMail, encode_imb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray = NDArray[np.uint8]

CONTENT = IntelligentMail("01234567094987654321", "01234567891")
DPI = 150
SIDE = 900


def code(dpi: int = DPI, bars: str | None = None) -> Gray:
    """Return a barcode as it is printed, at so many dots per inch."""
    pixels = render_pixels(bars or encode_imb(CONTENT), dots=600)
    size = (pixels.shape[1] * dpi // 600, pixels.shape[0] * dpi // 600)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def turn(pixels: Gray, angle: float, side: int = SIDE) -> tuple[Gray, NDArray[np.float64]]:
    """Lay a picture on a square of paper at an angle, words beside it; return its corners."""
    height, width = pixels.shape
    page = np.full((side, side), 255, np.uint8)
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), angle, 1.0)
    matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
    cv2.warpAffine(pixels, matrix, (side, side), page, borderMode=cv2.BORDER_TRANSPARENT)
    cv2.putText(page, "Illinois 11111", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    corners = (corners - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    return page, corners


@pytest.mark.parametrize("angle", [0.0, 12.0, 90.0, 135.0, 180.0, 271.0])
@pytest.mark.parametrize("dpi", [100, 200])
def test_a_barcode_is_read_at_any_angle(angle: float, dpi: int) -> None:
    """Its digits are read, and its corners are where it lies, the upper left one first."""
    page, outer = turn(code(dpi), angle)
    (result,) = find_barcodes(page)
    assert (result.content, result.mended) == (CONTENT, 0)
    # The free paper around it is no part of it.
    sides, edges = 0.125 * dpi, 0.028 * dpi
    right, down = ((outer[i] - outer[0]) / np.linalg.norm(outer[i] - outer[0]) for i in (1, 3))
    inner = outer + [
        x * sides * right + y * edges * down for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    ]
    assert np.abs(result.corners - inner).max() < 0.05 * dpi


@settings(max_examples=8, deadline=None)
@given(
    st.from_regex(r"[0-9][0-4][0-9]{18}", fullmatch=True),
    st.sampled_from(["", "00501", "999999999", "01234567891"]),
    st.floats(0, 360),
)
def test_whatever_is_printed_is_read(tracking: str, routing: str, angle: float) -> None:
    """What was encoded comes back from a picture, blurred and noisy as it is."""
    content = IntelligentMail(tracking, routing)
    page, _ = turn(code(DPI, encode_imb(content)), angle)
    noise = np.random.default_rng(0).normal(0, 6, page.shape)
    photo = np.clip(cv2.GaussianBlur(page, (0, 0), 0.8) * 0.7 + 20 + noise, 0, 255)
    assert [item.content for item in find_barcodes(photo.astype(np.uint8))] == [content]


def spoil(pixels: Gray, *bars: int, upper: bool) -> Gray:
    """Cover the upper or the lower part of some bars with paper."""
    left, pitch = 0.125 * DPI, DPI / 22
    middle = pixels.shape[0] // 2
    rows = slice(0, middle - 5) if upper else slice(middle + 5, None)
    copy = pixels.copy()
    for bar in bars:
        start = round(left + bar * pitch - 0.3 * pitch)
        copy[rows, start : start + round(pitch)] = 255
    return copy


def test_a_barcode_that_fills_its_picture_is_read() -> None:
    """Bars of a hundred pixels are read at half the size."""
    large = code(600)
    assert large.shape[0] > 100
    (result,) = find_barcodes(large)
    assert result.content == CONTENT
    few = IntelligentMail("00000000000000000000", "12345")  # of its bars 14 are full ones
    (result,) = find_barcodes(code(600, encode_imb(few)))
    assert result.content == few


def test_half_bars_that_were_lost_are_mended() -> None:
    """One half bar of a character is known from the rest of it, and counted."""
    bars = encode_imb(CONTENT)
    full = [index for index, bar in enumerate(bars) if bar == "F"]
    page, _ = turn(spoil(code(), full[0], upper=True), 20.0)
    (result,) = find_barcodes(page)
    assert (result.content, result.mended) == (CONTENT, 1)


def test_a_barcode_that_is_spoiled_says_nothing() -> None:
    """Where too much is lost nothing is made up."""
    page, _ = turn(spoil(code(), *range(20, 45), upper=True), 0.0)
    assert find_barcodes(page) == ()


def test_two_barcodes_are_two() -> None:
    """Each barcode of a picture is read."""
    other = IntelligentMail("0" * 20, "90210")
    page, _ = turn(code(), 0.0)
    second = code(DPI, encode_imb(other))
    page[700 : 700 + second.shape[0], 200 : 200 + second.shape[1]] = second
    contents = {item.content for item in find_barcodes(page)}
    assert contents == {CONTENT, other}


def even_bars() -> Gray:
    """Return bars that are all alike, as a comb or a ruler has."""
    page = np.full((300, 900), 255, np.uint8)
    for left in range(100, 800, 7):
        page[120:145, left : left + 3] = 0
    return page


@pytest.mark.parametrize(
    "page",
    [
        np.full((200, 200), 255, np.uint8),
        np.zeros((30, 40), np.uint8),
        turn(np.full((4, 4), 255, np.uint8), 0.0)[0],
        np.random.default_rng(0).integers(0, 256, (400, 400)).astype(np.uint8),
        even_bars(),
        np.full((8, 20_000), 255, np.uint8),
    ],
    ids=["paper", "black", "words", "noise", "comb", "ribbon"],
)
def test_where_there_is_none_none_is_told(page: Gray) -> None:
    """Paper, words, noise and even bars are no barcode."""
    assert find_barcodes(page) == ()
