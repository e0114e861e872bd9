"""The steps of a reading as numbered PNG files in a folder of their own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from digitlens.atomic import make_folder, write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.reader.page import Stage


def write_stages(stages: Sequence[Stage], folder: Path) -> int:
    """Write each step into `folder`, which is made, as ``1-seen.png`` and so on.

    Returns how many there were.

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    make_folder(folder)
    for at, (name, picture) in enumerate(stages, 1):
        number, dash, _ = name.partition("-")
        whole = name if dash and number.isdigit() else f"{at}-{name}"
        write_bytes(folder / f"{whole}.png", png(picture))
    return len(stages)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return uint8 (H, W) or (H, W, 3) as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    # Level 3 of 9: half the time of the usual 6, and files a tenth larger.
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=3)
    return file.getvalue()
