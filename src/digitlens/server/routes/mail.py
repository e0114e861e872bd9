"""/v1/mail: the pieces of mail that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from digitlens.server.answers import as_json
from digitlens.server.review_desk import HOW, no_desk
from digitlens.server.routes import problems, state_of
from digitlens.server.routes.predict import JSON
from digitlens.server.schemas import (
    Claim,
    Claimed,
    Corrections,
    Lent,
    Loan,
    MailState,
    Part,
    Settled,
    Settlement,
    TakeBack,
    ZipPlace,
)

if TYPE_CHECKING:
    from digitlens.server.review_desk import ReviewDesk


router = APIRouter(prefix="/v1/mail", tags=["mail"])

Piece = Annotated[int, Path(ge=1, lt=2**63)]

WRITES = (400, 408, 409, 413, 422, 507)
"""What an address that changes the queue may answer besides."""


def desk_of(request: Request) -> ReviewDesk:
    """Return the desk at which mail is reviewed.

    Raises
    ------
    MissingDataError
        The lab was started without trays.
    """
    desk = state_of(request).desk
    if desk is None:
        raise no_desk()
    return desk


async def _done(request: Request, act: Any, *given: Any, **named: Any) -> Response:
    """Do `act` in another thread and return what it tells, as JSON."""
    result = await state_of(request).work(act, *given, **named)
    return Response(as_json(result), media_type=JSON)


@router.get(
    "",
    response_model=MailState,
    responses=problems(507),
    summary="How many pieces wait for a person",
)
async def status(
    request: Request, person: Annotated[str | None, Query(max_length=60)] = None
) -> Any:
    """Tell how many pieces wait, are lent and were settled, and where all of them lie.

    With `person` also how many they settled. In a lab without trays `open` is false, and
    `how` is what to type.
    """
    state = state_of(request)
    desk = state.desk
    told: dict[str, Any] = {"open": False, "folder": None, "queue": None, "how": list(HOW)}
    if desk is not None:
        queue = await state.work(desk.standing, person)
        told |= {"open": True, "folder": str(desk.folder), "queue": queue}
    return Response(as_json(told), media_type=JSON)


@router.post(
    "/claim",
    response_model=Claimed,
    responses=problems(*WRITES),
    summary="Take the next piece",
)
async def claim(request: Request, wish: Claim) -> Any:
    """Lend a piece to a person for five minutes: nobody else gets it meanwhile.

    `token` is that of the last loan, or empty: a piece that is still lent with it is the one
    that comes, with a new token. Pieces behind number `after` come first. `task` is null
    where nothing waits, or others have all that does.
    """
    desk = desk_of(request)
    return await _done(request, desk.claim, wish.person, wish.token, wish.after)


@router.get(
    "/zips/{zip}",
    response_model=ZipPlace,
    responses=problems(422),
    summary="Where a ZIP is",
)
async def place(
    request: Request, five: Annotated[str, Path(alias="zip", pattern="^[0-9]{5}$")]
) -> Any:
    """Tell the town of a ZIP and its tray; `listed` is false where there is no such ZIP."""
    return Response(as_json(desk_of(request).place(five)), media_type=JSON)


@router.get(
    "/pieces/{piece}/picture",
    response_class=Response,
    responses=problems(404, 409, 413, 422, 507)
    | {200: {"description": "The picture as JPEG.", "content": {"image/jpeg": {}}}},
    summary="The picture of a piece that is lent, as JPEG",
)
async def picture(
    request: Request,
    piece: Piece,
    token: Annotated[str, Query(pattern="^[0-9a-f]{16}$")],
    part: Part = "whole",
) -> Any:
    """Return a piece's picture, upright and at most 1,600 pixels long; or its line, close."""
    state, desk = state_of(request), desk_of(request)
    content = await state.work(desk.picture, piece, token, close=part == "line")
    return Response(content, media_type="image/jpeg")


@router.post(
    "/pieces/{piece}/settle",
    response_model=Settled,
    responses=problems(*WRITES),
    summary="Say what stands on a piece, and send it on",
)
async def settle(request: Request, piece: Piece, wish: Settlement) -> Any:
    """Send a piece to the tray of its ZIP, and keep what was said as a correction.

    `zip` is null where a person cannot read it either. A ZIP that the directory does not have
    is 400, unless `unlisted` is true.
    """
    desk = desk_of(request)

    def act() -> dict[str, Any]:
        done = desk.settle(piece, wish.token, wish.zip, unlisted=wish.unlisted)
        return done | {"queue": desk.standing()}

    return await _done(request, act)


@router.post(
    "/pieces/{piece}/take-back",
    response_model=Claimed,
    responses=problems(*WRITES),
    summary="Take an answer back",
)
async def take_back(request: Request, piece: Piece, wish: TakeBack) -> Any:
    """Take back what a person said of a piece last, and lend it to them again.

    What they have with `token` is given back. 409 where they said nothing of it.
    """
    desk = desk_of(request)
    return await _done(request, desk.take_back, piece, wish.person, wish.token)


@router.post(
    "/pieces/{piece}/renew",
    response_model=Lent,
    responses=problems(*WRITES),
    summary="Keep a piece for longer",
)
async def renew(request: Request, piece: Piece, wish: Loan) -> Any:
    """Lend a piece for five more minutes from now on; 409 when another person has it."""
    return await _done(request, desk_of(request).renew, piece, wish.token)


@router.post(
    "/pieces/{piece}/release",
    response_model=Lent,
    responses=problems(*WRITES),
    summary="Give a piece back",
)
async def release(request: Request, piece: Piece, wish: Loan) -> Any:
    """Give a piece back unsettled: the next person gets it."""
    return await _done(request, desk_of(request).release, piece, wish.token)


@router.get(
    "/corrections",
    response_model=Corrections,
    responses=problems(422, 507),
    summary="What people said, to learn from",
)
async def corrections(
    request: Request,
    first: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Any:
    """List what people said of pieces, oldest first, beside what the program had thought."""
    return await _done(request, desk_of(request).corrections, first, count)
