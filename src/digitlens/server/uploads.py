"""A request's body -> pictures -> digits in MNIST's frame.

A body is one picture file; or multipart/form-data, each file one picture; or JSON,
``{"pictures": [...]}``, each a picture file in base64 (a data: URL will do) or rows of numbers
0..255. Nothing is written to the disk, and the number of pixels is checked before a picture is
decoded.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import CorruptFileError, ShapeError, UsageError
from digitlens.imaging import frame_drawing, frame_steps
from digitlens.imaging.io import decode_image, load_image
from digitlens.server.http_errors import KindError, TooLargeError, call_lean

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from numpy.typing import NDArray
    from starlette.requests import Request

    from digitlens.digits import Images
    from digitlens.imaging import Framing
    from digitlens.imaging.io import LoadedImage
    from digitlens.server.settings import ServerSettings


# The bytes of a picture file, or pixels uint8 (H, W).
Upload: TypeAlias = "bytes | NDArray[np.uint8]"
# Bytes from which on JSON is parsed in another thread.
LARGE_JSON = 1 << 16
# One large JSON at a time: sixteen million characters of it are ten times as many bytes.
_JSON_TURN = threading.Lock()

FILE_TYPES = ("image/", "application/octet-stream")


async def read_uploads(request: Request, settings: ServerSettings) -> list[Upload]:
    """Return the pictures in a request's body; at least one.

    Raises KindError: its content type is none of the three; UsageError, ShapeError,
    CorruptFileError: it does not hold what its content type says, or no picture; TooLargeError:
    more pictures than the limit.
    """
    # Content types may carry parameters, as in "application/json; charset=utf-8".
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(FILE_TYPES):
        body = await request.body()
        uploads: list[Upload] = [body] if body else []
    elif kind == "application/json":
        body = await request.body()
        if len(body) > LARGE_JSON:  # millions of numbers: no other request waits for them
            uploads = await asyncio.to_thread(call_lean, _parse_in_turn, body, settings)
        else:
            uploads = parse_json(body, settings)
    elif kind == "multipart/form-data":
        uploads = await _parse_form(request, settings)
    else:
        raise KindError(
            "pictures come as image/*, application/octet-stream, multipart/form-data or JSON",
            seen=f"Content-Type: {kind[:100]}" if kind else "no Content-Type",
            try_="curl --data-binary @picture.png -H 'Content-Type: image/png' ...",
        )
    if not uploads:
        raise UsageError("a request must hold a picture", seen="none")
    return uploads


async def read_upload(request: Request, settings: ServerSettings) -> Upload:
    """Return the only picture in a request's body (errors as in `read_uploads`)."""
    uploads = await read_uploads(request, settings)
    if len(uploads) > 1:
        raise UsageError("this address takes one picture", seen=f"{len(uploads)} pictures")
    return uploads[0]


def parse_json(body: bytes, settings: ServerSettings) -> list[Upload]:
    """Return the pictures in ``{"pictures": [...]}`` (errors as in `read_uploads`)."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body must be JSON", seen=str(error)[:200]) from error
    pictures = value.get("pictures") if isinstance(value, dict) else None
    if not isinstance(pictures, list):
        raise UsageError('the body must be {"pictures": [...]}', seen=_type_name(value))
    if len(pictures) > settings.max_pictures:
        raise _too_many_error(len(pictures), settings)
    return [decode_picture(item, f"picture {index}") for index, item in enumerate(pictures, 1)]


def _parse_in_turn(body: bytes, settings: ServerSettings) -> list[Upload]:
    with _JSON_TURN:
        return parse_json(body, settings)


def decode_picture(value: Any, name: str) -> Upload:
    """Return one picture of a JSON body: base64 of a file, or rows of numbers 0..255.

    Raises CorruptFileError: a text that is not base64; ShapeError: rows that are not equally
    long, or not whole numbers in 0..255.

    >>> decode_picture("data:image/png;base64,iVBORw==", "it")[:4]
    b'\\x89PNG'
    >>> decode_picture([[0, 9]], "it").shape
    (1, 2)
    """
    if isinstance(value, str):
        # A data: URL, as canvases and file readers of browsers make them.
        if value.startswith("data:"):
            value = value.partition(",")[2]
        try:
            # Encoders of mail and of shells break lines.
            plain = "".join(value.split()).encode("ascii")
            return binascii.a2b_base64(plain, strict_mode=True)
        except (ValueError, UnicodeEncodeError) as error:
            raise CorruptFileError(
                f"{name} must be a picture file in base64, or rows of numbers",
                seen=f"a text of {len(value):,} characters: {error}",
            ) from error
    if not isinstance(value, list):
        raise ShapeError(
            f"{name} must be a picture file in base64, or rows of numbers",
            seen=_type_name(value),
        )
    return _pixels_from_rows(value, name)


def _pixels_from_rows(rows: list[Any], name: str) -> NDArray[np.uint8]:
    wanted = f"{name} must be rows of equally many whole numbers in 0..255"
    same = all(isinstance(row, list) for row in rows) and len({len(row) for row in rows}) == 1
    if not same:
        raise ShapeError(wanted, seen="rows that are not equally long, or no rows")
    for row in rows:
        for number in row:
            if type(number) is not int or not 0 <= number <= 255:  # a bool is an int too
                raise ShapeError(wanted, seen=repr(number)[:60])
    return np.array(rows, np.uint8)


async def _parse_form(request: Request, settings: ServerSettings) -> list[Upload]:
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    # The whole body is read first: its size and time are limited while it comes.
    body = await request.body()

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    # One more file than allowed is read, so that the limit can be reported as such.
    parser = MultiPartParser(
        request.headers,
        stream(),
        max_files=settings.max_pictures + 1,
        max_fields=settings.max_pictures,
        max_part_size=settings.max_body_bytes,
    )
    parser.spool_max_size = settings.max_body_bytes + 1  # in memory: nothing goes to the disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise _too_many_error(settings.max_pictures + 1, settings) from error
        raise UsageError("the body must be multipart/form-data", seen=error.message) from error
    except (KeyError, ValueError, AssertionError) as error:  # no boundary, odd headers
        raise UsageError("the body must be multipart/form-data", seen=repr(error)) from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) > settings.max_pictures:
            raise _too_many_error(len(files), settings)
        return [await file.read() for file in files]
    finally:
        await form.close()


def _too_many_error(count: int, settings: ServerSettings) -> TooLargeError:
    return TooLargeError(
        f"a request may hold {settings.max_pictures} pictures", seen=f"{count} or more"
    )


def _type_name(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")


def count_pixels(upload: Upload, name: str) -> int:
    """Return how many pixels a picture has; of a file only the header is read.

    Raises CorruptFileError, ShapeError: not a picture, or far too large a one.
    """
    if isinstance(upload, np.ndarray):
        return upload.size
    # Lazy: pixels are decoded only when they are asked for.
    with decode_image(upload, name=name) as picture:
        return picture.width * picture.height


def check_pixels(count: int, max_pixels: int, name: str) -> None:
    """Raise TooLargeError for a picture of more than `max_pixels` pixels."""
    if count > max_pixels:
        raise TooLargeError(
            f"{name} is too large: the limit is {max_pixels / 1e6:.4g} megapixels",
            seen=f"{count:,} pixels",
            try_="make it smaller, or cut the digit out",
        )


def load_upload(
    upload: Upload, max_pixels: int | None, name: str = "the picture"
) -> LoadedImage:
    """Return a picture's pixels, at most `max_pixels`; None where that was checked before.

    Raises TooLargeError: there are more; CorruptFileError, ShapeError: it cannot be decoded;
    see `digitlens.imaging.io.load_image`.
    """
    if max_pixels is not None:
        check_pixels(count_pixels(upload, name), max_pixels, name)
    return load_image(upload, name=name)


@dataclass(frozen=True, eq=False)
class PreparedDigit:
    """A digit that a network can be asked about."""

    digit: Images  # uint8 (28, 28); 0 = paper, 255 = ink
    # how the picture was brought into MNIST's frame; None where it was in it already
    framing: Framing | None = None


def prepare_digit(
    upload: Upload,
    max_pixels: int | None,
    *,
    frame: bool,
    drawing: bool = False,
    name: str = "the picture",
) -> PreparedDigit:
    """Return the digit in a picture of at most `max_pixels`; None where that was checked.

    Without `frame` the picture must be a digit in MNIST's frame, and is used as it is. A
    `drawing` is black ink on white paper, all of it one digit.

    Raises TooLargeError, NoInkError, SeveralDigitsError, CorruptFileError: see `load_upload`
    and `digitlens.imaging.frame_digit`; ShapeError: likewise; or without `frame` it is not 28 x
    28 gray pixels.
    """
    if frame:
        if max_pixels is not None:
            check_pixels(count_pixels(upload, name), max_pixels, name)
        framing = (frame_drawing if drawing else frame_steps)(upload, name=name)
        return PreparedDigit(framing.digit, framing)
    # Taken as it is: only its form is checked, 28 x 28 gray.
    pixels = load_upload(upload, max_pixels, name).pixels
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():  # colors that are all gray
        pixels = pixels[..., 0]
    if pixels.shape != (SIDE, SIDE):
        raise ShapeError(
            f"{name} must be {SIDE} x {SIDE} grey pixels, 0 = paper, 255 = ink",
            seen=" x ".join(str(side) for side in pixels.shape),
            try_="frame=true brings any picture of a digit there",
        )
    return PreparedDigit(np.ascontiguousarray(pixels))
