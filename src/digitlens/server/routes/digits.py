"""/v1/mistakes: a network on a set of digits; /v1/own: drawn and corrected digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response

from digitlens.imaging.crop import crop_with_margin
from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.server.digit_sets import list_pictures, summarize
from digitlens.server.routes import (
    State,
    document,
    document_file,
    encode_json,
    json_response,
)
from digitlens.server.schema_parts import OwnName
from digitlens.server.schemas import (
    CellPictures,
    DigitMap,
    Measured,
    OwnDigit,
    OwnDigits,
    OwnList,
    OwnSaved,
    Parts,
    Sample,
)
from digitlens.server.uploads import decode_picture, load_upload, prepare_digit

if TYPE_CHECKING:
    from digitlens.digits import Images
    from digitlens.server.state import LabState


mistakes_router = APIRouter(prefix="/v1/mistakes", tags=["mistakes"])
samples_router = APIRouter(prefix="/v1/sample", tags=["mistakes"])
map_router = APIRouter(prefix="/v1/map", tags=["look inside"])
user_digits_router = APIRouter(prefix="/v1/own", tags=["own digits"])

Digit = Annotated[int, Query(ge=0, le=9)]
# Pictures in one answer.
MAX_PICTURES = 200


@mistakes_router.get("", **document("Measure a network on a set of digits", Measured, 400, 404))
async def measured(
    state: State, network: str = DEFAULT_NETWORK, data: str = "mnist", part: str = "test"
) -> Any:
    """Tell the misses and the confusion matrix: row = truth, column = answer.

    `data` is mnist, uci, fashion or own; `part` is test, validation or train (of own digits
    all are measured).
    """
    result = await state.slow_threads.call(state.mistakes.evaluate, network, data, part)
    return json_response(summarize(result, data, part))


@mistakes_router.get(
    "/parts", **document("What each part of the digits is to a network", Parts, 400, 404)
)
async def parts(state: State, network: str = DEFAULT_NETWORK, data: str = "mnist") -> Any:
    """Tell of each part whether the network saw it in training, and how often it was opened.

    `seen` is no, some or all; `opened` says how often this lab has measured a run on the test
    digits, and is null of published networks.
    """
    return json_response(await state.slow_threads.call(state.mistakes.parts, network, data))


@mistakes_router.get(
    "/cell",
    **document("The pictures of one cell of the confusion matrix", CellPictures, 400, 404),
)
async def pictures(
    state: State,
    truth: Digit,
    answer: Digit,
    network: str = DEFAULT_NETWORK,
    data: str = "mnist",
    part: str = "test",
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    count: Annotated[int, Query(ge=1, le=MAX_PICTURES)] = 50,
) -> Any:
    """Tell the pictures that show `truth` and were read as `answer`, the surest first."""

    def work() -> bytes:
        # Known already in most cases: the page asks for the matrix first.
        result = state.mistakes.evaluate(network, data, part)
        return encode_json(list_pictures(result, truth, answer, first=first, count=count))

    return json_response(await state.slow_threads.call(work))


@samples_router.get("", **document("A digit that somebody wrote, to look at", Sample, 400))
async def sample(
    state: State, index: Annotated[int, Query(ge=0)] = 0, part: str = "test"
) -> Any:
    """Tell the pixels and the label of a digit: of MNIST where it is here, else of UCI.

    The digits of the part (test, validation, train) are counted round: an index past the last
    one begins again.
    """
    return json_response(await state.slow_threads.call(state.mistakes.sample, index, part))


@map_router.get("", **document("Where digits lie before the last layer", DigitMap, 404))
async def digit_map(state: State, network: str = DEFAULT_NETWORK) -> Any:
    """Tell the first two principal components of the last hidden layer, of held-back digits.

    A digit lies at components x (values - mean): values of layer `layer` at /v1/explain.
    """
    return json_response(await state.slow_threads.call(state.mistakes.draw_map, network))


@user_digits_router.get("", **document("List the digits that were kept", OwnList))
async def listed(state: State) -> Any:
    """List the digits that were kept, by label, and say how to learn from them."""
    return json_response(await state.threads.call(state.user_digits.list_all))


@user_digits_router.post(
    "",
    status_code=201,
    **document("Keep digits, each with its label", OwnSaved, 400, 404, 408, 413, 415, 507),
)
async def save(state: State, digits: OwnDigits) -> Any:
    """Keep digits in the lab's folder: all of them, or none when one cannot be used.

    With `box` (left, top, right, bottom in pixels) the digit is cut out of its picture first,
    with some paper around it: so a line that was read is corrected digit by digit.
    """
    return json_response(await state.threads.call(_save, state, digits), 201)


def _save(state: LabState, request: OwnDigits) -> OwnSaved:
    max_pixels = state.settings.max_pixels
    # All are prepared before the first is saved: one bad picture refuses them all.
    images = [
        _prepare(item, max_pixels, frame=request.frame, name=f"digit {index}")
        for index, item in enumerate(request.digits, 1)
    ]
    state.user_digits.check_limit(len(images))
    saved: list[OwnName] = [
        {"label": item.label, "name": state.user_digits.save(image, item.label)}
        for item, image in zip(request.digits, images, strict=True)
    ]
    return OwnSaved(**vars(state.user_digits.list_all()), saved=saved)


def _prepare(item: OwnDigit, max_pixels: int, *, frame: bool, name: str) -> Images:
    upload = decode_picture(item.picture, name)
    if item.box is None:
        return prepare_digit(upload, max_pixels, frame=frame, name=name).digit
    pixels = load_upload(upload, max_pixels, name).pixels
    crop = crop_with_margin(pixels, item.box, name=name)
    return prepare_digit(crop, max_pixels, frame=True, name=name).digit


@user_digits_router.get(
    "/{label}/{name}",
    **document_file("A digit that was kept, as PNG", "The digit as PNG.", "image/png", 404),
)
async def picture(state: State, label: int, name: str) -> Any:
    """Return a kept digit: 28 x 28, 0 = paper, 255 = ink."""
    content = await state.threads.call(state.user_digits.read_png, label, name)
    return Response(content, media_type="image/png")


@user_digits_router.delete(
    "/{label}/{name}", **document("Remove a digit that was kept", OwnList, 404, 507)
)
async def delete(state: State, label: int, name: str) -> Any:
    """Remove a kept digit and list what is left."""

    def work() -> OwnList:
        state.user_digits.delete(label, name)
        return state.user_digits.list_all()

    return json_response(await state.threads.call(work))
