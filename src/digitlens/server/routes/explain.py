"""/v1/explain: why a network answers so; /v1/networks: its card, layers and kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from digitlens.errors import UsageError
from digitlens.models.registry import CUSTOM, DEFAULT_NETWORK, NETWORKS
from digitlens.server.http_errors import UnknownError
from digitlens.server.inspect import (
    apply_kernel,
    describe_cell,
    describe_kernels,
    describe_layers,
    explain_prediction,
)
from digitlens.server.line_reader import can_read_lines
from digitlens.server.networks import list_sources
from digitlens.server.routes import (
    PICTURE_PROBLEMS,
    State,
    document,
    document_file,
    encode_json,
    json_response,
)
from digitlens.server.schema_parts import Trainable
from digitlens.server.schemas import (
    Cell,
    Explained,
    KernelEdit,
    KernelMap,
    Kernels,
    Nearest,
    NetworkDetails,
    NetworkList,
)
from digitlens.server.uploads import decode_picture, prepare_digit, read_upload

if TYPE_CHECKING:
    from digitlens.server.state import LabState


router = APIRouter(prefix="/v1/explain", tags=["look inside"])
networks_router = APIRouter(prefix="/v1/networks", tags=["networks"])


@router.post(
    "", **document("Say why a network answers as it does", Explained, 404, takes_pictures=True)
)
async def explain(
    request: Request,
    state: State,
    network: str = DEFAULT_NETWORK,
    frame: bool = True,
    drawing: bool = False,
    filters: bool = False,
    gradients: bool = False,
    layers_only: bool = False,
    shades: bool = False,
) -> Any:
    """Tell the steps of the framing, the pixels, what each layer makes of them, what mattered.

    Steps are pictures (data: addresses), feature maps are numbers. With `filters=true` the
    first layer's kernels come along; they are the same for every picture. With `gradients=true`
    so do integrated gradients, which need torch: the first answer takes as long as it loads.
    With `layers_only=true` there are only the digit, its pixels and its layers, and `links`:
    for each layer what added most to the answer, [input, output, amount]; with `shades=true`
    too, maps come as bytes in base64 (`shades`, 255 or 127 being `most`), and `picture`, what
    /v1/predict tells with `pixels=true`, instead of the pixels.
    `frame` and `drawing` as at /v1/predict.
    """
    upload = await read_upload(request, state.settings)

    def work() -> bytes:
        model, probe = state.networks.get_probe(network)
        digit = prepare_digit(upload, state.settings.max_pixels, frame=frame, drawing=drawing)
        if layers_only:
            layers = describe_layers(model, probe, digit, name=network, shades=shades)
            return encode_json(layers)
        # Also made into JSON in this thread: it is many numbers.
        return encode_json(
            explain_prediction(
                model, probe, digit, name=network, filters=filters, gradients=gradients
            )
        )

    return json_response(await state.threads.call(work))


@router.post(
    "/cell",
    **document(
        "One number of a feature map: window, kernel, products, sum",
        Cell,
        404,
        takes_pictures=True,
    ),
)
async def cell(
    request: Request,
    state: State,
    layer: Annotated[int, Query(ge=1, le=1000)],
    map_: Annotated[int, Query(alias="map", ge=0, le=100_000)],
    row: Annotated[int, Query(ge=0, le=1000)] = 0,
    column: Annotated[int, Query(ge=0, le=1000)] = 0,
    network: str = DEFAULT_NETWORK,
    member: Annotated[int, Query(ge=0, le=100)] = 0,
    frame: bool = True,
) -> Any:
    """Tell how one number of a layer comes about.

    `top` and `left` say where the window stands in what the layer takes in; below 0 it reaches
    over the edge, where there is paper. Of a dense layer `map` counts its values.
    """
    upload = await read_upload(request, state.settings)

    def work() -> bytes:
        _, probe = state.networks.get_probe(network)
        probe.get_layer(layer, member)  # a wrong layer is reported before a bad picture
        prepared = prepare_digit(upload, state.settings.max_pixels, frame=frame)
        trace = probe.trace(prepared.digit, layer, member)
        return encode_json(describe_cell(trace, map_, row, column))

    return json_response(await state.threads.call(work))


@router.post(
    "/kernel",
    **document(
        "The map of a kernel that was edited by hand", KernelMap, 404, *PICTURE_PROBLEMS
    ),
)
async def kernel(state: State, edit: KernelEdit) -> Any:
    """Lay a kernel of your own over what a layer takes in.

    `kernel` is (channels, height, width), as many channels as the layer's own kernels have;
    or, with `channel`, one that is laid over that channel alone. Stride and padding are the
    layer's own where they are not given; with `activation` the sums go through its ReLU or
    tanh.
    """
    return json_response(await state.threads.call(_apply_edit, state, edit))


def _apply_edit(state: LabState, edit: KernelEdit) -> bytes:
    _, probe = state.networks.get_probe(edit.network)
    # check the layer -> trace it on the digit -> apply the edited kernel to its input
    layer = probe.get_layer(edit.layer, edit.member)
    if layer.kind != "convolution":
        raise UsageError(
            "kernels are edited in convolutions", seen=layer.name, try_="another layer"
        )
    upload = decode_picture(edit.picture, "the picture")
    prepared = prepare_digit(upload, state.settings.max_pixels, frame=edit.frame)
    trace = probe.trace(prepared.digit, edit.layer, edit.member)
    inputs = trace.inputs
    if edit.channel is not None:
        if edit.channel >= len(inputs):
            raise UsageError(
                f"{layer.name} takes in {len(inputs)} channels", seen=f"channel {edit.channel}"
            )
        inputs = inputs[edit.channel : edit.channel + 1]
    try:
        weights = np.array(edit.kernel, np.float32)
    except ValueError as error:
        raise UsageError(
            "a kernel's rows must be equally long, in all its channels", seen="they are not"
        ) from error
    result = apply_kernel(
        inputs,
        weights,
        layer.activation if edit.activation else None,
        bias=edit.bias,
        stride=layer.stride if edit.stride is None else edit.stride,
        padding=layer.padding if edit.padding is None else edit.padding,
    )
    return encode_json(result)


@router.post(
    "/nearest",
    **document("The nearest digit of another class", Nearest, 404, takes_pictures=True),
)
async def nearest(
    request: Request,
    state: State,
    label: Annotated[int, Query(ge=0, le=9)],
    frame: bool = True,
    drawing: bool = False,
) -> Any:
    """Tell which training digit that is no `label` has the nearest pixels.

    It is looked for in MNIST where that is on this machine, else in UCI's digits; `distance`
    is the root of the mean square of the differences, pixels being 0..1.
    """
    upload = await read_upload(request, state.settings)

    def work() -> Nearest:
        max_pixels = state.settings.max_pixels
        prepared = prepare_digit(upload, max_pixels, frame=frame, drawing=drawing)
        return state.mistakes.nearest(prepared.digit, label)

    return json_response(await state.slow_threads.call(work))


@networks_router.get(
    "",
    **document(
        "List the networks that can be asked, and those that can be trained", NetworkList
    ),
)
async def networks(state: State) -> Any:
    """List the published networks, then the lab's finished runs, the newest first.

    `reader` says whether /v1/read can read lines here, `data` which digits are on this machine.
    """

    def work() -> NetworkList:
        trainable = [
            Trainable(name=item.name, about=item.about) for item in (*NETWORKS.values(), CUSTOM)
        ]
        # The page asks this first: the reader is then loaded before the first picture.
        reader = can_read_lines()
        data = list_sources(state.settings.user_digits)
        return NetworkList(state.networks.list_all(), trainable, reader, data)

    return json_response(await state.threads.call(work))


@networks_router.get(
    "/{name}",
    **document(
        "One network: its card, and its layers without their weights", NetworkDetails, 404
    ),
)
async def network(
    state: State, name: str, member: Annotated[int, Query(ge=0, le=100)] = 0
) -> Any:
    """Tell a network's card and the layers, in order, of one of the networks in its file."""
    return json_response(await state.threads.call(state.networks.describe, name, member))


@networks_router.get(
    "/{name}/file",
    **document_file(
        "A network's file, its card inside", "The .onnx file.", "application/octet-stream", 404
    ),
)
async def file(state: State, name: str) -> Any:
    """Return the network as the .onnx file that `load_model` and any engine of ONNX read."""
    _, probe = await state.threads.call(state.networks.get_probe, name)
    named = {"content-disposition": f'attachment; filename="{name}.onnx"'}
    return Response(probe.content, media_type="application/octet-stream", headers=named)


@networks_router.get(
    "/{name}/layers/{layer}", **document("A layer's kernels as numbers", Kernels, 404)
)
async def layer_kernels(
    state: State,
    name: str,
    layer: int,
    member: Annotated[int, Query(ge=0, le=100)] = 0,
    kernel: Annotated[int | None, Query(ge=0, le=100_000)] = None,
) -> Any:
    """Tell a layer's kernels, or one of them; of a large layer the first ones only."""

    def work() -> Kernels:
        inspected = state.networks.get_probe(name)[1].get_layer(layer, member)
        count = 0 if inspected.weight is None else len(inspected.weight)
        if kernel is not None and kernel >= count:
            raise UnknownError(
                f"{inspected.name} has no kernel {kernel}", seen=f"{count} kernels"
            )
        return describe_kernels(inspected, kernel)

    return json_response(await state.threads.call(work))
