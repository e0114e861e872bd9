"""/v1/mail: the pieces of mail that wait for a person."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from digitlens.server.batching import too_late_error
from digitlens.server.mail_room import late_answer
from digitlens.server.mail_schemas import (
    Claim,
    Claimed,
    Corrections,
    Lent,
    Loan,
    MailState,
    Part,
    Routed,
    Settled,
    Settlement,
    SortedPiece,
    TakeBack,
    ZipPlace,
)
from digitlens.server.review_desk import HOW_TO_START, ReviewDesk, no_desk_error
from digitlens.server.routes import State, document, document_file, json_response
from digitlens.server.state import SORTER_SECONDS
from digitlens.server.uploads import read_upload

router = APIRouter(prefix="/v1/mail", tags=["mail"])
route_router = APIRouter(tags=["mail"])

Piece = Annotated[int, Path(ge=1, lt=2**63)]

# What an address that changes the queue may answer as well.
WRITE_PROBLEMS = (400, 408, 409, 413, 422, 507)


async def _provide_desk(state: State) -> ReviewDesk:
    """Return the desk at which mail is reviewed; MissingDataError where there is none."""
    if state.desk is None:
        raise no_desk_error()
    return state.desk


City = Annotated[str | None, Query(max_length=100)]
Region = Annotated[str | None, Query(alias="state", max_length=100)]

Desk = Annotated[ReviewDesk, Depends(_provide_desk)]


@route_router.post(
    "/v1/route", **document("Say where a piece of mail goes", Routed, takes_pictures=True)
)
async def route(
    request: Request,
    state: State,
    city: City = None,
    region: Region = None,
    serial: Annotated[int, Query(ge=0, lt=10**9)] = 0,
    within: Annotated[float | None, Query(gt=0, le=30)] = None,
) -> Any:
    """Read a piece's ZIP and say which tray it goes to; nothing is kept.

    `tray` is null in a lab without a plan. `serial` is the piece's number in its barcode. Where
    the answer takes longer than `within` seconds, which a sorter has, `reason` is "late", and
    the piece belongs to those that a person looks at. Without `within` it is 503 with
    Retry-After, at once, where those that were sent before take more than two seconds.
    """
    upload = await read_upload(request, state.settings)
    work = partial(state.mail.route, upload, city, region, serial)
    try:
        seconds = within or state.settings.answer_seconds
        patience = SORTER_SECONDS if within is None else math.inf
        return json_response(await state.mail_threads.run(seconds, work, patience=patience))
    except TimeoutError as error:
        if within is None:
            raise too_late_error(seconds) from error
        return json_response(late_answer(seconds))


@router.get("", **document("How many pieces wait for a person", MailState, 507))
async def status(
    state: State, person: Annotated[str | None, Query(max_length=60)] = None
) -> Any:
    """Tell how many pieces wait, are lent and were settled, and where all of them lie.

    With `person` also how many they settled. In a lab without trays `open` is false, and
    `how` is what to type.
    """
    desk = state.desk
    folder = None if desk is None else str(desk.folder)
    queue = None if desk is None else await state.review_threads.call(desk.status, person)
    return json_response(MailState(desk is not None, folder, queue, list(HOW_TO_START)))


@router.post(
    "/pieces",
    **document("Sort a piece that a scanner sends", SortedPiece, 409, 507, takes_pictures=True),
    dependencies=[Depends(_provide_desk)],
)
async def take(
    request: Request,
    state: State,
    id_: Annotated[str, Query(alias="id", min_length=1, max_length=100)],
    city: City = None,
    region: Region = None,
) -> Any:
    """Keep a piece under the name `id`, read it, and put it into its tray or the queue.

    Sent again with the same name it is the same piece, and the answer is how it stands; so a
    scanner that had no answer sends it again. Another picture of that name is 409. What
    cannot be read waits for a person.
    """
    upload = await read_upload(request, state.settings)
    taken = await state.mail_threads.call(state.mail.take, id_, upload, city, region)
    return json_response(taken)


@router.post("/claim", **document("Take the next piece", Claimed, *WRITE_PROBLEMS))
async def claim(request: Request, state: State, desk: Desk, claimant: Claim) -> Any:
    """Lend a piece to a person for five minutes: nobody else gets it meanwhile.

    `token` is that of the last loan, or empty: a piece that is still lent with it is the one
    that comes, with a new token. Pieces behind number `after` come first. `task` is null
    where nothing waits, or others have all that does. With `wait` the answer comes when there
    is a piece, or after so many seconds.
    """
    who = (claimant.person, claimant.token, claimant.after)
    end = time.monotonic() + claimant.wait
    while True:
        claimed = await state.review_threads.call(desk.claim, *who)
        left = end - time.monotonic()
        if claimed.task is not None or left <= 0 or state.closing.is_set():
            return json_response(claimed)
        await desk.arrivals.wait(left)
        # Nothing is lent to somebody who has gone.
        if await request.is_disconnected():
            return json_response(claimed)


@router.get("/zips/{zip}", **document("Where a ZIP is", ZipPlace))
async def place(
    desk: Desk, five: Annotated[str, Path(alias="zip", pattern="^[0-9]{5}$")]
) -> Any:
    """Tell the town of a ZIP and its tray; `listed` is false where there is no such ZIP."""
    return json_response(desk.look_up(five))


@router.get(
    "/pieces/{piece}/picture",
    **document_file(
        "The picture of a piece that is lent, as JPEG",
        "The picture as JPEG.",
        "image/jpeg",
        *(404, 409, 413, 422, 507),
    ),
)
async def picture(
    state: State,
    desk: Desk,
    piece: Piece,
    token: Annotated[str, Query(pattern="^[0-9a-f]{16}$")],
    part: Part = "whole",
) -> Any:
    """Return a piece's picture, upright and at most 1,600 pixels long; or its line, close."""
    content = await state.review_threads.call(desk.picture, piece, token, close=part == "line")
    return Response(content, media_type="image/jpeg")


@router.post(
    "/pieces/{piece}/settle",
    **document("Say what stands on a piece, and send it on", Settled, *WRITE_PROBLEMS),
)
async def settle(state: State, desk: Desk, piece: Piece, settlement: Settlement) -> Any:
    """Send a piece to the tray of its ZIP, and keep what was said as a correction.

    `zip` is null where a person cannot read it either. A ZIP that the directory does not have
    is 400, unless `unlisted` is true.
    """
    settled = await state.review_threads.call(
        desk.settle, piece, settlement.token, settlement.zip, unlisted=settlement.unlisted
    )
    return json_response(settled)


@router.post(
    "/pieces/{piece}/take-back", **document("Take an answer back", Claimed, *WRITE_PROBLEMS)
)
async def take_back(state: State, desk: Desk, piece: Piece, taker: TakeBack) -> Any:
    """Take back what a person said of a piece last, and lend it to them again.

    What they have with `token` is given back. 409 where they said nothing of it.
    """
    return json_response(
        await state.review_threads.call(desk.take_back, piece, taker.person, taker.token)
    )


@router.post(
    "/pieces/{piece}/renew", **document("Keep a piece for longer", Lent, *WRITE_PROBLEMS)
)
async def renew(state: State, desk: Desk, piece: Piece, loan: Loan) -> Any:
    """Lend a piece for five more minutes from now on; 409 when another person has it."""
    return json_response(await state.review_threads.call(desk.renew, piece, loan.token))


@router.post("/pieces/{piece}/release", **document("Give a piece back", Lent, *WRITE_PROBLEMS))
async def release(state: State, desk: Desk, piece: Piece, loan: Loan) -> Any:
    """Give a piece back unsettled: the next person gets it."""
    return json_response(await state.review_threads.call(desk.release, piece, loan.token))


@router.get("/corrections", **document("What people said, to learn from", Corrections, 507))
async def corrections(
    state: State,
    desk: Desk,
    first: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Any:
    """List what people said of pieces, oldest first, beside what the program had thought."""
    return json_response(await state.review_threads.call(desk.corrections, first, count))
