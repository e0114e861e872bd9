"""Connected ink: which of it is the digit, and what is not (rulings, salt and pepper).

A component's statistics are OpenCV's: left, top, width, height, area in pixels.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.imaging.binarize import otsu_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import FloatGray, Gray, Mask

    Stats = NDArray[np.int32]


# Ink, of 255, from which a pixel belongs to a component.
INK_THRESHOLD = 80.0
# A component of this share of the main one's area, and wholly inside it, belongs to the digit:
# the inner line of an outline drawing.
MIN_ENCLOSED_AREA = 0.03
# The smallest area, as a share of the main component's, and the greatest distance, in the
# digit's longer sides, of what belongs to it: strokes that the pen or the scanner broke; and,
# larger and farther away, the bar of a 5 or the flag of a 1.
NEAR_PART, FAR_PART = (0.10, 0.15), (0.20, 0.50)
# A frame's ink lies within this share of its longer side from the sides of its box; that of a
# round 0 lies deeper at its four corners.
FRAME_DEPTH = 0.12
# A digit has at least this share of the ink of the frame around it.
MIN_AREA_IN_FRAME = 0.05
# How much the area of a component that touches the picture's edge counts: frames, shadows and
# neighbors touch it more often than the digit does.
EDGE_WEIGHT = 0.4


@dataclass(frozen=True, eq=False)
class DigitComponents:
    """The components of a picture, separated into digit and rest."""

    mask: NDArray[np.bool_]  # bool (H, W): the digit with the gray pixels around it
    box: tuple[int, int, int, int]  # the digit's x0, y0, x1, y1 in pixels
    total: int  # how many components there are, and how many of them make the digit
    chosen: int
    digit_count: int  # how many digits stand side by side; 1 for a single one, 0 for bare paper


def find_digit_components(ink: FloatGray) -> DigitComponents:
    """Find the components that make the digit."""
    import cv2

    marked = (ink > INK_THRESHOLD).astype(np.uint8)
    count, label_image, table, _ = cv2.connectedComponentsWithStats(marked, connectivity=8)
    labels, stats = np.asarray(label_image, np.int32), np.asarray(table, np.int32)
    if count == 1:
        return DigitComponents(np.zeros(ink.shape, bool), (0, 0, 0, 0), 0, 0, 0)

    # The largest one that is no frame, ...
    main = _find_main(stats, labels)
    keep = np.zeros(count, bool)
    keep[main] = True
    # ... what broke off it, ...
    for other in range(1, count):
        if other != main and _belongs(stats[other], stats[main], ink.shape):
            keep[other] = not _is_frame(other, stats, labels)
    # ... and what it encloses.
    if count > 2:
        enclosed = _enclosed(labels, main, count)
        keep |= enclosed & (stats[:, cv2.CC_STAT_AREA] >= MIN_ENCLOSED_AREA * stats[main, 4])

    digit = keep[labels]
    mask = cv2.dilate(digit.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    left, top, width, height = cv2.boundingRect(digit.astype(np.uint8))
    box = left, top, left + width, top + height
    digit_count = _count_digits(stats, main, ink.shape)
    return DigitComponents(mask, box, count - 1, int(keep.sum()), digit_count)


def _touches_edge(stat: Stats, shape: tuple[int, ...]) -> bool:
    left, top, width, height = stat[:4]
    return bool(left == 0 or top == 0 or left + width == shape[1] or top + height == shape[0])


def _find_main(stats: Stats, labels: NDArray[np.int32]) -> int:
    """Return the component that is the digit, or the largest part of it."""
    rank = stats[:, 4].astype(np.float64)
    for index in range(1, len(stats)):
        if _touches_edge(stats[index], labels.shape):
            rank[index] *= EDGE_WEIGHT
    rank[0] = -1
    order = np.argsort(-rank, kind="stable")
    best = int(order[0])
    for index in (int(item) for item in order[:-1]):
        if stats[index, 4] < MIN_AREA_IN_FRAME * stats[best, 4]:
            break
        if not _is_frame(index, stats, labels):
            return index
    return best


def _is_frame(index: int, stats: Stats, labels: NDArray[np.int32]) -> bool:
    """Say whether a component is a frame, or one side of it: all its ink at its box's sides."""
    left, top, width, height, area = (int(value) for value in stats[index])
    spans = sorted((width / labels.shape[1], height / labels.shape[0]))
    if spans[1] > 0.9 and spans[0] < 0.05:
        return True  # one side of it
    if spans[0] < 0.5:
        return False
    inside = labels[top : top + height, left : left + width] == index
    depth = max(1, round(FRAME_DEPTH * max(width, height)))
    hollow = inside[depth : height - depth, depth : width - depth]
    return int(hollow.sum()) < 0.1 * area


def _belongs(stat: Stats, main: Stats, shape: tuple[int, ...]) -> bool:
    if _touches_edge(stat, shape) and not _touches_edge(main, shape):
        return False
    side = max(main[2], main[3])
    gap = max(_gap(stat, main, 0), _gap(stat, main, 1)) / side
    share = stat[4] / main[4]
    parts = (NEAR_PART, FAR_PART)
    return bool(any(share >= min_area and gap <= max_gap for min_area, max_gap in parts))


def _enclosed(labels: NDArray[np.int32], main: int, count: int) -> NDArray[np.bool_]:
    """Say of each component whether the main one runs all around it: bool (count,)."""
    import cv2

    outline, _ = cv2.findContours(
        (labels == main).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros(labels.shape, np.uint8)
    cv2.drawContours(filled, outline, -1, 1, cv2.FILLED)
    pixels_inside = np.bincount(labels[filled > 0], minlength=count)
    pixels = np.bincount(labels.ravel(), minlength=count)
    enclosed: NDArray[np.bool_] = pixels_inside == pixels
    return enclosed


def _gap(one: Stats, two: Stats, axis: int) -> int:
    """Return the pixels between two boxes along an axis (0: across, 1: down), 0 at least."""
    first, second = sorted((one, two), key=lambda stat: int(stat[axis]))
    return max(int(second[axis] - first[axis] - first[axis + 2]), 0)


def _count_digits(stats: Stats, main: int, shape: tuple[int, ...]) -> int:
    """Return how many digits stand in the row of the main component; when in doubt, one.

    A neighbor is at least 60 % as high and 30 % as large, at the same height, wholly to
    one side, and the two together are clearly wider than any digit (a 0 whose halves do not
    meet is not).
    """
    _, top, width, height = (int(value) for value in stats[main][:4])
    count = 1
    for other in range(1, len(stats)):
        stat = stats[other]
        if other == main or _touches_edge(stat, shape):
            continue
        overlap = min(top + height, stat[1] + stat[3]) - max(top, int(stat[1]))
        gap = _gap(stat, stats[main], 0)
        total_width = width + int(stat[2]) + gap
        alike = 0.7 * height <= stat[3] <= height / 0.7 and stat[4] >= 0.3 * stats[main][4]
        if alike and overlap >= 0.6 * height and gap > 0 and total_width >= 1.3 * height:
            count += 1
    return count


# The share of the picture's width that ink must span before a ruling is looked for. A digit in
# MNIST's frame spans at most 0.71.
MIN_RULING_SPAN = 0.78
# How far a ruling must stand out to the left and to the right, in the longer side of what it
# crosses.
MIN_ARM = 0.12
# A ruling is slimmer than twice this share of the widest strokes.
MAX_RULING_WIDTH = 0.38
# The share of the ink that must remain without the ruling: of thin digits nothing would.
MIN_REMAINING_INK = 0.5
# Pixels of the longer side at which widths can be compared; smaller pictures are enlarged.
MIN_SIDE_FOR_WIDTHS = 100


def remove_ruling_lines(ink: FloatGray) -> tuple[FloatGray, bool]:
    """Cut off the arms of a thin line that crosses the digit from side to side, if any.

    What lies between the arms stays, and so does any ink that does not span the picture.
    """
    import cv2

    full = cv2.boundingRect((ink > INK_THRESHOLD).astype(np.uint8))
    if full[2] < MIN_RULING_SPAN * ink.shape[1]:
        return ink, False
    times = max(1, -(-MIN_SIDE_FOR_WIDTHS // max(ink.shape)))
    fine = cv2.resize(ink, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    body = _find_thick_body((fine > INK_THRESHOLD).astype(np.uint8))
    if body is None:
        return ink, False
    left, width, side = body[0] / times, body[2] / times, max(body[2:]) / times
    if min(left - full[0], full[0] + full[2] - left - width) < MIN_ARM * side:
        return ink, False
    cut = ink.copy()
    cut[:, : max(round(left) - 1, 0)] = 0
    cut[:, round(left + width) + 1 :] = 0
    return cut, True


def _find_thick_body(marked: Mask) -> tuple[int, int, int, int] | None:
    """Return left, top, width, height of the ink without slim lines; None for too little."""
    import cv2

    depth = cv2.distanceTransform(np.pad(marked, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    if not marked.any():
        return None
    radius = MAX_RULING_WIDTH * 2 * float(np.percentile(depth[marked > 0], 95))
    thick = cv2.morphologyEx(marked, cv2.MORPH_OPEN, disk_kernel(radius))
    if thick.sum() < MIN_REMAINING_INK * marked.sum():
        return None
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thick)
    large = stats[:, cv2.CC_STAT_AREA] > 0.1 * thick.sum()
    large[0] = False
    left, top, width, height = cv2.boundingRect(large[labels].astype(np.uint8))
    return left, top, width, height


def disk_kernel(radius: float) -> Mask:
    """Return the pixels within `radius` of the middle one: uint8, 1 inside, 0 outside.

    >>> disk_kernel(1.0).tolist()
    [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    """
    return _disk(round(radius, 1))


@functools.lru_cache(maxsize=256)
def _disk(radius: float) -> Mask:
    reach = int(np.ceil(radius))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside: Mask = (down**2 + across**2 <= radius**2 + 0.25).astype(np.uint8)
    inside.flags.writeable = False
    return inside


# Specks to a pixel from which a picture counts as salted. Clean digits, drawings and cut-outs
# have fewer than 0.008; one pixel in six turned black or white at random makes 0.028 or more.
MIN_SPECK_DENSITY = 0.02
# Pixels of a speck where they are counted.
MAX_SPECK_AREA = 2
# Pixels of a patch that is smoothed away: specks touch at random, but only a few.
MAX_PATCH_AREA = 6
# Each round cleans about half of the specks where they lie close.
MEDIAN_ROUNDS = 2


def remove_specks(gray: Gray) -> tuple[Gray, float]:
    """Take salt and pepper out of a salted picture; leave every other picture as it is.

    Only small patches that differ from the median of their 3 x 3 neighborhood are changed:
    thin strokes differ from it too, but hang together. Returns the share that was changed, too.
    """
    import cv2

    clean = gray
    for _ in range(MEDIAN_ROUNDS):
        if count_specks(clean) < MIN_SPECK_DENSITY:
            break
        median = cv2.medianBlur(clean, 3)
        value_range = float(clean.max()) - float(clean.min())
        odd = (cv2.absdiff(clean, median) > 0.35 * value_range).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(odd, connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] <= MAX_PATCH_AREA
        small[0] = False
        clean = np.where(small[labels], median, clean)
    return clean, float((clean != gray).mean())


def count_specks(gray: Gray) -> float:
    """Return how many components of one or two pixels, dark or light, there are to a pixel."""
    import cv2

    threshold, _ = otsu_threshold(gray.astype(np.float32))
    count = 0
    for side in (gray > threshold, gray <= threshold):
        stats = cv2.connectedComponentsWithStats(side.astype(np.uint8), connectivity=8)[2]
        count += int((stats[1:, cv2.CC_STAT_AREA] <= MAX_SPECK_AREA).sum())
    return count / gray.size
