"""What the generator gives: a picture of one line, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Gray: TypeAlias = NDArray[np.uint8]
    """uint8 (H, W)."""
    Boxes: TypeAlias = NDArray[np.float32]
    """float32 (n, 4): left, top, right, bottom."""


@dataclass(frozen=True, eq=False)
class LineSample:
    """A picture of one line of handwriting, as a camera or a scanner gives it."""

    # uint8 (H, W), grey. Either polarity: mostly dark ink on light paper, 0 = black.
    image: Gray
    # The number that is written, digits only, leading zeros kept; `""` for a picture that shows
    # none.
    text: str
    # float32 (n, 4), one row for each digit of `text`, in its order: left, top, right and
    # bottom of the digit's ink in pixels. Pixel (row y, column x) covers y..y+1 and x..x+1, so
    # 0 <= left < right <= W and 0 <= top < bottom <= H.
    boxes: Boxes
