"""Any picture -> its pixels: path, bytes, Pillow picture or array, safely.

What comes out is uint8, (H, W) or (H, W, 3), upright, opaque and of known size; paper and ink
are told apart later, by `digitlens.imaging.binarize`.
"""

from __future__ import annotations

import base64
import io
import math
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens import storage
from digitlens.errors import (
    CorruptFileError,
    DataError,
    DigitlensError,
    DigitlensWarning,
    ShapeError,
    TooLargeError,
)
from digitlens.imaging.arrays import to_array, to_uint8
from digitlens.imaging.filetypes import AVIF, EXPORT, FETCH, HEAD_BYTES, HEIC, JPEG_XL, identify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL.Image import Image

    from digitlens.geometry import Pixels

    # A path, bytes, an open file, a Pillow picture, an array, a tensor, rows of numbers.
    ImageSource: TypeAlias = Any


# What Pillow may decode here. Its other decoders, some of which run programs, are not used.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000")
# How the names of such files end; a folder's other files are told by their first bytes.
IMAGE_SUFFIXES = frozenset((".avif", ".bmp", ".gif", ".heic", ".heif", ".jxl", ".png", ".webp"))
IMAGE_SUFFIXES |= {".jfif", ".jp2", ".j2k", ".jpe", ".jpeg", ".jpf", ".jpg", ".tif", ".tiff"}
IMAGE_SUFFIXES |= {".pbm", ".pgm", ".pnm", ".ppm"}
# More than a phone's camera makes, and less than Pillow's own limit of 89 million, so that we
# refuse a larger picture before anything is decoded.
MAX_PIXELS = 80_000_000
# The smallest height and width in pixels: no typeface draws digits on fewer.
MIN_SIDE = 5
# EXIF's entry for how a picture is turned; 1 is upright.
EXIF_ORIENTATION = 0x0112
# The same as names of Pillow's `Transpose`, from entry 2 on.
TURNS = (
    "FLIP_LEFT_RIGHT",
    "ROTATE_180",
    "FLIP_TOP_BOTTOM",
    "TRANSPOSE",
    "ROTATE_270",
    "TRANSVERSE",
    "ROTATE_90",
)
# Pillow's modes for more than 8 bits a pixel; 16-bit PNG and TIFF files have these.
WIDE_GRAY_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
# The bits that such files use: cameras and scanners fill 10, 12 or 14 of 16.
DEPTHS = (1, 8, 10, 12, 14, 16, 24, 31)
# Rows that a JPEG cut short may lack: two rows of its blocks, and at most an eighth of it.
MAX_LOST_ROWS = 32
JPEG_END = b"\xff\xd9"


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """A picture's pixels."""

    pixels: Pixels  # uint8 (H, W) or (H, W, 3), H and W at least `MIN_SIDE`
    name: str  # what messages call it
    about: str  # its size, and what was done to it on loading, in words


def load_image(picture: ImageSource | LoadedImage, *, name: str | None = None) -> LoadedImage:
    """Return the pixels of a picture, upright and opaque.

    picture: a path, the bytes of a picture file, a file that is open, a Pillow picture, or an
        array, a tensor or rows of numbers: (H, W), (H, W, 3) red, green, blue, or (H, W, 4)
        with alpha, channels first or last; 0..255 or fractions 0..1, as `imaging.arrays`
        tells them apart. Of several frames or pages the first is taken. More than 8 bits become
        8, scaled by the bits that are used; CMYK and palettes become red, green, blue.
        Transparent parts are filled with paper: white under dark ink, black under light ink.
        EXIF's rotation is applied. Of a JPEG that lacks its last bytes the rest is taken, with
        a warning. A loaded image is returned as it is.
    name: what messages call it; a path's own name by default

    Raises MissingDataError: there is no such file; DataError: the path is a folder or cannot be
    read; CorruptFileError: not a picture, or a damaged one; ShapeError: more than `MAX_PIXELS`
    pixels, fewer than `MIN_SIDE` on a side, or an array of another dtype or shape.

    >>> load_image(np.zeros((40, 30), np.uint8)).about
    '30 x 40 pixels, grey'
    """
    if isinstance(picture, LoadedImage):
        return picture
    array = to_array(picture)
    if array is not None:
        return _load_array(array, name or "the picture")
    if isinstance(picture, bytes | bytearray | memoryview):
        return _load_bytes(bytes(picture), name or "the picture")
    if isinstance(picture, str) or hasattr(picture, "__fspath__"):
        path = Path(picture)
        return _load_bytes(storage.read_file(path).content, name or str(path))
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's

    if isinstance(picture, pillow.Image):
        return _load_pillow(picture, name or getattr(picture, "filename", "") or "the picture")
    if hasattr(picture, "read"):
        return _load_bytes(*read_open_file(picture, name))
    raise ShapeError(
        "a picture must be a path, bytes, an open file, a Pillow picture or an array",
        seen=type(picture).__name__,
    )


def read_open_file(file: Any, name: str | None) -> tuple[bytes, str]:
    """Return what is left in a file that is open, and what messages call it."""
    try:
        content = file.read(storage.MAX_BYTES)
    except UnicodeDecodeError:  # opened as text
        content = ""
    name = name or str(getattr(file, "name", "")) or "the picture"
    if not isinstance(content, bytes):
        raise DataError(
            f"{name} must be open in binary mode", seen="text", try_="open(path, 'rb')"
        )
    return content, name


def _load_bytes(content: bytes, name: str) -> LoadedImage:
    try:
        with decode_image(content, name=name) as picture:
            return _load_pillow(picture, name)
    except CorruptFileError:
        content = content.rstrip(b"\xff")  # the half of a marker
        lost = _count_lost_rows(content, name)
        if lost is None:
            raise
    # With the marker that ends a JPEG, what is there is decoded.
    with decode_image(content + JPEG_END, name=name) as picture:
        loaded = _load_pillow(picture.crop((0, 0, picture.width, picture.height - lost)), name)
    note = "its last bytes are missing" + (f", and {lost} rows with them" if lost else "")
    warnings.warn(f"{name} is cut short: {note}", DigitlensWarning, stacklevel=3)
    return replace(loaded, about=f"{loaded.about}, {note}")


def _count_lost_rows(content: bytes, name: str) -> int | None:
    """Return how many rows a JPEG lacks that was cut short; None where too much is missing."""
    if not content.startswith(b"\xff\xd8"):
        return None
    decoded = []
    # Where the data go on, other bytes after them change what is decoded: from there it lacks.
    for filling in (b"", b"\x55" * 64, b"\xaa" * 64):
        with decode_image(content + filling + JPEG_END, name=name) as picture:
            if math.prod(picture.size) > MAX_PIXELS:
                return None
            decoded.append(np.asarray(picture).reshape(picture.height, -1))
            is_progressive = "progressive" in picture.info
    differs = (decoded[0] != decoded[1]).any(axis=1) | (decoded[0] != decoded[2]).any(axis=1)
    lost = len(differs) - int(differs.argmax()) if differs.any() else 0
    if not (is_progressive and lost):
        return lost if lost <= min(MAX_LOST_ROWS, len(differs) // 8) else None
    # A progressive one is coarsely there when its last scan, of the finest bits, is half done.
    scan = content.rfind(b"\xff\xda")
    fineness = content[scan + 1 + int.from_bytes(content[scan + 2 : scan + 4], "big")]
    in_last_scan = fineness >> 4 > fineness & 0x0F == 0
    return 0 if in_last_scan and lost <= len(differs) // 2 else None


@contextmanager
def decode_image(content: bytes, *, name: str) -> Iterator[Image]:
    """Open a picture file; while it is read, whatever Pillow raises becomes our error.

    Nothing is decoded yet, so that the size can be checked first. Pillow's warnings of odd
    entries are not shown: a file is read, or refused.
    """
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            formats = [*FORMATS, *_find_plugin(content)]
            with pillow.open(io.BytesIO(content), formats=formats) as picture:
                yield picture
    except (DigitlensError, DigitlensWarning):
        raise
    except pillow.DecompressionBombError as error:
        raise TooLargeError(f"{name} has too many pixels", seen=str(error)) from error
    except UnidentifiedImageError as error:
        kind = identify(content[:HEAD_BYTES])
        size = f"{len(content):,} bytes"
        raise CorruptFileError(
            f"{name} is not a picture that can be read",
            seen=f"{size}, by the first ones {kind.what}" if kind and content else size,
            likely="an empty file" if not content else None,
            try_=kind.advice or None if kind else EXPORT,
            # A PDF, say, may be whole; what is to be fetched again, or ought to open, is not.
            kind=DataError.kind if kind and kind.advice not in ("", FETCH) else None,
        ) from error
    except MemoryError as error:
        raise DataError(f"there is not enough memory to decode {name}") from error
    # Pillow raises some ten kinds of error for damaged files, TypeError and IndexError too.
    except Exception as error:
        seen = str(error) or type(error).__name__
        raise CorruptFileError(f"{name} is a damaged picture", seen=seen) from error


def _find_plugin(content: bytes) -> tuple[str, ...]:
    """Return Pillow's name of a format that not every Pillow opens, where this one can."""
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's

    kind = identify(content[:HEAD_BYTES])
    if kind is AVIF:
        pillow.init()
        return ("AVIF",) if "AVIF" in pillow.OPEN else ()
    with suppress(ImportError):
        if kind is HEIC:
            from pillow_heif import register_heif_opener

            register_heif_opener()
            return ("HEIF",)
        if kind is JPEG_XL:
            import pillow_jxl  # noqa: F401 - it adds itself to Pillow

            return ("JXL",)
    return ()


def _load_pillow(picture: Image, name: str) -> LoadedImage:
    # The size is known before anything is decoded.
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise TooLargeError(
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
    turn = _read_orientation(picture)
    if turn is None:
        notes.append("its EXIF entries are damaged")
    elif 2 <= turn <= 8:
        from PIL.Image import Transpose

        upright = picture.transpose(Transpose[TURNS[turn - 2]])
        notes.append("turned upright as its EXIF entry says")
    pixels, kind = _convert_mode(upright, name)
    pixels, fill_notes = flatten_alpha(pixels)
    return _check_size(pixels, name, ", ".join([kind, *notes, *fill_notes]))


def _read_orientation(picture: Image) -> int | None:
    """Return EXIF's entry for how a picture is turned, or None where its EXIF is damaged."""
    try:
        turn = picture.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # any: the pixels are there all the same
        return None
    return turn if isinstance(turn, int) else 1


def _convert_mode(picture: Image, name: str) -> tuple[Pixels, str]:
    """Return uint8 pixels (H, W), (H, W, 3) or (H, W, 4), and what kind they were."""
    mode = picture.mode
    if mode in WIDE_GRAY_MODES:
        return _narrow(np.asarray(picture), name, mode)
    if mode == "F":
        return _narrow_fractions(np.asarray(picture), name)
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


def _narrow(values: NDArray[Any], name: str, mode: str) -> tuple[Pixels, str]:
    """Return whole numbers of up to 31 bits as 8 bits; scaled by the bits that are used."""
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise ShapeError(
            f"{name} must have no values below 0", seen=f"mode {mode}, values {low}..{high}"
        )
    bits = next(depth for depth in DEPTHS if high.bit_length() <= depth)
    # By 2**bits - 1: dividing by 256 would never reach 255.
    scaled = np.multiply(values, 255 / (2**bits - 1), dtype=np.float32)
    kind = "16-bit grey" if bits == 16 else f"grey of {bits} bits in a file for more"
    return np.rint(scaled, out=scaled).astype(np.uint8), kind


def _narrow_fractions(values: NDArray[Any], name: str) -> tuple[Pixels, str]:
    """Return floats 0..1, 0..255 or 0..65535 as 8 bits."""
    low, high = float(values.min()), float(values.max())
    scale = next((top for top in (1, 255, 65535) if high <= top), 0)
    if not (low >= 0 and scale):  # NaN is none of them
        raise ShapeError(
            f"{name} must have values 0..1, 0..255 or 0..65535",
            seen=f"mode F, values {low:g}..{high:g}",
            try_="save it as an 8-bit PNG",
        )
    return np.rint(values * np.float32(255 / scale)).astype(np.uint8), "grey, as fractions"


def flatten_alpha(pixels: Pixels) -> tuple[Pixels, list[str]]:
    """Fill transparent parts with paper; return the pixels and what was done, in words.

    Where most of the picture is visible, that includes its paper, so its median color is
    used. Otherwise only the ink is visible, and the paper is white or black, whichever is
    farther from the ink's mean brightness.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        return pixels, []
    colors, alpha = pixels[..., :3], pixels[..., 3]
    visible = float(alpha.mean()) / 255
    if alpha.min() == 255:
        return np.ascontiguousarray(colors), []
    if visible > 0.5:
        paper = np.median(colors[alpha > 127], axis=0).astype(np.float32)
        how = "filled with the colour of its paper"
    else:
        weight = max(3 * float(alpha.sum(dtype=np.int64)), 1e-9)
        ink = float(np.einsum("hwc,hw->", colors, alpha, dtype=np.float64)) / weight
        paper = np.full(3, 0.0 if ink > 127.5 else 255.0, np.float32)
        how = f"filled with {'black' if ink > 127.5 else 'white'}, its ink being " + (
            "light" if ink > 127.5 else "dark"
        )
    # Some rows at a time: as floats a large picture would fill the memory.
    mixed = np.empty(colors.shape, np.uint8)
    for start in range(0, len(mixed), 256):
        rows = slice(start, start + 256)
        share = alpha[rows, :, None].astype(np.float32) / 255
        mixed[rows] = np.rint(colors[rows] * share + paper * (1 - share))
    return mixed, [f"{1 - visible:.0%} transparent, {how}"]


def _load_array(array: NDArray[Any], name: str) -> LoadedImage:
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):  # one channel, first or last
        array = array.reshape([side for side in array.shape if side != 1] or (1, 1))
    if array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[1:] != (28, 28):
        # torch has channels first; a picture three pixels high is none.
        array = array if array.shape[2] in (3, 4) else array.transpose(1, 2, 0)
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        is_stack = array.ndim == 3 and array.shape[1:] == (28, 28)
        raise ShapeError(
            f"{name} must be (H, W), (H, W, 3) or (H, W, 4)",
            seen=f"{array.dtype} {array.shape}",
            try_="digitlens.imaging.frame_stack for a stack of pictures" if is_stack else None,
        )
    pixels, notes = flatten_alpha(to_uint8(array, name=name))
    kind = "grey" if pixels.ndim == 2 else "colours"
    return _check_size(pixels, name, ", ".join([kind, *notes]))


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
