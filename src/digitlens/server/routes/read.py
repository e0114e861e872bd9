"""/v1/read: the lines of digits in a whole picture."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from digitlens.errors import MissingDataError, ModelError
from digitlens.server.answers import as_json
from digitlens.server.routes import PICTURE_BODY, TAKES_BODY, problems, state_of
from digitlens.server.routes.predict import JSON
from digitlens.server.schemas import Lines
from digitlens.server.uploads import one_of, opened, pictures_of

if TYPE_CHECKING:
    from digitlens.server.uploads import Upload


router = APIRouter(tags=["answer"])

LONGEST = 40
"""Digits in a line: more than stand on any form."""

_lock = threading.Lock()
_readers: list[Any] = []


def published_reader() -> Any:
    """Return the published reader, loaded once.

    Raises
    ------
    MissingDataError
        There is none in this installation.
    """
    import digitlens

    with _lock:
        if not _readers:
            kind = getattr(digitlens, "Reader", None)
            if kind is None:
                raise no_reader("this version of digitlens has none")
            try:
                _readers.append(kind())
            except (ModelError, MissingDataError) as error:
                raise no_reader(error.wanted) from error
        return _readers[0]


def reads_lines() -> bool:
    """Say whether this installation can read lines; who asks finds the reader loaded then."""
    try:
        published_reader()
    except MissingDataError:
        return False
    return True


def no_reader(seen: str) -> MissingDataError:
    """Return the error for an installation that cannot read lines."""
    return MissingDataError(
        "no reader is installed", seen=seen, try_="/v1/predict answers pictures of one digit"
    )


@router.post(
    "/v1/read",
    response_model=Lines,
    responses=problems(*TAKES_BODY),
    openapi_extra=PICTURE_BODY,
    summary="Read the lines of digits in a picture",
)
async def read(
    request: Request,
    length: Annotated[int | None, Query(ge=1, le=LONGEST)] = None,
    line: bool = False,
) -> Any:
    """Read the lines of digits in a picture, from top to bottom and left to right.

    With `length` each line has so many digits; with `line=true` the picture is one line.
    Boxes are left, top, right and bottom in pixels of the picture as it stands upright. `turn`
    says by how many degrees, counter-clockwise, it was turned to be read: about 180 for a page
    that was laid on its head.
    """
    state = state_of(request)
    upload = one_of(await pictures_of(request, state.settings))
    most = state.settings.most_pixels
    result = await state.work(lines_in, upload, most, length=length, line=line)
    return Response(as_json(result), media_type=JSON)


def lines_in(upload: Upload, most: int, *, length: int | None, line: bool) -> dict[str, Any]:
    """Return the lines in a picture, for JSON (errors as in `opened` and by the reader)."""
    reader = published_reader()
    picture = opened(upload, most)
    if line:
        lines, turn = (reader.read_line(picture, length=length),), 0.0
    else:
        page = reader.page(picture, length=length)
        lines, turn = page.lines, page.turn
    height, width = picture.pixels.shape[:2]
    return {
        "width": width,
        "height": height,
        "turn": round(turn, 1),
        "lines": [item.as_dict() for item in lines],
    }
