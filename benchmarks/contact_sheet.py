"""A sheet of examples: a row of pictures for each name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.viz.canvas import SMALL, Canvas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitlens.digits import Images

SIDE, GAP, LEFT, TOP = 0.46, 0.05, 2.3, 0.8
"""Of a picture, between pictures, and before the first, in inches."""


def contact_sheet(
    rows: Mapping[str, Images], *, heading: str, note: str, per_set: int
) -> bytes:
    """Draw the first `per_set` pictures of every row, ink white on black, the name before them.

    Parameters
    ----------
    rows
        uint8 (N, 28, 28) by name; a row may hold fewer than `per_set`.

    Returns
    -------
    A PNG.
    """
    step = SIDE + GAP
    sheet = Canvas(LEFT + per_set * step + 0.15, TOP + len(rows) * step + 0.15, heading, note)
    for index, (name, images) in enumerate(rows.items()):
        top = TOP + index * step
        sheet.text((0.2, top + SIDE / 2), name, size=SMALL, middle=True)
        for place, picture in enumerate(images[:per_set]):
            sheet.image((LEFT + place * step, top), SIDE, picture)
    return sheet.png()
