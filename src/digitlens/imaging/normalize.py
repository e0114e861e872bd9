"""Any picture of one digit -> MNIST's frame, and every step on the way.

The way of a photo or scan is `frame_steps`. A drawing made on a screen is simpler, because its
paper is known: `frame_drawing`. A stack of 28 x 28 pictures: `frame_stack`.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import DataError, NoInkError, SeveralDigitsError
from digitlens.imaging.binarize import binarize_color, to_gray
from digitlens.imaging.components import (
    DigitComponents,
    find_digit_components,
    remove_ruling_lines,
    remove_specks,
)
from digitlens.imaging.crop import shrink_to_side
from digitlens.imaging.fit import (
    BOX_EDGE,
    BOX_SIDE,
    CENTER,
    center_by_mass,
    fill_outline,
    fit_to_frame,
)
from digitlens.imaging.io import load_image
from digitlens.imaging.light import even_light
from digitlens.imaging.sheets import find_digit_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from digitlens.digits import Images
    from digitlens.geometry import FloatGray, Gray, Pixels
    from digitlens.imaging.binarize import Ink
    from digitlens.imaging.io import ImageSource, LoadedImage


# The longer side in pixels to which larger pictures are brought before ink is looked for.
MAX_SIDE = 640
# A digit that is smaller than this, in pixels, once its picture was shrunk, is cut out of the
# large picture and binarized again.
CLOSE_UP_SIDE = 80
# Gray values between paper and ink below which nothing is written: by so much a compressed or
# scanned sheet of bare paper varies.
MIN_CONTRAST = 12.0

WHITE = 255


# Smaller pictures are cut-out digits: light has no edges there.
MIN_LIGHT_SIDE = 32


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the framing."""

    name: str  # one word
    about: str  # one sentence, with numbers
    # uint8 (H, W) or (H, W, 3): the picture after it, at most `MAX_SIDE` wide and high.
    picture: Pixels


@dataclass(frozen=True, eq=False)
class Framing:
    """A digit in MNIST's frame, and how it got there."""

    digit: Gray  # uint8 (28, 28); 0 = paper, 255 = ink
    steps: tuple[Step, ...]  # every step: the loaded picture first, the digit last
    # Where the digit was found: x0, y0, x1, y1 in pixels of the picture, upright.
    box: tuple[int, int, int, int]
    inverted: bool  # whether the ink was lighter than the paper
    unchanged: bool  # whether the picture was in MNIST's frame already
    # How many digits seem to stand side by side: 1, except in drawings, which are framed whole.
    digit_count: int = 1


def frame_digit(picture: ImageSource) -> Gray:
    """Bring any picture of one digit into MNIST's frame.

    Dark or light ink, gray or in colors, on white, shadowed or foggy paper, of any size and at
    any place; a picture that is in MNIST's frame already comes back as it is.

    picture: a path, the bytes of a picture file, a Pillow picture, or an array: uint8 (H, W),
        (H, W, 3) or (H, W, 4)

    Returns uint8 (28, 28), 0 = paper, 255 = ink: the digit's longer side 20 pixels, its center
    of mass in the middle.

    Raises NoInkError: nothing is written on the paper; SeveralDigitsError: clearly more than
    one digit stands in the picture; MissingDataError, DataError, CorruptFileError, ShapeError:
    the picture cannot be loaded; see `digitlens.imaging.io.load_image`.

    >>> picture = np.full((90, 120), 230, np.uint8)
    >>> picture[20:70, 60:68] = 40
    >>> digit = frame_digit(picture)
    >>> digit.shape, digit.dtype, digit[14, 14].item(), digit[0, 0].item()
    ((28, 28), dtype('uint8'), 255, 0)
    """
    return frame_steps(picture).digit


def frame_steps(picture: ImageSource | LoadedImage, *, name: str | None = None) -> Framing:
    """Do what `frame_digit` does, and keep every step; messages call the picture `name`."""
    # Load. What is in MNIST's frame already stays as it is.
    loaded = load_image(picture, name=name)
    pixels, small = loaded.pixels, _shrink(loaded.pixels)
    steps = [Step("opened", loaded.about, small)]
    if pixels.shape == (28, 28) and is_framed(pixels[None])[0]:
        steps.append(Step("digit", "in MNIST's frame already, left as it is", pixels))
        return Framing(pixels, tuple(steps), (0, 0, 28, 28), inverted=True, unchanged=True)

    # On a sheet that lies on something else the digit is looked for first.
    sheet = find_digit_sheet(pixels)
    if sheet is not None and not _is_lit_part(small):
        try:
            framing = _frame_sheet(sheet.pixels, loaded.name, steps)
        except NoInkError:
            pass  # what looked like a sheet is none
        else:
            box = sheet.map_box(framing.box)
            x0, y0, x1, y1 = (round(edge) for edge in box)
            return replace(framing, box=(x0, y0, x1, y1))
    return _frame_sheet(pixels, loaded.name, steps)


def _is_lit_part(small: Pixels) -> bool:
    """Say whether what looks like a sheet is the part of a picture outside a shadow."""
    even = even_light(small)
    return even is not small and find_digit_sheet(even) is None


def _frame_sheet(pixels: Pixels, name: str, before: Sequence[Step]) -> Framing:
    """Frame the digit on a sheet that fills its picture."""
    steps, small = list(before), _shrink(pixels)
    if small.shape != steps[-1].picture.shape:
        height, width = pixels.shape[:2]
        steps.append(Step("sheet", f"the sheet in it, {width} x {height} pixels", small))
    # Take a shadow out: its edge is an edge as those of ink are.
    even = even_light(small) if min(small.shape[:2]) >= MIN_LIGHT_SIDE else small
    if even is not small:
        steps.append(Step("light", "a shadow taken out", even))
        pixels, small = (even if small is pixels else even_light(pixels)), even
    # Binarize and find the digit: on a small copy; a tiny digit once more in full resolution.
    detection = _detect(small, name)
    scale = max(pixels.shape[:2]) / max(detection.ink.ink.shape)
    offset = 0, 0
    if scale > 1 and _longer_side(detection.components.box) < CLOSE_UP_SIDE:
        offset, part = _crop_close_up(pixels, detection.components.box, scale)
        detection = _detect(_shrink(part), name)
        scale = max(part.shape[:2]) / max(detection.ink.ink.shape)
    x0, y0, x1, y1 = (round(edge * scale) for edge in detection.components.box)
    box = x0 + offset[0], y0 + offset[1], x1 + offset[0], y1 + offset[1]

    # Clean, fit into 20 x 20, center in 28 x 28.
    digit = _normalize(detection, steps, scale)
    return Framing(digit, tuple(steps), box, inverted=detection.ink.inverted, unchanged=False)


@dataclass(frozen=True, eq=False)
class _Detection:
    """The ink of a picture, the channel it was seen in, and which of it is the digit."""

    channel: str
    gray: Gray
    speck_share: float
    ink: Ink
    components: DigitComponents


def _detect(pixels: Pixels, name: str) -> _Detection:
    gray, ink, channel = binarize_color(pixels)
    clean, speck_share = remove_specks(gray)
    if speck_share:
        gray, ink, channel = binarize_color(clean)
    components = find_digit_components(ink.ink)
    if ink.contrast < MIN_CONTRAST or components.total == 0:
        raise NoInkError(
            f"{name} must show a digit",
            seen="bare paper: nothing stands out from it "
            f"by {MIN_CONTRAST:.0f} or more of 255 grey values",
        )
    if components.digit_count > 1:
        raise SeveralDigitsError(
            f"{name} must show one digit",
            seen=f"{components.digit_count} marks as high as a digit, side by side",
            try_=f"digitlens read {name}    reads strings",
        )
    return _Detection(channel, gray, speck_share, ink, components)


def _shrink(pixels: Pixels) -> Pixels:
    return shrink_to_side(pixels, MAX_SIDE, min_side=5)


def _longer_side(box: tuple[int, int, int, int]) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _crop_close_up(
    pixels: Pixels, box: tuple[int, int, int, int], scale: float
) -> tuple[tuple[int, int], Pixels]:
    """Return where the part around a box, of a smaller copy, begins, and its pixels."""
    margin = _longer_side(box)
    left, top = (max(0, int((edge - margin) * scale)) for edge in box[:2])
    right, bottom = (int((edge + margin) * scale) + 1 for edge in box[2:])
    return (left, top), np.ascontiguousarray(pixels[top:bottom, left:right])


def _normalize(detection: _Detection, steps: list[Step], scale: float) -> Gray:
    """Turn the detected ink into the digit, and add the steps that led to it."""
    ink, components = detection.ink, detection.components
    if detection.speck_share:
        about = f"{detection.speck_share:.1%} of the pixels were specks of salt and pepper"
        steps.append(Step("clean", about, detection.gray))
    steps.append(Step("paper", _describe_paper(detection), _to_bytes(ink.paper)))
    about = f"full ink is {ink.contrast:.0f} from the paper"
    steps.append(Step("ink", about, _to_bytes(ink.ink)))

    # Only the digit's components.
    digit_ink = np.where(components.mask, ink.ink, np.float32(0))
    width, height = (components.box[axis + 2] - components.box[axis] for axis in (0, 1))
    about = f"{components.chosen} of {components.total} marks, "
    about += f"{width * scale:.0f} x {height * scale:.0f} pixels"
    steps.append(Step("marks", about, _to_bytes(digit_ink)))

    # What pens and printers add to a digit.
    digit_ink, cut = remove_ruling_lines(digit_ink)
    if cut:
        about = "the arms of a thin line across were cut off"
        steps.append(Step("line", about, _to_bytes(digit_ink)))
    digit_ink, filled = fill_outline(digit_ink)
    if filled:
        about = "an outline drawing, its strokes filled"
        steps.append(Step("outline", about, _to_bytes(digit_ink)))
    return _fit_and_center(digit_ink, steps)


def _fit_and_center(ink: FloatGray, steps: list[Step]) -> Gray:
    fitted = fit_to_frame(ink)
    steps.append(Step("box", fitted.about, fitted.box))
    digit = center_by_mass(fitted.box)
    steps.append(Step("digit", "its centre of mass in the middle of 28 x 28", digit))
    return digit


PAPER_KINDS = {
    "flat": "even",
    "local": "slowly changing",
    "opening": "with hard edges",
    "edge": "as at the picture's edge",
}


def _describe_paper(detection: _Detection) -> str:
    ink = detection.ink
    return (
        f"{'light ink on dark' if ink.inverted else 'dark ink on light'} paper, "
        f"{PAPER_KINDS[ink.estimator]}, grey {ink.paper.min():.0f} to {ink.paper.max():.0f}, "
        f"seen in {detection.channel}"
    )


def _to_bytes(ink: FloatGray) -> Gray:
    return np.rint(ink).astype(np.uint8)


def frame_drawing(picture: ImageSource, *, name: str | None = None) -> Framing:
    """Bring a drawing of one digit, black on white, into MNIST's frame.

    Nothing has to be guessed: the paper is white and all ink belongs to one digit. Strokes that
    do not meet stay together, and a sheet full of ink stays ink. `digit_count` says when the
    drawing looks like more than one digit; it is framed as one all the same.

    >>> drawing = np.full((140, 140), 255, np.uint8)
    >>> drawing[30:110, 40:50] = drawing[60:70, 50:100] = 0
    >>> drawing[30:110, 100:110] = 0
    >>> framing = frame_drawing(drawing)
    >>> framing.box, framing.digit_count
    ((40, 30, 110, 110), 1)
    """
    loaded = load_image(picture, name=name)
    small = _shrink(loaded.pixels)
    gray = to_gray(small)
    contrast = WHITE - int(gray.min())
    if contrast < MIN_CONTRAST:
        raise NoInkError(
            f"{loaded.name} must show a digit", seen="bare paper: nothing is drawn"
        )
    ink = (WHITE - gray).astype(np.float32) * np.float32(WHITE / contrast)
    scale = max(loaded.pixels.shape[:2]) / max(gray.shape)
    columns, rows = (np.flatnonzero((ink > BOX_EDGE).any(axis=axis)) for axis in (0, 1))
    edges = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    x0, y0, x1, y1 = (round(int(edge) * scale) for edge in edges)
    steps = [
        Step("opened", loaded.about, small),
        Step("paper", "white, as it was drawn on", np.full_like(gray, WHITE)),
        Step("ink", f"full ink is {contrast} from the paper", _to_bytes(ink)),
        Step("marks", f"all of the drawing, {x1 - x0} x {y1 - y0} pixels", _to_bytes(ink)),
    ]
    return Framing(
        _fit_and_center(ink, steps),
        tuple(steps),
        (x0, y0, x1, y1),
        inverted=False,
        unchanged=False,
        digit_count=max(1, find_digit_components(ink).digit_count),
    )


@dataclass(frozen=True, eq=False)
class FramedStack:
    """Many digits in MNIST's frame."""

    # uint8 (N, 28, 28); 0 = paper, 255 = ink. Blank where the picture could not be framed.
    images: Images
    rejected: dict[int, DataError]  # why not, by the picture's index


def frame_stack(images: Images) -> FramedStack:
    """Bring each of uint8 (N, 28, 28), of either polarity, into MNIST's frame."""
    check_images(images)
    framed = is_framed(images)
    result = np.where(framed[:, None, None], images, np.uint8(0))
    rejected: dict[int, DataError] = {}
    for index in np.flatnonzero(~framed):
        try:
            result[index] = frame_steps(images[index]).digit
        except DataError as error:
            rejected[int(index)] = error
    return FramedStack(result, rejected)


# Pictures at a time: what is computed for them stays in the processor's cache.
CHUNK = 256
# The bounds of MNIST's 60,000 training digits:
MAX_CENTER_OFFSET = 0.51  # its center of mass is within half a pixel of the middle, rounded
MIN_FULL_INK = 250  # its digits' darkest pixel has 254 or 255
MIN_PAPER_SHARE = 0.5  # its fullest digit leaves 55 % of bare paper
MIN_STROKE_WIDTH = 1.25  # 99.9 % have 1.29 or more; lines of one pixel have less


def is_framed(images: Images) -> NDArray[np.bool_]:
    """Say of uint8 (N, 28, 28) which digits are in MNIST's frame already: bool (N,).

    A digit is if it has bare paper (0) around it, its longer side is 20 pixels, its center of
    mass is in the middle, its ink is full, and its strokes are those of a pen.
    """
    framed = np.zeros(len(images), np.bool_)
    for index in range(0, len(images), CHUNK):
        framed[index : index + CHUNK] = _is_chunk_framed(images[index : index + CHUNK])
    return framed


def _is_chunk_framed(images: Images) -> NDArray[np.bool_]:
    # The sums of rows and columns give both the box and the center of mass.
    down = images.sum(axis=2, dtype=np.int32)
    across = images.sum(axis=1, dtype=np.int32)
    longer = np.maximum(_extent(down > 0), _extent(across > 0))
    framed: NDArray[np.bool_] = (longer == BOX_SIDE) & (
        images.reshape(-1, 28 * 28).max(axis=1, initial=0) >= MIN_FULL_INK
    )
    mass = np.maximum(down.sum(axis=1), 1)
    positions = np.arange(28, dtype=np.float32)
    for profile in (down, across):
        framed &= np.abs(profile @ positions / mass - CENTER) <= MAX_CENTER_OFFSET
    # The stroke width costs most, so only those that passed are measured.
    index = np.flatnonzero(framed)
    ink = images[index]
    max_inked = (1 - MIN_PAPER_SHARE) * 28 * 28
    framed[index] = (np.count_nonzero(ink, axis=(1, 2)) <= max_inked) & (
        _stroke_widths(ink, mass[index]) >= MIN_STROKE_WIDTH
    )
    return framed


def _extent(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the length from the first mark to the last in each row of bool (N, 28)."""
    length: NDArray[np.int64] = (
        marked.shape[1] - marked.argmax(axis=1) - marked[:, ::-1].argmax(axis=1)
    )
    return np.where(marked.any(axis=1), length, 0)


def _stroke_widths(ink: Images, mass: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return `fit.stroke_width` of digits that do not touch the edge: float32 (N,)."""
    gray = np.zeros((len(ink), 29, 29), np.float32)
    gray[:, 1:, 1:] = ink
    squares = np.square(gray[:, 1:, :-1] - gray[:, :-1, :-1])
    squares += np.square(gray[:, :-1, 1:] - gray[:, :-1, :-1])
    outline = np.sqrt(squares, out=squares).sum(axis=(1, 2))
    return np.asarray(2 * mass / np.maximum(outline, 1e-6), np.float32)


# Of a step's picture, between two of them, and of the words under it, in pixels.
PANEL_SIDE, PANEL_GAP, CAPTION_HEIGHT = 200, 10, 78

SHEET_COLOR, TEXT_COLOR, FAINT_COLOR = (255, 255, 255), (30, 30, 30), (110, 110, 110)


def steps_png(framing: Framing) -> bytes:
    """Return the steps side by side, each with its name and what was done, as a PNG file.

    Small pictures are enlarged without smoothing, so that their pixels show.
    """
    from PIL import Image, ImageDraw, ImageFont

    count = len(framing.steps)
    width = PANEL_GAP + count * (PANEL_SIDE + PANEL_GAP)
    sheet = Image.new("RGB", (width, PANEL_SIDE + CAPTION_HEIGHT + 2 * PANEL_GAP), SHEET_COLOR)
    draw = ImageDraw.Draw(sheet)
    title, text = ImageFont.load_default(15), ImageFont.load_default(11)
    for index, step in enumerate(framing.steps):
        left, top = PANEL_GAP + index * (PANEL_SIDE + PANEL_GAP), PANEL_GAP
        panel = _panel(step.picture)
        sheet.paste(panel, (left, top))
        frame = left - 1, top - 1, left + panel.width, top + panel.height
        draw.rectangle(frame, outline=FAINT_COLOR)
        below = top + PANEL_SIDE
        draw.text((left, below + 4), step.name, fill=TEXT_COLOR, font=title)
        words = "\n".join(textwrap.wrap(step.about, 36))
        draw.multiline_text((left, below + 24), words, fill=FAINT_COLOR, font=text)
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _panel(pixels: Pixels) -> Image:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    scale = PANEL_SIDE / max(picture.size)
    size = tuple(max(1, round(length * scale)) for length in picture.size)
    resample = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    return picture.resize((size[0], size[1]), resample)
