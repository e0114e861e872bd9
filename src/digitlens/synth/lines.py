"""From a number to a picture of it: the generator of lines.

A line is sampled (number, writer), composed on a canvas, cropped, given neighbours and
printed rules, put onto paper and photographed: `_write` shows the steps. `sample_sheet`
draws many lines on one sheet, to see what a reader is trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.digits import Digits
from digitlens.errors import UsageError
from digitlens.geometry import Gray
from digitlens.synth.camera import simulate_camera
from digitlens.synth.compose import ComposedLine, compose_line
from digitlens.synth.distractors import draw_distractor
from digitlens.synth.glyphs import Glyphs, prepare_glyphs
from digitlens.synth.page import (
    Background,
    PrintedField,
    add_label,
    add_neighbours,
    apply_ink,
    draw_background,
    print_cells,
    print_frame,
    print_rules,
    shade_page,
)
from digitlens.synth.random import Random
from digitlens.synth.style import Style, named_style
from digitlens.synth.writer import WriterStyle, check_text, sample_number, sample_writer

CHUNK = 256  # lines that are written from one generator: what workers share among themselves


@dataclass(frozen=True, eq=False)
class LineSample:
    """A picture of one line of handwriting, as a camera or a scanner gives it."""

    # uint8 (H, W), gray. Either polarity: mostly dark ink on light paper, 0 = black.
    image: Gray
    # The number that is written, digits only, leading zeros kept; `""` for a picture that shows
    # none.
    text: str
    # float32 (n, 4), one row for each digit of `text`, in its order: left, top, right and
    # bottom of the digit's ink in pixels. Pixel (row y, column x) covers y..y+1 and x..x+1, so
    # 0 <= left < right <= W and 0 <= top < bottom <= H.
    boxes: NDArray[np.float32]


def synthesize_line(
    glyphs: Digits | Glyphs,
    rng: np.random.Generator,
    *,
    text: str | None = None,
    style: Style | str = "training",
) -> LineSample:
    """Write one line of digits, and take a picture of it as a camera or scanner would.

    glyphs: Digits to write with: uint8 (N, 28, 28), 0 = paper, 255 = ink, each of 0 to 9 among
        them. Where their writers are known, most lines are by one writer.
    rng: decides everything; the same generator writes the same line. As many numbers as are
        needed are drawn from it, in blocks.
    text: the digits to write; None draws a number, or a picture without one for the share
        `style.negatives`, and ``""`` always gives a picture without a number
    style: ranges and shares, or the name of a style in `STYLES`

    Raises UsageError: `text` holds something else than digits, or there is no such style;
    DataError: a digit 0 to 9 is missing among the glyphs.
    """
    return _write(prepare_glyphs(glyphs), Random(rng), named_style(style), text)


def synthesize_chunk(
    glyphs: Digits | Glyphs,
    index: int,
    *,
    seed: int = 0,
    style: Style | str = "training",
    size: int = CHUNK,
) -> list[LineSample]:
    """Write chunk `index` of `seed`: the same lines whoever writes it, and in any order.

    glyphs, style: as `synthesize_line` has them
    index, seed: 0 or more
    size: lines in a chunk; the first lines of a larger chunk are those of a smaller one

    Raises UsageError: a negative index, seed or size.
    """
    if min(index, seed, size) < 0:
        raise UsageError(
            "index, seed and size of a chunk must be 0 or more",
            seen=f"index {index}, seed {seed}, size {size}",
        )
    prepared, chosen = prepare_glyphs(glyphs), named_style(style)
    rng = Random(np.random.default_rng([seed, index]))
    return [_write(prepared, rng, chosen, None) for _ in range(size)]


def synthesize_lines(
    glyphs: Digits | Glyphs,
    count: int,
    *,
    seed: int = 0,
    style: Style | str = "training",
) -> Iterator[LineSample]:
    """Write `count` lines, chunk by chunk: chunks 0, 1, 2 ... of `seed`.

    To write on several cores, let process i of n call `synthesize_chunk` for the chunks i,
    i + n, i + 2 n and so on. (Threads share one interpreter, and gain little.)
    """
    for index in range(-(-count // CHUNK)):
        size = min(CHUNK, count - index * CHUNK)
        yield from synthesize_chunk(glyphs, index, seed=seed, style=style, size=size)


def _write(glyphs: Glyphs, rng: Random, style: Style, text: str | None) -> LineSample:
    # What is written, and by whom.
    if text is None:
        text = "" if rng.bernoulli(style.negatives) else sample_number(rng, style)
    check_text(text)
    hand = sample_writer(glyphs, rng, style, text)
    if not text:
        return _without_number(glyphs, rng, style, hand)
    # The ink alone: digits on a canvas, then the part of it that the picture shows.
    ink, boxes, field = _crop(compose_line(glyphs, rng, text, hand, style), rng, style, hand)
    # Other writing that reaches into the picture.
    if rng.bernoulli(style.neighbours):
        free = float(boxes[:, 1].min()), ink.shape[0] - float(boxes[:, 3].max())
        add_neighbours(ink, glyphs, rng, hand.height, free)
    if rng.bernoulli(style.labels):
        row = field.base + field.slope * field.left
        add_label(ink, rng, style, (field.left, field.right), row)
    # The page below it, and the camera that looks at both.
    page = draw_background(rng, style, ink.shape)
    _print(rng, style, page, field)
    return _photograph(rng, style, page, (ink, text, boxes), hand)


def _crop(
    line: ComposedLine, rng: Random, style: Style, hand: WriterStyle
) -> tuple[Gray, NDArray[np.float32], PrintedField]:
    """Cut the picture out of the canvas, tightly or loosely, and move all places along."""
    boxes = np.array(line.boxes, np.float32)
    top, bottom = float(boxes[:, 1].min()), float(boxes[:, 3].max())
    left, right = min(line.left, float(boxes[0, 0])), line.right
    if line.pitch and rng.bernoulli(0.85):
        left, right = line.first, max(right, line.first + line.pitch * len(boxes))
    height = hand.height
    # Tight above mostly means tight below: whoever cut the line out did both.
    least, most = style.margins
    loose = (most - least) * rng.uniform(0.1, 1.0)
    upper, lower = (
        (least + loose * rng.uniform()) * height,
        (least + loose * rng.uniform()) * height,
    )
    # Two drawn, the smaller taken: loose crops to the sides are rarer than tight ones.
    before = min(rng.uniform_in(style.sides), rng.uniform_in(style.sides)) * height
    behind = min(rng.uniform_in(style.sides), rng.uniform_in(style.sides)) * height
    y, x = max(0, round(top - upper)), max(0, round(left - before))
    ink = line.ink[y : max(y + 6, round(bottom + lower)), x : max(x + 6, round(right + behind))]
    boxes -= np.array([x, y, x, y], np.float32)
    field = PrintedField(
        left=left - x,
        right=right - x,
        base=line.base + line.slope * x - y,
        slope=line.slope,
        height=height,
        first=line.first - x,
        pitch=line.pitch,
        count=len(boxes),
    )
    return np.ascontiguousarray(ink), boxes, field


def _print(rng: Random, style: Style, page: Background, field: PrintedField) -> None:
    if rng.bernoulli(style.rules):
        print_rules(rng, page, field)
    if field.pitch and style.frames and rng.bernoulli(max(style.frames, 0.8)):
        print_cells(rng, page, field)
    elif rng.bernoulli(style.frames):
        print_frame(rng, page, field)


def _without_number(glyphs: Glyphs, rng: Random, style: Style, hand: WriterStyle) -> LineSample:
    kind, ink = draw_distractor(rng, style, hand)
    rows, columns = ink.shape
    margin = 0.5 * (rows - hand.height)
    if rng.bernoulli(style.neighbours):
        add_neighbours(ink, glyphs, rng, hand.height, (margin, margin))
    page = draw_background(rng, style, (rows, columns))
    first, pitch = hand.height * rng.uniform(0.0, 0.5), hand.height * rng.uniform(0.6, 1.3)
    field = PrintedField(
        left=hand.height * 0.4,
        right=columns - hand.height * 0.4,
        base=rows - max(margin, 0.15 * hand.height),
        slope=hand.slope,
        height=hand.height,
        first=first,
        pitch=pitch,
        count=max(1, int((columns - first) / pitch)),
    )
    # Empty boxes and rules belong to what must be left alone, as much as words do.
    if kind == "cells":
        print_cells(rng, page, field)
    elif kind == "frame" or rng.bernoulli(style.frames * 0.5):
        print_frame(rng, page, field)
    if rng.bernoulli(style.rules):
        print_rules(rng, page, field)
    return _photograph(rng, style, page, (ink, "", np.zeros((0, 4), np.float32)), hand)


def _photograph(
    rng: Random,
    style: Style,
    page: Background,
    written: tuple[Gray, str, NDArray[np.float32]],
    hand: WriterStyle,
) -> LineSample:
    """Bring ink to paper, light on it, and take the picture; boxes keep to its edges."""
    ink, text, boxes = written
    if hand.height > 20:
        # MNIST's edges are two pixels soft; enlarged they would be softer than any pen's.
        ink = np.asarray(cv2.LUT(ink, _crisp(hand.height)), np.uint8)
    picture = shade_page(rng, style, apply_ink(rng, style, page, ink))
    image, scale = simulate_camera(rng, style, picture, hand.height, page.contrast)
    rows, columns = image.shape
    boxes = boxes * np.float32(scale)
    np.clip(boxes, 0, np.array([columns, rows, columns, rows], np.float32), out=boxes)
    return LineSample(image, text, boxes)


def _crisp(height: float) -> Gray:
    gain = min(2.2, height / 18)
    levels = (np.arange(256) - 110) * gain + 110
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


GAP = 8
CAPTION = 16
PAPER = 255

# Color of boxes and captions.
BLUE = (178, 114, 0)  # OpenCV's order: blue, green, red; Okabe and Ito's blue


def sample_sheet(
    lines: Sequence[LineSample],
    *,
    width: int = 1400,
    boxes: bool = False,
    captions: bool = True,
) -> NDArray[np.uint8]:
    """Lay pictures of lines side by side on a sheet, each at its own size, its text below it.

    lines: lines, as `synthesize_lines` gives them
    width: of the sheet in pixels; a picture that is wider is cut
    boxes: draw the box of each digit
    captions: write the text below each picture; a dash stands where there is none

    Returns uint8 (H, width, 3), blue, green and red, as OpenCV has them.
    """
    rows: list[list[NDArray[np.uint8]]] = [[]]
    used = GAP
    for line in lines:
        tile = _tile(line, width - 2 * GAP, boxes=boxes, captions=captions)
        if used + tile.shape[1] + GAP > width and rows[-1]:
            rows.append([])
            used = GAP
        rows[-1].append(tile)
        used += tile.shape[1] + GAP
    height = GAP + sum(max((tile.shape[0] for tile in row), default=0) + GAP for row in rows)
    result = np.full((height, width, 3), PAPER, np.uint8)
    top = GAP
    for row in rows:
        left = GAP
        for tile in row:
            result[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
            left += tile.shape[1] + GAP
        top += max((tile.shape[0] for tile in row), default=0) + GAP
    return result


def _tile(line: LineSample, most: int, *, boxes: bool, captions: bool) -> NDArray[np.uint8]:
    picture = np.asarray(cv2.cvtColor(line.image, cv2.COLOR_GRAY2BGR), np.uint8)
    for box in line.boxes if boxes else ():
        left, top, right, bottom = (round(float(edge)) for edge in box)
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), BLUE)
    picture = picture[:, :most]
    if not captions:
        return picture
    words = line.text or "-"
    width = max(picture.shape[1], 8 * len(words) + 2)
    tile = np.full((picture.shape[0] + CAPTION, width, 3), PAPER, np.uint8)
    tile[: picture.shape[0], : picture.shape[1]] = picture
    place = 0, picture.shape[0] + CAPTION - 4
    cv2.putText(tile, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, BLUE, 1, cv2.LINE_AA)
    return tile


def sheet_png(lines: Sequence[LineSample], *, width: int = 1400, boxes: bool = False) -> bytes:
    """Return the sheet as a PNG."""
    done, data = cv2.imencode(".png", sample_sheet(lines, width=width, boxes=boxes))
    assert done, "a picture in memory can be packed"
    return bytes(data)
