"""Values and pictures -> JSON and PNG."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

from fastapi import Response

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def json_response(value: Any, status: int = 200) -> Response:
    """Return `value` as the answer to a request.

    FastAPI would check and convert it against the schema first, which costs more than a
    network's answer; mypy and the tests hold the values to their schemas instead.
    """
    content = value if isinstance(value, bytes) else encode_json(value)
    return Response(content, status, media_type="application/json")


def encode_json(value: Any) -> bytes:
    """Return `value` as JSON without blanks; NaN and infinity are errors."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, uint8 (H, W) or (H, W, 3), as a PNG file; speed before size."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def png_data_url(pixels: NDArray[np.uint8]) -> str:
    """Return pixels, uint8 (H, W) or (H, W, 3), as a data: URL that a page can show."""
    return "data:image/png;base64," + base64.b64encode(encode_png(pixels)).decode()
