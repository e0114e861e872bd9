"""Any picture of one digit -> MNIST's frame, and every step on the way.

* Which pictures are in MNIST's frame already.
* Many pictures at once.
* The steps of a framing as one picture, for a person to look at.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import DataError, NoInkError, SeveralDigitsError
from digitlens.imaging.binarize import binarize_color
from digitlens.imaging.components import (
    DigitComponents,
    find_digit_components,
    remove_ruling_lines,
    remove_specks,
)
from digitlens.imaging.fit import BOX, MIDDLE, center_by_mass, fill_outline, fit_to_frame
from digitlens.imaging.io import load_image

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from digitlens.digits import Images
    from digitlens.imaging.binarize import Ink
    from digitlens.imaging.io import ImageSource

    Pixels: TypeAlias = "NDArray[np.uint8]"


CHUNK = 256
"""Pictures at a time: what is worked out for them stays in the processor's cache."""

PLACES = np.arange(28, dtype=np.float32)

OFF = 0.51
"""How far the centre of mass may be from (14, 14): MNIST's is within half a pixel, rounded."""

FULL = 250
"""The least that a digit's darkest pixel has: MNIST's have 254 or 255."""

PAPER = 0.5
"""The least share of bare paper: MNIST's fullest digit leaves 55 %."""

HAIRLINE = 1.25
"""The least stroke width: 99.9 % of MNIST's training digits have 1.29 or more, and one pixel
wide lines have less."""


def are_framed(images: Images) -> NDArray[np.bool_]:
    """Say which digits are in MNIST's frame, as numpy does it: many at once.

    A digit is when it has bare paper (0) around, its longer side is 20 pixels, its centre
    of mass is in the middle, its ink is full, and its strokes are those of a pen. The
    bounds are those of MNIST's 60,000 training digits.

    Parameters
    ----------
    images
        uint8 (N, 28, 28).

    Returns
    -------
    bool (N,).
    """
    framed = np.zeros(len(images), np.bool_)
    for index in range(0, len(images), CHUNK):
        framed[index : index + CHUNK] = _are_framed(images[index : index + CHUNK])
    return framed


def _are_framed(images: Images) -> NDArray[np.bool_]:
    # Rows and columns first: they tell the box, and as sums the centre of mass.
    down = images.sum(axis=2, dtype=np.int32)
    across = images.sum(axis=1, dtype=np.int32)
    longer = np.maximum(_extent(down > 0), _extent(across > 0))
    likely: NDArray[np.bool_] = (longer == BOX) & (
        images.reshape(-1, 28 * 28).max(axis=1, initial=0) >= FULL
    )
    mass = np.maximum(down.sum(axis=1), 1)
    for along in (down, across):
        likely &= np.abs(along @ PLACES / mass - MIDDLE) <= OFF
    index = np.flatnonzero(likely)
    ink = images[index]
    likely[index] = (np.count_nonzero(ink, axis=(1, 2)) <= (1 - PAPER) * 28 * 28) & (
        _widths(ink, mass[index]) >= HAIRLINE
    )
    return likely


def _extent(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the length from the first mark to the last in each row of bool (N, 28)."""
    length: NDArray[np.int64] = (
        marked.shape[1] - marked.argmax(axis=1) - marked[:, ::-1].argmax(axis=1)
    )
    return np.where(marked.any(axis=1), length, 0)


def _widths(ink: Images, mass: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return `strokes.stroke_width` of digits that do not touch the edge: float32 (N,)."""
    gray = np.zeros((len(ink), 29, 29), np.float32)
    gray[:, 1:, 1:] = ink
    down = np.square(gray[:, 1:, :-1] - gray[:, :-1, :-1])
    down += np.square(gray[:, :-1, 1:] - gray[:, :-1, :-1])
    around = np.sqrt(down, out=down).sum(axis=(1, 2))
    return np.asarray(2 * mass / np.maximum(around, 1e-6), np.float32)


LARGE = 640
"""The longer side in pixels to which larger pictures are brought before ink is looked for."""

CLOSE = 80
"""A digit that is smaller than this, in pixels, once its picture was made smaller, is cut out
of the large picture and looked at again."""

FAINTEST = 12.0
"""Grey values between paper and ink below which nothing is written: what a compressed or
scanned sheet of bare paper varies by."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the framing.

    Parameters
    ----------
    name
        One word.
    about
        One sentence, with numbers.
    picture
        uint8 (H, W) or (H, W, 3): the picture after it, at most `LARGE` pixels wide and high.
    """

    name: str
    about: str
    picture: Pixels


@dataclass(frozen=True, eq=False)
class Framing:
    """A digit in MNIST's frame, and how it got there.

    Parameters
    ----------
    digit
        uint8 (28, 28); 0 = paper, 255 = ink.
    steps
        Every step, the opened picture first, the digit last.
    box
        Where the digit was found: x0, y0, x1, y1 in pixels of the picture, upright.
    inverted
        Whether the ink was lighter than the paper.
    unchanged
        Whether the picture was in MNIST's frame already.
    digit_count
        How many digits seem to stand side by side: 1, but for drawings, of which all is taken.
    """

    digit: Pixels
    steps: tuple[Step, ...]
    box: tuple[int, int, int, int]
    inverted: bool
    unchanged: bool
    digit_count: int = 1


def frame_digit(picture: ImageSource) -> Pixels:
    """Bring any picture of one digit into MNIST's frame.

    Dark ink or light ink, grey or in colours, on white, shadowed or foggy paper, of any size
    and at any place; a picture that is in MNIST's frame already comes back as it is.

    Parameters
    ----------
    picture
        A path, the bytes of a picture file, a Pillow picture, or an array: uint8 (H, W),
        (H, W, 3) or (H, W, 4).

    Returns
    -------
    uint8 (28, 28), 0 = paper, 255 = ink: the digit's longer side 20 pixels, its centre of
    mass in the middle.

    Raises
    ------
    NoInkError
        Nothing is written on the paper.
    SeveralDigitsError
        Clearly more than one digit stands in the picture.
    MissingDataError, DataError, CorruptFileError, ShapeError
        The picture cannot be opened; see `digitlens.imaging.io.load_image`.

    Examples
    --------
    >>> picture = np.full((90, 120), 230, np.uint8)
    >>> picture[20:70, 60:68] = 40
    >>> digit = frame_digit(picture)
    >>> digit.shape, digit.dtype, digit[14, 14].item(), digit[0, 0].item()
    ((28, 28), dtype('uint8'), 255, 0)
    """
    return frame_steps(picture).digit


def frame_steps(picture: ImageSource, *, name: str | None = None) -> Framing:
    """Do what `frame_digit` does, and tell every step.

    Parameters
    ----------
    picture
        As for `frame_digit`.
    name
        What messages call it; the path, when None and a path is given.
    """
    opened = load_image(picture, name=name)
    pixels, small = opened.pixels, _small(opened.pixels)
    steps = [Step("opened", opened.about, small)]
    if pixels.shape == (28, 28) and are_framed(pixels[None])[0]:
        steps.append(Step("digit", "in MNIST's frame already, left as it is", pixels))
        return Framing(pixels, tuple(steps), (0, 0, 28, 28), inverted=True, unchanged=True)
    result = _look(small, opened.name)
    scale = max(pixels.shape[:2]) / max(result.ink.ink.shape)
    offset = 0, 0
    if scale > 1 and _longer_side(result.marks.box) < CLOSE:
        offset, cut = _cut_out(pixels, result.marks.box, scale)
        result = _look(_small(cut), opened.name)
        scale = max(cut.shape[:2]) / max(result.ink.ink.shape)
    x0, y0, x1, y1 = (round(edge * scale) for edge in result.marks.box)
    box = x0 + offset[0], y0 + offset[1], x1 + offset[0], y1 + offset[1]
    digit = _finish(result, steps, scale)
    return Framing(digit, tuple(steps), box, inverted=result.ink.inverted, unchanged=False)


@dataclass(frozen=True, eq=False)
class _Found:
    """What was seen in a picture: where ink was looked for, in which pixels, and what it is."""

    where: str
    gray: Pixels
    changed: float
    ink: Ink
    marks: DigitComponents


def _look(pixels: Pixels, name: str) -> _Found:
    gray, ink, where = binarize_color(pixels)
    clean, changed = remove_specks(gray)
    if changed:
        gray, ink, where = binarize_color(clean)
    marks = find_digit_components(ink.ink)
    if ink.contrast < FAINTEST or marks.total == 0:
        raise NoInkError(
            f"{name} must show a digit",
            seen="bare paper: nothing stands out from it "
            f"by {FAINTEST:.0f} or more of 255 grey values",
        )
    if marks.digit_count > 1:
        raise SeveralDigitsError(
            f"{name} must show one digit",
            seen=f"{marks.digit_count} marks as high as a digit, side by side",
            try_=f"digitlens read {name}    reads strings",
        )
    return _Found(where, gray, changed, ink, marks)


def _small(pixels: Pixels) -> Pixels:
    """Bring a large picture down to `LARGE` pixels on its longer side."""
    side = max(pixels.shape[:2])
    if side <= LARGE:
        return pixels
    import cv2

    height, width = (max(5, round(length * LARGE / side)) for length in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _cut_out(
    pixels: Pixels, box: tuple[int, int, int, int], scale: float
) -> tuple[tuple[int, int], Pixels]:
    """Return where the part around a box begins, and its pixels."""
    margin = _longer_side(box)
    left, top = (max(0, int((edge - margin) * scale)) for edge in box[:2])
    right, bottom = (int((edge + margin) * scale) + 1 for edge in box[2:])
    return (left, top), np.ascontiguousarray(pixels[top:bottom, left:right])


def _longer_side(box: tuple[int, int, int, int]) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _finish(result: _Found, steps: list[Step], scale: float) -> Pixels:
    """Turn ink and marks into the digit, and add the steps that led to it."""
    ink, marks = result.ink, result.marks
    if result.changed:
        about = f"{result.changed:.1%} of the pixels were specks of salt and pepper"
        steps.append(Step("clean", about, result.gray))
    steps.append(Step("paper", _about_paper(result), np.rint(ink.paper).astype(np.uint8)))
    steps.append(Step("ink", f"full ink is {ink.contrast:.0f} from the paper", _bytes(ink.ink)))
    alone = np.where(marks.mask, ink.ink, np.float32(0))
    width, height = marks.box[2] - marks.box[0], marks.box[3] - marks.box[1]
    about = f"{marks.chosen} of {marks.total} marks, "
    about += f"{width * scale:.0f} x {height * scale:.0f} pixels"
    steps.append(Step("marks", about, _bytes(alone)))
    alone, cut = remove_ruling_lines(alone)
    if cut:
        steps.append(Step("line", "the arms of a thin line across were cut off", _bytes(alone)))
    alone, filled = fill_outline(alone)
    if filled:
        steps.append(Step("outline", "an outline drawing, its strokes filled", _bytes(alone)))
    fitted = fit_to_frame(alone)
    steps.append(Step("box", fitted.about, fitted.box))
    digit = center_by_mass(fitted.box)
    steps.append(Step("digit", "its centre of mass in the middle of 28 x 28", digit))
    return digit


def _about_paper(result: _Found) -> str:
    kind = {"flat": "even", "local": "slowly changing", "opened": "with hard edges"}
    kind["edge"] = "as at the picture's edge"
    ink = result.ink
    return (
        f"{'light ink on dark' if ink.inverted else 'dark ink on light'} paper, "
        f"{kind[ink.guess]}, grey {ink.paper.min():.0f} to {ink.paper.max():.0f}, "
        f"seen in {result.where}"
    )


def _bytes(ink: NDArray[np.float32]) -> Pixels:
    return np.rint(ink).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class FramedStack:
    """Many digits in MNIST's frame.

    Parameters
    ----------
    images
        uint8 (N, 28, 28); 0 = paper, 255 = ink. Blank where the picture could not be framed.
    rejected
        Why not, by the picture's place.
    """

    images: Images
    rejected: dict[int, DataError]


def frame_stack(images: Images) -> FramedStack:
    """Bring each picture of a stack into MNIST's frame.

    Parameters
    ----------
    images
        uint8 (N, 28, 28), either polarity.

    Raises
    ------
    ShapeError
        Another shape or dtype.
    """
    check_images(images)
    framed = are_framed(images)
    result = np.where(framed[:, None, None], images, np.uint8(0))
    rejected: dict[int, DataError] = {}
    for index in np.flatnonzero(~framed):
        try:
            result[index] = frame_steps(images[index]).digit
        except DataError as error:
            rejected[int(index)] = error
    return FramedStack(result, rejected)


PANEL = 200
"""Width and height of a step's picture."""

GAP = 10
WORDS = 78
"""Height of the words under it."""

STRIP_PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (110, 110, 110)


def steps_png(framing: Framing) -> bytes:
    """Return the steps side by side, each with its name and what was done, as a PNG file.

    Small pictures are enlarged without smoothing, so that their pixels show; every picture
    is fitted into a square of 200 pixels.
    """
    from PIL import Image, ImageDraw, ImageFont

    count = len(framing.steps)
    size = (GAP + count * (PANEL + GAP), PANEL + WORDS + 2 * GAP)
    sheet = Image.new("RGB", size, STRIP_PAPER)
    draw = ImageDraw.Draw(sheet)
    title, text = ImageFont.load_default(15), ImageFont.load_default(11)
    for index, step in enumerate(framing.steps):
        left = GAP + index * (PANEL + GAP)
        panel = _panel(step.picture)
        sheet.paste(panel, (left, GAP))
        draw.rectangle(
            (left - 1, GAP - 1, left + panel.width, GAP + panel.height), outline=FAINT
        )
        draw.text((left, GAP + PANEL + 4), step.name, fill=INK, font=title)
        words = "\n".join(textwrap.wrap(step.about, 36))
        draw.multiline_text((left, GAP + PANEL + 24), words, fill=FAINT, font=text)
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _panel(pixels: NDArray[np.uint8]) -> Image:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    scale = PANEL / max(picture.size)
    size = tuple(max(1, round(length * scale)) for length in picture.size)
    smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    return picture.resize((size[0], size[1]), smooth)
