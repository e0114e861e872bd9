"""Predictions -> what the service says.

* Arrays and pictures -> what JSON can hold.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.imaging import Framing
    from digitlens.models.inference import Predictions


PLACES = 6


@dataclass(frozen=True, eq=False)
class PreparedDigit:
    """A picture that a network can be asked about.

    Parameters
    ----------
    digit
        uint8 (28, 28); 0 = paper, 255 = ink.
    framing
        How it got there; None where it was taken as it was.
    """

    digit: Images
    framing: Framing | None = None

    def as_dict(self, *, pixels: bool = False) -> dict[str, Any]:
        """Return what is told of the picture: where its digit is, and the digit itself."""
        result: dict[str, Any] = {
            "box": None,
            "light_ink": None,
            "unchanged": True,
            "several": None,
        }
        if self.framing is not None:
            result = {
                "box": list(self.framing.box),
                "light_ink": self.framing.inverted,
                "unchanged": self.framing.unchanged,
                "several": self.framing.digit_count,
            }
        return result | ({"pixels": self.digit.tolist()} if pixels else {})


def build_answer(name: str, predictions: Predictions, index: int) -> dict[str, Any]:
    """Return one network's answer for one picture.

    ``digit`` is null where the network says that there is none; ``likeliest`` is then the
    digit it would be. ``no_digit`` is null for a network that has no answer to that.
    """
    label = int(predictions.labels[index])
    shares = predictions.probabilities[index].tolist()
    refused = predictions.refused is not None and bool(predictions.refused[index])
    none = None if predictions.no_digit is None else float(predictions.no_digit[index])
    return {
        "network": name,
        "digit": None if refused else label,
        "likeliest": label,
        "confidence": round(shares[label], PLACES),
        "probabilities": [round(share, PLACES) for share in shares],
        "no_digit": None if none is None else round(none, PLACES),
    }


def png_data_url(pixels: NDArray[np.uint8]) -> str:
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
