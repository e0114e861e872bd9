"""/v1/predict: which digit each picture shows, by one network or several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from digitlens.errors import UsageError
from digitlens.server.answers import as_json
from digitlens.server.routes import PICTURE_BODY, TAKES_BODY, problems, state_of
from digitlens.server.schemas import Predicted
from digitlens.server.state import FIRST
from digitlens.server.uploads import pictures_of

if TYPE_CHECKING:
    from digitlens.models.inference import Model
    from digitlens.server.state import LabState


router = APIRouter(tags=["answer"])

SIDE_BY_SIDE = 8
"""Networks that one request may ask."""

JSON = "application/json"


@router.post(
    "/v1/predict",
    response_model=Predicted,
    responses=problems(404, *TAKES_BODY),
    openapi_extra=PICTURE_BODY,
    summary="Say which digit each picture shows",
)
async def predict(
    request: Request,
    network: Annotated[list[str] | None, Query(max_length=SIDE_BY_SIDE)] = None,
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
    state = state_of(request)
    uploads = await pictures_of(request, state.settings)
    networks = await loaded(state, network or [FIRST])
    result = await state.batcher.answer(
        uploads, networks, frame=frame, drawing=drawing, pixels=pixels
    )
    return Response(as_json({"pictures": result}), media_type=JSON)


async def loaded(state: LabState, names: list[str]) -> dict[str, Model]:
    """Return the networks of these names.

    Raises
    ------
    UsageError
        More than `SIDE_BY_SIDE`.
    UnknownError
        One is not there.
    """
    if len(names) > SIDE_BY_SIDE:
        raise UsageError(f"at most {SIDE_BY_SIDE} networks are asked", seen=f"{len(names)}")
    result = {}
    for name in names:
        model = state.networks.ready(name)
        if model is None:
            model = await state.work(state.networks.get, name)
        result[name] = model
    return result
