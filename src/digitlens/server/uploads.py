"""A request's body -> pictures.

Three forms: the bytes of one picture file; multipart/form-data, each file one picture; JSON,
``{"pictures": [...]}``, each a picture file in base64 (a data: address will do) or rows of
numbers 0..255. Nothing is written to the disk.

* Uploads -> digits in MNIST's frame, with a cap on pixels before anything is decoded.
"""

from __future__ import annotations

import asyncio
import binascii
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import CorruptFileError, ShapeError, UsageError
from digitlens.imaging import frame_drawing, frame_steps
from digitlens.imaging.io import decode_image, load_image
from digitlens.server.answers import PreparedDigit
from digitlens.server.http_errors import KindError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from numpy.typing import NDArray
    from starlette.requests import Request

    from digitlens.imaging.io import LoadedImage
    from digitlens.server.settings import ServerSettings


Upload: TypeAlias = "bytes | NDArray[np.uint8]"
"""The bytes of a picture file, or pixels uint8 (H, W)."""

LARGE_JSON = 1 << 16
"""Bytes from which on JSON is taken apart in another thread."""

RAW = ("image/", "application/octet-stream")


async def pictures_of(request: Request, settings: ServerSettings) -> list[Upload]:
    """Return the pictures in a request's body; at least one.

    Raises
    ------
    KindError
        Its content type is none of the three.
    UsageError
        It does not hold what its content type says, or no picture.
    TooLargeError
        More pictures than are taken at once.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(RAW):
        body = await request.body()
        result: list[Upload] = [body] if body else []
    elif kind == "application/json":
        body = await request.body()
        if len(body) > LARGE_JSON:  # millions of numbers: nobody else waits for them
            result = await asyncio.to_thread(from_json, body, settings)
        else:
            result = from_json(body, settings)
    elif kind == "multipart/form-data":
        result = await _from_form(request, settings)
    else:
        raise KindError(
            "pictures come as image/*, application/octet-stream, multipart/form-data or JSON",
            seen=f"Content-Type: {kind[:100]}" if kind else "no Content-Type",
            try_="curl --data-binary @picture.png -H 'Content-Type: image/png' ...",
        )
    if not result:
        raise UsageError("a request must hold a picture", seen="none")
    return result


def one_of(uploads: list[Upload]) -> Upload:
    """Return the only picture.

    Raises
    ------
    UsageError
        There are several.
    """
    if len(uploads) > 1:
        raise UsageError("this address takes one picture", seen=f"{len(uploads)} pictures")
    return uploads[0]


def from_json(body: bytes, settings: ServerSettings) -> list[Upload]:
    """Return the pictures in ``{"pictures": [...]}``.

    Raises
    ------
    UsageError, ShapeError, CorruptFileError
        It is not JSON of that form.
    TooLargeError
        More pictures than are taken at once.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body must be JSON", seen=str(error)[:200]) from error
    pictures = value.get("pictures") if isinstance(value, dict) else None
    if not isinstance(pictures, list):
        raise UsageError('the body must be {"pictures": [...]}', seen=_kind(value))
    if len(pictures) > settings.most_pictures:
        raise too_many(len(pictures), settings)
    return [decoded(item, f"picture {index}") for index, item in enumerate(pictures, 1)]


def decoded(value: Any, name: str) -> Upload:
    """Return one picture of a JSON body: base64 of a file, or rows of numbers 0..255.

    Raises
    ------
    CorruptFileError
        A text that is not base64.
    ShapeError
        Rows that are not equally long, or not whole numbers in 0..255.

    Examples
    --------
    >>> decoded("data:image/png;base64,iVBORw==", "it")[:4], decoded([[0, 9]], "it").shape
    (b'\\x89PNG', (1, 2))
    """
    if isinstance(value, str):
        if value.startswith("data:"):
            value = value.partition(",")[2]
        try:
            return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
        except (ValueError, UnicodeEncodeError) as error:
            raise CorruptFileError(
                f"{name} must be a picture file in base64, or rows of numbers",
                seen=f"a text of {len(value):,} characters: {error}",
            ) from error
    if not isinstance(value, list):
        raise ShapeError(
            f"{name} must be a picture file in base64, or rows of numbers", seen=_kind(value)
        )
    return _pixels(value, name)


def _pixels(rows: list[Any], name: str) -> NDArray[np.uint8]:
    wanted = f"{name} must be rows of equally many whole numbers in 0..255"
    same = all(isinstance(row, list) for row in rows) and len({len(row) for row in rows}) == 1
    if not same:
        raise ShapeError(wanted, seen="rows that are not equally long, or no rows")
    for row in rows:
        for number in row:
            if type(number) is not int or not 0 <= number <= 255:  # a bool is an int too
                raise ShapeError(wanted, seen=repr(number)[:60])
    return np.array(rows, np.uint8)


async def _from_form(request: Request, settings: ServerSettings) -> list[Upload]:
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException, MultiPartParser

    body = await request.body()

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers,
        whole(),
        max_files=settings.most_pictures + 1,
        max_fields=settings.most_pictures,
        max_part_size=settings.most_bytes,
    )
    parser.spool_max_size = settings.most_bytes + 1  # in memory: nothing goes to the disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise too_many(settings.most_pictures + 1, settings) from error
        raise UsageError("the body must be multipart/form-data", seen=error.message) from error
    except (KeyError, ValueError, AssertionError) as error:  # no boundary, odd headers
        raise UsageError("the body must be multipart/form-data", seen=repr(error)) from error
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) > settings.most_pictures:
            raise too_many(len(files), settings)
        return [await file.read() for file in files]
    finally:
        await form.close()


def too_many(count: int, settings: ServerSettings) -> TooLargeError:
    """Return the error for a request with `count` pictures."""
    return TooLargeError(
        f"a request may hold {settings.most_pictures} pictures", seen=f"{count} or more"
    )


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")


LIGHT = 80_000
"""Pixels up to which a picture is framed in a few milliseconds: 283 x 283."""


def pixels_in(upload: Upload, name: str) -> int:
    """Return how many pixels a picture has; of a file only the head is read.

    Raises
    ------
    CorruptFileError, ShapeError
        Not a picture, or far too large a one.
    """
    if isinstance(upload, np.ndarray):
        return upload.size
    with decode_image(upload, name=name) as picture:
        return picture.width * picture.height


def check_pixels(count: int, most: int, name: str) -> None:
    """Refuse a picture that is too large.

    Raises
    ------
    TooLargeError
        It has more than `most` pixels.
    """
    if count > most:
        raise TooLargeError(
            f"{name} may have {most:,} pixels",
            seen=f"{count:,} pixels",
            try_="make it smaller, or cut the digit out",
        )


def opened(upload: Upload, most: int | None, name: str = "the picture") -> LoadedImage:
    """Return a picture's pixels, of which there may be `most`; None when that was checked.

    Raises
    ------
    TooLargeError
        There are more.
    CorruptFileError, ShapeError
        It cannot be opened; see `digitlens.imaging.io.load_image`.
    """
    if most is not None:
        check_pixels(pixels_in(upload, name), most, name)
    return load_image(upload, name=name)


def ready(
    upload: Upload,
    most: int | None,
    *,
    frame: bool,
    drawing: bool = False,
    name: str = "the picture",
) -> PreparedDigit:
    """Return the digit in a picture, of at most `most` pixels; None when that was checked.

    Without `frame` the picture must be a digit in MNIST's frame, and is taken as it is. A
    `drawing` is black ink on white paper, all of it one digit.

    Raises
    ------
    TooLargeError, NoInkError, SeveralDigitsError, CorruptFileError
        See `opened` and `digitlens.imaging.frame_digit`.
    ShapeError
        Likewise; or it must be a digit already and is not 28 x 28 grey pixels.
    """
    if frame:
        if most is not None:
            check_pixels(pixels_in(upload, name), most, name)
        result = (frame_drawing if drawing else frame_steps)(upload, name=name)
        return PreparedDigit(result.digit, result)
    pixels = opened(upload, most, name).pixels
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():  # in colours that are all grey
        pixels = pixels[..., 0]
    if pixels.shape != (SIDE, SIDE):
        raise ShapeError(
            f"{name} must be {SIDE} x {SIDE} grey pixels, 0 = paper, 255 = ink",
            seen=" x ".join(str(side) for side in pixels.shape),
            try_="frame=true brings any picture of a digit there",
        )
    return PreparedDigit(np.ascontiguousarray(pixels))
