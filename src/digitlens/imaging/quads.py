"""Quadrilaterals of even color in a picture, with edges all around: sheets, perhaps.

Candidates are regions of even color in a small copy of the picture without its strokes. Each
side is then measured there, and at last fitted to the pixels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from digitlens.imaging.binarize import median_color, quantile_of_values
from digitlens.imaging.crop import resize_quickly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from digitlens.geometry import Floats, Gray, Mask, Pixels


# The longer side in pixels on which regions are looked for, ...
SMALL_SIDE = 160
# ... the window of the median that takes strokes out of it, ...
STROKE_WINDOW = 7
# A sheet's area, as a share of the picture's: less is a stamp, more is the picture itself.
MIN_AREA, MAX_AREA = 0.01, 0.97
# The shorter side of a sheet in the small copy: what is slimmer is a bar or a stroke.
MIN_SMALL_SIDE = 14
# A strip, so many times as long as broad, may be slimmer: a row of boxes cut out, say.
MIN_STRIP_SIDE, STRIP_ASPECT = 10, 5.0
# How far neighbors may differ, in gray values, to be of one region; all are tried, as faint
# sheets need the first, textured desks the last.
STEPS = (3, 7, 14)
# Thresholds between the darkest and the lightest that are tried, too.
LEVELS = 6
# The least share of a quadrilateral, and of its own hull, that a region fills.
MIN_FILL, MIN_HULL = 0.88, 0.8
# Of a corner's angle: right angles look up to 30 degrees wider or narrower in perspective.
MAX_COSINE = 0.5
# Gray values by which a sheet differs from its ground beyond a side, and the share of the side
# along which it does.
MIN_SIDE_STEP, MIN_SIDE_SHARE = 9.0, 0.75
# Pixels of a side that are left out: there sheet and ground mix.
INSET = 1.0
# The share of a sheet that has the color of the ground around it, at most.
MAX_LIKE_GROUND = 0.25
# What sides must differ by where fewer than three are in the picture, how large the sheet is
# then, and the share of a side along which they do: an even part with one or two edges may be
# the light on the paper, or a desk that ends where a sheet on it does.
MIN_LONE_STEP, MIN_LONE_AREA, MIN_LONE_SHARE = 80.0, 0.3, 0.9
# A band from edge to edge, with two such sides, may be smaller: a block for light writing.
MIN_BAND_AREA = 0.04
# The share of a side's step that lies within two pixels to each side of it: shadows are softer.
MIN_SHARPNESS = 0.6


def remove_strokes(pixels: Pixels) -> Pixels:
    """Return a small copy without strokes: uint8 (h, w, 3), the longer side `SMALL_SIDE`."""
    import cv2

    height, width = pixels.shape[:2]
    scale = SMALL_SIDE / max(height, width)
    size = max(STROKE_WINDOW, round(width * scale)), max(STROKE_WINDOW, round(height * scale))
    small = to_color(resize_quickly(pixels, size))
    return np.asarray(cv2.medianBlur(small, STROKE_WINDOW), np.uint8)


def to_color(pixels: Pixels) -> Pixels:
    """Return gray pixels as three equal channels, others as they are."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def find_quads(smooth: Pixels, min_share: float = MIN_AREA) -> Iterator[Floats]:
    """Yield quadrilaterals (4, 2) that regions of even color fill, with what is on them.

    Each covers `min_share` of the picture at least, and none comes twice.
    """
    import cv2

    shape = smooth.shape[:2]
    seen: set[bytes] = set()
    for mask in _region_masks(smooth):
        if cv2.countNonZero(mask) < 0.3 * min_share * mask.size:
            continue
        # Only of the few large regions more is asked than how many pixels they have: OpenCV's
        # statistics of all of them take three times as long as labelling.
        _, labels = cv2.connectedComponentsWithAlgorithm(mask, 4, cv2.CV_32S, cv2.CCL_WU)
        areas = np.bincount(labels.ravel())
        # What an outline encloses belongs to it, so that a region may have few pixels.
        for index in np.flatnonzero(areas[1:] >= 0.3 * min_share * mask.size) + 1:
            region = (labels == index).view(np.uint8)
            left, top, width, height = cv2.boundingRect(region)
            if min(width, height) < MIN_STRIP_SIDE or width * height < min_share * mask.size:
                continue
            part = region[top : top + height, left : left + width]
            quad = _fit_quad(part, (left, top), shape, min_share)
            if quad is not None and quad.tobytes() not in seen:
                seen.add(quad.tobytes())
                yield quad


def _region_masks(smooth: Pixels) -> Iterator[Mask]:
    """Yield masks, uint8 (h, w), whose components are regions of even color."""
    import cv2

    # Where neighbors hardly differ, ...
    channels = cv2.split(smooth)
    steps = np.zeros(smooth.shape[:2], np.uint8)
    for channel in channels:
        for one, two in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
            steps[two] = np.maximum(steps[two], cv2.absdiff(channel[one], channel[two]))
    yield from ((steps <= most).astype(np.uint8) for most in STEPS)
    # ... and what is lighter or darker, or more colored, than a threshold.
    gray = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY), np.uint8)
    color = largest_channel(smooth) - (255 - largest_channel(255 - smooth))
    for plane in (gray, color):
        low, high = (quantile_of_values(plane, share) for share in (0.01, 0.99))
        if high - low < 2 * MIN_SIDE_STEP:
            continue
        for level in np.linspace(low, high, LEVELS + 2)[1:-1]:
            lighter = (plane > level).astype(np.uint8)
            yield lighter
            yield np.asarray(1 - lighter, np.uint8)


def _fit_quad(
    region: Mask, offset: tuple[int, int], shape: tuple[int, int], min_share: float
) -> Floats | None:
    """Return the quadrilateral that a region fills with what it encloses: (4, 2), or None."""
    import cv2

    outlines, _ = cv2.findContours(
        region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=offset
    )
    outline = max(outlines, key=len)
    total, size = cv2.contourArea(outline), shape[0] * shape[1]
    if not min_share * size <= total <= MAX_AREA * size:
        return None
    hull = cv2.convexHull(outline)
    if total < MIN_HULL * cv2.contourArea(hull):
        return None
    box = cv2.minAreaRect(hull)
    if _is_slim(*box[1]):
        return None
    quads = [cv2.boxPoints(box)]
    length = cv2.arcLength(hull, True)
    for share in (0.02, 0.04, 0.07):
        corners = cv2.approxPolyDP(hull, share * length, True)
        if len(corners) == 4:
            quads.append(np.asarray(corners[:, 0], np.float32))
            break
    height, width = shape
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    best, best_fill = None, MIN_FILL
    for corners in quads:
        area, _ = cv2.intersectConvexConvex(corners, frame)
        quad = np.asarray(corners, np.float64)
        fill = min(total, area) / max(total, area, 1.0)
        if fill > best_fill and _is_like_rectangle(quad):
            best, best_fill = _order_corners(quad + 0.5), fill
    return best


def _is_slim(one: float, two: float) -> bool:
    """Say whether sides of these lengths are those of a bar or a stroke."""
    is_strip = max(one, two) >= STRIP_ASPECT * min(one, two)
    return min(one, two) < (MIN_STRIP_SIDE if is_strip else MIN_SMALL_SIDE)


def _is_like_rectangle(quad: Floats) -> bool:
    """Say whether no side is short, and no corner far from a right angle."""
    # In plain numbers: NumPy would take ten times as long for four of them.
    corners = quad.tolist()
    sides = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in _each_side(corners)]
    lengths = [math.hypot(*side) for side in sides]
    if _is_slim(1.25 * min(lengths), max(lengths)):
        return False
    return all(
        abs(sides[index][0] * sides[index - 1][0] + sides[index][1] * sides[index - 1][1])
        <= MAX_COSINE * lengths[index] * lengths[index - 1]
        for index in range(4)
    )


def _each_side(corners: list[list[float]]) -> Iterator[tuple[list[float], list[float]]]:
    """Yield start and end of each side."""
    return zip(corners, corners[1:] + corners[:1], strict=True)


def largest_channel(pixels: Pixels) -> Gray:
    """Return the largest of three channels; faster than numpy's own way."""
    import cv2

    one, two, three = cv2.split(pixels)
    return np.asarray(cv2.max(cv2.max(one, two), three), np.uint8)


def fill_quad(quad: Floats, shape: tuple[int, ...]) -> Mask:
    """Return what a quadrilateral covers of a picture: uint8 (h, w), 1 inside."""
    import cv2

    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(quad).astype(np.int32), 1)
    return mask


def grow_mask(mask: Mask, pixels: int) -> Mask:
    """Return a mask that reaches so many pixels farther to all sides."""
    import cv2

    return np.asarray(cv2.dilate(mask, np.ones((2 * pixels + 1,) * 2, np.uint8)), np.uint8)


def _move_out(quad: Floats, pixels: float) -> Floats:
    """Return a quadrilateral with its corners so much farther from its middle, or nearer."""
    away = quad - quad.mean(axis=0)
    return np.asarray(quad + away * (1.4 * pixels / np.hypot(*away.T).clip(1))[:, None])


def quad_area(quad: Floats) -> float:
    """Return the area of a quadrilateral in pixels."""
    return abs(sum(x0 * y1 - y0 * x1 for (x0, y0), (x1, y1) in _each_side(quad.tolist()))) / 2


def _order_corners(quad: Floats) -> Floats:
    """Order corners clockwise, from the one that is upper left when the sheet is leveled."""
    corners = quad.tolist()
    x, y = (sum(values) / 4 for values in zip(*corners, strict=True))
    corners.sort(key=lambda corner: math.atan2(corner[1] - y, corner[0] - x))
    # The upper side points most to the right.
    level = [
        (x1 - x0) / max(math.hypot(x1 - x0, y1 - y0), 1e-9)
        for (x0, y0), (x1, y1) in _each_side(corners)
    ]
    first = level.index(max(level))
    return np.array(corners[first:] + corners[:first], np.float64)


def _sides(quad: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Yield each side's start, end and outward normal."""
    for index in range(4):
        start, end = quad[index], quad[(index + 1) % 4]
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        yield start, end, np.array([along[1], -along[0]])


def _sample(image: Pixels, spots: Floats) -> Floats:
    """Return the colors at spots (..., 2), x and y from the picture's corner: (..., 3)."""
    height, width = image.shape[:2]
    x = np.clip(np.rint(spots[..., 0] - 0.5).astype(int), 0, width - 1)
    y = np.clip(np.rint(spots[..., 1] - 0.5).astype(int), 0, height - 1)
    return np.asarray(image[y, x], np.float64)


def _inside(spots: Floats, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    size = np.array(shape[1::-1])
    return np.asarray(((spots > 0) & (spots < size)).all(axis=-1), np.bool_)


def count_sides(smooth: Pixels, quad: Floats) -> int:
    """Return how many sides a quadrilateral has in the picture; 0 where one is no edge.

    It must differ from what is around it along all that do not lie on the picture's edge.
    """
    reach = STROKE_WINDOW / 3
    places = np.linspace(0.06, 0.94, 24)[:, None]
    heights, shares, seen = [], [], []
    for index, (start, end, normal) in enumerate(_sides(quad)):
        spots = start + places * (end - start)
        known = _inside(spots + reach * normal, smooth.shape)
        if known.sum() < 0.4 * len(places):
            continue  # on the picture's edge
        spots = spots[known]
        steps = _sample(smooth, spots + reach * normal) - _sample(
            smooth, spots - reach * normal
        )
        middle = np.sort(steps, axis=0)[len(steps) // 2]
        along = steps @ (middle / max(float(np.hypot.reduce(middle)), 1e-9))
        shares.append(float((along >= MIN_SIDE_STEP).mean()))
        if shares[-1] < MIN_SIDE_SHARE:
            return 0
        heights.append(float(np.sort(along)[len(along) // 2]))
        seen.append(index)
    if not heights:
        return 0
    is_band = seen in ([0, 2], [1, 3])
    least = MIN_BAND_AREA if is_band else MIN_LONE_AREA
    is_small = quad_area(quad) < least * smooth[..., 0].size
    is_faint = min(heights) < MIN_LONE_STEP or min(shares) < MIN_LONE_SHARE
    if len(heights) < 3 and (is_faint or is_small):
        return 0
    return len(heights) if _differs_from_around(smooth, quad) else 0


def _differs_from_around(smooth: Pixels, quad: Floats) -> bool:
    """Say whether there is other paper around: the sides may only be lines, as of a box."""
    region = fill_quad(_move_out(quad, STROKE_WINDOW / 2), smooth.shape)
    around = fill_quad(_move_out(quad, 4 * STROKE_WINDOW), smooth.shape) - region
    inner = fill_quad(_move_out(quad, -STROKE_WINDOW / 2), smooth.shape)
    if around.sum() < MIN_AREA * region.size or not inner.any():
        return True
    ground = median_color(smooth[around > 0])
    like_ground = np.abs(smooth[inner > 0] - ground).max(axis=1) < MIN_SIDE_STEP
    return float(like_ground.mean()) < MAX_LIKE_GROUND


def share_like_around(fine: Pixels, quad: Floats, paper: Floats, scale: float) -> float:
    """Return the share of a quadrilateral of `fine` that is rather like what lies around it.

    paper: its own color; scale: pixels of `fine` to one of the smooth picture
    """
    inner = fill_quad(_move_out(quad, -2.0), fine.shape)
    near, far = (fill_quad(_move_out(quad, scale * room), fine.shape) for room in (2, 14))
    around = (far > 0) & (near == 0)
    if not inner.any() or not around.any():
        return 0.0
    step = median_color(fine[around]) - paper
    along = (fine[inner > 0] - paper) @ (step / max(float(step @ step), 1e-9))
    return float((along > 0.5).mean())


def fit_sides(fine: Pixels, quad: Floats, smooth: Pixels) -> Floats | None:
    """Fit a quadrilateral of the smooth picture to the pixels; return it in the picture's.

    None where a side is no edge but light that changes.
    """
    # The median that takes strokes out takes corners off as well.
    fitted = _fit_sides(fine, quad, smooth)
    return _fit_sides(fine, _move_out(quad, 2.0), smooth) if fitted is None else fitted


def _fit_sides(fine: Pixels, quad: Floats, smooth: Pixels) -> Floats | None:
    """Fit a quadrilateral whose sides are near.

    Each side is crossed at many places. Its edge is where the ground ends, coming from
    outside, whatever is ruled along it on the sheet; a line is laid through these places.
    """
    paper = median_color(smooth[fill_quad(quad, smooth.shape) > 0])
    scale = np.array(fine.shape[1::-1]) / smooth.shape[1::-1]
    quad = quad * scale
    reach = max(6.0, 3.5 * float(scale.max()))
    places = np.linspace(0.03, 0.97, 48)
    offsets = np.arange(-reach, reach + 0.5)
    lines = []
    for start, end, normal in _sides(quad):
        spots = start + places[:, None] * (end - start)
        across = spots[:, None] + offsets[:, None] * normal
        known = _inside(spots + 2 * normal * scale.max(), fine.shape)
        if known.sum() < 0.4 * len(places):
            lines.append((start, end))
            continue
        profile = _sample(fine, across[known])
        line = _fit_side(profile, paper, places[known], offsets, start, end, normal)
        if line is None:
            return None
        lines.append(line)
    corners = np.array([_meet(lines[index - 1], lines[index]) for index in range(4)])
    size = np.array(fine.shape[1::-1], np.float64)
    near = 2.5 * scale
    corners = np.where(corners < near, np.minimum(corners, 0), corners)
    corners = np.where(corners > size - near, np.maximum(corners, size), corners)
    return np.asarray(corners, np.float64)


def _fit_side(
    profile: Floats,
    paper: Floats,
    places: Floats,
    offsets: Floats,
    start: Floats,
    end: Floats,
    normal: Floats,
) -> tuple[Floats, Floats] | None:
    """Return start and end of a sharp line between ground and sheet near a side."""
    quarter = len(offsets) // 4
    ground = np.median(profile[:, -quarter:], axis=(0, 1))
    step = ground - paper
    # 0 is the sheet's paper, 1 the ground: coming from outside, the edge is where it ends ...
    along = (profile - paper) @ (step / max(float(step @ step), 1e-9))
    is_sheet = along < 0.5
    is_sheet[:, 0] = True
    edges = [offsets[len(offsets) - 1 - is_sheet[:, ::-1].argmax(axis=1)] + 0.5]
    # ... or, where something else lies so near, the steepest place.
    inside = profile[:, :quarter].mean(axis=1)
    middle = np.median(profile[:, -quarter:].mean(axis=1) - inside, axis=0)
    whole = profile @ (middle / max(float(middle @ middle), 1e-9))
    edges.append(offsets[1:-1][(whole[:, 2:] - whole[:, :-2]).argmax(axis=1)])
    # Inside a mere frame is what is around it.
    first = int(float(np.median(along[:, :quarter])) > 0.5)
    ways = list(zip((along, whole), edges, ([2, -1, -2, -3], [2, -2]), strict=True))
    for values, edge, beyond in ways[first:]:
        line = _fit_line(edge, places)
        # Two pixels outside and as many inside, or near there: a rule may follow at once.
        index = np.rint(line[0] * places + line[1] - offsets[0]).astype(int)[:, None]
        near_by = np.clip(index + np.array(beyond), 0, len(offsets) - 1)
        beside = np.take_along_axis(values, near_by, axis=1)
        if float(np.median(beside[:, 0] - beside[:, 1:].min(axis=1))) >= MIN_SHARPNESS:
            before, after = float(line[1]) - INSET, float(line[0] + line[1]) - INSET
            return start + before * normal, end + after * normal
    return None


def _fit_line(edges: Floats, places: Floats) -> Floats:
    """Return slope and start of the line through most of the edges."""
    line = np.array([0.0, float(np.median(edges))])
    for far in (4.0, 2.0, 1.5):
        near = np.abs(edges - (line[0] * places + line[1])) <= far
        count = int(near.sum())
        if count < 6:
            break
        # Least squares by hand: NumPy's fit of polynomials takes ten times as long.
        x, y = places[near], edges[near]
        middle, height = float(x.sum()) / count, float(y.sum()) / count
        slope = float((x - middle) @ y) / float((x - middle) @ (x - middle))
        line = np.array([slope, height - slope * middle])
    return line


def _meet(one: tuple[Floats, Floats], two: tuple[Floats, Floats]) -> Floats:
    """Return where two lines meet; the second one's start where they hardly do."""
    first, second = one[1] - one[0], two[1] - two[0]
    cross = float(first[0] * second[1] - first[1] * second[0])
    if abs(cross) < 1e-6:
        return two[0]
    gap = two[0] - one[0]
    share = float(gap[0] * second[1] - gap[1] * second[0]) / cross
    return np.asarray(one[0] + share * first, np.float64)
