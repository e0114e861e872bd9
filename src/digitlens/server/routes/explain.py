"""/v1/explain: why a network answers so; one cell of a map; the map of an edited kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from digitlens.errors import UsageError
from digitlens.server.answers import as_json
from digitlens.server.inspect import cell as cell_of
from digitlens.server.inspect import explained
from digitlens.server.probe import edited
from digitlens.server.routes import PICTURE_BODY, TAKES_BODY, problems, state_of
from digitlens.server.routes.predict import JSON
from digitlens.server.schemas import Cell, Explained, KernelEdit, KernelMap
from digitlens.server.state import FIRST
from digitlens.server.uploads import decoded, one_of, pictures_of, ready

if TYPE_CHECKING:
    from digitlens.server.state import LabState


router = APIRouter(prefix="/v1/explain", tags=["look inside"])


@router.post(
    "",
    response_model=Explained,
    responses=problems(404, *TAKES_BODY),
    openapi_extra=PICTURE_BODY,
    summary="Say why a network answers as it does",
)
async def explain(
    request: Request,
    network: str = FIRST,
    frame: bool = True,
    drawing: bool = False,
    filters: bool = False,
) -> Any:
    """Tell the steps of the framing, the pixels, what each layer makes of them, what mattered.

    Steps are pictures (data: addresses), feature maps are numbers. With `filters=true` the
    first layer's kernels come along; they are the same for every picture. `frame` and `drawing`
    as at /v1/predict.
    """
    state = state_of(request)
    upload = one_of(await pictures_of(request, state.settings))

    def work() -> bytes:
        model, taps = state.networks.taps(network)
        seen = ready(upload, state.settings.most_pixels, frame=frame, drawing=drawing)
        return as_json(explained(model, taps, seen, name=network, filters=filters))

    return Response(await state.work(work), media_type=JSON)


@router.post(
    "/cell",
    response_model=Cell,
    responses=problems(404, *TAKES_BODY),
    openapi_extra=PICTURE_BODY,
    summary="One number of a feature map: window, kernel, products, sum",
)
async def cell(
    request: Request,
    layer: Annotated[int, Query(ge=1, le=1000)],
    map_: Annotated[int, Query(alias="map", ge=0, le=100_000)],
    row: Annotated[int, Query(ge=0, le=1000)] = 0,
    column: Annotated[int, Query(ge=0, le=1000)] = 0,
    network: str = FIRST,
    member: Annotated[int, Query(ge=0, le=100)] = 0,
    frame: bool = True,
) -> Any:
    """Tell how one number of a layer comes about.

    `top` and `left` say where the window stands in what the layer takes in; below 0 it reaches
    over the edge, where there is paper. Of a dense layer `map` counts its values.
    """
    state = state_of(request)
    upload = one_of(await pictures_of(request, state.settings))

    def work() -> bytes:
        taps = state.networks.taps(network)[1]
        taps.layer(layer, member)  # said before a picture is looked at
        seen = ready(upload, state.settings.most_pixels, frame=frame)
        tapped = taps.listen(seen.digit, layer, member)
        return as_json(cell_of(tapped, map_, row, column))

    return Response(await state.work(work), media_type=JSON)


@router.post(
    "/kernel",
    response_model=KernelMap,
    responses=problems(404, *TAKES_BODY),
    summary="The map of a kernel that was edited by hand",
)
async def kernel(request: Request, wish: KernelEdit) -> Any:
    """Lay a kernel of your own over what a layer takes in.

    `kernel` is (channels, height, width), as many channels as the layer's own kernels have;
    or, with `channel`, one that is laid over that channel alone. Stride and padding are the
    layer's own where they are not given; with `activation` the sums go through its ReLU or
    tanh.
    """
    state = state_of(request)
    result = await state.work(_edited, state, wish)
    return Response(result, media_type=JSON)


def _edited(state: LabState, wish: KernelEdit) -> bytes:
    taps = state.networks.taps(wish.network)[1]
    layer = taps.layer(wish.layer, wish.member)
    if layer.kind != "convolution":
        raise UsageError(
            "kernels are edited in convolutions", seen=layer.name, try_="another layer"
        )
    upload = decoded(wish.picture, "the picture")
    seen = ready(upload, state.settings.most_pixels, frame=wish.frame)
    tapped = taps.listen(seen.digit, wish.layer, wish.member)
    into = tapped.into
    if wish.channel is not None:
        if wish.channel >= len(into):
            raise UsageError(
                f"{layer.name} takes in {len(into)} channels", seen=f"channel {wish.channel}"
            )
        into = into[wish.channel : wish.channel + 1]
    result = edited(
        into,
        _array(wish.kernel),
        bias=wish.bias,
        stride=layer.stride if wish.stride is None else wish.stride,
        padding=layer.padding if wish.padding is None else wish.padding,
        activation=layer.activation if wish.activation else None,
    )
    return as_json(result)


def _array(kernel: list[list[list[float]]]) -> Any:
    try:
        return np.array(kernel, np.float32)
    except ValueError as error:
        raise UsageError(
            "a kernel's rows must be equally long, in all its channels", seen="they are not"
        ) from error
