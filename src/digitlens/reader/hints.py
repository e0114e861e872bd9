"""What is known of a number before it is read: how long it is, where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlens.reading.line import Box


@dataclass(frozen=True)
class Field:
    """One number that is wanted from a picture.

    Parameters
    ----------
    count
        How many digits it has; None when that is not known.
    area
        Left, top, right, bottom in pixels of the picture; None for all of it.
    boxes
        Whether it is written into a row of printed boxes.

    Examples
    --------
    >>> Field(count=5, area=(400, 300, 640, 360), boxes=True).count
    5
    """

    count: int | None = None
    area: Box | None = None
    boxes: bool = False
