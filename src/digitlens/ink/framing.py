"""Any picture of one digit -> MNIST's frame, and every step on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.errors import NoInkError, SeveralDigitsError
from digitlens.ink.box import centre, fit_box
from digitlens.ink.grey import find_ink_in
from digitlens.ink.lines import cut_lines
from digitlens.ink.marks import Marks, find_marks
from digitlens.ink.noise import remove_specks
from digitlens.ink.opening import open_picture
from digitlens.ink.ready import are_framed
from digitlens.ink.strokes import fill_outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.ink.opening import Picture
    from digitlens.ink.paper import Ink

    Pixels: TypeAlias = "NDArray[np.uint8]"

LARGE = 640
"""The longer side in pixels to which larger pictures are brought before ink is looked for."""

CLOSE = 80
"""A digit that is smaller than this, in pixels, once its picture was made smaller, is cut out
of the large picture and looked at again."""

FAINTEST = 12.0
"""Grey values between paper and ink below which nothing is written: what a compressed or
scanned sheet of bare paper varies by."""

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""


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
        Where the digit was found: left, top, width and height in the opened picture's pixels.
    light_ink
        Whether the ink was lighter than the paper.
    unchanged
        Whether the picture was in MNIST's frame already.
    several
        How many digits seem to stand side by side: 1, but for drawings, of which all is taken.
    """

    digit: Pixels
    steps: tuple[Step, ...]
    box: Box
    light_ink: bool
    unchanged: bool
    several: int = 1


def frame_digit(picture: Picture) -> Pixels:
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
        The picture cannot be opened; see `digitlens.ink.opening.open_picture`.

    Examples
    --------
    >>> picture = np.full((90, 120), 230, np.uint8)
    >>> picture[20:70, 60:68] = 40
    >>> digit = frame_digit(picture)
    >>> digit.shape, digit.dtype, digit[14, 14].item(), digit[0, 0].item()
    ((28, 28), dtype('uint8'), 255, 0)
    """
    return frame_steps(picture).digit


def frame_steps(picture: Picture, *, name: str | None = None) -> Framing:
    """Do what `frame_digit` does, and tell every step.

    Parameters
    ----------
    picture
        As for `frame_digit`.
    name
        What messages call it; the path, when None and a path is given.
    """
    opened = open_picture(picture, name=name)
    pixels, small = opened.pixels, _small(opened.pixels)
    steps = [Step("opened", opened.about, small)]
    if pixels.shape == (28, 28) and are_framed(pixels[None])[0]:
        steps.append(Step("digit", "in MNIST's frame already, left as it is", pixels))
        return Framing(pixels, tuple(steps), (0, 0, 28, 28), light_ink=True, unchanged=True)
    found = _look(small, opened.name)
    scale = max(pixels.shape[:2]) / max(found.ink.ink.shape)
    left, top = 0, 0
    if scale > 1 and max(found.marks.box[2:]) < CLOSE:
        left, top, cut = _cut_out(pixels, found.marks.box, scale)
        found = _look(_small(cut), opened.name)
        scale = max(cut.shape[:2]) / max(found.ink.ink.shape)
    place = [round(value * scale) for value in found.marks.box]
    box = (left + place[0], top + place[1], place[2], place[3])
    digit = _finish(found, steps, scale)
    return Framing(digit, tuple(steps), box, light_ink=found.ink.light, unchanged=False)


@dataclass(frozen=True, eq=False)
class _Found:
    """What was seen in a picture: where ink was looked for, in which pixels, and what it is."""

    where: str
    grey: Pixels
    changed: float
    ink: Ink
    marks: Marks


def _look(pixels: Pixels, name: str) -> _Found:
    grey, ink, where = find_ink_in(pixels)
    clean, changed = remove_specks(grey)
    if changed:
        grey, ink, where = find_ink_in(clean)
    marks = find_marks(ink.ink)
    if ink.contrast < FAINTEST or marks.found == 0:
        raise NoInkError(
            f"{name} must show a digit",
            seen="bare paper: nothing stands out from it "
            f"by {FAINTEST:.0f} or more of 255 grey values",
        )
    if marks.several > 1:
        raise SeveralDigitsError(
            f"{name} must show one digit",
            seen=f"{marks.several} marks as high as a digit, side by side",
            try_=f"digitlens read {name}    reads strings",
        )
    return _Found(where, grey, changed, ink, marks)


def _small(pixels: Pixels) -> Pixels:
    """Bring a large picture down to `LARGE` pixels on its longer side."""
    side = max(pixels.shape[:2])
    if side <= LARGE:
        return pixels
    import cv2

    height, width = (max(5, round(length * LARGE / side)) for length in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _cut_out(pixels: Pixels, box: Box, scale: float) -> tuple[int, int, Pixels]:
    """Return left, top and the pixels around `box`, which is in pixels of a smaller copy."""
    margin = max(box[2:])
    left, top = (max(0, int((box[axis] - margin) * scale)) for axis in (0, 1))
    right, bottom = (int((box[axis] + box[2 + axis] + margin) * scale) + 1 for axis in (0, 1))
    return left, top, np.ascontiguousarray(pixels[top:bottom, left:right])


def _finish(found: _Found, steps: list[Step], scale: float) -> Pixels:
    """Turn ink and marks into the digit, and add the steps that led to it."""
    ink, marks = found.ink, found.marks
    if found.changed:
        about = f"{found.changed:.1%} of the pixels were specks of salt and pepper"
        steps.append(Step("clean", about, found.grey))
    steps.append(Step("paper", _about_paper(found), np.rint(ink.paper).astype(np.uint8)))
    steps.append(Step("ink", f"full ink is {ink.contrast:.0f} from the paper", _bytes(ink.ink)))
    alone = np.where(marks.mask, ink.ink, np.float32(0))
    _, _, width, height = marks.box
    about = f"{marks.kept} of {marks.found} marks, "
    about += f"{width * scale:.0f} x {height * scale:.0f} pixels"
    steps.append(Step("marks", about, _bytes(alone)))
    alone, cut = cut_lines(alone)
    if cut:
        steps.append(Step("line", "the arms of a thin line across were cut off", _bytes(alone)))
    alone, filled = fill_outline(alone)
    if filled:
        steps.append(Step("outline", "an outline drawing, its strokes filled", _bytes(alone)))
    fitted = fit_box(alone)
    steps.append(Step("box", fitted.about, fitted.box))
    digit = centre(fitted.box)
    steps.append(Step("digit", "its centre of mass in the middle of 28 x 28", digit))
    return digit


def _about_paper(found: _Found) -> str:
    kind = {"flat": "even", "local": "slowly changing", "opened": "with hard edges"}
    kind["edge"] = "as at the picture's edge"
    ink = found.ink
    return (
        f"{'light ink on dark' if ink.light else 'dark ink on light'} paper, "
        f"{kind[ink.guess]}, grey {ink.paper.min():.0f} to {ink.paper.max():.0f}, "
        f"seen in {found.where}"
    )


def _bytes(ink: NDArray[np.float32]) -> Pixels:
    return np.rint(ink).astype(np.uint8)
