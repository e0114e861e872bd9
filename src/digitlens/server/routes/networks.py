"""/v1/networks: who can be asked, what it is made of, and its kernels."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from digitlens.errors import DigitlensError
from digitlens.models.inference import published_names
from digitlens.models.registry import NETWORKS
from digitlens.server.answers import as_json
from digitlens.server.http_errors import UnknownError
from digitlens.server.inspect import kernels, layer_words
from digitlens.server.networks import sources
from digitlens.server.routes import problems, state_of
from digitlens.server.routes.predict import JSON
from digitlens.server.routes.read import reads_lines
from digitlens.server.schemas import Kernels, NetworkDetails, NetworkList

if TYPE_CHECKING:
    from digitlens.server.networks import NetworkStore


router = APIRouter(tags=["networks"])


@router.get(
    "/v1/networks",
    response_model=NetworkList,
    responses=problems(503),
    summary="List the networks that can be asked, and those that can be trained",
)
async def networks(request: Request) -> Any:
    """List the published networks, then the lab's finished runs, the newest first.

    `reader` says whether /v1/read can read lines here, `data` which digits are on this machine.
    """
    state = state_of(request)
    result = await state.work(listed, state.networks)
    result["data"] = await state.work(sources, state.settings.own)
    return Response(as_json(result), media_type=JSON)


def listed(networks: NetworkStore) -> dict[str, Any]:
    """Return all networks in a few words each; a damaged run is passed over.

    The reader of lines is loaded on the way, so that the first picture does not wait for it.
    """
    rows = []
    for name in networks.names():
        try:
            card, tells = networks.card(name)
        except DigitlensError:
            continue
        rows.append(
            {
                "name": name,
                "kind": "published" if name in published_names() else "run",
                "network": card.network,
                "weights": card.weights,
                "multiply_adds": card.multiply_adds,
                "members": card.members,
                "tells_no_digit": tells,
                "validation": card.validation,
                "test": card.test,
                "trained_on": card.trained_on,
                "data": card.data,
                "created": card.created,
            }
        )
    about = [{"name": item.name, "about": item.about} for item in NETWORKS.values()]
    return {"networks": rows, "trainable": about, "reader": reads_lines()}


@router.get(
    "/v1/networks/{name}",
    response_model=NetworkDetails,
    responses=problems(404, 422),
    summary="One network: its card, and its layers without their weights",
)
async def network(
    request: Request, name: str, member: Annotated[int, Query(ge=0, le=100)] = 0
) -> Any:
    """Tell a network's card and the layers, in order, of one of the networks in its file."""
    state = state_of(request)
    result = await state.work(described, state.networks, name, member)
    return Response(as_json(result), media_type=JSON)


def described(networks: NetworkStore, name: str, member: int) -> dict[str, Any]:
    """Return a network's card and layers.

    Raises
    ------
    UnknownError
        There is no such network, or none of that number in its file.
    """
    model, taps = networks.taps(name)
    first = taps.layer(1, member)
    blank = np.zeros((1, 28, 28), np.uint8)
    shape, rows = [1, 28, 28], []
    values = taps.inside.activations(blank, member=first.member)
    for layer, given in zip(taps.inside.layers_of(member), values, strict=True):
        after = list(given.shape[1:])
        rows.append(
            {"name": layer.name, "about": layer.about} | layer_words(layer, shape, after)
        )
        shape = after
    return {
        "name": name,
        "card": asdict(model.card),
        "cascade": taps.inside.is_cascade,
        "members": taps.inside.members,
        "layers": rows,
    }


@router.get(
    "/v1/networks/{name}/layers/{layer}",
    response_model=Kernels,
    responses=problems(404, 422),
    summary="A layer's kernels as numbers",
)
async def layer_kernels(
    request: Request,
    name: str,
    layer: int,
    member: Annotated[int, Query(ge=0, le=100)] = 0,
    kernel: Annotated[int | None, Query(ge=0, le=100_000)] = None,
) -> Any:
    """Tell a layer's kernels, or one of them; of a large layer the first ones only."""
    state = state_of(request)
    result = await state.work(kernels_of, state.networks, name, layer, member, kernel)
    return Response(as_json(result), media_type=JSON)


def kernels_of(
    networks: NetworkStore, name: str, number: int, member: int, kernel: int | None
) -> dict[str, Any]:
    """Return a layer's kernels.

    Raises
    ------
    UnknownError
        No such network, layer or kernel.
    """
    layer = networks.taps(name)[1].layer(number, member)
    count = 0 if layer.weight is None else len(layer.weight)
    if kernel is not None and kernel >= count:
        raise UnknownError(f"{layer.name} has no kernel {kernel}", seen=f"{count} kernels")
    return {"layer": {"name": layer.name, "about": layer.about}} | kernels(layer, kernel)
