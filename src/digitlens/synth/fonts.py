"""Printed words, for pictures and margins in which no number stands."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.synth.sample import Gray


FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"),
    *("/Library/Fonts", "/System/Library/Fonts", "~/Library/Fonts"),
)
"""Where fonts are looked for, beside Windows' own folder."""

REFUSED = ("symbol", "emoji", "dingbat", "icon", "math", "barcode", "ocr-b-code")
"""Parts of the names of fonts whose letters are no letters."""

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

LETTERS = "ABCDEFGHKLMNPRTUVWXYadefhkmnrtuvwxy"
"""Letters that may stand alone, for nobody takes them for a digit: no O, I, S, Z, b, g, q."""

STROKE_FONTS = (
    *(cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX),
    *(cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX),
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
"""The fonts that OpenCV brings along; the last two are handwriting."""


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
    return _trim(np.asarray(bent, np.uint8))


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
    return [word for word in map(_trim, result) if word.size > 16]


def _trim(ink: Gray) -> Gray:
    left, top, width, height = cv2.boundingRect(ink)
    return np.ascontiguousarray(ink[top : top + max(height, 1), left : left + max(width, 1)])
