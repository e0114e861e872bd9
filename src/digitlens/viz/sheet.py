"""A sheet for explanations: one matplotlib figure, measured in inches from the upper left.

Figures take 0.15 s longer to load than the bare renderer that `digitlens.viz.canvas` draws
the plots of a training run with. Nobody waits for that here, and it is a tenth of the code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens.viz.canvas import (
    BLUE,
    DPI,
    FAINT,
    INK,
    LABEL,
    MUTED,
    ORANGE,
    PAPER,
    SMALL,
    drawable,
    encode_png,
    fit_heading,
    font,
    rgb,
)

# Inches at the left and right of a page.
MARGIN = 0.2
# From line to line, in sizes of the type.
LEADING = 1.45

CENTERED: dict[str, Any] = {"ha": "center", "va": "center_baseline"}


class Sheet:
    """A figure with one axes in inches; y grows downwards, and `png` sets the height.

    The heading is set bold at the upper left, smaller where it is too long; the note under it.
    """

    def __init__(self, width: float, heading: str, note: str = "") -> None:
        # Imported here: without matplotlib, `canvas` has said already what to install.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width = width
        self._figure = Figure(dpi=DPI, facecolor=PAPER)
        self._canvas: Any = FigureCanvasAgg(self._figure)  # it has no types
        self.axes: Any = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set(xlim=(0, width), autoscale_on=False)
        self.axes.set_axis_off()
        room = width - 2 * MARGIN
        size = fit_heading(lambda size: self.measure(heading, size, bold=True), room)
        self.text(MARGIN, 0.34, heading, size=size, bold=True)
        self.text(MARGIN, 0.58, note, size=LABEL, color=MUTED)

    def png(self, height: float) -> bytes:
        """Return the page, cut off at `height`, as a PNG."""
        # Half a pixel more, for matplotlib cuts what is not whole off.
        across, down = ((round(side * DPI) + 0.5) / DPI for side in (self.width, height))
        self._figure.set_size_inches(across, down)
        self.axes.set_ylim(height, 0)
        self._canvas.draw()
        return encode_png(np.asarray(self._canvas.buffer_rgba())[..., :3])

    def measure(self, words: str, size: float, *, bold: bool = False) -> float:
        """Return how wide `words` are."""
        renderer = self._canvas.get_renderer()
        type_ = font(size, bold=bold)
        extent = renderer.get_text_width_height_descent(drawable(words), type_, False)
        return float(extent[0]) / DPI

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = SMALL,
        bold: bool = False,
        **style: Any,
    ) -> None:
        """Write `words` at a place; `style` as matplotlib's Text takes it."""
        style = {"color": INK} | style
        type_ = font(size, bold=bold)
        self.axes.text(x, y, drawable(words), fontproperties=type_, parse_math=False, **style)

    def heading(
        self, x: float, y: float, words: str, about: str = "", *, size: float = 11.5
    ) -> float:
        """Write a heading, and after it what is shown; return where the panel begins."""
        self.text(x, y + 0.2, words, size=size, bold=True)
        x += self.measure(words, size, bold=True) + 0.18
        self.text(x, y + 0.2, about, size=min(size - 1.5, LABEL), color=MUTED)
        return y + 0.36

    def paragraph(
        self,
        x: float,
        y: float,
        words: str,
        width: float,
        *,
        size: float = LABEL,
        color: str = INK,
    ) -> float:
        """Write `words` in lines at most `width` wide; return where the next may begin."""
        for line in wrap_words(words, width, lambda text: self.measure(text, size)):
            self.text(x, y + size / 72, line, size=size, color=color)
            y += size * LEADING / 72
        return y

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        edge: str = FAINT,
        line: float = 0.7,
    ) -> None:
        """Draw a rectangle from its upper left corner."""
        from matplotlib.patches import Rectangle

        style: dict[str, Any] = {"facecolor": fill, "edgecolor": edge, "linewidth": line}
        self.axes.add_patch(Rectangle((x, y), width, height, **style))

    def image(
        self,
        x: float,
        y: float,
        width: float,
        pixels: NDArray[np.uint8],
        height: float | None = None,
        *,
        edge: bool = False,
    ) -> float:
        """Draw a picture, gray (H, W) or in colors (H, W, 3); return where it ends.

        Enlarged pixels stay sharp; a large picture is made smaller without losing strokes.
        The `height` follows from the width unless it is given.
        """
        if height is None:
            height = width * pixels.shape[0] / pixels.shape[1]
        place = (x, x + width, y + height, y)
        style: dict[str, Any] = {"aspect": "auto", "interpolation": "antialiased", "zorder": 1}
        self.axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=place, **style)
        if edge:
            self.box(x, y, width, height)
        return y + height

    def grid(
        self,
        top: float,
        pictures: Sequence[NDArray[np.uint8]],
        columns: int,
        gap: float,
        titles: Sequence[str] = (),
    ) -> float:
        """Draw square pictures in rows over the whole width, each under its title."""
        side = (self.width - 2 * MARGIN + gap) / columns - gap
        step = side + (0.3 if titles else gap)
        bottom = top
        for index, picture in enumerate(pictures):
            row, column = divmod(index, columns)
            left, down = MARGIN + column * (side + gap), top + row * step
            bottom = self.image(left, down, side, picture, edge=True)
            if titles:
                self.text(left, down - 0.05, titles[index], size=7.5, color=MUTED)
        return bottom

    def cells(
        self,
        x: float,
        y: float,
        cell: tuple[float, float],
        values: NDArray[Any],
        colors: NDArray[np.uint8],
        form: str,
        *,
        size: float,
    ) -> float:
        """Draw a table of `values` (H, W) on its `colors` (H, W, 3); return where it ends."""
        (rows, columns), (width, height) = values.shape, cell
        bottom = self.image(x, y, columns * width, colors, rows * height)
        style: dict[str, Any] = {"colors": FAINT, "linewidth": 0.7}
        self.axes.hlines(y + np.arange(rows + 1) * height, x, x + columns * width, **style)
        self.axes.vlines(x + np.arange(columns + 1) * width, y, bottom, **style)
        # White is read better than black where the luma is low (ITU-R BT.601).
        dark = colors @ np.array([0.299, 0.587, 0.114]) < 128
        for row, column in product(range(rows), range(columns)):
            value = values[row, column]
            middle = x + (column + 0.5) * width, y + (row + 0.5) * height
            color = PAPER if dark[row, column] else (INK if value else MUTED)
            words = format_cell(value, form)
            self.text(*middle, words, size=size, color=color, **CENTERED)
        return bottom


def format_cell(value: float, form: str) -> str:
    """Print a value short enough for a cell: no zero before two decimals, no minus zero.

    >>> format_cell(-0.314, "{:.2f}"), format_cell(-0.04, "{:.1f}"), format_cell(7, "{:d}")
    ('−.31', '0.0', '7')
    """
    words = form.format(value)
    sign = "−" if words.startswith("-") and words.strip("-0.") else ""
    words = words.lstrip("-")
    return sign + (words.removeprefix("0") if ".2f" in form else words)


def wrap_words(words: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Cut `words` into lines at most `width` wide, by `measure`; a longer word has its own."""
    for part in words.split("\n"):
        line = ""
        for word in part.split():
            longer = f"{line} {word}".strip()
            if line and measure(longer) > width:
                yield line
                line = word
            else:
                line = longer
        yield line


def shade(
    values: NDArray[np.float32], *, positive: str = ORANGE, power: float = 1.0
) -> NDArray[np.uint8]:
    """Return colors: white for 0, blue or `positive` for the greatest magnitude.

    Takes an array of any shape, returns uint8 (..., 3). A `power` below 1 lets small values
    show.

    >>> shade(np.array([0.0, 2.0, -2.0], np.float32)).tolist()
    [[255, 255, 255], [213, 94, 0], [0, 114, 178]]
    """
    # White stays white where all values are 0.
    most = float(np.abs(values).max(initial=0.0)) or 1.0
    share = (values.astype(np.float64) / most)[..., None]
    paper = np.array(rgb(PAPER))
    color = np.where(share < 0, rgb(BLUE), rgb(positive))
    mixed = paper + np.abs(share) ** power * (color - paper)
    colors: NDArray[np.uint8] = np.round(255 * mixed).astype(np.uint8)
    return colors
