"""Intelligent Mail barcodes in pictures of mail: found at any angle, and decoded.

Marks that are long and thin and stand side by side at one pitch are a row of bars; along each
bar the picture says whether it reaches up and down. A few half bars that were misread are
mended: each belongs to one character, which then has an impossible number of bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.errors import DataError
from digitlens.imaging.binarize import otsu_threshold, quantile_of_values, to_gray
from digitlens.imaging.crop import halve
from digitlens.imaging.io import load_image
from digitlens.layout.morphology import find_runs, measure_components
from digitlens.mail.barcodes import BAR_LETTERS, N_BARS, decode_imb, find_damage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from digitlens.imaging.io import ImageSource, LoadedImage
    from digitlens.mail.barcodes import IntelligentMail

    Gray: TypeAlias = "NDArray[np.uint8]"
    Floats: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True)
class ScannedBarcode:
    """A barcode in a picture.

    `corners` is float64 (4, 2): x, y in pixels of the picture, clockwise from the upper left
    one of the barcode as it is read; `mended` counts half bars that were misread.
    """

    content: IntelligentMail
    corners: Floats
    mended: int


def find_barcodes(picture: ImageSource | LoadedImage) -> tuple[ScannedBarcode, ...]:
    """Return the Intelligent Mail barcodes of a picture: none, mostly, or one.

    picture: of whatever `digitlens.read` takes; the barcode may lie at any angle, its bars at
        least four pixels apart

    Raises DataError: the picture cannot be read.
    """
    pixels = to_gray(load_image(picture).pixels)
    first = min(1.0, MAX_SIDE / max(pixels.shape))
    # Small bars are told apart where the picture is larger, but that takes four times as long:
    # only where some stand together. A barcode that fills the picture has bars too large.
    stand_together, large = False, 0
    for scale in (first, 2.0, first / 2):
        if scale > first and not (stand_together and max(pixels.shape) <= MAX_DOUBLED):
            continue
        if scale < first and not (stand_together or large >= MIN_LARGE):
            continue
        gray = pixels
        if scale == 0.5:
            gray = halve(pixels)
        elif scale != 1:
            way = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
            height, width = (max(1, round(side * scale)) for side in pixels.shape)
            gray = np.asarray(cv2.resize(pixels, (width, height), interpolation=way))
        marks = _measure_marks(gray)
        strips = list(_find_strips(marks))
        stand_together, large = stand_together or bool(strips), large + marks.large
        rows = [_fit_row(marks, strip) for strip in strips if len(strip) >= MIN_BARS]
        decoded = [_decode_row(gray, row) for row in rows if row is not None]
        barcodes = tuple(
            # Centers of pixels lie half a pixel from their edges, at each scale.
            ScannedBarcode(content, (corners + 0.5) / scale, mended)
            for content, corners, mended in filter(None, decoded)
        )
        if barcodes:
            return barcodes
    return ()


# Larger pictures are brought to this longer side, and up to the second they may be doubled: an
# envelope that was scanned with 100 dots per inch has bars five pixels apart.
MAX_SIDE, MAX_DOUBLED = 1900, 1100


@dataclass(frozen=True)
class _Marks:
    """Dark marks of a picture: bool, or float64, (n,) each.

    `angles` are those of their longer axes, 0..180 degrees, downwards from the right.
    """

    x: Floats
    y: Floats
    length: Floats
    width: Floats
    angles: Floats
    large: int  # how many others there are that would be bars at half the size


# A pixel is dark that is so much below the mean around it: in gray levels, as a share, and in
# standard deviations of the noise, but not of the darkest ink more than a share.
MIN_DEPTH, MIN_DEPTH_SHARE, NOISE_DEPTHS, MAX_DEPTH_SHARE = 8, 0.06, 3.0, 0.4
MEAN_SIDE = 41  # pixels
MIN_AREA, MIN_LENGTH, MAX_LENGTH = 6, 3, 70

# Bars by their form: a mark is as long and as wide as a rectangle of its moments.
MIN_ASPECT, MAX_ASPECT, SURE_ASPECT = 1.25, 14.0, 2.6
MAX_SKEW, MAX_SHORT_SKEW = 9.0, 25.0  # degrees from the other bars; of short ones

MIN_BARS = 40  # that are seen of the 65 as marks of their own
MIN_LARGE = 5  # full bars too long for a bar, where the shorter ones are seen
MIN_TOGETHER = 15  # bars that may be a part of a barcode whose other bars touch
MAX_DIRECTIONS = 3  # in which bars are looked for, the most common first


def _measure_marks(gray: Gray) -> _Marks:
    """Return the marks of a picture that are small enough to be bars."""
    mean = cv2.blur(gray, (MEAN_SIDE, MEAN_SIDE))
    below = np.asarray(cv2.subtract(mean, gray), np.uint8)
    # What most pixels differ by is noise where most of a picture is paper, but never as much as
    # the darkest ink.
    sample = np.asarray(cv2.absdiff(mean[::7, ::7], gray[::7, ::7]), np.uint8)
    noise = 1.48 * quantile_of_values(sample, 0.5)
    darkest = quantile_of_values(below[::7, ::7], 0.999)
    least = max(MIN_DEPTH, min(NOISE_DEPTHS * noise, MAX_DEPTH_SHARE * darkest))
    # OpenCV's own maximum takes an eighth of NumPy's time here.
    depth = cv2.max(cv2.convertScaleAbs(mean, alpha=MIN_DEPTH_SHARE), np.floor([least]))
    dark = cv2.compare(below, depth, cv2.CMP_GT)
    # Pixels are joined by their sides alone: if corners joined them too, bars of 100 dots per
    # inch would run into each other.
    # The algorithm by name: the same labels as by default, in two thirds of the time.
    total, labels = cv2.connectedComponentsWithAlgorithm(
        np.asarray(dark, np.uint8), 4, cv2.CV_32S, cv2.CCL_WU
    )
    runs = find_runs(np.asarray(dark, np.uint8))
    components = np.asarray(labels, np.int32)[runs.rows, runs.first]
    stats = measure_components(runs, components, total)
    area, sides = stats[:, 4], stats[:, 2:4].max(axis=1)
    small = (area >= MIN_AREA) & (sides <= MAX_LENGTH) & (sides >= MIN_LENGTH)
    small[0] = False
    large = (sides > MAX_LENGTH) & (sides <= 2 * MAX_LENGTH)
    large[0] = False
    count = int(small.sum())
    rank = np.full(total, -1, np.int32)
    rank[small] = np.arange(count)
    index = rank[components]
    of_small = index >= 0
    index = index[of_small]
    row, first, last = (part[of_small].astype(np.float64) for part in runs)
    # A run's moments are those of its middle and of its length.
    pixels, middle = last - first + 1, (first + last) / 2
    size = np.asarray(area[small], np.float64)

    def mean_of(values: Floats) -> Floats:
        return np.bincount(index, values * pixels, minlength=count) / size

    x, y = mean_of(middle), mean_of(row)
    dx, dy = middle - x[index], row - y[index]
    # A pixel is a square: its own twelfth belongs to the moments.
    xx = mean_of(dx * dx + (pixels * pixels - 1) / 12) + 1 / 12
    yy, xy = mean_of(dy * dy) + 1 / 12, mean_of(dx * dy)
    half, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    length, width = (
        np.sqrt(12 * (half + spread)),
        np.sqrt(12 * np.maximum(half - spread, 1 / 12)),
    )
    angles = np.degrees(np.arctan2(2 * xy, xx - yy) / 2) % 180
    return _Marks(x, y, length, width, angles, int(np.count_nonzero(large)))


def _find_strips(marks: _Marks) -> Iterator[NDArray[np.intp]]:
    """Yield the marks, as indices, that stand together and may be bars of one row."""
    aspect = marks.length / marks.width
    is_sure = (aspect >= SURE_ASPECT) & (aspect <= MAX_ASPECT)
    for direction in _find_directions(marks.angles[is_sure]):
        skew = np.abs((marks.angles - direction + 90) % 180 - 90)
        bars = is_sure & (skew <= MAX_SKEW)
        width = float(np.median(marks.width[bars]))
        bars |= (aspect >= MIN_ASPECT) & (aspect < SURE_ASPECT) & (skew <= MAX_SHORT_SKEW)
        bars &= (marks.width > 0.5 * width) & (marks.width < 2 * width)
        indices = np.flatnonzero(bars)
        strips = _group(marks, indices, direction, width)
        for strip in np.flatnonzero(np.bincount(strips) >= MIN_TOGETHER):
            yield indices[strips == strip]


# Bars in neighboring cells of this size, in widths of bars, are one strip: to the next it is
# 2.3 of them, from the middle of a bar that reaches up to one that reaches down 2.4.
CELL_ALONG, CELL_DOWN = 3.0, 2.4


def _group(
    marks: _Marks, indices: NDArray[np.intp], direction: float, width: float
) -> NDArray[np.int32]:
    """Return the strip of each bar: those that stand close together."""
    angle = np.radians(direction)
    x, y = marks.x[indices], marks.y[indices]
    down = x * np.cos(angle) + y * np.sin(angle)
    along = x * np.sin(angle) - y * np.cos(angle)
    column = ((along - along.min()) / (CELL_ALONG * width)).astype(int)
    line = ((down - down.min()) / (CELL_DOWN * width)).astype(int)
    cells = np.zeros((line.max() + 1, column.max() + 1), np.uint8)
    cells[line, column] = 1
    _, strips = cv2.connectedComponents(cells, connectivity=8)
    return np.asarray(strips[line, column], np.int32)


def _find_directions(angles: Floats) -> list[float]:
    """Return the directions, in degrees, that enough sure bars share, the most common first."""
    counts = np.bincount((angles // 3).astype(int) % 60, minlength=60)
    near = counts + np.roll(counts, 1) + np.roll(counts, -1)
    directions = []
    for _ in range(MAX_DIRECTIONS):
        best = int(near.argmax())
        if near[best] < MIN_TOGETHER:
            break
        offsets = (angles - (3 * best + 1.5) + 90) % 180 - 90
        directions.append(3 * best + 1.5 + float(np.median(offsets[np.abs(offsets) <= 4.5])))
        near[[(best + step) % 60 for step in (-2, -1, 0, 1, 2)]] = 0
    return directions


@dataclass(frozen=True)
class _Row:
    """A row of bars in its own axes: along it, to the right, and down its bars.

    `x` and `y` are polynomials of a bar's number: where its middle is. Bars are numbered from
    any one of them; `first` and `last` were seen.
    """

    x: np.polynomial.Polynomial
    y: np.polynomial.Polynomial
    down: Floats  # (2,): one unit of length along the bars
    first: int
    last: int


MIN_STRAIGHT = 0.3  # in pitches: how far from its place a bar may be


def _fit_row(marks: _Marks, chosen: NDArray[np.intp]) -> _Row | None:
    """Number the bars of a strip, and say where each of them is; None where no pitch fits."""
    points = np.column_stack([marks.x[chosen], marks.y[chosen]])
    center = points.mean(axis=0)
    along = np.linalg.svd(points - center, full_matrices=False)[2][0]
    places = (points - center) @ along
    order = np.argsort(places)
    points, places, chosen = points[order], places[order], chosen[order]
    steps = np.diff(places)
    if not steps.size:
        return None
    pitch = float(np.median(steps))
    near = steps[(steps > 0.6 * pitch) & (steps < 1.4 * pitch)]
    if len(near) < MIN_BARS - 10:
        return None
    # Numbers grow by the steps, so that a pitch that changes slowly makes no error.
    numbers, place, pitch = [0], places[0], float(near.mean())
    local = pitch
    for index in range(1, len(places)):
        step = (places[index] - place) / local
        count = round(step)
        numbers.append(numbers[-1] + count)
        if count == 1:
            local = 0.9 * local + 0.1 * (places[index] - place)
        if count:
            place = places[index]
    number = np.array(numbers, np.float64)
    keep = np.ones(len(number), bool)
    fit = np.polynomial.Polynomial.fit
    for _ in range(4):
        if keep.sum() < MIN_BARS - 5:
            return None
        x, y = (fit(number[keep], points[keep, axis], 2) for axis in (0, 1))
        rest = (points - np.column_stack([x(number), y(number)])) @ along
        keep = np.abs(rest) < MIN_STRAIGHT * pitch
    used = number[keep].astype(int)
    if len(np.unique(used)) < MIN_BARS - 5 or used.max() - used.min() > 3 * N_BARS:
        return None
    long = chosen[keep][np.argsort(-marks.length[chosen[keep]])[: MIN_BARS // 2]]
    angle = np.radians(2 * marks.angles[long])
    axis = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) / 2
    down = np.array([np.cos(axis), np.sin(axis)])
    # Along the row is to the right and down is down, as in a picture: no mirror image.
    if along[0] * down[1] - along[1] * down[0] < 0:
        down = -down
    if np.dot(along, [x(1.0) - x(0.0), y(1.0) - y(0.0)]) < 0:  # numbers grow along the row
        return None
    return _Row(x, y, down, int(used.min()), int(used.max()))


# Along a bar its picture is looked at so far from its middle, in pitches: full bars reach 1.6.
REACH = 2.4
N_SAMPLES = 61
MAX_SHIFT = 6  # ends that were not seen, or marks that were taken for bars
SHARE = 0.5  # of a bar's darkness counts as its ink


def _decode_row(gray: Gray, row: _Row) -> tuple[IntelligentMail, Floats, int] | None:
    """Return what a row of bars says, where it stands, and how many half bars were mended."""
    # Bars before the first and behind the last that was seen may be there, too.
    count = row.last - row.first + 1
    if count < N_BARS - 2 * MAX_SHIFT:
        return None
    start, stop = row.first - MAX_SHIFT, row.last + 1 + MAX_SHIFT
    darkness = _sample(gray, row, start, stop)
    seen = darkness[MAX_SHIFT:-MAX_SHIFT]
    zones = _find_zones(seen)
    if zones is None:
        return None
    top, upper, lower, bottom = zones
    body = darkness[:, upper:lower].mean(axis=1)
    typical = float(np.median(body[MAX_SHIFT:-MAX_SHIFT]))
    least = np.maximum(body, 0.4 * typical)[:, None]
    reach = (
        np.column_stack(
            [_average_middle(darkness, top, upper), _average_middle(darkness, lower, bottom)]
        )
        / least
    )
    # Windows of 65 bars, those with ink in each bar and none beside it first.
    inked = np.concatenate([[0], np.cumsum(np.pad(body > SHARE * typical, 1))])
    within = inked[N_BARS + 1 : -1] - inked[1 : -N_BARS - 1]
    around = inked[N_BARS + 2 :] - inked[: -N_BARS - 2]
    for offset in np.argsort(around - 2 * within, kind="stable")[:MAX_WINDOWS].tolist():
        decoded = _decode_levels(reach[offset : offset + N_BARS])
        if decoded is not None:
            content, turned, mended = decoded
            return content, _locate(row, start + offset, zones, turned), mended
    return None


MAX_WINDOWS = 5


def _sample(gray: Gray, row: _Row, start: int, stop: int) -> Floats:
    """Return how much darker than the paper beside it each bar is, along it: (n, samples)."""
    halves = np.arange(2 * start - 1, 2 * stop) / 2  # a gap, a bar, a gap, ...
    pitch = np.hypot(
        row.x(halves + 0.5) - row.x(halves - 0.5), row.y(halves + 0.5) - row.y(halves - 0.5)
    )
    offsets = np.linspace(-REACH, REACH, N_SAMPLES)
    shares = np.linspace(-0.14, 0.14, 5)  # across the bar, in pitches
    tangent = np.column_stack([row.x.deriv()(halves), row.y.deriv()(halves)])
    centers = np.column_stack([row.x(halves), row.y(halves)])
    points = (
        centers[:, None, None, :]
        + tangent[:, None, None, :] * shares[None, None, :, None]
        + (pitch[:, None] * offsets[None, :])[:, :, None, None] * row.down
    ).reshape(len(halves), -1, 2)
    values = cv2.remap(
        gray,
        points[..., 0].astype(np.float32),
        points[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    levels = values.astype(np.float64).reshape(len(halves), N_SAMPLES, -1).mean(axis=2)
    return np.asarray((levels[:-2:2] + levels[2::2]) / 2 - levels[1::2], np.float64)


def _find_zones(darkness: Floats) -> tuple[int, int, int, int] | None:
    """Return where full bars begin, where all bars do, and where these end: samples."""
    low, high = np.percentile(darkness, (20, 80), axis=0)
    full = float(high.max())
    if full < MIN_DEPTH:
        return None
    body, whole = (_find_longest_run(line > SHARE * full) for line in (low, high))
    if body is None or whole is None:
        return None
    top, bottom = whole
    upper, lower = body
    if not (top + 2 < upper < lower < bottom - 2):
        return None
    ratio = (bottom - top) / (lower - upper)
    return (top, upper, lower, bottom) if 1.7 < ratio < 5.5 else None


def _find_longest_run(inked: NDArray[np.bool_]) -> tuple[int, int] | None:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(np.int8), [0]])))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return None
    start, stop = runs[(runs[:, 1] - runs[:, 0]).argmax()]
    return int(start), int(stop)


def _average_middle(darkness: Floats, start: int, stop: int) -> Floats:
    """Return the mean of the middle half of a zone, for each bar."""
    quarter = (stop - start) // 4
    return np.asarray(
        darkness[:, start + quarter : max(stop - quarter, start + quarter + 1)].mean(1)
    )


# How many characters are mended: one by each of its thirteen half bars; several by the most
# doubtful of each, and as few trials, as each wrong one has a chance of 1 in 2,048 to be taken.
MAX_MENDED, MAX_DOUBTFUL, MAX_TRIALS = 4, 3, 13


def _decode_levels(levels: Floats) -> tuple[IntelligentMail, bool, int] | None:
    """Decode how far 65 bars reach up and down, (65, 2); say whether they are turned."""
    threshold, _ = otsu_threshold(levels.astype(np.float32))
    for turned in (False, True):
        own = levels[::-1, ::-1] if turned else levels
        contents: dict[IntelligentMail, int] = {}
        for trial, mended in _mend(own > threshold, np.abs(own - threshold)):
            try:
                contents.setdefault(decode_imb(_spell(trial)), mended)
            except DataError:
                continue
        if len(contents) == 1:  # what could be mended in two ways is not known
            content, mended = contents.popitem()
            return content, turned, mended
    return None


def _spell(reaches: NDArray[np.bool_]) -> str:
    return "".join(BAR_LETTERS[2 * up + down] for up, down in reaches.astype(int))


def _mend(reaches: NDArray[np.bool_], doubt: Floats) -> Iterator[tuple[NDArray[np.bool_], int]]:
    """Yield the half bars with every character possible, and how many were flipped for it."""
    damaged = find_damage(_spell(reaches))
    if len(damaged) > MAX_MENDED:
        return
    ranked = [sorted(places, key=lambda place: doubt[place]) for places in damaged]
    if len(damaged) > 1:
        ranked = [places[:MAX_DOUBTFUL] for places in ranked]
    combinations = sorted(product(*ranked), key=lambda flips: sum(doubt[one] for one in flips))
    for flips in combinations[:MAX_TRIALS]:
        trial = reaches.copy()
        for bar, half in flips:
            trial[bar, half] ^= True
        yield trial, len(flips)


def _locate(row: _Row, first: int, zones: tuple[int, int, int, int], turned: bool) -> Floats:
    """Return the corners around 65 bars, (4, 2), clockwise from where they begin, above."""
    ends = np.array([first - 0.5, first + N_BARS - 0.5])
    pitch = np.hypot(row.x(ends + 1) - row.x(ends), row.y(ends + 1) - row.y(ends))
    middle = np.column_stack([row.x(ends), row.y(ends)])
    above, below = (
        middle + (pitch * (2 * REACH * zone / (N_SAMPLES - 1) - REACH))[:, None] * row.down
        for zone in (zones[0], zones[3])
    )
    corners = np.array([above[0], above[1], below[1], below[0]])
    return np.roll(corners, 2, axis=0) if turned else corners
