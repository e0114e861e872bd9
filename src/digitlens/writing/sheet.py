"""A sheet of samples, to see with one's own eyes what a reader is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.writing.written import Written

GAP = 8
CAPTION = 16
PAPER = 255

BLUE = (178, 114, 0)  # OpenCV's order: blue, green, red; Okabe and Ito's blue
"""Colour of boxes and captions."""


def sheet(
    lines: Sequence[Written], *, width: int = 1400, boxes: bool = False, captions: bool = True
) -> NDArray[np.uint8]:
    """Lay pictures of lines side by side on a sheet, each at its own size, its text below it.

    Parameters
    ----------
    lines
        What `write_lines` gives.
    width
        Of the sheet in pixels; a picture that is wider is cut.
    boxes
        Draw the box of each digit.
    captions
        Write the text below each picture; a dash stands where there is none.

    Returns
    -------
    uint8 (H, width, 3), blue, green and red, as OpenCV has them.
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


def _tile(line: Written, most: int, *, boxes: bool, captions: bool) -> NDArray[np.uint8]:
    picture = np.asarray(cv2.cvtColor(line.image, cv2.COLOR_GRAY2BGR), np.uint8)
    for box in line.boxes if boxes else ():
        left, top, right, bottom = (round(float(edge)) for edge in box)
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), BLUE)
    picture = picture[:, :most]
    if not captions:
        return picture
    words = line.text or "-"
    wide = max(picture.shape[1], 8 * len(words) + 2)
    tile = np.full((picture.shape[0] + CAPTION, wide, 3), PAPER, np.uint8)
    tile[: picture.shape[0], : picture.shape[1]] = picture
    place = 0, picture.shape[0] + CAPTION - 4
    cv2.putText(tile, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, BLUE, 1, cv2.LINE_AA)
    return tile


def sheet_png(lines: Sequence[Written], *, width: int = 1400, boxes: bool = False) -> bytes:
    """Return the sheet as a PNG."""
    done, data = cv2.imencode(".png", sheet(lines, width=width, boxes=boxes))
    assert done, "a picture in memory can be packed"
    return bytes(data)
