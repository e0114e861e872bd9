"""Too bright, and partly turned into its negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corruptions.pixels import pixels, shares

if TYPE_CHECKING:
    import numpy as np

    from digitlens.digits import Images


def brightness(images: Images, _: np.random.Generator, *, more: float = 0.5) -> Images:
    """Add `more` of full ink to every pixel, paper too (severity 5).

    Severities 1 to 5: .1, .2, .3, .4, .5.
    """
    return pixels(shares(images) + more)


def stripe(images: Images, _: np.random.Generator, *, width: int = 7) -> Images:
    """Turn ink and paper about in the `width` columns at the left and at the right."""
    result = images.copy()
    result[:, :, :width] = 255 - images[:, :, :width]
    right = images.shape[2] - width
    result[:, :, right:] = 255 - images[:, :, right:]
    return result
