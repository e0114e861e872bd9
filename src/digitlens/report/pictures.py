"""The mistakes as pictures."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from PIL import Image

from digitlens.evaluation.printed import confidence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitlens.evaluation import Evaluation


def picture(image: NDArray[np.uint8]) -> str:
    """Return a digit as a PNG in a ``data:`` address, black ink on white paper.

    Parameters
    ----------
    image
        uint8 (28, 28); 0 = paper, 255 = ink, so it is turned round here.
    """
    file = io.BytesIO()
    Image.fromarray(255 - image).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def mistakes(found: Evaluation, limit: int) -> str:
    """Return the mistakes that the model was surest of, at most `limit` of them."""
    shown = []
    for mistake in found.worst(limit):
        source = picture(found.digits.images[mistake.index])
        shown.append(
            f'<figure><img src="{source}" width="28" height="28" '
            f'alt="a {mistake.label}, read as {mistake.predicted}">'
            f"<figcaption>{mistake.label} read as <b>{mistake.predicted}</b>"
            f"<small>{confidence(mistake.confidence)} sure<br>no. {mistake.position}</small>"
            "</figcaption></figure>"
        )
    return f'<div class="mistakes">{"".join(shown)}</div>' if shown else ""
