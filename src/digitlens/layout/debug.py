"""The steps of layout analysis as pictures, for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from digitlens.geometry import Floats, Pixels
    from digitlens.layout.analysis import PageAnalysis
    from digitlens.layout.page_layout import PageLayout


# Red, green, blue of what is outlined:
BEST_COLOR, LINE_COLOR, PART_COLOR = (210, 30, 30), (20, 140, 60), (60, 110, 220)
BOXED_COLOR, CELL_COLOR, UNUSED_COLOR = (190, 90, 0), (150, 60, 190), (190, 190, 190)
# Pixels between crops that are shown one below the other.
GAP = 8


def draw_stages(
    page: PageAnalysis, layout: PageLayout, offset: tuple[int, int]
) -> tuple[tuple[str, Pixels], ...]:
    """Return (name, picture) of each step; `offset` is where the analyzed area begins."""
    back = np.linalg.inv(page.view.to_picture)
    shift = np.array([[1, 0, -offset[0]], [0, 1, -offset[1]], [0, 0, 1.0]])
    return (
        ("1-seen", page.view.pixels),
        ("2-ink", np.asarray(255 - page.ink, np.uint8)),
        ("3-marks", np.asarray(255 * (1 - page.printed), np.uint8)),
        ("4-boxes", _draw_boxes(page)),
        ("5-without-lines", np.asarray(255 * (1 - page.mask), np.uint8)),
        ("6-lines", _draw_lines(page, layout, (back @ shift)[:2])),
        ("7-strips", _stack_crops(layout)),
    )


def _outline(sheet: Pixels, quad: Floats, color: tuple[int, int, int], width: int) -> None:
    points = [np.rint(quad).astype(np.int32)]
    cv2.polylines(sheet, points, True, color, width, cv2.LINE_AA)


def _pale_ink(page: PageAnalysis) -> Pixels:
    pale = 255 - page.ink // 2
    return np.ascontiguousarray(np.repeat(pale[..., None], 3, axis=2))


def _draw_boxes(page: PageAnalysis) -> Pixels:
    sheet = _pale_ink(page)
    in_rows = {index for row in page.box_rows for index in row}
    for index, quad in enumerate(page.boxes.corners):
        _outline(sheet, quad, BOXED_COLOR if index in in_rows else UNUSED_COLOR, 1)
    for lattice in page.lattices:
        for row in range(lattice.rows):
            for column in range(lattice.columns):
                _outline(sheet, lattice.corners(row, column), CELL_COLOR, 1)
    return sheet


def _draw_lines(page: PageAnalysis, layout: PageLayout, to_view: Floats) -> Pixels:
    sheet = _pale_ink(page)
    for index, crop in reversed(list(enumerate(layout.ranked))):
        color = BOXED_COLOR if crop.boxed else LINE_COLOR
        color = BEST_COLOR if index == 0 else PART_COLOR if crop.part else color
        _outline(sheet, np.column_stack([crop.corners, np.ones(4)]) @ to_view.T, color, 2)
    return sheet


def _stack_crops(layout: PageLayout) -> Pixels:
    """Stack the crops, the likeliest first."""
    crops = layout.ranked
    width = max((crop.ink.shape[1] for crop in crops), default=100)
    height = sum(crop.ink.shape[0] + GAP for crop in crops) + GAP
    sheet = np.full((height, width + 2 * GAP), 255, np.uint8)
    row = GAP
    for crop in crops:
        rows, columns = crop.ink.shape
        sheet[row : row + rows, GAP : GAP + columns] = crop.picture
        row += rows + GAP
    return sheet
