"""Barcodes as pictures, with bars of the sizes that the Postal Service requires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import DataError, UsageError
from digitlens.imaging.io import encode_png

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Dots per inch at which bars are 12 dots wide.
DEFAULT_DPI = 600

MIN_DPI, MAX_DPI = 150, 2400

TOLERANCE = 1e-9


@dataclass(frozen=True)
class BarSize:
    """One size in inches: what is drawn, and the range that is allowed."""

    value: float
    low: float
    high: float

    def allows(self, value: float) -> bool:
        """Say whether `value` lies within what is allowed."""
        return self.low - TOLERANCE <= value <= self.high + TOLERANCE


@dataclass(frozen=True)
class BarSizes:
    """How large the bars of a barcode are, in inches.

    `pitch` goes from one bar's left edge to the next one's; `sides` and `edges` are the paper
    that must stay free to the left and right, above and below.
    """

    width: BarSize
    pitch: BarSize
    low: BarSize
    height: BarSize
    sides: float
    edges: float


_WIDTH, _PITCH = BarSize(0.020, 0.015, 0.025), BarSize(1 / 22, 1 / 24, 1 / 20)

# The Intelligent Mail barcode (USPS-B-3200) has trackers of 0.048 and full bars of 0.145
# inches; an ascender or descender reaches from a full bar's end to a tracker's other end.
IMB = BarSizes(
    _WIDTH, _PITCH, BarSize(0.048, 0.039, 0.057), BarSize(0.145, 0.125, 0.165), 0.125, 0.028
)
# POSTNET (Domestic Mail Manual 708.4) has short bars of 0.050 and tall ones of 0.125 inches,
# which all stand on one line.
POSTNET = BarSizes(
    _WIDTH, _PITCH, BarSize(0.050, 0.040, 0.060), BarSize(0.125, 0.115, 0.135), 0.125, 0.040
)


@dataclass(frozen=True)
class Bar:
    """One bar: its left, top, width and height, in inches or in dots."""

    left: float
    top: float
    width: float
    height: float


def find_sizes(bars: str) -> BarSizes:
    """Return the sizes for `bars`: POSTNET for ``|`` and ``.``, else Intelligent Mail."""
    if bars and set(bars) <= set("|."):
        return POSTNET
    if bars and set(bars) <= set("TADF"):
        return IMB
    raise DataError("bars are T, A, D and F, or | and .", seen=repr(bars[:80]))


def lay_out(bars: str) -> list[Bar]:
    """Return where each bar stands, in inches, in a picture with its free paper around.

    >>> one, two = lay_out("TF")
    >>> round(one.height, 3), round(two.height, 3), round(two.left - one.left, 4)
    (0.048, 0.145, 0.0455)
    """
    sizes = find_sizes(bars)
    result = []
    for index, bar in enumerate(bars):
        top, height = _reach(bar, sizes.low.value, sizes.height.value)
        left = sizes.sides + index * sizes.pitch.value
        result.append(Bar(left, sizes.edges + top, sizes.width.value, height))
    return result


def _reach(bar: str, low: float, height: float) -> tuple[float, float]:
    """Return how far below the highest bar's top this one begins, and how high it is."""
    # POSTNET's bars stand on one line; those of the other code grow from the middle.
    if bar in "|.":
        return (0.0, height) if bar == "|" else (height - low, low)
    reach = (height - low) / 2
    top = 0.0 if bar in "AF" else reach
    return top, low + reach * ((bar in "AF") + (bar in "DF"))


def render_svg(bars: str) -> str:
    """Return the barcode as an SVG picture, in inches; one rectangle a bar."""
    sizes = find_sizes(bars)
    width = 2 * sizes.sides + (len(bars) - 1) * sizes.pitch.value + sizes.width.value
    height = 2 * sizes.edges + sizes.height.value
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.4f}in" '
        f'height="{height:.4f}in" viewBox="0 0 {width:.4f} {height:.4f}">',
        f"<title>{bars}</title>",
        f'<rect width="{width:.4f}" height="{height:.4f}" fill="#fff"/>',
    ]
    rows += [
        f'<rect x="{bar.left:.4f}" y="{bar.top:.4f}" width="{bar.width:.4f}" '
        f'height="{bar.height:.4f}"/>'
        for bar in lay_out(bars)
    ]
    return "\n".join([*rows, "</svg>", ""])


def render_pixels(bars: str, *, dots: int = DEFAULT_DPI) -> NDArray[np.uint8]:
    """Return the barcode as a gray picture: uint8 (H, W), 0 = bar, 255 = paper.

    `dots` per inch are 150 to 2400. Bars have whole dots; each is within what is allowed.
    """
    sizes = find_sizes(bars)
    if not MIN_DPI <= dots <= MAX_DPI:
        raise UsageError(f"dots per inch must be {MIN_DPI} to {MAX_DPI}", seen=str(dots))
    width, low, high = (
        _round_to_dots(size, dots) for size in (sizes.width, sizes.low, sizes.height)
    )
    sides, edges = (int(np.ceil(free * dots)) for free in (sizes.sides, sizes.edges))
    # Every bar starts at its own rounded place, so that roundings do not add up.
    starts = [sides + round(index * sizes.pitch.value * dots) for index in range(len(bars))]
    picture = np.full((2 * edges + high, starts[-1] + width + sides), 255, np.uint8)
    for bar, left in zip(bars, starts, strict=True):
        top, height = _reach(bar, low, high)
        top = edges + round(top)
        picture[top : top + round(height), left : left + width] = 0
    return picture


def _round_to_dots(size: BarSize, dots: int) -> int:
    result = round(size.value * dots)
    if not size.allows(result / dots):
        raise UsageError(
            "at this resolution no bar of whole dots has an allowed size",
            seen=f"{dots} dots per inch; {size.low} to {size.high} inches are allowed",
            try_="300 or 600 dots per inch",
        )
    return result


def render_png(bars: str, *, dots: int = DEFAULT_DPI) -> bytes:
    """Return the barcode as a PNG file that knows its resolution; see `render_pixels`."""
    return encode_png(render_pixels(bars, dots=dots), dpi=(dots, dots))
