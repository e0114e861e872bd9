"""Shadows and uneven light taken out of a picture of one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.imaging.binarize import to_gray

if TYPE_CHECKING:
    from digitlens.geometry import Gray, Pixels


# Rows to which a line is brought when its light is measured.
ROWS = 48
# In its height: strokes of pens and most types are narrower than the first; between the two
# closings that this makes the first tells ink from paper, the second takes all ink away.
STROKE, PAPER_WINDOW = 0.18, 0.25
# The paper's deviation of blur, in the line's height: edges of shadows are no sharper.
SOFTNESS = 0.06
# Light is uneven where the lightest paper is so many times as light as the darkest. Of 212
# cheque amounts, on printed paper, the most is 1.5. A shadow leaves some light: what is so many
# times as dark is ink, or the ground of light writing.
UNEVEN, MAX_UNEVEN = 1.6, 8.0
# Share of the paper that is left out on either side when that is measured.
EXTREMES = 2
# Gray levels: darker paper counts as this dark.
MIN_PAPER, MIN_LEVEL = 8, 16


def even_light(pixels: Pixels) -> Pixels:
    """Return a picture of one line as if its light had been even.

    The paper is what a closing leaves, a window wider than strokes (gray-scale morphology, as
    in J. Serra, "Image Analysis and Mathematical Morphology", 1982): unlike a mean it keeps the
    edge of a shadow. The picture is divided by it.

    pixels: uint8 (H, W) or (H, W, 3): dark ink on light paper, from edge to edge

    Returns the same array where the light is even, or the ink seems lighter than the paper.

    >>> line = np.full((20, 60), 200, np.uint8)
    >>> line[5:15, 10:12] = line[5:15, 40:42] = 40
    >>> even_light(line) is line
    True
    >>> line[:, 30:] //= 3
    >>> even_light(line)[2, [5, 55]].tolist()
    [200, 200]
    """
    import cv2

    gray = to_gray(pixels)
    height, width = gray.shape
    way = cv2.INTER_AREA if height > ROWS else cv2.INTER_LINEAR
    size = max(8, round(width * ROWS / height)), ROWS
    resized = cv2.resize(gray, size, interpolation=way)
    small = np.asarray(cv2.GaussianBlur(resized, (0, 0), 1), np.uint8)
    paper = cv2.GaussianBlur(_close(small, PAPER_WINDOW), (0, 0), SOFTNESS * ROWS)
    darkest, lightest = np.percentile(paper, (EXTREMES, 100 - EXTREMES)).tolist()
    is_shaded = UNEVEN < lightest / max(darkest, 1.0) < MAX_UNEVEN
    if not is_shaded or not _is_dark_on_light(small):
        return pixels
    full_size = cv2.resize(paper, (width, height)).astype(np.float32)
    gain = np.maximum(np.float32(lightest) / np.maximum(full_size, MIN_PAPER), 1)
    gains = gain if pixels.ndim == 2 else gain[..., None]
    return np.asarray(np.clip(np.rint(pixels * gains), 0, 255), np.uint8)


def _close(small: Gray, window: float) -> Gray:
    import cv2

    side = int(window * ROWS) | 1
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), np.uint8)


def _is_dark_on_light(small: Gray) -> bool:
    """Say whether narrow dark marks stand out more than narrow light ones.

    Each by the share of the light around it, and to the third power: ink is little and strong,
    and an edge of a shadow, or the paper between strokes, is neither.
    """
    level = small.astype(np.float32)
    light = _close(small, STROKE).astype(np.float32)
    dark = 255 - _close(np.asarray(255 - small, np.uint8), STROKE).astype(np.float32)
    darker = (light - level) / np.maximum(light, MIN_LEVEL)
    lighter = (level - dark) / np.maximum(level, MIN_LEVEL)
    return bool((darker**3).sum() > (lighter**3).sum())
