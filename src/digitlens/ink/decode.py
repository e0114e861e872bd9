"""A picture file's bytes -> an open Pillow picture; Pillow's many failures as ours."""

from __future__ import annotations

import io
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from digitlens.errors import CorruptFileError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
"""What Pillow may decode here; other decoders, some of which run programs, stay shut."""


@contextmanager
def decode(content: bytes, *, name: str) -> Iterator[Image]:
    """Open a picture file, and tell Pillow's many failures as ours while it is read.

    Nothing is decoded yet: the size can be looked at first.

    Raises
    ------
    ShapeError
        More pixels than Pillow opens at all.
    CorruptFileError
        Not a picture, or a damaged one.
    """
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Whoever decodes looks at the size; a line on stderr would come on top.
            warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
            opened = pillow.open(io.BytesIO(content), formats=FORMATS)
        with opened as picture:
            yield picture
    except pillow.DecompressionBombError as error:
        raise ShapeError(f"{name} has too many pixels", seen=str(error)) from error
    except UnidentifiedImageError as error:
        raise CorruptFileError(
            f"{name} is not a picture that can be read", seen=f"{len(content):,} bytes"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # Pillow's many ways
        raise CorruptFileError(f"{name} is a damaged picture", seen=str(error)) from error
