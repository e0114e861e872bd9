"""A digit drawn on a screen -> MNIST's frame: nothing need be guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import NoInkError
from digitlens.imaging.binarize import to_gray
from digitlens.imaging.components import find_digit_components
from digitlens.imaging.fit import EDGE, center_by_mass, fit_to_frame
from digitlens.imaging.io import load_image
from digitlens.imaging.normalize import FAINTEST, LARGE, Framing, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.imaging.io import ImageSource


WHITE = 255


def frame_drawing(picture: ImageSource, *, name: str | None = None) -> Framing:
    """Bring a drawing of one digit into MNIST's frame.

    Whoever drew it says that the paper is white, the ink black, and all of it one digit:
    strokes that do not meet stay together, and a sheet full of ink is not taken for paper.

    Parameters
    ----------
    picture
        As for `digitlens.imaging.frame_steps`; 255 = paper, 0 = ink.
    name
        What messages call it; the path, when None and a path is given.

    Returns
    -------
    As of `frame_steps`; `digit_count` says when the drawing looks
    like more than one digit; it is framed as one all the same.

    Raises
    ------
    NoInkError
        The paper is bare.
    MissingDataError, DataError, CorruptFileError, ShapeError
        The picture cannot be opened; see `digitlens.imaging.io.load_image`.

    Examples
    --------
    >>> drawing = np.full((140, 140), 255, np.uint8)
    >>> drawing[30:110, 40:50] = drawing[60:70, 50:100] = 0
    >>> drawing[30:110, 100:110] = 0
    >>> framing = frame_drawing(drawing)
    >>> framing.box, framing.digit_count
    ((40, 30, 110, 110), 1)
    """
    opened = load_image(picture, name=name)
    small = _shrunk(opened.pixels)
    gray = to_gray(small)
    most = WHITE - int(gray.min())
    if most < FAINTEST:
        raise NoInkError(
            f"{opened.name} must show a digit", seen="bare paper: nothing is drawn"
        )
    ink = (WHITE - gray).astype(np.float32) * np.float32(WHITE / most)
    scale = max(opened.pixels.shape[:2]) / max(gray.shape)
    x0, y0, x1, y1 = (round(value * scale) for value in _box(ink))
    fitted = fit_to_frame(ink)
    digit = center_by_mass(fitted.box)
    full = np.rint(ink).astype(np.uint8)
    steps = (
        Step("opened", opened.about, small),
        Step("paper", "white, as it was drawn on", np.full_like(gray, WHITE)),
        Step("ink", f"full ink is {most} from the paper", full),
        Step("marks", f"all of the drawing, {x1 - x0} x {y1 - y0} pixels", full),
        Step("box", fitted.about, fitted.box),
        Step("digit", "its centre of mass in the middle of 28 x 28", digit),
    )
    return Framing(
        digit,
        steps,
        (x0, y0, x1, y1),
        inverted=False,
        unchanged=False,
        digit_count=max(1, find_digit_components(ink).digit_count),
    )


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a large drawing down to `LARGE` pixels on its longer side."""
    side = max(pixels.shape[:2])
    if side <= LARGE:
        return pixels
    import cv2

    height, width = (max(5, round(length * LARGE / side)) for length in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def _box(ink: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of what is inked."""
    inked = ink > EDGE
    columns, rows = (np.flatnonzero(inked.any(axis=axis)) for axis in (0, 1))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1, int(rows[-1]) + 1
