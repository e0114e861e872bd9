"""Which of the marks on the paper are the digit.

* A thin line across the whole picture: a ruling, or what somebody scribbled over the digit.
* Salt and pepper out of a picture.
* A disk to thicken and to thin strokes with.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.imaging.binarize import otsu_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray: TypeAlias = "NDArray[np.float32]"


INKED = 80.0
"""Ink, of 255, from which a pixel belongs to a mark."""

WITHIN = 0.03
"""A mark this large beside the largest, and wholly inside it, belongs to the digit: the inner
line of an outline drawing."""

NEAR = (0.10, 0.15)
"""A mark this large beside the largest, at most this far away (in the digit's longer sides),
belongs to it: a stroke that the pen or the scanner broke."""

APART = (0.20, 0.50)
"""Likewise for larger marks farther away: the bar of a 5, the flag of a 1."""

RIM = 0.12
"""A frame's ink lies within this share of its longer side from the sides of its box; that of a
round 0 lies deeper at its four corners."""

IN_FRAME = 0.05
"""A digit has at least this share of the ink of the frame around it."""

AT_THE_EDGE = 0.4
"""A mark that touches the picture's edge counts this much beside others: frames, shadows and
neighbours touch it more often than the digit does."""


@dataclass(frozen=True, eq=False)
class DigitComponents:
    """The marks of a picture, parted into digit and rest.

    Parameters
    ----------
    mask
        bool (H, W): the digit with the grey pixels around it.
    box
        The digit's x0, y0, x1, y1 in pixels.
    total, chosen
        How many components there are, and how many of them make the digit.
    digit_count
        How many digits stand side by side; 1 for a single one, 0 for bare paper.
    """

    mask: NDArray[np.bool_]
    box: tuple[int, int, int, int]
    total: int
    chosen: int
    digit_count: int


def find_digit_components(ink: Gray) -> DigitComponents:
    """Find the digit among the marks.

    Parameters
    ----------
    ink
        float32 (H, W), 0.0 = paper, 255.0 = full ink.
    """
    import cv2

    marked = (ink > INKED).astype(np.uint8)
    count, joined, table, _ = cv2.connectedComponentsWithStats(marked, connectivity=8)
    labels, stats = np.asarray(joined, np.int32), np.asarray(table, np.int32)
    if count == 1:
        return DigitComponents(np.zeros(ink.shape, bool), (0, 0, 0, 0), 0, 0, 0)
    main = _main(stats, labels)
    keep = np.zeros(count, bool)
    keep[main] = True
    for other in range(1, count):
        if other != main and _belongs(stats[other], stats[main], ink.shape):
            keep[other] = not _is_frame(other, stats, labels)
    if count > 2:
        enclosed = _enclosed(labels, main, count)
        keep |= enclosed & (stats[:, cv2.CC_STAT_AREA] >= WITHIN * stats[main, 4])
    digit = keep[labels]
    mask = cv2.dilate(digit.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    left, top, width, height = cv2.boundingRect(digit.astype(np.uint8))
    several = _beside(stats, main, ink.shape)
    return DigitComponents(
        mask, (left, top, left + width, top + height), count - 1, int(keep.sum()), several
    )


def _touches(stat: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    left, top, width, height = stat[:4]
    return bool(left == 0 or top == 0 or left + width == shape[1] or top + height == shape[0])


def _main(stats: NDArray[np.int32], labels: NDArray[np.int32]) -> int:
    """Return the mark that is the digit, or the largest part of it."""
    rank = stats[:, 4].astype(np.float64)
    for mark in range(1, len(stats)):
        if _touches(stats[mark], labels.shape):
            rank[mark] *= AT_THE_EDGE
    rank[0] = -1
    order = np.argsort(-rank, kind="stable")
    best = int(order[0])
    for mark in (int(item) for item in order[:-1]):
        if stats[mark, 4] < IN_FRAME * stats[best, 4]:
            break
        if not _is_frame(mark, stats, labels):
            return mark
    return best


def _is_frame(mark: int, stats: NDArray[np.int32], labels: NDArray[np.int32]) -> bool:
    """Say whether a mark is a frame, or part of one: its ink all along the sides of its box."""
    left, top, width, height, area = (int(value) for value in stats[mark])
    spans = sorted((width / labels.shape[1], height / labels.shape[0]))
    if spans[1] > 0.9 and spans[0] < 0.05:
        return True  # one side of it
    if spans[0] < 0.5:
        return False
    inside = labels[top : top + height, left : left + width] == mark
    deep = max(1, round(RIM * max(width, height)))
    hollow = inside[deep : height - deep, deep : width - deep]
    return int(hollow.sum()) < 0.1 * area


def _belongs(stat: NDArray[np.int32], main: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    if _touches(stat, shape) and not _touches(main, shape):
        return False
    side = max(main[2], main[3])
    gap = max(_gap(stat, main, 0), _gap(stat, main, 1)) / side
    share = stat[4] / main[4]
    return bool(any(share >= least and gap <= most for least, most in (NEAR, APART)))


def _enclosed(labels: NDArray[np.int32], main: int, count: int) -> NDArray[np.bool_]:
    """Say of each mark whether the main one runs all around it: bool (count,)."""
    import cv2

    outline, _ = cv2.findContours(
        (labels == main).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros(labels.shape, np.uint8)
    cv2.drawContours(filled, outline, -1, 1, cv2.FILLED)
    inside = np.bincount(labels[filled > 0], minlength=count)
    whole = np.bincount(labels.ravel(), minlength=count)
    enclosed: NDArray[np.bool_] = inside == whole
    return enclosed


def _gap(one: NDArray[np.int32], two: NDArray[np.int32], axis: int) -> int:
    """Return the pixels between two boxes along an axis (0: across, 1: down), 0 at least."""
    first, second = sorted((one, two), key=lambda stat: int(stat[axis]))
    return max(int(second[axis] - first[axis] - first[axis + 2]), 0)


def _beside(stats: NDArray[np.int32], main: int, shape: tuple[int, ...]) -> int:
    """Return how many digits stand in the row of the main mark; in doubt one.

    A neighbour is at least 60 % as high and 30 % as large, at the same height, wholly to
    one side, and the two together are clearly wider than any digit (a 0 whose halves do not
    meet is not).
    """
    _, top, width, height = (int(value) for value in stats[main][:4])
    row = 1
    for other in range(1, len(stats)):
        stat = stats[other]
        if other == main or _touches(stat, shape):
            continue
        overlap = min(top + height, stat[1] + stat[3]) - max(top, int(stat[1]))
        apart = _gap(stat, stats[main], 0)
        whole = width + int(stat[2]) + apart
        alike = 0.7 * height <= stat[3] <= height / 0.7 and stat[4] >= 0.3 * stats[main][4]
        if alike and overlap >= 0.6 * height and apart > 0 and whole >= 1.3 * height:
            row += 1
    return row


def disk_kernel(radius: float) -> NDArray[np.uint8]:
    """Return the pixels within `radius` of the middle one: uint8, 1 inside, 0 outside.

    Examples
    --------
    >>> disk_kernel(1.0).tolist()
    [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    """
    return _disk(round(radius, 1))


@functools.lru_cache(maxsize=256)
def _disk(radius: float) -> NDArray[np.uint8]:
    reach = int(np.ceil(radius))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside: NDArray[np.uint8] = (down**2 + across**2 <= radius**2 + 0.25).astype(np.uint8)
    inside.flags.writeable = False
    return inside


ACROSS = 0.78
"""The share of the picture's width that ink must span before a line is looked for. A digit in
MNIST's frame spans at most 0.71."""

ARM = 0.12
"""How far a line must stand out to the left and to the right, in the longer side of what it
crosses."""

SLIM = 0.38
"""A line is slimmer than twice this share of the widest strokes."""

REST = 0.5
"""The share of the ink that must remain without the line: of thin digits nothing would."""

FINE = 100
"""Pixels of the picture's longer side at least, where widths are told apart."""


def remove_ruling_lines(ink: Gray) -> tuple[Gray, bool]:
    """Cut off the arms of a thin line that crosses the digit from side to side.

    What lies between the arms stays, and so does any ink that does not span the picture.

    Parameters
    ----------
    ink
        float32 (H, W), 0.0 = paper, 255.0 = full ink.

    Returns
    -------
    The ink, and whether something was cut off.
    """
    import cv2

    whole = cv2.boundingRect((ink > INKED).astype(np.uint8))
    if whole[2] < ACROSS * ink.shape[1]:
        return ink, False
    times = max(1, -(-FINE // max(ink.shape)))
    fine = cv2.resize(ink, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    body = _body((fine > INKED).astype(np.uint8))
    if body is None:
        return ink, False
    left, width, side = body[0] / times, body[2] / times, max(body[2:]) / times
    if min(left - whole[0], whole[0] + whole[2] - left - width) < ARM * side:
        return ink, False
    cut = ink.copy()
    cut[:, : max(round(left) - 1, 0)] = 0
    cut[:, round(left + width) + 1 :] = 0
    return cut, True


def _body(marked: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Return the box of what is left without slim lines, or None when too little is."""
    import cv2

    depth = cv2.distanceTransform(np.pad(marked, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    if not marked.any():
        return None
    radius = SLIM * 2 * float(np.percentile(depth[marked > 0], 95))
    thick = cv2.morphologyEx(marked, cv2.MORPH_OPEN, disk_kernel(radius))
    if thick.sum() < REST * marked.sum():
        return None
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thick)
    large = stats[:, cv2.CC_STAT_AREA] > 0.1 * thick.sum()
    large[0] = False
    left, top, width, height = cv2.boundingRect(large[labels].astype(np.uint8))
    return left, top, width, height


SALTED = 0.02
"""Specks to a pixel from which a picture counts as salted. Clean digits, drawings and cut-outs
have fewer than 0.008; one pixel in six turned black or white by chance makes 0.028 or more."""

LARGEST_SPECK = 2
"""Pixels of a speck where they are counted."""

LARGEST_PATCH = 6
"""Pixels of a patch that is smoothed away: chance joins specks, but no more than a few."""

ROUNDS = 2
"""The median cleans a half at each go where specks lie close."""


def count_specks(gray: NDArray[np.uint8]) -> float:
    """Return how many marks of one or two pixels, dark or light, there are to a pixel."""
    import cv2

    bound, _ = otsu_threshold(gray.astype(np.float32))
    result = 0
    for side in (gray > bound, gray <= bound):
        stats = cv2.connectedComponentsWithStats(side.astype(np.uint8), connectivity=8)[2]
        result += int((stats[1:, cv2.CC_STAT_AREA] <= LARGEST_SPECK).sum())
    return result / gray.size


def remove_specks(gray: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Take salt and pepper out of a salted picture; leave every other picture as it is.

    Only small patches that differ from the median of their 3 x 3 neighbourhood are changed,
    so that thin strokes, which differ from it too but hang together, stay.

    Parameters
    ----------
    gray
        uint8 (H, W).

    Returns
    -------
    The picture, uint8 (H, W), and the share of its pixels that were changed.
    """
    import cv2

    clean = gray
    for _ in range(ROUNDS):
        if count_specks(clean) < SALTED:
            break
        middle = cv2.medianBlur(clean, 3)
        reach = float(clean.max()) - float(clean.min())
        odd = (cv2.absdiff(clean, middle) > 0.35 * reach).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(odd, connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] <= LARGEST_PATCH
        small[0] = False
        clean = np.where(small[labels], middle, clean)
    return clean, float((clean != gray).mean())
