"""Paper, pen and type: what the plots of a training run are drawn with.

Every `digitlens train` ends with two plots, so they must cost little. With matplotlib's figures
and axes they took 0.35 s after 0.3 s of imports; with its Agg renderer alone 0.1 s after 0.2 s
(two cores, medians). So a `Canvas` speaks to the renderer, and every place is given in inches,
from the upper left corner. `Axes` turns values into such places and draws ticks and curves.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitlens.errors import MissingExtraError

try:
    from matplotlib import get_data_path
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D, Bbox
except ImportError as error:
    raise MissingExtraError(
        "plots need matplotlib",
        seen=str(error),
        try_="pip install 'digitlens[train]'",
    ) from error


DPI = 150

# Okabe and Ito's colours, told apart by colour-blind eyes too (jfly.uni-koeln.de/color).
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
OTHERS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
TRAINING, VALIDATION = BLUE, ORANGE

INK, MUTED, FAINT, PAPER = "#1B1F24", "#636B75", "#E3E6EA", "#FFFFFF"

# Sizes of type in points.
HEADING, LABEL, SMALL, SMALLEST = 13.0, 10.0, 8.5, 6.0

Point = tuple[float, float]
Align = Literal["left", "center", "right"]


def drawable(words: str) -> str:
    """Return `words` with a question mark for each byte of a name that is no UTF-8."""
    return words.encode(errors="replace").decode()


class Canvas:
    """A page to draw on. All places and lengths are inches, from the upper left corner.

    heading: set bold at the upper left, smaller where it is too long
    note: set under the heading
    """

    def __init__(self, width: float, height: float, heading: str = "", note: str = "") -> None:
        self.width, self.height = width, height
        agg: Any = RendererAgg  # it has no types
        self._agg = agg(round(width * DPI), round(height * DPI), DPI)
        # Inches from the upper left to pixels from the lower left, as the renderer has it.
        self._place = Affine2D().scale(DPI, -DPI).translate(0, round(height * DPI))
        self._images: list[tuple[Image.Image, tuple[int, int]]] = []
        self.area((0, 0), (width, height), PAPER)
        size = fit_heading(lambda size: self.measure(heading, size, bold=True), width - 0.4)
        self.text((0.2, 0.34), heading, size=size, bold=True)
        self.text((0.2, 0.58), note, color=MUTED, size=LABEL)

    def line(
        self,
        points: Sequence[Point],
        color: str,
        *,
        width: float = 1.0,
        alpha: float = 1.0,
        dashes: Sequence[float] = (),
        clip: tuple[Point, Point] | None = None,
    ) -> None:
        """Draw a line through `points`; `width` and `dashes` in typographic points.

        `clip` is the upper left and lower right corner of what may be drawn on.
        """
        pen = self._pen(color, width, alpha)
        if dashes:
            pen.set_dashes(0, list(dashes))
        else:
            pen.set_capstyle("round")
        if clip is not None:
            corners = self._place.transform(clip)
            pen.set_clip_rectangle(Bbox([corners.min(axis=0), corners.max(axis=0)]))
        self._agg.draw_path(pen, Path(points), self._place)

    def dots(
        self,
        points: Sequence[Point],
        color: str,
        *,
        size: float = 4.5,
        fill: str = "",
        width: float = 0.0,
    ) -> None:
        """Draw discs `size` typographic points wide, edged in `color`, filled with `fill`."""
        disc = Affine2D().scale(size / 2 * DPI / 72)
        pen = self._pen(color, width, 1.0)
        face = rgb(fill or color)
        self._agg.draw_markers(pen, Path.unit_circle(), disc, Path(points), self._place, face)

    def area(self, first: Point, second: Point, color: str) -> None:
        """Fill the rectangle between two opposite corners."""
        (left, top), (right, bottom) = first, second
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        pen = self._pen(color, 0.0, 1.0)
        pen.set_snap(True)
        self._agg.draw_path(pen, Path(corners, closed=True), self._place, rgb(color))

    def text(
        self,
        place: Point,
        words: str,
        *,
        size: float = SMALL,
        color: str = INK,
        bold: bool = False,
        align: Align = "left",
        middle: bool = False,
    ) -> None:
        """Write `words` with their baseline, or with `middle` their middle, at `place`."""
        if not words:
            return
        left, down = place[0] * DPI, place[1] * DPI
        if middle:
            down += 0.36 * size * DPI / 72  # half the height of a figure
        if align != "left":
            shift = 1.0 if align == "right" else 0.5
            left -= shift * self.measure(words, size, bold=bold) * DPI
        pen = self._pen(color, 0.0, 1.0)
        self._agg.draw_text(
            pen, round(left), round(down), drawable(words), font(size, bold=bold), 0
        )

    def measure(self, words: str, size: float = SMALL, *, bold: bool = False) -> float:
        """Return how wide `words` are."""
        type_ = font(size, bold=bold)
        width, _, _ = self._agg.get_text_width_height_descent(drawable(words), type_, False)
        return float(width) / DPI

    def image(self, place: Point, width: float, pixels: NDArray[np.uint8]) -> None:
        """Put a picture over all that is drawn, its pixels kept sharp.

        It is gray (H, W), 0 = black, or in colors (H, W, 3); its height follows from `width`.
        """
        rows, columns = pixels.shape[:2]
        size = (round(width * DPI), max(1, round(width * DPI * rows / columns)))
        picture = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
        self._images.append((picture, (round(place[0] * DPI), round(place[1] * DPI))))

    def png(self) -> bytes:
        """Return what was drawn as a PNG."""
        size = int(self._agg.width), int(self._agg.height)
        pixels = self._agg.buffer_rgba()
        picture = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB")
        for image, corner in self._images:
            picture.paste(image, corner)
        return encode_png(picture)

    def _pen(self, color: str, width: float, alpha: float) -> Any:
        pen = self._agg.new_gc()
        pen.set_alpha(alpha)
        pen.set_foreground((*rgb(color), alpha), isRGBA=True)
        pen.set_linewidth(width)
        pen.set_joinstyle("round")
        return pen


def fit_heading(measure: Callable[[float], float], width: float) -> float:
    """Return the size, `HEADING` or smaller, in which a heading is at most `width` wide."""
    size = HEADING
    while size > SMALLEST and measure(size) > width:
        size -= 0.5
    return size


def encode_png(picture: Image.Image | NDArray[np.uint8]) -> bytes:
    """Return a picture, RGB, as a PNG that says how large it is on paper."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=2, dpi=(DPI, DPI))
    return file.getvalue()


def rgb(color: str) -> tuple[float, float, float]:
    """Return ``#RRGGBB`` as three shares 0..1.

    >>> rgb("#FF0080")
    (1.0, 0.0, 0.5019607843137255)
    """
    red, green, blue = (int(color[index : index + 2], 16) / 255 for index in (1, 3, 5))
    return red, green, blue


def blend(color: str, share: float, paper: str = PAPER) -> str:
    """Return `share` of `color` on `paper`, as ``#RRGGBB``.

    >>> blend("#000000", 0.5), blend("#D55E00", 0.0)
    ('#808080', '#FFFFFF')
    """
    mixed = [
        round(255 * (share * one + (1 - share) * two))
        for one, two in zip(rgb(color), rgb(paper), strict=True)
    ]
    return "#{:02X}{:02X}{:02X}".format(*mixed)


@cache
def font(size: float, *, bold: bool) -> Any:
    """Return the font that comes with matplotlib: a plot looks the same everywhere."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FontProperties(fname=f"{get_data_path()}/fonts/ttf/{name}", size=size)


@dataclass(frozen=True)
class Axes:
    """A rectangle of a canvas, in inches, with the values at its edges.

    `x` holds the values at the left and right edge, `y` those at the lower and upper one.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def locate(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of the values `x`, `y` in inches."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def frame(self, label: str, below: str) -> None:
        """Draw the lower edge, the label of y above the axes and that of x below them."""
        right, bottom = self.left + self.width, self.top + self.height
        self.canvas.line([(self.left, bottom), (right, bottom)], MUTED)
        self.canvas.text((self.left, self.top - 0.12), label, size=LABEL, bold=True)
        place = (right, bottom + 0.38)
        self.canvas.text(place, below, color=MUTED, size=SMALL, align="right")

    def draw_y_ticks(self, ticks: Mapping[float, str]) -> None:
        """Draw a faint line across at each value and its label at the left."""
        for value, label in ticks.items():
            start, end = self.locate(self.x[0], value), self.locate(self.x[1], value)
            self.canvas.line([start, end], FAINT, width=0.8)
            place = (self.left - 0.07, start[1])
            self.canvas.text(place, label, color=MUTED, align="right", middle=True)

    def draw_x_ticks(self, ticks: Mapping[float, str], *, lines: bool = False) -> None:
        """Write each value's label below the axes; with `lines` draw a faint line up."""
        for value, label in ticks.items():
            start, end = self.locate(value, self.y[0]), self.locate(value, self.y[1])
            if lines:
                self.canvas.line([start, end], FAINT, width=0.8)
            place = (start[0], self.top + self.height + 0.19)
            self.canvas.text(place, label, color=MUTED, align="center")

    def curve(self, xs: Sequence[float], ys: Sequence[float], color: str) -> None:
        """Draw a curve, with dots where it has few points; what lies outside is cut off."""
        points = [self.locate(x, y) for x, y in zip(xs, ys, strict=True)]
        self.canvas.line(points, color, width=2.0, clip=self._clip())
        if len(points) <= 20:
            low, high = self.y
            inside = [point for point, y in zip(points, ys, strict=True) if low <= y <= high]
            if inside:
                self.canvas.dots(inside, color)

    def ring(self, x: float, y: float, color: str) -> None:
        """Draw a ring around a point."""
        self.canvas.dots([self.locate(x, y)], color, size=8, fill=PAPER, width=2)

    def _clip(self) -> tuple[tuple[float, float], tuple[float, float]]:
        # A little room, for a line that runs along the edge.
        room = 0.02
        right, bottom = self.left + self.width, self.top + self.height
        return (self.left - room, self.top - room), (right + room, bottom + room)


def round_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round values from `low` to `high`, at most about `most` of them.

    >>> round_ticks(97.7, 100.2), round_ticks(0.0, 0.3)
    ([98.0, 98.5, 99.0, 99.5, 100.0], [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])
    """
    # The round step that comes nearest to the even division.
    rough = max(high - low, 1e-12) / most
    size = 10.0 ** floor(log10(rough))
    step = min((s * size for s in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    places = max(0, 1 - floor(log10(step)))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(multiple * step, places) for multiple in range(first, last + 1)]


def format_ticks(values: Sequence[float]) -> dict[float, str]:
    """Return the label of each value, all with equally many decimals.

    >>> format_ticks([0.0, 0.05, 0.1])
    {0.0: '0.00', 0.05: '0.05', 0.1: '0.10'}
    """
    # As many decimals as the value that needs most.
    shown = [f"{value:.6f}".rstrip("0") for value in values]
    places = max((len(text) - text.index(".") - 1 for text in shown), default=0)
    return {value: f"{value:.{places}f}" for value in values}


def integer_ticks(first: int, last: int, most: int = 12) -> list[int]:
    """Return the multiples of a round step from `first` to `last`, at most `most`.

    >>> integer_ticks(1, 4), integer_ticks(1, 100)
    ([1, 2, 3, 4], [10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    """
    step = next(
        s for s in (1, 2, 5, 10, 20, 50, 100, 1000, 10**5) if (last - first) // s < most
    )
    return [value for value in range(first, last + 1) if value % step == 0]


def spread_labels(places: Sequence[float], distance: float) -> list[float]:
    """Move two places until they are `distance` apart, both by the same.

    >>> spread_labels([1.0, 1.5], 1.0), spread_labels([5.0, 1.0], 1.0)
    ([0.75, 1.75], [5.0, 1.0])
    """
    if len(places) != 2 or abs(places[0] - places[1]) >= distance:
        return list(places)
    middle, half = sum(places) / 2, distance / 2
    ascending = places[0] <= places[1]
    return [middle - half, middle + half] if ascending else [middle + half, middle - half]
