"""Any picture -> its pixels: path, bytes, Pillow picture or array, safely.

What comes out is uint8, (H, W) or (H, W, 3), upright, opaque and of known size; paper and ink
are told apart later, by `digitlens.imaging.binarize`.
"""

from __future__ import annotations

import base64
import io
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens import storage
from digitlens.errors import CorruptFileError, ShapeError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL.Image import Image

    from digitlens.geometry import Pixels

    ImageSource: TypeAlias = str | os.PathLike[str] | bytes | Image | NDArray[np.uint8]


# What Pillow may decode here. Its other decoders, some of which run programs, are not used.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
# How the names of such files end; every command that walks a folder uses this list.
IMAGE_SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
# More than a phone's camera makes, and less than Pillow's own limit of 89 million, so that we
# refuse a larger picture before anything is decoded.
MAX_PIXELS = 80_000_000
# The smallest height and width in pixels: no typeface draws digits on fewer.
MIN_SIDE = 5
# EXIF's entry for how a picture is turned; 1 is upright.
EXIF_ORIENTATION = 0x0112
# Pillow's modes for more than 8 bits a pixel; 16-bit PNG and TIFF files have these.
WIDE_GRAY_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """A picture's pixels."""

    pixels: Pixels  # uint8 (H, W) or (H, W, 3), H and W at least `MIN_SIDE`
    name: str  # what messages call it
    about: str  # its size, and what was done to it on loading, in words


def load_image(picture: ImageSource | LoadedImage, *, name: str | None = None) -> LoadedImage:
    """Return the pixels of a picture, upright and opaque.

    picture: a path, the bytes of a picture file, a Pillow picture, or an array: uint8 (H, W),
        (H, W, 3) red, green, blue, or (H, W, 4) with alpha. Of several frames or pages the
        first is taken. 16 bits become 8; CMYK and palettes become red, green, blue. Transparent
        parts are filled with paper: white under dark ink, black under light ink. EXIF's
        rotation is applied. A loaded image is returned as it is.
    name: what messages call it; a path's own name by default

    Raises MissingDataError: there is no such file; DataError: the path is a folder or cannot be
    read; CorruptFileError: not a picture, or a damaged one; ShapeError: more than `MAX_PIXELS`
    pixels, fewer than `MIN_SIDE` on a side, or an array of another dtype or shape.

    >>> load_image(np.zeros((40, 30), np.uint8)).about
    '30 x 40 pixels, grey'
    """
    if isinstance(picture, LoadedImage):
        return picture
    if isinstance(picture, np.ndarray):
        return _load_array(picture, name or "the picture")
    if isinstance(picture, bytes | bytearray):
        return _load_bytes(bytes(picture), name or "the picture")
    if isinstance(picture, str) or hasattr(picture, "__fspath__"):
        path = Path(picture)
        return _load_bytes(storage.read_file(path).content, name or str(path))
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's

    if isinstance(picture, pillow.Image):
        return _load_pillow(picture, name or "the picture")
    raise ShapeError(
        "a picture must be a path, bytes, a Pillow picture or a numpy array",
        seen=type(picture).__name__,
        try_="numpy.asarray(picture, 'uint8')" if isinstance(picture, list) else None,
    )


def _load_bytes(content: bytes, name: str) -> LoadedImage:
    with decode_image(content, name=name) as picture:
        return _load_pillow(picture, name)


@contextmanager
def decode_image(content: bytes, *, name: str) -> Iterator[Image]:
    """Open a picture file; while it is read, Pillow's many errors become ours.

    Nothing is decoded yet, so that the size can be checked first.
    """
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Whoever decodes checks the size; a line on stderr would only repeat it.
            warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
            image_file = pillow.open(io.BytesIO(content), formats=FORMATS)
        with image_file as picture:
            yield picture
    except pillow.DecompressionBombError as error:
        raise ShapeError(f"{name} has too many pixels", seen=str(error)) from error
    except UnidentifiedImageError as error:
        raise CorruptFileError(
            f"{name} is not a picture that can be read", seen=f"{len(content):,} bytes"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # all of these are Pillow's
        raise CorruptFileError(f"{name} is a damaged picture", seen=str(error)) from error


def _load_pillow(picture: Image, name: str) -> LoadedImage:
    from PIL import ImageOps

    # The size is known before anything is decoded.
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ShapeError(
            f"{name} is too large: at most {MAX_PIXELS:,} pixels are decoded",
            seen=f"{width:,} x {height:,} = {width * height:,} pixels",
            try_="make it smaller, or cut the digit out",
        )
    notes = []
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes.append(f"the first of {frames} frames")
    picture.load()  # some formats store EXIF behind the pixels
    upright = picture
    if picture.getexif().get(EXIF_ORIENTATION, 1) != 1:
        upright = ImageOps.exif_transpose(picture)
        notes.append("turned upright as its EXIF entry says")
    pixels, kind = _convert_mode(upright, name)
    pixels, fill_notes = flatten_alpha(pixels)
    return _check_size(pixels, name, ", ".join([kind, *notes, *fill_notes]))


def _convert_mode(picture: Image, name: str) -> tuple[Pixels, str]:
    """Return uint8 pixels (H, W), (H, W, 3) or (H, W, 4), and what kind they were."""
    mode = picture.mode
    if mode in WIDE_GRAY_MODES:
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise ShapeError(
                f"{name} must have at most 16 bits a pixel",
                seen=f"mode {mode}, values {values.min()}..{values.max()}",
            )
        # 257 = 65535 / 255; dividing by 256 would never reach 255.
        return np.rint(values / 257).astype(np.uint8), "16-bit grey"
    if mode in ("L", "1"):
        return np.asarray(picture.convert("L")), "grey" if mode == "L" else "black and white"
    if "A" in mode or "a" in mode or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA")), "with transparency"
    if mode in ("RGB", "P", "CMYK", "YCbCr", "HSV", "RGBX"):
        # `convert` would copy a picture that is RGB already.
        rgb = picture if mode == "RGB" else picture.convert("RGB")
        return np.asarray(rgb), f"mode {mode}"
    raise ShapeError(
        f"{name} must be grey or in colours",
        seen=f"mode {mode}",
        try_="save it as an 8-bit PNG",
    )


def flatten_alpha(pixels: Pixels) -> tuple[Pixels, list[str]]:
    """Fill transparent parts with paper; return the pixels and what was done, in words.

    Where most of the picture is visible, that includes its paper, so its median color is
    used. Otherwise only the ink is visible, and the paper is white or black, whichever is
    farther from the ink's mean brightness.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        return pixels, []
    alpha = pixels[..., 3:].astype(np.float32) / 255
    colors = pixels[..., :3].astype(np.float32)
    visible = float(alpha.mean())
    if alpha.min() == 1:
        return np.ascontiguousarray(pixels[..., :3]), []
    if visible > 0.5:
        paper = np.median(colors[alpha[..., 0] > 0.5], axis=0)
        how = "filled with the colour of its paper"
    else:
        ink = float((colors * alpha).sum() / max(3 * float(alpha.sum()), 1e-9))
        paper = np.full(3, 0.0 if ink > 127.5 else 255.0, np.float32)
        how = f"filled with {'black' if ink > 127.5 else 'white'}, its ink being " + (
            "light" if ink > 127.5 else "dark"
        )
    mixed = colors * alpha + paper * (1 - alpha)
    return np.rint(mixed).astype(np.uint8), [f"{1 - visible:.0%} transparent, {how}"]


def _load_array(array: NDArray[Any], name: str) -> LoadedImage:
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not is_image:
        raise ShapeError(
            f"{name} must be uint8 (H, W), (H, W, 3) or (H, W, 4)",
            seen=f"{array.dtype} {array.shape}{_describe_nonfinite(array)}",
            try_=_suggest_conversion(array),
        )
    pixels, notes = flatten_alpha(array)
    kind = "grey" if pixels.ndim == 2 else "colours"
    return _check_size(pixels, name, ", ".join([kind, *notes]))


def _describe_nonfinite(array: NDArray[Any]) -> str:
    if array.dtype.kind == "f" and array.size and not np.isfinite(array).all():
        return f", {int((~np.isfinite(array)).sum()):,} of them NaN or infinite"
    return ""


def _suggest_conversion(array: NDArray[Any]) -> str | None:
    """Return the expression that turns `array` into a picture, where one is likely right."""
    if array.dtype.kind == "f" and array.size and np.isfinite(array).all():
        scale = "picture * 255" if array.min() >= 0 and array.max() <= 1 else "picture"
        return f"({scale}).round().astype('uint8')"
    if array.dtype == np.bool_:
        return "picture.astype('uint8') * 255"
    if array.dtype == np.uint16:
        return "(picture / 257).round().astype('uint8')"
    if array.ndim == 3 and array.shape[2] == 1:
        return "picture[..., 0]"
    if array.ndim == 3 and array.shape[1:] == (28, 28):
        return "digitlens.imaging.frame_stack for a stack of pictures"
    return None


def _check_size(pixels: Pixels, name: str, about: str) -> LoadedImage:
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ShapeError(
            f"{name} must be at least {MIN_SIDE} x {MIN_SIDE} pixels",
            seen=f"{width} x {height} pixels",
        )
    return LoadedImage(pixels, name, f"{width:,} x {height:,} pixels, {about}")


def encode_png(pixels: NDArray[np.uint8], **options: Any) -> bytes:
    """Return uint8 (H, W) or (H, W, 3) as a PNG file; `options` go to Pillow's `save`."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", **options)
    return file.getvalue()


def png_data_url(pixels: NDArray[np.uint8], **options: Any) -> str:
    """Return pixels, as in `encode_png`, as a ``data:`` address that a page can show."""
    return "data:image/png;base64," + base64.b64encode(encode_png(pixels, **options)).decode()
