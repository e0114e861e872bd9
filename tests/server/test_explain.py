"""/v1/explain, /v1/networks: the look inside agrees with the networks themselves."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from digitlens import frame_digit, load_digits, load_model
from digitlens.explain.inspection import Layer, inspect_model
from digitlens.models.inference import published_names
from digitlens.server import digit_sets
from digitlens.server.inspect import LayerTrace, describe_cell
from digitlens.server.schemas import (
    Cell,
    Explained,
    KernelMap,
    Kernels,
    Nearest,
    NetworkDetails,
    NetworkList,
)

PNG = {"content-type": "image/png"}
Check = Callable[..., dict[str, Any]]


def test_an_explanation_has_all_that_the_page_draws(still: Any, seven_png: bytes) -> None:
    """Steps are pictures of their size, pixels and maps are those of the network itself."""
    response = still.post("/v1/explain", content=seven_png, headers=PNG)
    result = response.json()
    TypeAdapter(Explained).validate_python(result)
    digit = frame_digit(seven_png)
    assert result["digit"] == 7
    assert result["pixels"] == digit.tolist()
    assert result["unrolled"] == pytest.approx((digit.reshape(-1) / 255).tolist(), abs=1e-4)
    for step in result["steps"]:
        kind, _, coded = step["picture"].partition(",")
        assert kind == "data:image/png;base64"
        picture = Image.open(io.BytesIO(base64.b64decode(coded)))
        assert picture.size == (step["width"], step["height"])
    maps = inspect_model(load_model()).activations(digit[None])
    for layer, expected in zip(result["layers"], maps, strict=True):
        assert layer["shape"] == list(expected.shape[1:])
        scale = float(np.abs(expected).max())
        assert np.allclose(layer["values"], expected[0], atol=1e-4 * scale)
    assert len(response.content) < 300_000


@pytest.mark.parametrize("network", published_names())
def test_every_cell_adds_up(still: Any, seven_png: bytes, network: str) -> None:
    """In every layer of every network the products sum to the number that the map shows."""
    layers = still.get(f"/v1/networks/{network}").json()["layers"]
    assert layers
    for layer in layers:
        index = [(size - 1) // 2 for size in layer["shape"]]
        place = dict(zip(("map", "row", "column"), index, strict=False))
        response = still.post(
            "/v1/explain/cell",
            params={"network": network, "layer": layer["number"], **place},
            content=seven_png,
            headers=PNG,
        )
        result = response.json()
        TypeAdapter(Cell).validate_python(result)
        window = np.array(result["window"])
        if layer["kind"] == "pooling":
            assert result["value"] == pytest.approx(window.max(), rel=1e-3)
            continue
        products = window * np.array(result["kernel"])
        scale = np.abs(products).sum() + abs(result["bias"])
        assert result["sum"] == pytest.approx(products.sum(), abs=1e-3 * scale + 1e-4)
        total = result["sum"] + result["bias"] + result["rest"]
        assert result["before"] == pytest.approx(total, abs=1e-4 * scale + 1e-4)
        assert result["activation"] == result["bend"], "the old key stays for one release"
        if result["activation"] == "ReLU":
            assert result["value"] == max(0.0, result["before"])


def test_a_window_over_the_edge_sees_paper() -> None:
    """Where padding reaches over the edge, the window begins below 0 and holds zeros there."""
    into = np.arange(1, 33, dtype=np.float32).reshape(2, 4, 4)
    weight = np.ones((4, 1, 3, 3), np.float32)
    layer = Layer(1, 0, "convolution", "x", "y", "y", weight, None, 3, 1, 1, 2)
    padded = np.pad(into, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    after = windows.sum((3, 4))[[0, 0, 1, 1]]
    trace = LayerTrace(layer, into, after, after)
    for map_, row, column in ((0, 0, 0), (3, 3, 3), (2, 0, 2)):
        result = describe_cell(trace, map_, row, column)
        assert (result.top, result.left) == (row - 1, column - 1)
        assert result.window == [windows[map_ // 2, row, column].tolist()]
        assert result.sum == result.value == after[map_, row, column]


def test_the_second_network_of_a_cascade_is_told_when_it_was_asked(
    still: Any, seven_png: bytes, png: Callable[..., bytes], problem: Check
) -> None:
    """Its layers are explained for an unsure digit, and not found for a sure one."""
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    place = {"network": "fast", "layer": 1, "map": 0, "member": 1, "frame": False}
    asked = still.post("/v1/explain/cell", params=place, content=png(noise), headers=PNG)
    assert asked.status_code == 200, asked.text
    whole = still.post(
        "/v1/explain",
        params={"network": "fast", "frame": False},
        content=png(noise),
        headers=PNG,
    ).json()
    assert whole["member"] == 1
    assert whole["layers"][0]["member"] == 1
    sure = png(frame_digit(seven_png))
    problem(still.post("/v1/explain/cell", params=place, content=sure, headers=PNG), 404)


def test_a_kernel_laid_by_hand_gives_the_networks_own_map(still: Any, seven_png: bytes) -> None:
    """The layer's own kernel and bias, sent as an edit, give its own map; half of it, half."""
    own = still.get("/v1/networks/universal/layers/2", params={"kernel": 5}).json()
    TypeAdapter(Kernels).validate_python(own)
    maps = still.post("/v1/explain", content=seven_png, headers=PNG).json()["layers"][1]
    body = {
        "picture": base64.b64encode(seven_png).decode(),
        "layer": 2,
        "kernel": own["kernels"][0],
        "bias": own["biases"][0],
    }
    result = still.post("/v1/explain/kernel", json=body).json()
    TypeAdapter(KernelMap).validate_python(result)
    expected = np.array(maps["values"][5])
    assert np.allclose(result["map"], expected, atol=2e-3 * np.abs(expected).max() + 1e-3)
    half = {"kernel": (np.array(body["kernel"]) / 2).tolist(), "bias": own["biases"][0] / 2}
    again = still.post("/v1/explain/kernel", json=body | half).json()
    assert np.allclose(np.array(again["before"]) * 2, result["before"], atol=1e-2)


def test_size_stride_and_padding_follow_the_arithmetic(still: Any, seven_png: bytes) -> None:
    """A kernel of one's own over the pixels has the size that the arithmetic says."""
    digit = frame_digit(seven_png).astype(np.float64)
    edge = [[[-1.0, 0.0, 1.0]] * 3]
    body = {"picture": base64.b64encode(seven_png).decode(), "kernel": edge}
    body |= {"activation": False, "stride": 2, "padding": 1}
    result = still.post("/v1/explain/kernel", json=body).json()
    assert (result["height"], result["width"]) == (14, 14)
    assert result["arithmetic"]["width"] == "(28 + 2 x 1 - 3) / 2 + 1 = 14, rounded down"
    framed = np.pad(digit, 1)
    row, column = 6, 7
    window = framed[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
    assert result["before"][row][column] == pytest.approx((window * edge[0]).sum(), abs=0.1)
    assert result["map"] == result["before"]
    old_name = {key: value for key, value in body.items() if key != "activation"}
    old_name["bend"] = False
    assert still.post("/v1/explain/kernel", json=old_name).json() == result


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"kernel": [[[1, 2], [3]]]}, 400),
        ({"kernel": [[[1]], [[1]]]}, 422),
        ({"kernel": [[]]}, 422),
        ({"kernel": []}, 422),
        ({"kernel": [[["x"]]]}, 422),
        ({"kernel": [[[1.0] * 29]]}, 422),
        ({"kernel": [[[1.0] * 28] * 28], "stride": 0}, 422),
        ({"layer": 4}, 400),
        ({"layer": 99}, 404),
        ({"member": 3}, 404),
        ({"channel": 1}, 400),
        ({"network": "none"}, 404),
        ({"picture": "!"}, 422),
        ({"unknown": 1}, 422),
    ],
)
def test_a_kernel_that_cannot_be_laid_is_a_problem(
    still: Any, seven_png: bytes, problem: Check, change: dict[str, Any], status: int
) -> None:
    """What does not fit the layer, or is no kernel, is refused in words."""
    body = {"picture": base64.b64encode(seven_png).decode(), "kernel": [[[1.0]]]}
    problem(still.post("/v1/explain/kernel", json=body | change), status)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"layer": 1, "map": 99}, 400),
        ({"layer": 1, "map": 0, "row": 12}, 400),
        ({"layer": 9, "map": 0}, 404),
        ({"layer": 1, "map": 0, "member": 1}, 404),
        ({"layer": 1}, 422),
        ({"layer": -1, "map": 0}, 422),
    ],
)
def test_a_cell_that_is_not_there_is_a_problem(
    still: Any, seven_png: bytes, problem: Check, place: dict[str, Any], status: int
) -> None:
    """A number that a layer does not have is refused in words."""
    response = still.post("/v1/explain/cell", params=place, content=seven_png, headers=PNG)
    problem(response, status)


def test_explaining_takes_one_picture(still: Any, seven_png: bytes, problem: Check) -> None:
    """Two pictures are one too many for an explanation."""
    files = [("picture", (f"{index}.png", seven_png)) for index in range(2)]
    problem(still.post("/v1/explain", files=files), 400)


def test_the_list_of_networks_is_that_of_the_package(still: Any) -> None:
    """The published networks are listed with the figures of their cards."""
    result = still.get("/v1/networks").json()
    TypeAdapter(NetworkList).validate_python(result)
    assert [item["name"] for item in result["networks"]] == list(published_names())
    cnn = next(item for item in result["networks"] if item["name"] == "cnn")
    assert cnn["weights"] == load_model("cnn").card.weights
    assert cnn["tells_no_digit"] is True
    assert {"dense", "quick"} <= {item["name"] for item in result["trainable"]}
    assert result["reader"] is True
    assert set(result["data"]) == {"mnist", "uci", "fashion", "own"}
    assert result["data"]["uci"] is True


def test_a_networks_layers_lead_into_each_other(still: Any, problem: Check) -> None:
    """Each layer's shape is what the next takes in; one's arithmetic gives its size."""
    result = still.get("/v1/networks/cnn").json()
    TypeAdapter(NetworkDetails).validate_python(result)
    layers = result["layers"]
    for one, other in pairwise(layers):
        assert one["shape"] == other["into"]
        if one["arithmetic"]:
            assert f"= {one['shape'][1]}" in one["arithmetic"]
    last = still.get("/v1/networks/best", params={"member": 9}).json()
    assert last["members"] == 10
    assert {item["member"] for item in last["layers"]} == {9}
    problem(still.get("/v1/networks/best", params={"member": 10}), 404)
    problem(still.get("/v1/networks/none"), 404)
    problem(still.get("/v1/networks/cnn/layers/77"), 404)
    problem(still.get("/v1/networks/cnn/layers/1", params={"kernel": 99}), 404)


def test_a_large_layers_kernels_are_sent_in_part(still: Any) -> None:
    """Of a layer with a million weights the first kernels are sent, or the one asked for."""
    address = "/v1/networks/dense-deformed/layers/1"
    some = still.get(address).json()
    assert 0 < len(some["kernels"]) < some["count"] == 1536
    one = still.get(address, params={"kernel": 1500}).json()
    assert one["first"] == 1500
    assert len(one["kernels"]) == len(one["biases"]) == 1
    assert len(one["kernels"][0]) == 784


def test_integrated_gradients_come_when_asked_for(still: Any, seven_png: bytes) -> None:
    """They sum to the answer's log-odds less those of paper, and are left out otherwise."""
    asked = {"network": "tiny", "gradients": True}
    result = still.post("/v1/explain", params=asked, content=seven_png, headers=PNG).json()
    parts = np.array(result["gradients"])
    assert parts.shape == (28, 28)
    assert result["without_gradients"] == ""
    assert (parts[np.array(result["pixels"]) == 0] == 0).all(), "paper has no part"
    paper = load_model("tiny").logits(np.zeros((1, 28, 28), np.uint8))[0].astype(float)
    others = np.delete(paper, 7)
    odds = paper[7] - np.log(np.exp(others).sum())
    assert parts.sum() == pytest.approx(result["occlusion"]["odds"] - odds, abs=0.2)
    plain = still.post("/v1/explain", content=seven_png, headers=PNG).json()
    assert plain["gradients"] is None


def test_the_nearest_digit_of_another_class(still: Any) -> None:
    """A training digit is nearest to itself; with its own label ruled out, to another."""
    train = load_digits("uci").train
    body = {"pictures": [train.images[5].tolist()]}
    label = int(train.labels[5])
    asked = {"label": (label + 1) % 10, "frame": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digit_sets, "list_sources", lambda _: {"mnist": False})
        itself = still.post("/v1/explain/nearest", params=asked, json=body).json()
        other = still.post(
            "/v1/explain/nearest", params=asked | {"label": label}, json=body
        ).json()
    TypeAdapter(Nearest).validate_python(itself)
    assert (itself["label"], itself["distance"], itself["index"]) == (label, 0, 5)
    assert other["label"] != label
    moved = train.images[other["index"]].astype(float) - train.images[5]
    assert other["distance"] == pytest.approx(np.sqrt(np.square(moved).mean()) / 255, abs=1e-3)


def test_shades_are_the_layers_as_bytes(still: Any) -> None:
    """A byte for each number of a map, 255 for the largest; the answer is /v1/predict's."""
    body = {"pictures": [load_digits("uci").test.images[0].tolist()]}
    for network in ("tiny", "fast", "dense-deformed"):
        query = {"network": network, "frame": False, "layers_only": True}
        whole = still.post("/v1/explain", params=query, json=body).json()
        part = still.post("/v1/explain", params=query | {"shades": True}, json=body).json()
        asked = {"network": network, "frame": False, "pixels": True}
        told = still.post("/v1/predict", params=asked, json=body).json()
        assert part["picture"] == told["pictures"][0]
        assert (part["links"], part["digit"]) == (whole["links"], whole["digit"])
        for one, other in zip(part["layers"], whole["layers"], strict=True):
            if len(other["shape"]) == 1:
                assert one == other
                continue
            values = np.array(other.pop("values"))
            dtype, full = (np.int8, 127) if one["signed"] else (np.uint8, 255)
            shades = np.frombuffer(base64.b64decode(one.pop("shades")), dtype)
            most = np.abs(values).max()
            assert shades.reshape(values.shape) / full == pytest.approx(
                values / most, abs=0.51 / full + 1e-4
            )
            assert one.pop("signed") == (values.min() < 0)
            assert one.pop("most") == pytest.approx(most, rel=1e-3)
            assert one.pop("peaks") == pytest.approx(
                np.abs(values).max(axis=(1, 2)), rel=1e-2, abs=1e-3
            )
            assert one == other


def test_the_layers_alone_come_with_what_the_answer_came_of(still: Any) -> None:
    """The layers are those of the whole explanation; the last links add up to the logit."""
    body = {"pictures": [load_digits("uci").test.images[0].tolist()]}
    for network in ("tiny", "universal", "fast", "dense-deformed"):
        asked = {"network": network, "frame": False}
        whole = still.post("/v1/explain", params=asked, json=body).json()
        query = asked | {"layers_only": True}
        part = still.post("/v1/explain", params=query, json=body).json()
        assert part["layers"] == whole["layers"]
        assert part["digit"] == whole["digit"]
        links, layers = part["links"], part["layers"]
        assert len(links) == len(layers)
        for (one, other), layer in zip(pairwise(links), layers, strict=False):
            outputs = {output for _, output, _ in one}
            assert outputs <= {source for source, _, _ in other}
            assert all(output < len(layer["values"]) for output in outputs)
        best = whole["digit"]
        assert {output for _, output, _ in links[-1]} == {best}
        cell = {"layer": len(layers), "map": best, "member": part["member"]} | asked
        products = still.post("/v1/explain/cell", params=cell, json=body).json()["products"]
        largest = max(products, key=abs)
        if len(layers[-2]["shape"]) == 1:
            assert links[-1][0][2] == pytest.approx(largest, rel=1e-2)
