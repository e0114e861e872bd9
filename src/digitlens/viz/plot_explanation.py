"""Why a model answers as it does, as PNGs: an overview, and each of its panels large.

A panel is drawn by a function ``draw_...``, which takes a `Sheet` and the height at which the
panel begins, and returns the height at which it ends: in inches from the upper edge. So the
overview draws one panel under the other, and each panel can have a page of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.explain.explanation import as_percent
from digitlens.viz.canvas import BLUE, DPI, FAINT, INK, LABEL, MUTED, ORANGE, SMALL
from digitlens.viz.sheet import CENTERED, MARGIN, Sheet, shade

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from digitlens.explain import Explanation, Maps

    Floats = NDArray[np.float32]

# Inches: two dots of the overview for each of the 784 features.
OVERVIEW_WIDTH = FEATURES * 2 / DPI + 2 * MARGIN

PANEL_GAP, MAX_OVERVIEW_LAYERS = 0.28, 8


def pictures(result: Explanation, title: str) -> dict[str, bytes]:
    """Return every picture of an explanation by its file name, the overview first.

    `title` is what the picture is called, such as the name of its file.
    """
    drawn = {"overview.png": overview(result, title)}
    if result.steps:
        drawn["framing.png"] = framing(result)
    drawn["pixels.png"] = pixels(result)
    drawn["unrolled.png"] = unrolled(result)
    if len(result.filters):
        drawn["filters.png"] = filters(result)
    for number, layer in enumerate(result.maps, 1):
        drawn[f"layer-{number}.png"] = maps(layer)
    drawn["mattered.png"] = saliency(result)
    drawn["probabilities.png"] = probabilities(result)
    return drawn


def overview(result: Explanation, title: str) -> bytes:
    """Draw every panel, numbered, from the picture to the answer; 1628 pixels wide."""
    answer = "see no digit" if result.refused else f"read {result.label}"
    sheet = Sheet(
        OVERVIEW_WIDTH, f"{title}: how {result.model} comes to {answer}", result.answer
    )
    top, number = 0.75, 0

    def panel(heading: str, about: str, draw: Callable[[float], float]) -> None:
        nonlocal top, number
        number += 1
        top = draw(sheet.heading(MARGIN, top, f"{number}  {heading}", about)) + PANEL_GAP

    # The picture becomes numbers ...
    if result.steps:
        about = "the picture is brought into the form that the network knows"
        panel("Framed", about, lambda down: draw_framing(sheet, down, result))
    about = "what the network is given"
    panel("Numbers", about, lambda down: draw_pixels(sheet, down + 0.12, result))
    about = "the rows one after the other, a ribbon of 784 features"
    panel("Unrolled", about, lambda down: draw_ribbon(sheet, down, result))
    # ... the layers look for patterns in them ...
    if len(result.filters):
        about = "what the first layer looks for: orange asks for ink, blue for paper"
        panel("First filters", about, lambda down: draw_filters(sheet, down, result))
    panel("Layer by layer", _about_layers(result), lambda down: _layers(sheet, down, result))
    # ... and this is why they answer as they do.
    end = sheet.heading(MARGIN, top, f"{number + 1}  What mattered", _speaks(result))
    zoom = 15
    left = MARGIN + _maps_width(result, zoom) + 0.6
    sheet.heading(left, top, f"{number + 2}  The answer")
    bottom = max(
        draw_saliency(sheet, end, result, zoom=zoom), _answer(sheet, left, end, result)
    )
    return sheet.png(bottom + MARGIN)


def _about_layers(result: Explanation) -> str:
    about = "dark is where a layer found its pattern, blue is less than nothing"
    if result.shown:
        about = f"{result.shown}; {about}"
    if len(result.maps) > MAX_OVERVIEW_LAYERS:
        about += f"; {MAX_OVERVIEW_LAYERS} of {len(result.maps)} layers shown"
    return about


def _layers(sheet: Sheet, top: float, result: Explanation) -> float:
    for layer in result.maps[:MAX_OVERVIEW_LAYERS]:
        top = draw_layer(sheet, top, layer) + 0.14
    return top - 0.14


def _answer(sheet: Sheet, left: float, top: float, result: Explanation) -> float:
    width = sheet.width - MARGIN - left
    top = draw_probabilities(sheet, left, top - 0.02, width, result)
    words = result.mattered[:1].upper() + result.mattered[1:] + "."
    top = sheet.paragraph(left, top + 0.1, words, width)
    if result.without_gradients:
        words = result.without_gradients
        top = sheet.paragraph(left, top + 0.06, words, width, size=8, color=MUTED)
    return top


# The steps from the picture that came in to the frame of 28 x 28.

STEP_SIDE, STEP_GAP = 1.5, 0.3


def framing(result: Explanation) -> bytes:
    """Draw each step with its name and what was done; 270 pixels wide for each."""
    width = 2 * MARGIN + len(result.steps) * (STEP_SIDE + STEP_GAP) - STEP_GAP
    sheet = Sheet(max(width, 5.0), "From the picture to the frame of 28 x 28")
    return sheet.png(draw_framing(sheet, 0.7, result) + MARGIN)


def draw_framing(sheet: Sheet, top: float, result: Explanation) -> float:
    """Draw the steps from left to right, with arrows between them."""
    room = sheet.width - 2 * MARGIN + STEP_GAP
    side = min(STEP_SIDE, room / max(len(result.steps), 1) - STEP_GAP)
    bottom = top
    for index, step in enumerate(result.steps):
        left = MARGIN + index * (side + STEP_GAP)
        height, width = side * np.array(step.picture.shape[:2]) / max(step.picture.shape[:2])
        sheet.box(left, top, side, side, fill=FAINT)
        middle_left, middle_top = left + (side - width) / 2, top + (side - height) / 2
        sheet.image(middle_left, middle_top, width, step.picture)
        if index:
            middle = left - STEP_GAP / 2, top + side / 2
            sheet.text(*middle, "→", size=14, **CENTERED)
        down = sheet.paragraph(left, top + side + 0.1, f"{index + 1}  {step.name}", side + 0.1)
        about = step.about
        down = sheet.paragraph(left, down + 0.02, about, side + 0.1, size=SMALL, color=MUTED)
        bottom = max(bottom, down)
    return bottom


# The digit as numbers, and the numbers in a row.

# The overview shows a part of 9 x 9 pixels as numbers; 15 dots for one of them.
CUT, CUT_ZOOM = 9, 15


def pixels(result: Explanation) -> bytes:
    """Draw the digit with the number of each pixel; 1442 pixels wide."""
    cell = 0.32
    sheet = Sheet(
        0.45 + SIDE * cell + MARGIN,
        f"A picture is {FEATURES} numbers: {SIDE} rows of {SIDE} pixels",
        "0 is bare paper, 255 is full ink; this is all that the network is given",
    )
    return sheet.png(_pixel_cells(sheet, 0.45, 1.1, cell, result.digit, (0, 0)) + 0.25)


def draw_pixels(sheet: Sheet, top: float, result: Explanation) -> float:
    """Draw the digit, a part of it as numbers, and what they are."""
    cell, digit = CUT_ZOOM / DPI, result.digit
    side = SIDE * cell
    row, column = most_varied_part(digit)
    # The digit, the part in an orange frame ...
    sheet.image(MARGIN, top, side, 255 - digit, edge=True)
    corner = MARGIN + column * cell, top + row * cell
    sheet.box(*corner, CUT * cell, CUT * cell, edge=ORANGE, line=1.4)
    # ... the part as numbers ...
    left = MARGIN + side + 0.65
    part = digit[row : row + CUT, column : column + CUT]
    _pixel_cells(sheet, left, top, side / CUT, part, (row, column))
    # ... and in words, with its pixel that is nearest to half ink as the example.
    gray_row, gray_column = divmod(int(np.abs(part.astype(int) - 128).argmin()), CUT)
    row, column = row + gray_row, column + gray_column
    index = SIDE * row + column
    words = (
        f"The network is given no picture, only {FEATURES} numbers: {SIDE} rows of {SIDE}, "
        "0 for bare paper, 255 for full ink (drawn dark here), between them what the pen half "
        "covered.\n\n"
        "The part in the orange frame is shown as numbers in the middle, with its rows and "
        "columns.\n\n"
        f"Read row by row they become one number after the other: row {row}, column {column} "
        f"is feature {SIDE} x {row} + {column} = {index}. It is {digit[row, column]} here, or "
        f"{result.unrolled[index]:.2f} when 255 counts as 1."
    )
    left += side + 0.45
    sheet.paragraph(left, top - 0.02, words, sheet.width - MARGIN - left)
    return top + side


def most_varied_part(digit: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the row and column of the part of 9 x 9 pixels with the most greys."""
    inked = digit > 0
    score = (inked & (digit < 255)).astype(int) + inked
    parts = np.lib.stride_tricks.sliding_window_view(score, (CUT, CUT))
    row, column = divmod(int(parts.sum(axis=(2, 3)).argmax()), SIDE - CUT + 1)
    return row, column


def _pixel_cells(
    sheet: Sheet,
    left: float,
    top: float,
    cell: float,
    part: NDArray[np.uint8],
    first: tuple[int, int],
) -> float:
    """Draw pixels as numbers, with their rows and columns counted from `first`."""
    rows, columns = len(part), len(part[0])
    colors = np.repeat(255 - part[..., None], 3, axis=2)
    sheet.cells(left, top, (cell, cell), part, colors, "{:d}", size=SMALL)
    style: dict[str, Any] = {"size": 7.0, "color": MUTED}
    for row in range(rows):
        middle = top + (row + 0.5) * cell
        words = str(first[0] + row)
        sheet.text(left - 0.07, middle, words, ha="right", va="center_baseline", **style)
    for column in range(columns):
        middle = left + (column + 0.5) * cell
        sheet.text(middle, top - 0.06, str(first[1] + column), ha="center", **style)
    return top + rows * cell


RIBBON_PIECES = 4


def unrolled(result: Explanation) -> bytes:
    """Draw the ribbon of 784 features, and four pieces of it large; 1628 pixels wide."""
    sheet = Sheet(
        OVERVIEW_WIDTH,
        f"The picture unrolled: {SIDE} rows, one after the other, {FEATURES} features",
        "feature = 28 x row + column; a fully connected network sees nothing else",
    )
    top = draw_ribbon(sheet, 0.85, result) + 0.25
    size, width = FEATURES // RIBBON_PIECES, sheet.width - 2 * MARGIN
    for index, piece in enumerate(255 - result.digit.reshape(RIBBON_PIECES, 1, size)):
        first = index * size
        rows = f"rows {first // SIDE} to {(first + size) // SIDE - 1}"
        about = f"features {first} to {first + size - 1}"
        down = sheet.heading(MARGIN, top, rows, about, size=LABEL)
        top = sheet.image(MARGIN, down - 0.06, width, piece, 0.33, edge=True) + 0.23
    return sheet.png(top)


def draw_ribbon(sheet: Sheet, top: float, result: Explanation) -> float:
    """Draw the features in one row, with the row of the picture that each piece was."""
    width = sheet.width - 2 * MARGIN
    bottom = sheet.image(MARGIN, top, width, 255 - result.digit.reshape(1, -1), 0.36, edge=True)
    ends = MARGIN + np.arange(SIDE + 1) * width / SIDE
    sheet.axes.vlines(ends, bottom + 0.02, bottom + 0.08, MUTED, linewidth=0.8)
    for row, end in enumerate(ends[:-1]):
        middle = end + width / SIDE / 2
        sheet.text(middle, bottom + 0.19, str(row), size=7, color=MUTED, ha="center")
    words = "the row that each piece was; feature 0 at the left end, 783 at the right"
    sheet.text(MARGIN, bottom + 0.38, words, color=MUTED)
    return bottom + 0.42


# The first layer's kernels, and what each layer makes of the digit.

# Up to this size a kernel is drawn with its numbers.
NUMBERED = 7

OVERVIEW_COLUMNS, OVERVIEW_FILTERS = 16, 32


def filters(result: Explanation) -> bytes:
    """Draw the first layer's kernels: small ones with numbers, large ones as pictures.

    Orange asks for ink, blue for paper; a number is what full ink at its place adds. The
    picture is as wide as six small kernels or eight large ones.
    """
    kernels, size = 255 * result.filters, result.filters.shape[2]
    layer = result.maps[0].layer
    count = 0 if layer.weight is None else len(layer.weight)
    heading = f"The first layer looks for these {count} patterns of {size} x {size}"
    if layer.kind == "dense":
        heading = f"The first layer: {len(kernels)} of {count} rows of weights, as pictures"
    if size > NUMBERED:
        note = "orange asks for ink at that pixel, blue for paper; each scaled by itself"
        sheet = Sheet(2 * MARGIN + 8 * (size * 6 / DPI + 0.2) - 0.2, heading, note)
        titles = list(map(str, range(len(kernels))))
        return sheet.png(sheet.grid(0.9, _kernel_colors(kernels), 8, 0.2, titles) + MARGIN)
    note = "orange asks for ink, blue for paper; a number is what full ink there adds"
    columns, cell, gap = min(6, len(kernels)), 0.31, 0.3
    side = size * cell
    sheet = Sheet(max(2 * MARGIN + columns * (side + gap) - gap, 7.0), heading, note)
    bottom = 0.0
    for index, (kernel, colors) in enumerate(zip(kernels, shade(kernels), strict=True)):
        row, column = divmod(index, columns)
        left, top = MARGIN + column * (side + gap), 0.95 + row * (side + gap + 0.1)
        sheet.text(left, top - 0.06, f"kernel {index}", size=LABEL, color=MUTED)
        sheet.cells(left, top, (cell, cell), kernel, colors, "{:.2f}", size=6.5)
        bottom = top + side
    return sheet.png(bottom + MARGIN)


def draw_filters(sheet: Sheet, top: float, result: Explanation) -> float:
    """Draw the first 32 kernels small, side by side."""
    colors = _kernel_colors(result.filters[:OVERVIEW_FILTERS])
    return sheet.grid(top, colors, OVERVIEW_COLUMNS, 0.08)


def _kernel_colors(kernels: Floats) -> Sequence[NDArray[np.uint8]]:
    # Small kernels share one scale; rows of a dense layer differ too much for that.
    if kernels.shape[2] <= NUMBERED:
        return list(shade(kernels))
    return [shade(kernel) for kernel in kernels]


# Most values of a layer are small beside its largest; this power lets them show.
ROOT = 0.7
# Up to so many values have room for their figures in the overview.
WITH_FIGURES = 16


def maps(layer: Maps) -> bytes:
    """Draw everything that one layer gives, its maps or its values; 1650 pixels wide."""
    values = _flat(layer)
    shown = "found its pattern" if layer.values.ndim > 1 else "answers"
    note = f"{layer.layer.about}; dark is where it {shown}, white is nothing"
    note += ", blue is less than nothing" if layer.values.min() < 0 else ""
    name = layer.layer.name
    sheet = Sheet(11.0, f"{name[0].upper()}{name[1:]}: {layer.about}", note)
    if values.ndim == 1:
        columns = min(len(values), 16 if len(values) <= 256 else 32)
        return sheet.png(_value_cells(sheet, 0.78, values, columns, 0.42) + MARGIN)
    titles = [f"map {index}, up to {one.max():.1f}" for index, one in enumerate(values)]
    colors = shade(values, positive=INK, power=ROOT)
    return sheet.png(sheet.grid(0.95, list(colors), 8, 0.16, titles) + MARGIN)


def draw_layer(sheet: Sheet, top: float, layer: Maps) -> float:
    """Draw a layer in one row: its first 16 maps, or all its values."""
    values = _flat(layer)
    about = f"{layer.layer.about}: {layer.about}"
    if values.ndim > 1 and len(values) > OVERVIEW_COLUMNS:
        about += f", the first {OVERVIEW_COLUMNS} shown"
    top = sheet.heading(MARGIN, top, layer.layer.name, about, size=LABEL) - 0.1
    if values.ndim > 1:
        colors = shade(layer.values[:OVERVIEW_COLUMNS], positive=INK, power=ROOT)
        return sheet.grid(top, list(colors), OVERVIEW_COLUMNS, 0.08)
    if len(values) <= WITH_FIGURES:
        return _value_cells(sheet, top, values, len(values), 0.32)
    colors = shade(values, positive=INK, power=ROOT)[None]
    return sheet.image(MARGIN, top, sheet.width - 2 * MARGIN, colors, 0.3, edge=True)


def _flat(layer: Maps) -> Floats:
    """Return a layer's values, maps of one pixel as plain values: (maps, H, W) or (values,)."""
    values = layer.values
    return values.reshape(-1) if values.shape[1:] == (1, 1) else values


def _value_cells(
    sheet: Sheet, top: float, values: Floats, columns: int, max_height: float
) -> float:
    """Draw values with their figures, `columns` in a row; the last row may be shorter."""
    width = (sheet.width - 2 * MARGIN) / columns
    size = min(width, max_height), SMALL if columns <= WITH_FIGURES else 7.0
    colors = shade(values, positive=INK, power=ROOT)
    for first in range(0, len(values), columns):
        row = slice(first, first + columns)
        shown = values[None, row], colors[None, row]
        top = sheet.cells(MARGIN, top, (width, size[0]), *shown, "{:.1f}", size=size[1])
    return top


# Which pixels the answer hangs on, and the ten probabilities.

MAP_GAP, INKED = 0.5, 127


def saliency(result: Explanation) -> bytes:
    """Draw what the answer loses without each part of the ink, and what each pixel adds."""
    heading = f"Why {result.label}? Which pixels the answer hangs on"
    zoom = 24
    sheet = Sheet(2 * MARGIN + _maps_width(result, zoom), heading, _speaks(result))
    return sheet.png(draw_saliency(sheet, 0.85, result, zoom=zoom) + MARGIN)


def _speaks(result: Explanation) -> str:
    return f"orange speaks for {result.label}, blue against it"


def _maps_width(result: Explanation, zoom: int) -> float:
    side = SIDE * zoom / DPI
    return side if result.gradients is None else 2 * side + MAP_GAP


def draw_saliency(sheet: Sheet, top: float, result: Explanation, *, zoom: int) -> float:
    """Draw one or two maps, `zoom` dots for a pixel, with what they mean."""
    cell, occlusion = zoom / DPI, result.occlusion
    size = occlusion.window
    changed = np.argwhere(occlusion.answers != result.label)
    words = f"What is lost when {size} x {size} pixels about this one are turned to paper. "
    words += "A figure: the digit it would then read." if len(changed) else ""
    bottom = _saliency_map(sheet, MARGIN, top, cell, occlusion.fall, result.digit, words)
    # Only where the answer changes: a map full of figures says nothing.
    for row, column in changed:
        middle = MARGIN + (column + 0.5) * cell, top + (row + 0.5) * cell
        answer = str(occlusion.answers[row, column])
        sheet.text(*middle, answer, size=0.75 * cell * 72, bold=True, **CENTERED)
    if result.gradients is None:
        return bottom
    left = MARGIN + SIDE * cell + MAP_GAP
    words = (
        "What each pixel adds when the digit is faded in from blank paper (integrated "
        "gradients)."
    )
    second = _saliency_map(sheet, left, top, cell, result.gradients, result.digit, words)
    return max(bottom, second)


def _saliency_map(
    sheet: Sheet,
    left: float,
    top: float,
    cell: float,
    values: Floats,
    digit: NDArray[np.uint8],
    words: str,
) -> float:
    """Draw one map with the digit's outline, its scale and what it means."""
    side = SIDE * cell
    bottom = sheet.image(left, top, side, shade(values), edge=True)
    # The outline runs between each pixel with ink and its neighbour without.
    inked = np.pad(digit > INKED, 1)
    style: dict[str, Any] = {"colors": INK, "linewidth": 1.0, "alpha": 0.75}
    row, column = np.nonzero(inked[1:, 1:-1] != inked[:-1, 1:-1])
    start = left + column * cell
    sheet.axes.hlines(top + row * cell, start, start + cell, **style)
    row, column = np.nonzero(inked[1:-1, 1:] != inked[1:-1, :-1])
    start = top + row * cell
    sheet.axes.vlines(left + column * cell, start, start + cell, **style)
    # The scale: from the strongest against the answer to the strongest for it.
    most = float(np.abs(values).max())
    scale = shade(np.linspace(-1, 1, 201, dtype=np.float32))[None]
    down = sheet.image(left, bottom + 0.12, side, scale, 0.1) + 0.14
    for share, mark, align in (
        (0.0, f"−{most:.2g}", "left"),
        (0.5, "log-odds", "center"),
        (1.0, f"+{most:.2g}", "right"),
    ):
        sheet.text(left + share * side, down, mark, size=7.5, color=MUTED, ha=align)
    return sheet.paragraph(left, down + 0.06, words, side, size=SMALL)


BAR_STEP, BAR_HEIGHT = 0.3, 0.2


def probabilities(result: Explanation) -> bytes:
    """Draw a bar for each digit; 975 pixels wide."""
    note = "how likely each digit is, by its own account; they sum to 1"
    sheet = Sheet(6.5, f"{result.model} reads {result.label}", note)
    width = sheet.width - 2 * MARGIN
    return sheet.png(draw_probabilities(sheet, MARGIN, 0.8, width, result) + MARGIN)


def draw_probabilities(
    sheet: Sheet, left: float, top: float, width: float, result: Explanation
) -> float:
    """Draw the bars, and one for "no digit" where the model knows it."""
    # "No digit" has a bar of its own where the model knows it.
    shares = [*map(float, result.probabilities)]
    names = [*map(str, range(CLASSES))]
    colors = [BLUE if digit == result.label else MUTED for digit in range(CLASSES)]
    if result.no_digit is not None:
        shares.append(result.no_digit)
        names.append("no digit")
        colors.append(ORANGE if result.refused else MUTED)
    figures = [as_percent(share) for share in shares]
    start = left + max(sheet.measure(name, LABEL, bold=True) for name in names) + 0.15
    end = (
        left + width - max(sheet.measure(figure, LABEL, bold=True) for figure in figures) - 0.12
    )
    rows = top + BAR_STEP * (np.arange(len(shares)) + 0.5)
    sheet.axes.barh(rows, end - start, BAR_HEIGHT, left=start, color=FAINT)
    lengths = np.array(shares) * (end - start)
    sheet.axes.barh(rows, lengths, BAR_HEIGHT, left=start, color=colors, zorder=2)
    for index, (row, name, figure) in enumerate(zip(rows, names, figures, strict=True)):
        chosen = index == result.label
        sheet.text(left, row, name, size=LABEL, bold=chosen, va="center_baseline")
        color = INK if chosen else MUTED
        style: dict[str, Any] = {"bold": chosen, "color": color, "va": "center_baseline"}
        sheet.text(end + 0.12, row, figure, size=LABEL, **style)
    return top + len(shares) * BAR_STEP
