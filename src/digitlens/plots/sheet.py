"""Paper, pen and type: what every plot is drawn with.

Each run of `digitlens train` ends with two plots, so they must cost little. By way of
matplotlib's figures and axes they took 0.35 s after 0.3 s of imports; by way of its Agg
renderer alone 0.1 s after 0.2 s (two cores, medians). So a sheet speaks to the renderer,
and every place is given in inches, from the upper left corner.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

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

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

DPI = 150

# Okabe and Ito's colours, told apart by colour-blind eyes too (jfly.uni-koeln.de/color).
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
OTHERS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
TRAINING, VALIDATION = BLUE, ORANGE

INK, MUTED, FAINT, PAPER = "#1B1F24", "#636B75", "#E3E6EA", "#FFFFFF"

HEADING, LABEL, SMALL, SMALLEST = 13.0, 10.0, 8.5, 6.0
"""Sizes of type in points."""

Point = tuple[float, float]
Align = Literal["left", "centre", "right"]


class Sheet:
    """A sheet of paper. All places and lengths are inches, from the upper left corner.

    Parameters
    ----------
    width, height
        Of the sheet.
    heading
        Set bold at the upper left, smaller where it is too long.
    note
        Set under the heading.
    """

    def __init__(self, width: float, height: float, heading: str = "", note: str = "") -> None:
        self.width, self.height = width, height
        agg: Any = RendererAgg  # it has no types
        self._agg = agg(round(width * DPI), round(height * DPI), DPI)
        # Inches from the upper left to pixels from the lower left, as the renderer has it.
        self._place = Affine2D().scale(DPI, -DPI).translate(0, round(height * DPI))
        self._images: list[tuple[Image.Image, tuple[int, int]]] = []
        self.area((0, 0), (width, height), PAPER)
        size = HEADING
        while size > SMALLEST and self.measure(heading, size, bold=True) > width - 0.4:
            size -= 0.5
        self.text((0.2, 0.34), heading, size=size, bold=True)
        self.text((0.2, 0.58), note, colour=MUTED, size=LABEL)

    def line(
        self,
        points: Sequence[Point],
        colour: str,
        *,
        width: float = 1.0,
        alpha: float = 1.0,
        dashes: Sequence[float] = (),
        clip: tuple[Point, Point] | None = None,
    ) -> None:
        """Draw a line through `points`; `width` and `dashes` in typographic points.

        `clip` is the upper left and lower right corner of what may be drawn on.
        """
        pen = self._pen(colour, width, alpha)
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
        colour: str,
        *,
        size: float = 4.5,
        fill: str = "",
        width: float = 0.0,
    ) -> None:
        """Draw discs `size` typographic points wide, edged in `colour`, filled with `fill`."""
        disc = Affine2D().scale(size / 2 * DPI / 72)
        pen = self._pen(colour, width, 1.0)
        face = rgb(fill or colour)
        self._agg.draw_markers(pen, Path.unit_circle(), disc, Path(points), self._place, face)

    def area(self, first: Point, second: Point, colour: str) -> None:
        """Fill the rectangle between two opposite corners."""
        (left, top), (right, bottom) = first, second
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        pen = self._pen(colour, 0.0, 1.0)
        pen.set_snap(True)
        self._agg.draw_path(pen, Path(corners, closed=True), self._place, rgb(colour))

    def text(
        self,
        place: Point,
        words: str,
        *,
        size: float = SMALL,
        colour: str = INK,
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
        pen = self._pen(colour, 0.0, 1.0)
        self._agg.draw_text(pen, round(left), round(down), words, _type(size, bold=bold), 0)

    def measure(self, words: str, size: float = SMALL, *, bold: bool = False) -> float:
        """Return how wide `words` are."""
        type_ = _type(size, bold=bold)
        width, _, _ = self._agg.get_text_width_height_descent(words, type_, False)
        return float(width) / DPI

    def image(self, place: Point, width: float, pixels: NDArray[np.uint8]) -> None:
        """Lay a picture on the sheet, over all that is drawn, its pixels kept sharp.

        It is grey (H, W), 0 = black, or in colours (H, W, 3); its height follows from `width`.
        """
        rows, columns = pixels.shape[:2]
        size = (round(width * DPI), max(1, round(width * DPI * rows / columns)))
        picture = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
        self._images.append((picture, (round(place[0] * DPI), round(place[1] * DPI))))

    def png(self) -> bytes:
        """Return the sheet as a PNG."""
        size = int(self._agg.width), int(self._agg.height)
        pixels = self._agg.buffer_rgba()
        picture = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB")
        for image, corner in self._images:
            picture.paste(image, corner)
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=2, dpi=(DPI, DPI))
        return file.getvalue()

    def _pen(self, colour: str, width: float, alpha: float) -> Any:
        pen = self._agg.new_gc()
        pen.set_alpha(alpha)
        pen.set_foreground((*rgb(colour), alpha), isRGBA=True)
        pen.set_linewidth(width)
        pen.set_joinstyle("round")
        return pen


def rgb(colour: str) -> tuple[float, float, float]:
    """Return ``#RRGGBB`` as three shares 0..1.

    Examples
    --------
    >>> rgb("#FF0080")
    (1.0, 0.0, 0.5019607843137255)
    """
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def blend(colour: str, share: float, paper: str = PAPER) -> str:
    """Return `share` of `colour` on `paper`, as ``#RRGGBB``.

    Examples
    --------
    >>> blend("#000000", 0.5), blend("#D55E00", 0.0)
    ('#808080', '#FFFFFF')
    """
    mixed = [
        round(255 * (share * one + (1 - share) * two))
        for one, two in zip(rgb(colour), rgb(paper), strict=True)
    ]
    return "#{:02X}{:02X}{:02X}".format(*mixed)


@cache
def _type(size: float, *, bold: bool) -> Any:
    # The font that matplotlib brings along, so that a plot looks the same everywhere.
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return FontProperties(fname=f"{get_data_path()}/fonts/ttf/{name}", size=size)
