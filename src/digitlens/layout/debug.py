"""The steps of a layout as pictures, for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.analysis import PageAnalysis
    from digitlens.layout.types import PageLayout

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Matrix: TypeAlias = "NDArray[np.float64]"


BEST, LINE, PART, BOXED, CELL = (
    *((210, 30, 30), (20, 140, 60), (60, 110, 220)),
    *((190, 90, 0), (150, 60, 190)),
)
"""Red, green, blue of the likeliest crop, of others, of parts, of boxed ones, and of cells."""


def draw_stages(
    scene: PageAnalysis, layout: PageLayout, offset: tuple[int, int]
) -> tuple[tuple[str, Pixels], ...]:
    """Return (name, picture) of each step, in order: uint8 (h, w) or (h, w, 3).

    Parameters
    ----------
    offset
        Where the part of the picture that was looked at begins.
    """
    back = np.linalg.inv(scene.view.to_picture)
    shift = np.array([[1, 0, -offset[0]], [0, 1, -offset[1]], [0, 0, 1.0]])
    to_view = (back @ shift)[:2]
    return (
        ("1-seen", scene.view.pixels),
        ("2-ink", np.asarray(255 - scene.ink, np.uint8)),
        ("3-marks", np.asarray(255 * (1 - scene.inked), np.uint8)),
        ("4-boxes", _boxes(scene)),
        ("5-without-lines", np.asarray(255 * (1 - scene.mask), np.uint8)),
        ("6-lines", _lines(scene, layout, to_view)),
        ("7-strips", _strips(layout)),
    )


def _boxes(scene: PageAnalysis) -> Pixels:
    sheet = _paper(scene)
    rows = {index for row in scene.boxes for index in row}
    for index, quad in enumerate(scene.cells.corners):
        color = BOXED if index in rows else (190, 190, 190)
        cv2.polylines(sheet, [np.rint(quad).astype(np.int32)], True, color, 1, cv2.LINE_AA)
    for lattice in scene.lattices:
        for row in range(lattice.rows):
            for column in range(lattice.columns):
                quad = np.rint(lattice.corners(row, column)).astype(np.int32)
                cv2.polylines(sheet, [quad], True, CELL, 1, cv2.LINE_AA)
    return sheet


def _paper(scene: PageAnalysis) -> Pixels:
    pale = 255 - scene.ink // 2
    return np.ascontiguousarray(np.repeat(pale[..., None], 3, axis=2))


def _lines(scene: PageAnalysis, layout: PageLayout, to_view: Matrix) -> Pixels:
    sheet = _paper(scene)
    for index, crop in reversed(list(enumerate(layout.ranked))):
        color = BEST if not index else PART if crop.part else BOXED if crop.boxed else LINE
        spots = np.column_stack([crop.corners, np.ones(4)]) @ to_view.T
        cv2.polylines(sheet, [np.rint(spots).astype(np.int32)], True, color, 2, cv2.LINE_AA)
    return sheet


def _strips(layout: PageLayout) -> Pixels:
    """Lay the crops one below the other, the likeliest first, 8 pixels apart."""
    shown = layout.ranked
    width = max((crop.ink.shape[1] for crop in shown), default=100)
    height = sum(crop.ink.shape[0] + 8 for crop in shown) + 8
    sheet = np.full((height, width + 16), 255, np.uint8)
    row = 8
    for crop in shown:
        rows, columns = crop.ink.shape
        sheet[row : row + rows, 8 : 8 + columns] = crop.picture
        row += rows + 8
    return sheet
