"""Many pictures at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import DataError
from digitlens.ink.framing import frame_steps
from digitlens.ink.ready import are_framed

if TYPE_CHECKING:
    from digitlens.digits import Images


@dataclass(frozen=True, eq=False)
class Framed:
    """Many digits in MNIST's frame.

    Parameters
    ----------
    images
        uint8 (N, 28, 28); 0 = paper, 255 = ink. Blank where the picture could not be framed.
    rejected
        Why not, by the picture's place.
    """

    images: Images
    rejected: dict[int, DataError]


def frame_stack(images: Images) -> Framed:
    """Bring each picture of a stack into MNIST's frame.

    Parameters
    ----------
    images
        uint8 (N, 28, 28), either polarity.

    Raises
    ------
    ShapeError
        Another shape or dtype.
    """
    check_images(images)
    framed = are_framed(images)
    result = np.where(framed[:, None, None], images, np.uint8(0))
    rejected: dict[int, DataError] = {}
    for at in np.flatnonzero(~framed):
        try:
            result[at] = frame_steps(images[at]).digit
        except DataError as error:
            rejected[int(at)] = error
    return Framed(result, rejected)
