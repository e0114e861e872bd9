"""Arrays and pictures -> what JSON can hold."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def png_address(pixels: NDArray[np.uint8]) -> str:
    """Return pixels, uint8 (H, W) or (H, W, 3), as a data: address that a page can show."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(pixels)).decode()


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, uint8 (H, W) or (H, W, 3), as a PNG file, packed in haste."""
    from PIL import Image

    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "PNG", compress_level=1)
    return into.getvalue()


def as_json(value: Any) -> bytes:
    """Return `value` as JSON without blanks; no NaN gets through."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()
