"""Print: words for pictures and margins without a number, and digits of fonts in MNIST's frame.

Printing varies less than writing: ink spreads or wears off, type is set narrow or oblique,
displays leave their unlit segments visible, and dots or segments stand apart.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.errors import DataError, UsageError
from digitlens.synth.pen import frame_ink, sample_scan, scan, trim_ink

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

    from digitlens.geometry import Gray

# Where fonts are looked for, beside Windows' own folder.
FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"),
    *("/Library/Fonts", "/System/Library/Fonts", "~/Library/Fonts"),
)

# Parts of the names of fonts whose letters are no letters.
REFUSED = ("symbol", "emoji", "dingbat", "icon", "math", "barcode", "ocr-b-code")

MOST = 40  # so many fonts are enough: each costs milliseconds to read
CAPITAL = 24  # height of a capital in pixels, about

_TEXT = (
    "amount total date pay to the order of name address city street sum account "
    "number code postal phone please sign here bank cheque form page signature "
    "received thank you dear invoice due balance month year valid until card holder "
    "branch city hall January March August December Monday Friday Smith Müller Garcia "
    "Nguyen Ivanov Silva Rossi Lambert París Budapest Santiago Hamburg Texas Ohio "
    "mailing zip state country order quantity price RECEIPT NOTICE APPROVED PAID "
    "URGENT COPY DRAFT CANCELLED ORIGINAL MAIL STAMP VOID cash euro pesos dollars "
    "cents only and hundred thousand five seven twelve twenty ninety "
)
WORDS = _TEXT.split()  # words as they stand on cheques, forms, envelopes and stamps

# Letters that may stand alone, for nobody takes them for a digit: no O, I, S, Z, b, g, q.
LETTERS = "ABCDEFGHKLMNPRTUVWXYadefhkmnrtuvwxy"

# The fonts that OpenCV brings along; the last two are handwriting.
STROKE_FONTS = (
    *(cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX),
    *(cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX),
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


@cache
def find_fonts() -> tuple[str, ...]:
    """Return up to 40 font files of this system, sorted by name; empty where there are none."""
    places = [Path(place).expanduser() for place in FOLDERS]
    if sys.platform == "win32":
        places.append(Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts")
    result = {
        path.name: str(path)
        for place in places
        if place.is_dir()
        for path in place.rglob("*")
        if path.suffix.lower() in (".ttf", ".otf")
        and not any(part in path.name.lower() for part in REFUSED)
    }
    names = sorted(result)
    step = max(1, len(names) // MOST)
    return tuple(result[name] for name in names[::step][:MOST])


@cache
def printed_words(fonts: tuple[str, ...] | None) -> list[Gray]:
    """Return words and single letters in all `fonts`: uint8 (h, w), 0 = paper, 255 = ink.

    None takes those of `find_fonts`; OpenCV's stroke fonts are always there. A file that
    Pillow cannot read is a `UsageError`.
    """
    rng = np.random.default_rng(7)
    words = [stroke_word(word, rng) for word in _some(rng, 120)]
    for path in find_fonts() if fonts is None else fonts:
        words += _in_font(path, _some(rng, 16), wanted=fonts is not None)
    return words


@cache
def script_words() -> list[Gray]:
    """Return words in OpenCV's handwriting, which every system has."""
    rng = np.random.default_rng(8)
    return [stroke_word(word, rng, fonts=STROKE_FONTS[-2:]) for word in _some(rng, 120)]


def _some(rng: np.random.Generator, count: int) -> list[str]:
    """Draw words, one in six a single letter or two, one in three a pair of words."""
    result = []
    for _ in range(count):
        word = str(rng.choice(WORDS))
        if rng.random() < 1 / 6:
            word = "".join(rng.choice(list(LETTERS), rng.integers(1, 4)))
        elif rng.random() < 1 / 3:
            word += " " + str(rng.choice(WORDS))
        style = rng.integers(4)
        word = word.upper() if style == 0 else word.title() if style == 1 else word
        result.append(word + (":" if rng.random() < 0.1 else ""))
    return result


def stroke_word(
    word: str, rng: np.random.Generator, fonts: tuple[int, ...] = STROKE_FONTS
) -> Gray:
    """Write `word` in a stroke font, bent and slanted: uint8 (h, w), 255 = ink."""
    plain = word.encode("ascii", "ignore").decode()
    face = int(rng.choice(fonts))
    thick = int(rng.integers(1, 4))
    (width, height), below = cv2.getTextSize(plain, face, 1.0, thick)
    canvas = np.zeros((height + below + 24, width + 60), np.uint8)
    cv2.putText(canvas, plain, (30, height + 12), face, 1.0, 255, thick, cv2.LINE_AA)
    rows, columns = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]].astype(np.float32)
    wave = rng.uniform(0, 2.5) * np.sin(columns / rng.uniform(8, 30) + rng.uniform(0, 6))
    slant = rng.normal(0.1, 0.2) * (rows - canvas.shape[0] / 2)
    bent = cv2.remap(
        canvas,
        (columns + slant).astype(np.float32),
        (rows + wave).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    return trim_ink(np.asarray(bent, np.uint8))


def _in_font(path: str, words: list[str], *, wanted: bool) -> list[Gray]:
    from PIL import Image, ImageDraw, ImageFont

    try:
        font = ImageFont.truetype(path, round(CAPITAL / 0.72))
        result = []
        for word in words:
            left, top, right, bottom = (int(edge) for edge in font.getbbox(word))
            canvas = Image.new("L", (max(1, right - left) + 4, max(1, bottom - top) + 4))
            ImageDraw.Draw(canvas).text((2 - left, 2 - top), word, fill=255, font=font)
            result.append(np.asarray(canvas, np.uint8))
    except (OSError, ValueError) as error:
        if wanted:
            raise UsageError(
                "fonts must be font files that Pillow can read", seen=f"{path}: {error}"
            ) from error
        return []  # found by searching: one damaged file of many is not worth a word
    # A font without letters shows the same empty box for each.
    return [word for word in map(trim_ink, result) if word.size > 16]


# Height in pixels that a digit is drawn with: six times its height in MNIST's frame.
HEIGHT = 120

# Two digits that differ by less than this, in gray values a pixel, are the box that a font
# shows for what it lacks.
SAME = 1.0

FAINT = 24  # ink up to here is the soft edge of a glyph
ROOM = 40  # pixels of paper around a glyph while it is slanted and turned


@dataclass(frozen=True)
class Print:
    """How a glyph is printed."""

    # Pixels, of 120 for the glyph's height, by which ink spreads (above 0) or is worn off
    # (below 0) on each side.
    weight: float = 0.0
    slant: float = 0.0  # columns to the right for each row upwards
    rotation: float = 0.0  # degrees clockwise
    aspect: float = 1.0  # factor on the glyph's breadth
    ghost: float = 0.0  # how dark the unlit segments of a display are, 0..1
    # The glyph's longer side in the pixels of a coarse scan, 8 or more; 0 for a fine one.
    pixels: int = 0


def sample_print(rng: np.random.Generator, *, display: bool = False) -> Print:
    """Draw a print; that of a `display` may show its unlit segments, one time in four."""
    return Print(
        weight=rng.uniform(-3.0, 5.0),
        slant=rng.normal(0.0, 0.09),
        rotation=rng.normal(0.0, 2.5),
        aspect=math.exp(rng.normal(0.0, 0.14)),
        ghost=rng.uniform(0.05, 0.35) if display and rng.random() < 0.25 else 0.0,
        pixels=sample_scan(rng),
    )


@lru_cache(maxsize=1024)
def open_font(path: Path) -> FreeTypeFont:
    """Open a font in the size in which digits are about 120 pixels high, else a `DataError`."""
    from PIL import ImageFont

    try:
        probe = ImageFont.truetype(str(path), 100)
        _, top, _, bottom = probe.getbbox("0123456789")
        height = max(1, bottom - top)  # that of a font without digits is none
        return ImageFont.truetype(str(path), min(400, round(100 * HEIGHT / height)))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} must be a font that Pillow can read",
            seen=str(error),
            try_="take it out of the folder",
        ) from error


def draw_text(font: FreeTypeFont, text: str) -> NDArray[np.uint8]:
    """Draw `text` without paper around it: uint8 (H, W), 255 = ink; (0, 0) for a blank."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    canvas = Image.new("L", (max(1, right - left) + 8, max(1, bottom - top) + 8))
    ImageDraw.Draw(canvas).text((4 - left, 4 - top), text, fill=255, font=font)
    return trim_ink(np.asarray(canvas, np.uint8), FAINT)


def has_digits(path: Path) -> bool:
    """Say whether a font draws ten digits that all differ; a font without them shows a box."""
    font = open_font(path)
    drawn = [draw_text(font, digit) for digit in "0123456789"]
    if any(ink.size == 0 for ink in drawn):
        return False
    framed = np.stack([frame_ink(ink) for ink in drawn]).astype(np.float32)
    return all(
        float(np.abs(framed[one] - framed[other]).mean()) > SAME
        for one in range(10)
        for other in range(one)
    )


def print_glyph(
    ink: NDArray[np.uint8], how: Print, *, unlit: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Print a glyph in MNIST's frame.

    ink: uint8 (H, W), 255 = ink, without paper around it: see `draw_text`
    how: what is done to it
    unlit: the glyph with all segments lit, as high as `ink` and as wide or wider, its right
        edge that of `ink`; for a print with a `ghost`

    Returns uint8 (28, 28), 0 = paper, 255 = ink.
    """
    if unlit is not None and how.ghost:
        ink = with_ghost(ink, unlit, how.ghost)
    field = np.pad(ink, ROOM)
    height, width = field.shape
    angle = math.radians(how.rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    shear = np.array([[how.aspect, -how.slant], [0.0, 1.0]])
    matrix = np.array([[cos, -sin], [sin, cos]]) @ shear
    middle = np.array([width / 2, height / 2])
    size = (int(width * max(how.aspect, 1.0)) + 40, height + 40)
    offset = np.array(size) / 2 - matrix @ middle
    moved = cv2.warpAffine(field, np.column_stack([matrix, offset]), size)
    step = round(abs(how.weight))
    if step:
        nib = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * step + 1,) * 2)
        changed = cv2.dilate(moved, nib) if how.weight > 0 else cv2.erode(moved, nib)
        if int(changed.max(initial=0)) > 127:
            moved = changed
    return frame_ink(scan(trim_ink(np.asarray(moved, np.uint8), FAINT), how.pixels))


def with_ghost(
    ink: NDArray[np.uint8], unlit: NDArray[np.uint8], ghost: float
) -> NDArray[np.uint8]:
    """Lay the lit segments over the faint ones, right edges together."""
    height, width = np.maximum(ink.shape, unlit.shape)
    field = np.zeros((height, width), np.uint8)
    faint = (unlit * ghost).astype(np.uint8)
    field[height - unlit.shape[0] :, width - unlit.shape[1] :] = faint
    part = field[height - ink.shape[0] :, width - ink.shape[1] :]
    np.maximum(part, ink, out=part)
    return field
