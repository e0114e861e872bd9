"""The steps of a framing as one picture, for a person to look at."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from digitlens.ink.framing import Framing

PANEL = 200
"""Width and height of a step's picture."""

GAP = 10
WORDS = 78
"""Height of the words under it."""

PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (110, 110, 110)


def strip_png(framing: Framing) -> bytes:
    """Return the steps side by side, each with its name and what was done, as a PNG file.

    Small pictures are enlarged without smoothing, so that their pixels show; every picture
    is fitted into a square of 200 pixels.
    """
    from PIL import Image, ImageDraw, ImageFont

    count = len(framing.steps)
    size = (GAP + count * (PANEL + GAP), PANEL + WORDS + 2 * GAP)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    title, text = ImageFont.load_default(15), ImageFont.load_default(11)
    for at, step in enumerate(framing.steps):
        left = GAP + at * (PANEL + GAP)
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
