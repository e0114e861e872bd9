"""/v1/predict: the digit in each picture; /v1/read: the lines of digits in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.server.line_reader import load_reader
from digitlens.server.routes import document, get_state, json_response
from digitlens.server.schemas import Lines, Predicted
from digitlens.server.uploads import load_upload, read_upload, read_uploads

if TYPE_CHECKING:
    from digitlens.models.inference import Model
    from digitlens.server.state import LabState
    from digitlens.server.uploads import Upload


router = APIRouter(tags=["answer"])

# Networks that one request may ask.
MAX_NETWORKS = 8
# Digits in a line: more than stand on any form.
MAX_LENGTH = 40


@router.post(
    "/v1/predict",
    **document("Say which digit each picture shows", Predicted, 404, takes_pictures=True),
)
async def predict(
    request: Request,
    network: Annotated[list[str] | None, Query(max_length=MAX_NETWORKS)] = None,
    frame: bool = True,
    drawing: bool = False,
    pixels: bool = False,
) -> Any:
    """Say which digit each picture shows, and how sure that is.

    Any picture of one digit will do. `network` may be given several times: all answer the same
    picture. With `frame=false` pictures are taken as digits of 28 x 28 in MNIST's frame
    already; with `drawing=true` as black ink on white paper, all of it one digit, however many
    strokes it has; with `pixels=true` the framed digit comes with the answer. When one picture
    cannot be used none is answered, and the problem names it.
    """
    state = get_state(request)
    # load: the bodies' pictures, and the networks that are not in memory yet
    uploads = await read_uploads(request, state.settings)
    networks = await _load_networks(state, network or [DEFAULT_NETWORK])
    # frame and answer, together with the requests that wait at this moment
    pictures = await state.batcher.answer(
        uploads, networks, frame=frame, drawing=drawing, pixels=pixels
    )
    return json_response(Predicted(pictures))


async def _load_networks(state: LabState, names: list[str]) -> dict[str, Model]:
    """Return the networks of these names; UnknownError where one does not exist."""
    networks = {}
    for name in names:
        # Another thread only for the few that must be read from the disk.
        model = state.networks.get_loaded(name)
        if model is None:
            model = await state.threads.call(state.networks.get, name)
        networks[name] = model
    return networks


@router.post(
    "/v1/read", **document("Read the lines of digits in a picture", Lines, takes_pictures=True)
)
async def read(
    request: Request,
    length: Annotated[int | None, Query(ge=1, le=MAX_LENGTH)] = None,
    line: bool = False,
    join: bool = False,
    split: bool = False,
) -> Any:
    """Read the lines of digits in a picture, from top to bottom and left to right.

    With `length` each line has so many digits; with `line=true` the picture is one line.
    Slashes, dashes and wide gaps part the numbers of a line, dots and commas do not:
    `join=true` and `split=true` say otherwise.
    Boxes are left, top, right and bottom in pixels of the picture as it stands upright. `turn`
    says by how many degrees, counter-clockwise, it was turned to be read: about 180 for a page
    that was laid on its head.
    """
    state = get_state(request)
    upload = await read_upload(request, state.settings)
    max_pixels = state.settings.max_pixels
    how = {"length": length} if line else {"length": length, "join": join, "split": split}
    result = await state.threads.call(_read_lines, upload, max_pixels, line=line, **how)
    return json_response(result)


def _read_lines(upload: Upload, max_pixels: int, *, line: bool, **how: Any) -> Lines:
    reader = load_reader()
    picture = load_upload(upload, max_pixels)
    # one line, or a page of them -> JSON
    if line:
        lines, rotation = [reader.read_line(picture, **how)], 0.0
    else:
        page = reader.page(picture, **how)
        lines, rotation = [*page.lines], page.turn
    height, width = picture.pixels.shape[:2]
    rows: list[Any] = [item.as_dict() for item in lines]
    return Lines(width, height, round(rotation, 1), rows)
