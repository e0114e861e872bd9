"""/v1/mistakes: a network's confusion matrix on a set of digits, and the pictures behind it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from digitlens.server.answers import as_json
from digitlens.server.mistakes import cell, summary
from digitlens.server.routes import problems, state_of
from digitlens.server.routes.predict import JSON
from digitlens.server.schemas import CellPictures, Measured
from digitlens.server.state import FIRST

router = APIRouter(prefix="/v1/mistakes", tags=["mistakes"])

Digit = Annotated[int, Query(ge=0, le=9)]
MOST = 200
"""Pictures in one answer."""


@router.get(
    "",
    response_model=Measured,
    responses=problems(400, 404, 422, 503),
    summary="Measure a network on a set of digits",
)
async def measured(
    request: Request, network: str = FIRST, data: str = "mnist", part: str = "test"
) -> Any:
    """Tell the misses and the confusion matrix: row = truth, column = answer.

    `data` is mnist, uci, fashion or own; `part` is test, validation or train (of own digits
    all are measured).
    """
    state = state_of(request)
    result = await state.measure(lambda: state.mistakes.measured(network, data, part))
    return Response(as_json(summary(result)), media_type=JSON)


@router.get(
    "/cell",
    response_model=CellPictures,
    responses=problems(400, 404, 422, 503),
    summary="The pictures of one cell of the confusion matrix",
)
async def pictures(
    request: Request,
    truth: Digit,
    answer: Digit,
    network: str = FIRST,
    data: str = "mnist",
    part: str = "test",
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    count: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Any:
    """Tell the pictures that show `truth` and were read as `answer`, the surest first."""
    state = state_of(request)

    def work() -> bytes:
        result = state.mistakes.measured(network, data, part)
        return as_json(cell(result, truth, answer, first=first, count=count))

    return Response(await state.measure(work), media_type=JSON)
