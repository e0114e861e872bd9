"""/v1/own: drawn and corrected digits, kept on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from digitlens.imaging.crop import crop_with_margin
from digitlens.server.answers import PreparedDigit, as_json
from digitlens.server.routes import problems, state_of
from digitlens.server.routes.predict import JSON
from digitlens.server.schemas import OwnDigit, OwnDigits, OwnList, OwnSaved
from digitlens.server.uploads import decoded, opened, ready

if TYPE_CHECKING:
    from digitlens.server.state import LabState


router = APIRouter(prefix="/v1/own", tags=["own digits"])


@router.get(
    "",
    response_model=OwnList,
    responses=problems(503),
    summary="List the digits that were kept",
)
async def listed(request: Request) -> Any:
    """List the digits that were kept, by label, and say how to learn from them."""
    state = state_of(request)
    return Response(as_json(await state.work(state.own.as_dict)), media_type=JSON)


@router.post(
    "",
    status_code=201,
    response_model=OwnSaved,
    responses=problems(400, 404, 408, 413, 415, 422, 507),
    summary="Keep digits, each with its label",
)
async def save(request: Request, wish: OwnDigits) -> Any:
    """Keep digits in the lab's folder: all of them, or none when one cannot be used.

    With `box` (left, top, right, bottom in pixels) the digit is cut out of its picture first,
    with some paper around it: so a line that was read is corrected digit by digit.
    """
    state = state_of(request)
    return Response(await state.work(_saved, state, wish), status_code=201, media_type=JSON)


def _saved(state: LabState, wish: OwnDigits) -> bytes:
    most = state.settings.most_pixels
    digits = [
        _digit(item, most, frame=wish.frame, name=f"digit {index}").digit
        for index, item in enumerate(wish.digits, 1)
    ]
    state.own.check_room(len(digits))
    saved = [
        {"label": item.label, "name": state.own.save(digit, item.label)}
        for item, digit in zip(wish.digits, digits, strict=True)
    ]
    return as_json(state.own.as_dict() | {"saved": saved})


def _digit(wish: OwnDigit, most: int, *, frame: bool, name: str) -> PreparedDigit:
    upload = decoded(wish.picture, name)
    if wish.box is None:
        return ready(upload, most, frame=frame, name=name)
    pixels = opened(upload, most, name).pixels
    cut = crop_with_margin(pixels, wish.box, name=name)
    return ready(cut, most, frame=True, name=name)


@router.get(
    "/{label}/{name}",
    response_class=Response,
    responses=problems(404)
    | {200: {"description": "The digit as PNG.", "content": {"image/png": {}}}},
    summary="A digit that was kept, as PNG",
)
async def picture(request: Request, label: int, name: str) -> Any:
    """Return a kept digit: 28 x 28, 0 = paper, 255 = ink."""
    state = state_of(request)
    content = await state.work(state.own.picture, label, name)
    return Response(content, media_type="image/png")


@router.delete(
    "/{label}/{name}",
    response_model=OwnList,
    responses=problems(404, 507),
    summary="Remove a digit that was kept",
)
async def delete(request: Request, label: int, name: str) -> Any:
    """Remove a kept digit and list what is left."""
    state = state_of(request)

    def work() -> bytes:
        state.own.delete(label, name)
        return as_json(state.own.as_dict())

    return Response(await state.work(work), media_type=JSON)
