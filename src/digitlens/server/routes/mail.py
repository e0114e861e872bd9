"""/v1/mail: the pieces of mail that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from digitlens.server.answers import json_response
from digitlens.server.review_desk import HOW_TO_START, no_desk_error
from digitlens.server.routes import document, document_problems, get_state
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

# What an address that changes the queue may answer as well.
WRITE_PROBLEMS = (400, 408, 409, 413, 422, 507)


def _get_desk(request: Request) -> ReviewDesk:
    """Return the desk at which mail is reviewed; MissingDataError where there is none."""
    desk = get_state(request).desk
    if desk is None:
        raise no_desk_error()
    return desk


# The desk waits for the disk and for SQLite, so no method of it runs in the event loop.
async def _answer(request: Request, function: Any, *args: Any, **options: Any) -> Response:
    """Call a method of the desk in another thread and return its result as JSON."""
    return json_response(await get_state(request).run(function, *args, **options))


@router.get(
    "",
    **document("How many pieces wait for a person", MailState, 507),
)
async def status(
    request: Request, person: Annotated[str | None, Query(max_length=60)] = None
) -> Any:
    """Tell how many pieces wait, are lent and were settled, and where all of them lie.

    With `person` also how many they settled. In a lab without trays `open` is false, and
    `how` is what to type.
    """
    state = get_state(request)
    desk = state.desk
    result: MailState = {
        "open": desk is not None,
        "folder": None if desk is None else str(desk.folder),
        "queue": None if desk is None else await state.run(desk.status, person),
        "how": list(HOW_TO_START),
    }
    return json_response(result)


@router.post(
    "/claim",
    **document("Take the next piece", Claimed, *WRITE_PROBLEMS),
)
async def claim(request: Request, claimant: Claim) -> Any:
    """Lend a piece to a person for five minutes: nobody else gets it meanwhile.

    `token` is that of the last loan, or empty: a piece that is still lent with it is the one
    that comes, with a new token. Pieces behind number `after` come first. `task` is null
    where nothing waits, or others have all that does.
    """
    desk = _get_desk(request)
    return await _answer(request, desk.claim, claimant.person, claimant.token, claimant.after)


@router.get(
    "/zips/{zip}",
    **document("Where a ZIP is", ZipPlace),
)
async def place(
    request: Request, five: Annotated[str, Path(alias="zip", pattern="^[0-9]{5}$")]
) -> Any:
    """Tell the town of a ZIP and its tray; `listed` is false where there is no such ZIP."""
    return json_response(_get_desk(request).look_up(five))


@router.get(
    "/pieces/{piece}/picture",
    response_class=Response,
    responses=document_problems(404, 409, 413, 422, 507)
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
    state, desk = get_state(request), _get_desk(request)
    content = await state.run(desk.picture, piece, token, close=part == "line")
    return Response(content, media_type="image/jpeg")


@router.post(
    "/pieces/{piece}/settle",
    **document("Say what stands on a piece, and send it on", Settled, *WRITE_PROBLEMS),
)
async def settle(request: Request, piece: Piece, settlement: Settlement) -> Any:
    """Send a piece to the tray of its ZIP, and keep what was said as a correction.

    `zip` is null where a person cannot read it either. A ZIP that the directory does not have
    is 400, unless `unlisted` is true.
    """
    desk = _get_desk(request)
    return await _answer(
        request,
        desk.settle,
        piece,
        settlement.token,
        settlement.zip,
        unlisted=settlement.unlisted,
    )


@router.post(
    "/pieces/{piece}/take-back",
    **document("Take an answer back", Claimed, *WRITE_PROBLEMS),
)
async def take_back(request: Request, piece: Piece, taker: TakeBack) -> Any:
    """Take back what a person said of a piece last, and lend it to them again.

    What they have with `token` is given back. 409 where they said nothing of it.
    """
    desk = _get_desk(request)
    return await _answer(request, desk.take_back, piece, taker.person, taker.token)


@router.post(
    "/pieces/{piece}/renew",
    **document("Keep a piece for longer", Lent, *WRITE_PROBLEMS),
)
async def renew(request: Request, piece: Piece, loan: Loan) -> Any:
    """Lend a piece for five more minutes from now on; 409 when another person has it."""
    return await _answer(request, _get_desk(request).renew, piece, loan.token)


@router.post(
    "/pieces/{piece}/release",
    **document("Give a piece back", Lent, *WRITE_PROBLEMS),
)
async def release(request: Request, piece: Piece, loan: Loan) -> Any:
    """Give a piece back unsettled: the next person gets it."""
    return await _answer(request, _get_desk(request).release, piece, loan.token)


@router.get(
    "/corrections",
    **document("What people said, to learn from", Corrections, 507),
)
async def corrections(
    request: Request,
    first: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Any:
    """List what people said of pieces, oldest first, beside what the program had thought."""
    return await _answer(request, _get_desk(request).corrections, first, count)
