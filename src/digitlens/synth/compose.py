"""Digits composed into one line, with one pen, as one writer does."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlens.geometry import Gray
from digitlens.synth.digit_forms import (
    CELL,
    MARGIN,
    draw_form,
    elastic_distortion,
    find_loop,
    glyph_source,
)
from digitlens.synth.glyphs import Glyphs
from digitlens.synth.pen import Drawn
from digitlens.synth.random import Random
from digitlens.synth.strokes import (
    FULL,
    Point,
    bend_stroke,
    draw_mark,
    draw_strokes,
    mark_width,
)
from digitlens.synth.style import Style
from digitlens.synth.writer import LEADS, TAILS, WriterStyle, split_number

Box = tuple[float, float, float, float]


# Room to the left and right of the digits, in digit heights: marks and wide margins.
BEFORE, BEHIND = 3.2, 4.2

ABOVE, BELOW = 2.4, 1.6  # room above and below the line that the digits stand on
INKED = 90  # from here on a pixel counts as ink, for boxes and for what touches

# Boxes overlap by no more than this share of the narrower one: a 1 would vanish.
MOST_OVERLAP = 0.35

# How far up small zeros stand: 0.0 on the line, 1.0 as high as the other digits reach.
RAISED = (0.0, 0.0, 0.3, 0.6, 1.0)

NOWHERE = -1e6  # the reach of a row in which there is no ink yet


@dataclass
class ComposedLine:
    """Digits on a canvas that is larger than any picture of them."""

    ink: Gray  # uint8 (H, W), 0 = paper, 255 = full ink
    boxes: list[Box]  # of each digit: left, top, right, bottom in pixels
    # Of all that was written, marks included.
    left: float
    right: float
    # Row of the line at column 0, and how it falls.
    base: float
    slope: float
    pitch: float = 0.0  # distance of digits where it is even, else 0.0
    first: float = 0.0  # left edge of the first cell where there are cells

    def line_at(self, column: float) -> float:
        """Return the row of the line at `column`."""
        return self.base + self.slope * column


def compose_line(
    glyphs: Glyphs, rng: Random, text: str, hand: WriterStyle, style: Style
) -> ComposedLine:
    """Write `text`, with marks in and around it, on an empty canvas."""
    height = hand.height
    pitch = rng.uniform(0.9, 1.5) * height if hand.spacing == "cells" else 0.0
    inside = {} if pitch else split_number(rng, text, style.separators)
    # No digit is likely to be wider; the room behind takes what jitter adds.
    widest = (1.0 + abs(hand.slant)) * hand.width + 1.3 * max(hand.gap, 0.0)
    if hand.source:  # fonts and strokes are wider than MNIST's digits
        widest = 1.6 * widest + 0.3
    advance = max(pitch, widest * height)
    room = (BEFORE + BEHIND) * height + advance * len(text) + 0.6 * height * len(inside)
    # An empty canvas with room for the widest line that may come.
    ink = np.zeros((int((ABOVE + BELOW) * height), int(room)), np.uint8)
    canvas = ComposedLine(
        ink, [], BEFORE * height, BEFORE * height, ABOVE * height, hand.slope, pitch
    )
    canvas.base -= hand.slope * (BEFORE * height + 0.4 * advance * len(text))
    canvas.first = canvas.left
    if not pitch and rng.bernoulli(style.leads):
        _mark_before(canvas, rng, hand)
    # Digit after digit, each in the writer's form; marks and joins between them.
    pen = _Pen(canvas, rng, hand, style)
    small = _small_from(text, hand)
    tiny, pen.raised = rng.uniform(0.4, 0.85), rng.choice(RAISED)
    cells = None if hand.source else _cells(glyphs, rng, text, hand, style)
    for index, letter in enumerate(text):
        size = tiny * rng.uniform(0.92, 1.08) if index >= small else 1.0
        if cells is None:
            pen.write(_draw(rng, hand, style, int(letter), size), index, size)
            pen.link(text[max(0, index - 1) : index + 1])
        else:
            pen.write(Drawn(_transform(cells[index], rng, hand, style, size)), index, size)
            if hand.joined and text[max(0, index - 1) : index + 1] == "00":
                _join(canvas, rng, hand)
        if index in inside:
            pen.mark(inside[index])
    # How the line ends: in a stroke that runs out, or in a mark that nobody can add to.
    if hand.joined and text.endswith("0") and not pitch and rng.bernoulli(0.3):
        _let_run_out(canvas, rng, hand)
    elif rng.bernoulli(style.tails):
        pen.mark(rng.weighted(TAILS))
    canvas.right = max(canvas.right, pen.right)
    return canvas


def _small_from(text: str, hand: WriterStyle) -> int:
    """Return from which digit on they are small and raised, as cents often are."""
    tail = len(text) - len(text.rstrip("0"))
    small = hand.forms.get(0) == "small" and tail > 1 and tail < len(text)
    return len(text) - tail if small else len(text)


def _mark_before(canvas: ComposedLine, rng: Random, hand: WriterStyle) -> None:
    mark = rng.weighted(LEADS)
    left = canvas.first - (mark_width(mark) * 1.1 + rng.uniform(0.1, 0.5)) * hand.height
    place = left, canvas.line_at(left)
    draw_mark(canvas.ink, rng, mark, place, hand.height, hand.stroke, hand.slant)
    canvas.left = left


def _cells(glyphs: Glyphs, rng: Random, text: str, hand: WriterStyle, style: Style) -> Gray:
    """Return the digits of `text` in the hand's forms and pen: uint8 (n, 40, 40)."""
    cells = np.zeros((len(text), CELL, CELL), np.uint8)
    widths = []
    for cell, letter in zip(cells, text, strict=True):
        label = int(letter)
        form = hand.form(rng, label)
        loop = find_loop(label, form)
        index = glyphs.choose(rng, glyph_source(label, form), hand.writer, loop=loop)
        drawn = form.startswith(("drawn", "written")) or form == "stem"
        width = hand.pen if drawn else float(glyphs.widths[index])
        if form:
            draw_form(cell, glyphs.images[index], rng, form, label, width)
        else:
            cell[MARGIN:-MARGIN, MARGIN:-MARGIN] = glyphs.images[index]
        if rng.bernoulli(style.warps):
            cell[:] = elastic_distortion(cell, rng)
        widths.append(width)
    return _match_pen(cells, widths, hand.pen)


def _match_pen(cells: Gray, widths: list[float], pen: float) -> Gray:
    """Bring strokes of `widths` most of the way to `pen` pixels.

    A cross of 3 x 3 makes strokes 2 pixels wider or narrower; the picture between the two has
    gray edges, which are what a fraction of a pixel looks like. Thin strokes are thinned less,
    for nothing may break.
    """
    for cell, width in zip(cells, widths, strict=True):
        share = min(max(0.4 * (pen - width), -0.35 * (width - 1.2)), 1.0)
        if abs(share) > 0.1:
            other = cv2.dilate(cell, _CROSS) if share > 0 else cv2.erode(cell, _CROSS)
            cv2.addWeighted(other, abs(share), cell, 1 - abs(share), 0.0, dst=cell)
    return cells


_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


class _Pen:
    """Goes along the line and knows how far the ink reaches in each row."""

    def __init__(
        self, canvas: ComposedLine, rng: Random, hand: WriterStyle, style: Style
    ) -> None:
        self._canvas, self._rng, self._hand, self._style = canvas, rng, hand, style
        self._reach = np.full(len(canvas.ink), NOWHERE, np.float32)
        self.right = canvas.first
        self.raised = 1.0
        self._next = canvas.first
        self._ends: list[tuple[Point, Point]] = []

    def write(self, drawn: Drawn, index: int, size: float) -> None:
        """Write one digit behind what is there."""
        canvas, rng, hand = self._canvas, self._rng, self._hand
        patch = drawn.ink
        solid = np.asarray(cv2.threshold(patch, INKED, 255, cv2.THRESH_BINARY)[1], np.uint8)
        left, top, width, height = cv2.boundingRect(solid)
        if not width:  # a glyph of hardly any ink
            (height, width), solid = patch.shape, np.full_like(patch, FULL)
        line = canvas.line_at(self.right + width / 2)
        jitter = rng.normal(0.0, self._style.baseline_jitter) * hand.height
        jitter = drawn.drop + (0.0 if drawn.advance else jitter)
        if size < 1.0:
            jitter -= self.raised * (1 - size) * hand.height
        up = min(max(round(line + jitter - top - height), 0), len(canvas.ink) - len(patch))
        # Kept on the canvas: a tall digit at the edge is moved, not cut.
        tight = solid[top : top + height, left : left + width]
        if drawn.advance and not canvas.pitch:
            x = max(self._next, self.right if not index else 0.0) + drawn.bearing - left
            self._next = x - drawn.bearing + left + drawn.advance
        else:
            x = self._column(tight, left, index, up + top)
        spread = min(max(round(x), 0), canvas.ink.shape[1] - patch.shape[1])
        place = canvas.ink[up : up + patch.shape[0], spread : spread + patch.shape[1]]
        np.maximum(place, patch, out=place)
        if hand.kerned:
            self._pass(tight, up + top, spread + left)
        start = spread + left
        canvas.boxes.append((start, up + top, start + width, up + top + height))
        self.right = max(self.right, float(start + width))
        self._ends = self._ends[-1:]
        if drawn.start and drawn.end:
            moved = [(spread + x, up + y) for x, y in (drawn.start, drawn.end)]
            self._ends.append((moved[0], moved[1]))

    def link(self, pair: str) -> None:
        """Draw the stroke between the last two digits, where the pen was not lifted."""
        source, hand, rng = self._hand.source, self._hand, self._rng
        if source is None or len(pair) < 2 or len(self._ends) < 2 or self._canvas.pitch:
            return
        if not rng.bernoulli(source.zero_links if pair == "00" else source.links):
            return
        start, end = self._ends[0][1], self._ends[1][0]
        if not -0.3 * hand.height < end[0] - start[0] < 0.9 * hand.height:
            return
        sag = rng.uniform(-0.15, 0.35) * hand.height
        through = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + sag)
        width = hand.stroke * rng.uniform(0.5, 1.0)
        draw_strokes(self._canvas.ink, bend_stroke(start, through, end, 6), max(1.0, width))

    def _column(self, tight: Gray, left: int, index: int, top: int) -> float:
        """Return the column at which the patch is canvas down; its ink begins at its `left`."""
        height, width = len(tight), float(tight.shape[1])
        rng, hand = self._rng, self._hand
        if hand.spacing == "cells":
            middle = float(self._canvas.first + (index + 0.5) * self._canvas.pitch)
            offset = rng.normal(0.0, 0.06) * self._canvas.pitch
            free = self.right + 1 if index else middle - width
            return max(middle + offset - width / 2, free) - left
        if not index:
            return self.right - left
        before = self._canvas.boxes[-1]
        narrower = min(width, before[2] - before[0])
        if hand.spacing == "overlap":
            return self.right - left - min(-hand.gap * hand.height, MOST_OVERLAP * narrower)
        gap = hand.gap
        if hand.spacing != "touching":
            gap *= max(0.2, rng.normal(1.0, 0.35))
            if hand.spacing != "wide" and rng.bernoulli(0.06):
                gap = rng.uniform(-0.06, 0.02)
        if not hand.kerned:
            return self.right - left + gap * hand.height
        # A row without ink counts as inked at its left edge; digits have hardly any.
        near = float((self._reach[top : top + height] - tight.argmax(axis=1)).max()) - left
        closest = self.right - left - 0.55 * narrower
        touch = min(gap * hand.height, 0.6) if gap <= 0 else gap * hand.height
        return max(near + max(touch, -0.9 * hand.stroke), closest)

    def _pass(self, tight: Gray, top: int, column: int) -> None:
        last = column + tight.shape[1] - tight[:, ::-1].argmax(axis=1)
        # Rows next to ink count as ink: strokes that pass each other by a row do touch.
        for row in (top - 1, top, top + 1):
            rows = self._reach[row : row + len(tight)]
            np.maximum(rows, last[: len(rows)], out=rows)

    def mark(self, mark: str) -> None:
        """Write a mark behind the last digit."""
        canvas, rng, hand = self._canvas, self._rng, self._hand
        if canvas.pitch:
            self.right += 0.1 * hand.height
        gap = rng.uniform(0.02, 0.15) if mark in ".,'" else rng.uniform(0.05, 0.4)
        left = self.right + max(0.0, gap + min(hand.gap, 0.1)) * hand.height
        size = hand.height * rng.uniform(0.8, 1.1)
        place = left, canvas.line_at(left) + rng.normal(0, 0.04) * hand.height
        draw_mark(canvas.ink, rng, mark, place, size, hand.stroke, hand.slant)
        width = mark_width(mark) * size
        self.right = left + width if mark not in ".,'" else left + width * rng.uniform(0.3, 1.0)
        self._reach[:] = np.maximum(self._reach, self.right - 0.5 * width)
        self._next = max(self._next, self.right + 0.02 * hand.height)
        self._ends = []


def _draw(rng: Random, hand: WriterStyle, style: Style, label: int, size: float) -> Drawn:
    """Write a digit with the hand's own strokes or font, in its size, slant and angle."""
    assert hand.source is not None, "glyphs are not drawn"
    if hand.source.even:
        shape = np.array([[hand.width, -hand.slant], [0.0, 1.0]])
        return hand.source.draw(rng, label, size * hand.height, shape, hand.stroke)
    size *= max(0.6, rng.normal(1.0, style.size_jitter))
    broad = hand.width * (1.0 if style.size_jitter == 0 else rng.normal(1.0, 0.06))
    slant = hand.slant + rng.normal(0.0, style.slant_jitter)
    shape = np.array([[broad, -slant], [rng.normal(0.0, style.turn_jitter), 1.0]])
    return hand.source.draw(rng, label, size * hand.height, shape, hand.stroke)


def _transform(cell: Gray, rng: Random, hand: WriterStyle, style: Style, size: float) -> Gray:
    """Bring a digit to its size, slant and angle, in a patch that is as large as it must be."""
    left, top, width, height = cv2.boundingRect(cell)
    # MNIST scales the longer side to 20 pixels: wide digits came out low.
    size *= max(0.6, rng.normal(1.0, style.size_jitter)) * (20 / max(height, 12)) ** 0.6
    down = size * hand.height / 20
    across = down * hand.width * (1.0 if style.size_jitter == 0 else rng.normal(1.0, 0.06))
    shear = -down * (hand.slant + rng.normal(0.0, style.slant_jitter))
    turn = rng.normal(0.0, style.turn_jitter)
    columns = int(across * width + abs(shear) * height + 3)
    rows = int(down * height + abs(turn) * across * width + 3)
    x, y = left + width / 2 - 0.5, top + height / 2 - 0.5
    matrix = np.array(
        [
            [across, shear, (columns - 1) / 2 - across * x - shear * y],
            [turn * across, down, (rows - 1) / 2 - turn * across * x - down * y],
        ]
    )
    return np.asarray(cv2.warpAffine(cell, matrix, (columns, rows)), np.uint8)


def _join(canvas: ComposedLine, rng: Random, hand: WriterStyle) -> None:
    """Join the last two digits, as hurried hands join zeros: above, or foot to shoulder."""
    one, two = canvas.boxes[-2:]
    if two[0] - one[2] > 0.6 * hand.height:
        return
    height = min(one[3] - one[1], two[3] - two[1])
    leave = rng.uniform(0.03, 0.2) if rng.bernoulli(0.7) else rng.uniform(0.4, 0.9)
    # From ink to ink: a stroke that ends inside a slanted zero would make a 6 of it.
    start = _outline(canvas.ink, one, leave * height, -1)
    end = _outline(canvas.ink, two, rng.uniform(0.0, 0.25) * height, 0)
    sag = rng.uniform(-0.1, 0.3 if leave < 0.3 else 0.1) * height
    through = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + sag)
    draw_strokes(canvas.ink, bend_stroke(start, through, end, 5), hand.stroke)


def _outline(ink: Gray, box: Box, down: float, side: int) -> Point:
    """Return where a digit's ink begins (side 0) or ends (-1), so far below its top."""
    left, top, right, bottom = (int(edge) for edge in box)
    row = min(top + round(down), bottom - 1)
    inked = np.flatnonzero(ink[row, left:right] > INKED)
    return (left + float(inked[side]) if len(inked) else (left, right)[side], float(row))


def _let_run_out(canvas: ComposedLine, rng: Random, hand: WriterStyle) -> None:
    """Let the last digit run out in a stroke to the right, up or down."""
    _, top, right, bottom = canvas.boxes[-1]
    height = bottom - top
    start = (right - rng.uniform(0.05, 0.3) * height, top + rng.uniform(0.0, 0.9) * height)
    end = (
        right + rng.uniform(0.3, 1.2) * hand.height,
        start[1] + rng.normal(0.0, 0.2) * height,
    )
    through = (
        (start[0] + end[0]) / 2,
        (start[1] + end[1]) / 2 + rng.normal(0.0, 0.25) * height,
    )
    draw_strokes(canvas.ink, bend_stroke(start, through, end, 6), hand.stroke)
    canvas.right = max(canvas.right, end[0])
