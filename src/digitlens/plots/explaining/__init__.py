"""An explanation as PNGs: an overview, and each of its panels large.

================  ============================================================
`overview`        all panels on one sheet, in the order of the story
`framing`         the steps from the picture to the frame
`pixels`          the digit as numbers
`unrolled`        the 784 features in a row
`filters`         the first layer's kernels
`maps`            what a layer makes of the digit
`mattered`        which pixels the answer hangs on
`probabilities`   the ten probabilities
`colours`         values -> colours
`words`           headings and paragraphs
================  ============================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.plots.explaining.filters import filters
from digitlens.plots.explaining.framing import framing
from digitlens.plots.explaining.maps import maps
from digitlens.plots.explaining.mattered import mattered
from digitlens.plots.explaining.overview import overview
from digitlens.plots.explaining.pixels import pixels
from digitlens.plots.explaining.probabilities import probabilities
from digitlens.plots.explaining.unrolled import unrolled

if TYPE_CHECKING:
    from digitlens.explaining import Explanation

__all__ = [
    "filters",
    "framing",
    "maps",
    "mattered",
    "overview",
    "pictures",
    "pixels",
    "probabilities",
    "unrolled",
]


def pictures(found: Explanation, title: str) -> dict[str, bytes]:
    """Return every picture of an explanation by its file name, the overview first.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it.
    title
        What the picture is called, such as its file's name.
    """
    drawn = {"overview.png": overview(found, title)}
    if found.steps:
        drawn["framing.png"] = framing(found)
    drawn["pixels.png"] = pixels(found)
    drawn["unrolled.png"] = unrolled(found)
    if len(found.filters):
        drawn["filters.png"] = filters(found)
    for at, each in enumerate(found.maps):
        drawn[f"layer-{at + 1}.png"] = maps(each)
    drawn["mattered.png"] = mattered(found)
    drawn["probabilities.png"] = probabilities(found)
    return drawn
