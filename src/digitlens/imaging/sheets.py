"""The sheets in a picture: paper, cards and screens on a desk, a scanner's bed or a page.

People photograph more than the paper. What lies around it changes what counts as paper and as
ink, so a sheet is found first, and then read as if it were the whole picture; each sheet has
its own paper and its own polarity. `find_sheets` is the one place where this is decided:
`frame_digit`, `Reader` and all that use them share it.

A sheet is a quadrilateral (`digitlens.imaging.quads`) with something on it, whose inside
differs from its outside along every side that does not lie on the picture's edge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from digitlens.imaging.binarize import median_color, median_of_counts
from digitlens.imaging.crop import resize_quickly
from digitlens.imaging.io import MIN_SIDE
from digitlens.imaging.quads import (
    MIN_AREA,
    count_sides,
    fill_quad,
    find_quads,
    fit_sides,
    grow_mask,
    largest_channel,
    quad_area,
    remove_strokes,
    share_like_around,
    to_color,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.geometry import Box, Floats, Gray, Mask, Pixels


# The longer side in pixels on which sides are fitted and marks are looked for.
FINE_SIDE = 800
# Quadrilaterals whose corners are so near, in pixels of the small copy, are one.
SAME_QUAD = 2.5
# Marks stand out from the paper by this many gray values, and by this many times its noise.
MIN_MARK, MIN_MARK_NOISE = 22.0, 5.0
# On patterned paper that leaves no ink: writing is also what stands out by so many times its
# noise on so much of a sheet, ten times as much as noise alone does.
MIN_COMMON_NOISE, MIN_COMMON = 3.0, 0.02
# Marks cover this share of a sheet or ground at least, and at most.
MIN_MARKED, MAX_MARKED = 0.0004, 0.5
# What is written around sheets is read too where it is; sheets are then apart from it where
# their paper differs by so many gray values.
MIN_PAPER_STEP = 40.0
# A sheet of less than this share of a picture that is written on around it is a stamp.
MIN_SHEET_SHARE = 0.25
# A part of a sheet with so much of its area, and more sides, is the sheet.
DESK_SHARE = 0.55
# Figures on pages show desks with sheets: so often sheets are looked for on sheets.
MAX_DEPTH = 2
# What has a shorter longer side is no figure: boxes for digits would be sheets on it.
MIN_FIGURE_SIDE = 160
# What is smaller, in its picture, and has so much of the color around it, is bold digits that
# the smooth picture joins, where other writing is around them.
MAX_INK_AREA, MIN_INK_GAPS = 0.15, 0.2
# Sheets may reach so far into each other in the smooth picture, as a share of the smaller one.
MAX_OVERLAP = 0.2
# Red, green, blue of outlines.
SHEET_COLOR, GROUND_COLOR = (210, 30, 30), (20, 140, 60)
# A picture with a shorter longer side is a digit, not a scene.
MIN_SCENE_SIDE = 30


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet, seen from straight above.

    Parameters
    ----------
    pixels
        uint8 (h, w) or (h, w, 3).
    corners
        float64 (4, 2): x and y in the picture of the corners of `pixels`: upper left, upper
        right, lower right, lower left.
    to_picture
        float64 (3, 3): (x, y, 1) of `pixels` -> (x, y, 1) of the picture, up to a factor.
    is_ground
        Whether this is what lies around the sheets, these painted over.
    """

    pixels: Pixels
    corners: Floats
    to_picture: Floats
    is_ground: bool = False

    @property
    def rotation(self) -> float:
        """Degrees, counter-clockwise, by which the picture was turned to level the sheet."""
        (x0, y0), (x1, y1) = self.corners[:2]
        return float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))

    @property
    def area(self) -> float:
        """Its area in the picture, in pixels."""
        return quad_area(self.corners)

    def on(self, other: Sheet) -> Sheet:
        """Return this sheet of another one's pixels as a sheet of the other one's picture."""
        corners = _project(self.corners, other.to_picture)
        return replace(self, corners=corners, to_picture=other.to_picture @ self.to_picture)

    def map_box(self, box: Box) -> Box:
        """Return the upright box in the picture around a box of the sheet."""
        return project_box(box, self.to_picture)

    def locate_box(self, box: Box) -> Box:
        """Return the upright box on the sheet around a box of the picture."""
        return project_box(box, np.asarray(np.linalg.inv(self.to_picture), np.float64))


def project_box(box: Box, matrix: Floats) -> Box:
    """Return the upright box around a box that `matrix`, (3, 3), moves elsewhere."""
    x0, y0, x1, y1 = box
    moved = _project(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64), matrix)
    (left, top), (right, bottom) = moved.min(axis=0).tolist(), moved.max(axis=0).tolist()
    return left, top, right, bottom


def _project(spots: Floats, matrix: Floats) -> Floats:
    moved = np.column_stack([spots, np.ones(len(spots))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def find_sheets(
    pixels: Pixels, max_outer: float = 1.0, min_share: float = MIN_AREA
) -> list[Sheet]:
    """Find the sheets in a picture, uint8 (H, W) or (H, W, 3), from top to bottom.

    max_outer: sheets are looked for on sheets that are less than this share of their picture
    min_share: what is less than this share of its picture is no sheet

    Returns nothing where the picture is its own sheet, as most scans are.

    >>> picture = np.full((300, 400), 40, np.uint8)
    >>> picture[60:240, 80:320] = 220
    >>> picture[120:180, 150:156] = 50
    >>> [sheet] = find_sheets(picture)
    >>> bool(np.abs(sheet.corners - [[80, 60], [320, 60], [320, 240], [80, 240]]).max() < 3)
    True
    >>> find_sheets(picture[60:240, 80:320])
    []
    """
    if max(pixels.shape[:2]) < MIN_SCENE_SIDE:
        return []
    return _find(pixels, MAX_DEPTH, max_outer, min_share)


def find_digit_sheet(pixels: Pixels) -> Sheet | None:
    """Return the sheet in a picture on which its one digit stands; None for the whole picture.

    That is the largest, unless it is a stamp on a picture that is written on around it.
    """
    sheets = find_sheets(pixels)
    largest = max(sheets, key=lambda sheet: (not sheet.is_ground, sheet.area), default=None)
    if largest is None or largest.is_ground:
        return None
    ground = sheets[-1]
    is_stamp = ground.is_ground and largest.area < MIN_SHEET_SHARE * ground.area
    return None if is_stamp else largest


def turn_quarter(pixels: Pixels) -> Sheet:
    """Return a picture turned by 90 degrees, counter-clockwise, as a sheet of itself.

    Examples
    --------
    >>> sheet = turn_quarter(np.zeros((20, 50), np.uint8))
    >>> sheet.pixels.shape, sheet.rotation, sheet.map_box((0, 0, 20, 10))
    ((50, 20), 90.0, (40.0, 0.0, 50.0, 20.0))
    """
    height, width = pixels.shape[:2]
    corners = np.array([[width, 0], [width, height], [0, height], [0, 0]], np.float64)
    back = np.array([[0, -1, width], [1, 0, 0], [0, 0, 1.0]])
    return Sheet(np.ascontiguousarray(np.rot90(pixels)), corners, back)


def _find(pixels: Pixels, depth: int, max_outer: float, min_share: float) -> list[Sheet]:
    smooth = remove_strokes(pixels)
    quads: list[Floats] = []
    sides: list[int] = []
    for quad in find_quads(smooth, min_share):
        if all(np.abs(quad - other).max() > SAME_QUAD for other in quads):
            count = count_sides(smooth, quad)
            if count:
                quads.append(quad)
                sides.append(count)
    if not quads:
        return []
    quads = _drop_desks(quads, sides)
    # Of what has sides, the outermost with something on it.
    scene = _Scene.of(pixels, smooth)
    chosen: list[Floats] = []
    cut: list[Sheet] = []
    are_ink: list[bool] = []
    covered = np.zeros(smooth.shape[:2], np.uint8)
    for quad in sorted(quads, key=lambda quad: -quad_area(quad)):
        region = fill_quad(quad, covered.shape)
        free = int((region & covered).sum()) <= MAX_OVERLAP * int(region.sum())
        if not free or not scene.has_marks(region, written=True):
            continue
        fitted = fit_sides(scene.fine, quad, smooth)
        sheet = None if fitted is None else _rectify(pixels, fitted * scene.scale)
        # What is thinner than any digit is a stroke, and no sheet.
        if sheet is not None and min(sheet.pixels.shape[:2]) >= MIN_SIDE:
            chosen.append(quad)
            cut.append(sheet)
            are_ink.append(fitted is not None and scene.is_ink(quad, fitted))
            covered |= region
    # What is around them is read, too, where it is written on.
    ground = 1 - grow_mask(covered, 2)
    has_ground = bool(ground.any()) and scene.has_marks(ground, written=False)
    if has_ground or depth < MAX_DEPTH:
        # Bold digits of one line look like a sheet among the others.
        kept = [not is_ink for is_ink in are_ink]
        chosen, cut = list(compress(chosen, kept)), list(compress(cut, kept))
    if has_ground:
        apart = [scene.differs(fill_quad(quad, covered.shape), ground) for quad in chosen]
        chosen, cut = list(compress(chosen, apart)), list(compress(cut, apart))
    if not chosen:
        return []
    sheets = []
    for sheet in cut:
        is_large = max(sheet.pixels.shape[:2]) >= MIN_FIGURE_SIDE
        is_outer = sheet.area <= max_outer * pixels.shape[0] * pixels.shape[1]
        looks = depth and is_large and is_outer and not has_ground
        inner = _find(sheet.pixels, depth - 1, max_outer, min_share) if looks else []
        sheets += [item.on(sheet) for item in inner] or [sheet]
    sheets.sort(key=lambda sheet: float(sheet.corners[:, 1].mean()))
    if has_ground:
        sheets.append(_paint_over(pixels, smooth, chosen))
    return sheets


def _drop_desks(quads: list[Floats], sides: list[int]) -> list[Floats]:
    """Leave out what has fewer sides in the picture than a hardly smaller part of it.

    That is a sheet with the desk above it, say, which ends where the sheet does.
    """
    areas = [quad_area(quad) for quad in quads]
    kept = []
    for quad, count, area in zip(quads, sides, areas, strict=True):
        low, high = quad.min(axis=0), quad.max(axis=0)
        is_desk = any(
            count < others and DESK_SHARE * area <= size < area and _lies_in(other, low, high)
            for other, others, size in zip(quads, sides, areas, strict=True)
        )
        if not is_desk:
            kept.append(quad)
    return kept


def _lies_in(quad: Floats, low: Floats, high: Floats) -> bool:
    middle = quad.mean(axis=0)
    return bool((low < middle).all() and (middle < high).all())


@dataclass(frozen=True, eq=False)
class _Scene:
    """A picture in two sizes, and what stands out from the smooth one."""

    smooth: Pixels
    fine: Pixels
    rest: Gray  # how far each pixel of `fine` is from the smooth picture
    scale: Floats  # pixels of the picture to one of `fine`, across and down

    @classmethod
    def of(cls, pixels: Pixels, smooth: Pixels) -> _Scene:
        import cv2

        share = min(1.0, FINE_SIDE / max(pixels.shape[:2]))
        height, width = (max(5, round(side * share)) for side in pixels.shape[:2])
        fine = to_color(resize_quickly(pixels, (width, height)))
        size = fine.shape[1], fine.shape[0]
        paper = cv2.resize(smooth, size, interpolation=cv2.INTER_LINEAR)
        rest = largest_channel(
            np.asarray(cv2.absdiff(fine, np.asarray(paper, np.uint8)), np.uint8)
        )
        scale = np.array(pixels.shape[1::-1]) / fine.shape[1::-1]
        return cls(smooth, fine, rest, np.asarray(scale, np.float64))

    def has_marks(self, region: Mask, *, written: bool) -> bool:
        """Say whether something is written in a region of the smooth picture.

        Where that is a sheet, `written` on, wide strokes count that the smooth picture holds.
        """
        import cv2

        inner = cv2.erode(np.pad(region, 1), np.ones((7, 7), np.uint8))[1:-1, 1:-1]
        if inner.sum() < 12:
            return False
        size = self.fine.shape[1], self.fine.shape[0]
        where = cv2.resize(inner, size, interpolation=cv2.INTER_NEAREST)
        counts = cv2.calcHist([self.rest], [0], where, [256], [0, 256]).ravel().astype(int)
        total = int(counts.sum())
        if not total:
            return False
        noise = 1.48 * median_of_counts(counts)

        def share_above(times: float) -> float:
            return float(counts[int(max(MIN_MARK, times * noise)) + 1 :].sum()) / total

        share = share_above(MIN_MARK_NOISE)
        if written and share < MIN_MARKED and share_above(MIN_COMMON_NOISE) >= MIN_COMMON:
            return True
        if written and share < MIN_MARKED:
            values = self.smooth[inner > 0]
            far = np.abs(values - median_color(values)).max(axis=1)
            share = float((far > 2 * MIN_MARK).mean())
        return MIN_MARKED <= share <= MAX_MARKED

    def is_ink(self, quad: Floats, fitted: Floats) -> bool:
        """Say whether a small quadrilateral may be bold digits: much in it is like around.

        quad: in the smooth picture; fitted: the same in the fine one
        """
        if quad_area(quad) > MAX_INK_AREA * self.smooth[..., 0].size:
            return False
        paper = median_color(self.smooth[fill_quad(quad, self.smooth.shape) > 0])
        scale = max(self.fine.shape) / max(self.smooth.shape)
        return share_like_around(self.fine, fitted, paper, scale) > MIN_INK_GAPS

    def differs(self, region: Mask, ground: Mask) -> bool:
        """Say whether the paper of a region is another than that of the ground."""
        paper, other = (median_color(self.smooth[mask > 0]) for mask in (region, ground))
        return float(np.abs(paper - other).max()) >= MIN_PAPER_STEP


def _rectify(pixels: Pixels, corners: Floats) -> Sheet:
    """Cut a sheet out; one that lies level is not resampled."""
    import cv2

    height, width = pixels.shape[:2]
    left, right = corners[[0, 3], 0], corners[[1, 2], 0]
    top, bottom = corners[[0, 1], 1], corners[[2, 3], 1]
    skew = max(float(np.ptp(side)) for side in (left, right, top, bottom))
    if skew <= max(1.5, 0.006 * max(height, width)):
        x0, y0 = max(0, int(np.ceil(left.max()))), max(0, int(np.ceil(top.max())))
        x1, y1 = min(width, int(right.min())), min(height, int(bottom.min()))
        box = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)
        part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
        return Sheet(part, box, np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1.0]]))
    lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    across, down = (max(5, round(max(lengths[i], lengths[i + 2]))) for i in (0, 1))
    flat = np.array([[0, 0], [across, 0], [across, down], [0, down]], np.float32)
    move = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    # OpenCV counts from the center of the first pixel.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    level = cv2.warpPerspective(
        pixels,
        np.linalg.inv(half) @ move @ half,
        (across, down),
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Sheet(np.asarray(level, np.uint8), corners, np.asarray(move, np.float64))


def _paint_over(pixels: Pixels, smooth: Pixels, quads: list[Floats]) -> Sheet:
    """Return the picture with its sheets painted over as the ground around them is."""
    import cv2

    height, width = pixels.shape[:2]
    covered = np.zeros(smooth.shape[:2], np.uint8)
    for quad in quads:
        covered |= fill_quad(quad, covered.shape)
    covered = grow_mask(covered, 3)
    filled = cv2.inpaint(smooth, covered, 3, cv2.INPAINT_TELEA)
    ground = np.asarray(cv2.resize(filled, (width, height)), np.uint8)
    mask = cv2.resize(covered, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    if pixels.ndim == 2:
        ground = ground[..., 0]
    painted = pixels.copy()
    painted[mask] = ground[mask]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    return Sheet(painted, corners, np.eye(3), is_ground=True)


def draw_sheets(pixels: Pixels, sheets: Sequence[Sheet]) -> Pixels:
    """Return the picture, uint8 (H, W, 3), with the outline of each sheet."""
    import cv2

    picture = to_color(pixels).copy()
    width = max(2, round(max(picture.shape) / 250))
    for sheet in sheets:
        color = GROUND_COLOR if sheet.is_ground else SHEET_COLOR
        cv2.polylines(picture, [np.rint(sheet.corners).astype(np.int32)], True, color, width)
    return picture
