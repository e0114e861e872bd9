"""/v1/train: begin, follow and stop one training run; /v1/runs: how earlier ones went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from digitlens.models.inference import published_names
from digitlens.server.networks import delete_run, describe_run, list_runs, rename_run
from digitlens.server.routes import (
    State,
    document,
    document_problems,
    encode_json,
    json_response,
)
from digitlens.server.schemas import (
    RunDetails,
    RunList,
    RunName,
    TrainBegun,
    TrainState,
    TrainWish,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from digitlens.server.state import LabState


router = APIRouter(prefix="/v1", tags=["train"])


@router.get("/train", **document("How training stands", TrainState))
async def status(state: State) -> Any:
    """Tell the newest run of this lab and its events, of its steps only the last."""
    return json_response(state.training.describe())


@router.post(
    "/train",
    status_code=202,
    **document("Begin to train a network", TrainBegun, 400, 404, 408, 409, 413, 415, 501, 507),
)
async def begin(state: State, order: TrainWish) -> Any:
    """Begin to train, in a process of its own; one run at a time.

    `data` is mnist, uci, fashion or own (the digits that were saved here); `share` of its
    training digits are used; `from` names a network of the same kind to go on from, `resume` a
    run that was stopped: of all else nothing counts then. `layers` and `activation` (of network
    custom), `learning_rate`, `batch`, `dropout`, `optimizer`, `augment` and `recipe` are
    those of ``digitlens train``.
    """
    start = order.start
    start_path = None if start is None else await state.threads.call(_find_start, state, start)
    run = await state.training.begin(order, start_path)
    where = f"/v1/train/{run}"
    return json_response(TrainBegun(run, f"{where}/events", where), 202)


def _find_start(state: LabState, name: str) -> str:
    """Return what `digitlens.train` calls the network `name`: its own name, or its folder."""
    # A published network is known by its name, a run by its folder.
    path = state.networks.get(name).path
    return name if name in published_names() else str(path.parent)


@router.delete(
    "/train/{run}",
    status_code=202,
    **document("Stop the run under way; what was trained is saved", TrainState, 404),
)
async def stop(state: State, run: str) -> Any:
    """Ask the run to save and end, as Ctrl-C does; its events tell when it has."""
    training = state.training
    await training.stop(run)
    return json_response(training.describe(), 202)


@router.get(
    "/train/{run}/events",
    response_class=StreamingResponse,
    responses=document_problems(404)
    | {
        200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}},
        204: {"description": "The run has ended, and all of it was told."},
    },
    summary="Follow a run as server-sent events",
)
async def events(
    state: State,
    run: str,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Any:
    """Tell the events of the newest run, those from before first; it ends with the run.

    Each has an id, its kind (start, step, epoch, end, stopped, failed) and data as JSON. Who
    comes again with Last-Event-ID (browsers do) hears only what is new.
    """
    training = state.training
    training.check_newest(run)
    # Browsers send the header when they reconnect; `after` is for other programs.
    if last_event_id is not None and last_event_id.isdecimal():
        after = int(last_event_id[:9])
    if training.is_over(after):
        return Response(status_code=204)  # a browser then stops asking
    stream = _stream_events(state, run, after)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _stream_events(state: LabState, run: str, after: int) -> AsyncIterator[bytes]:
    # Milliseconds after which a browser reconnects.
    yield b"retry: 1000\n\n"
    async for item in state.training.subscribe(run, after):
        if item is None:
            yield b": nothing new\n\n"  # a dead connection is noticed by that
        else:
            number, event = item
            head = f"id: {number}\nevent: {event['event']}\n".encode()
            yield head + b"data: " + encode_json(event) + b"\n\n"


@router.get("/runs", **document("List the run folders, the newest first", RunList))
async def runs(state: State) -> Any:
    """List the lab's run folders, finished or not."""
    return json_response(RunList(await state.threads.call(list_runs, state.settings.runs)))


@router.get(
    "/runs/{name}",
    **document("One run: its recipe, its history, the same in words", RunDetails, 404, 409),
)
async def run(state: State, name: str) -> Any:
    """Tell how a network was trained: history by epoch, and what it means in words."""
    return json_response(await state.threads.call(describe_run, state.settings.runs, name))


@router.post(
    "/runs/{name}",
    **document("Call a run something else", RunDetails, 400, 404, 408, 409, 413, 415, 507),
)
async def rename(state: State, name: str, wanted: RunName) -> Any:
    """Rename a run's folder; the network is then known by the new name."""

    def work() -> RunDetails:
        rename_run(state.settings.runs, name, wanted.name)
        state.mistakes.move_openings(name, wanted.name)
        return describe_run(state.settings.runs, wanted.name)

    state.training.check_idle(name)
    return json_response(await state.threads.call(work))


@router.delete("/runs/{name}", **document("Remove a run", RunList, 404, 409, 507))
async def delete(state: State, name: str) -> Any:
    """Remove a run's folder, its network with it, and list what is left."""

    def work() -> RunList:
        delete_run(state.settings.runs, name)
        state.mistakes.move_openings(name, None)
        return RunList(list_runs(state.settings.runs))

    state.training.check_idle(name)
    return json_response(await state.threads.call(work))
