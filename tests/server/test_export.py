"""The lab as files: small, relative, and its scripts answer as Python does."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitlens import load_digits, load_model
from digitlens.data.split import join
from digitlens.errors import UsageError
from digitlens.imaging import frame_drawing
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.onnx_reader import read_program
from digitlens.server.export import LATER, NETWORKS, encode_network, export_lab
from digitlens.synth.random import Random
from digitlens.synth.strokes import count_forms, move_skeleton, skeletons

SCRIPTS = Path(__file__).parent / "javascript"
# Of everything, and gzipped of what the first answer needs.
MAX_BYTES, MAX_FIRST_BYTES = 2_000_000, 450_000
# What only one of the backends tells: pictures are PNG files there and BMP files here.
APART = {"picture", "unrolled", "answer", "bend", "gradients", "without_gradients", "source"}
MAX_DIFFERENCE = 1e-4
RATE = r"\s+[\d,]+ digits/s"

Ask = Callable[[list[dict[str, Any]]], list[Any]]


@pytest.fixture(scope="module")
def ask(exported: Path, node: str) -> Ask:
    """Return a function: requests of the page in, what the exported lab answers out."""

    def answers(requests: list[dict[str, Any]]) -> list[Any]:
        command = [node, str(SCRIPTS / "ask.js"), str(exported)]
        told = json.dumps(requests).encode()
        result = subprocess.run(command, input=told, capture_output=True, check=True)
        answered: list[Any] = json.loads(result.stdout)
        return answered

    return answers


def test_the_scripts_pass_their_own_tests(node: str) -> None:
    """Codec, numbers, pictures and the parts of the networks do what their tests say."""
    files = sorted(str(path) for path in SCRIPTS.glob("*.test.js"))
    result = subprocess.run(
        [node, "--test", *files], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:]


def test_the_files_are_few_bytes(exported: Path) -> None:
    """All of it is under 2 MB; what the first answer needs is under 450 kB, gzipped."""
    files = [path for path in exported.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert all((exported / name).is_file() for name in LATER)
    later = ("digits", "mistakes.json", "universal.", "tiny.", "maps")
    first = [
        path
        for path in files
        if not any(part in str(path) for part in later)
        and path.relative_to(exported).as_posix() not in LATER
    ]
    assert sum(len(gzip.compress(path.read_bytes())) for path in first) <= MAX_FIRST_BYTES


def test_nothing_is_asked_of_the_hosts_root(exported: Path) -> None:
    """The page works in any folder of a host: addresses are relative, their files there."""
    html = (exported / "index.html").read_text()
    assert 'name="digitlens-backend" content="static"' in html
    names = re.findall(r'(?:src|href)="([^"#]+)"', html)
    wanted = [name for name in names if name != "/docs"]  # not shown there
    assert len(wanted) > 40
    assert [name for name in wanted if not (exported / name).is_file()] == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """The name of a file is refused before anything is written."""
    path = tmp_path / "lab"
    path.write_text("mine")
    with pytest.raises(UsageError, match="into a folder"):
        export_lab(path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_those_of_the_published_file(name: str) -> None:
    """A network's safetensors file holds the weights of its ONNX file, bit by bit."""
    content = encode_network(load_model(name))
    size = int.from_bytes(content[:8], "little")
    header, body = json.loads(content[8 : 8 + size]), content[8 + size :]
    steps = json.loads(header["__metadata__"]["steps"])
    program = read_program((PUBLISHED_FOLDER / f"{name}.onnx").read_bytes(), name=name)
    compared = 0
    for step, op in zip(steps, program.ops(), strict=True):
        for kind in {"weight", "bias"} & step.keys():
            entry = header[step[kind]]
            first, end = entry["data_offsets"]
            dtype = {"F16": "<f2", "F32": "<f4"}[entry["dtype"]]
            values = np.frombuffer(body[first:end], dtype).astype(np.float32)
            assert np.array_equal(values.reshape(entry["shape"]), getattr(op, kind))
            compared += 1
    assert compared >= 6


def draw(count: int, seed: int = 5) -> NDArray[np.uint8]:
    """Return drawings as the page sends them: black strokes of any width, size and place."""
    rng = np.random.default_rng(seed)
    random, drawings = Random(rng), np.full((count, 140, 140), 255, np.uint8)
    for index, drawing in enumerate(drawings):
        forms = skeletons()[index % 10]
        scale = rng.uniform(1.2, 6)
        skeleton = forms[random.integers(count_forms(index % 10))]
        ways = [np.array(way) * scale for way in move_skeleton(random, skeleton)]
        points = np.concatenate(ways)
        room = max(1.0, 130 - float(np.ptp(points, axis=0).max()))
        offset = 5 - points.min(0) + rng.uniform(0, room, 2)
        width = max(1, round(rng.uniform(1, 14)))
        for way in ways:
            corners = np.rint((way + offset) * 16).astype(np.int32)
            cv2.polylines(drawing, [corners], False, 0, width, cv2.LINE_AA, 4)
    return drawings


def encode(drawing: NDArray[np.uint8]) -> str:
    """Return a drawing as the page sends it."""
    return base64.b64encode(b"P5 140 140 255\n" + drawing.tobytes()).decode()


def predict_request(pictures: list[Any], network: list[str], **how: Any) -> dict[str, Any]:
    """Return a request for answers."""
    query = {"network": network, "pixels": True, **how}
    body = {"pictures": pictures}
    return {"method": "POST", "path": "/v1/predict", "query": query, "body": body}


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_scripts_answer_as_python_does(ask: Ask, count: int) -> None:
    """Drawings are framed and read as by Python, and so are digits: labels all, shares 1e-4."""
    splits = load_digits("uci")
    digits = join([splits.test, splits.validation, splits.train], source="uci").images[:count]
    drawings = draw(count)
    names = list(NETWORKS)
    of_digits, of_drawings = ask(
        [
            predict_request(digits.tolist(), names, frame=False),
            predict_request([encode(drawing) for drawing in drawings], names, drawing=True),
        ]
    )
    framings = [frame_drawing(drawing) for drawing in drawings]
    framed = np.stack([framing.digit for framing in framings])
    theirs = np.array([picture["pixels"] for picture in of_drawings["pictures"]])
    apart = np.abs(theirs.astype(int) - framed)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-4
    boxes = [picture["box"] for picture in of_drawings["pictures"]]
    assert boxes == [list(framing.box) for framing in framings]
    counts = [picture["several"] for picture in of_drawings["pictures"]]
    assert counts == [framing.digit_count for framing in framings]
    for place, name in enumerate(names):
        model = load_model(name)
        for images, given in ((digits, of_digits), (framed, of_drawings)):
            answers = [picture["answers"][place] for picture in given["pictures"]]
            expected = model.predict(images)
            assert [item["likeliest"] for item in answers] == expected.labels.tolist()
            shares = np.array([item["probabilities"] for item in answers])
            assert np.abs(shares - expected.probabilities).max() <= MAX_DIFFERENCE
            if expected.no_digit is not None:
                refused = [item["digit"] is None for item in answers]
                assert refused == expected.refused.tolist()
                assert [item["unsure"] for item in answers] == expected.unsure.tolist()


def shade_numbers(text: str) -> list[int]:
    """Return the bytes of maps, in base64, as numbers."""
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(int).tolist()


def as_numbers(values: list[Any]) -> NDArray[np.float64] | None:
    """Return lists of numbers as an array; None of other lists."""
    try:
        return np.array(values, float)
    except (TypeError, ValueError):
        return None


def assert_alike(one: Any, two: Any, where: str = "") -> None:
    """Fail where two JSON values differ by more than rounding, or lack each other's keys."""
    if isinstance(two, dict):
        kept = set(two) - APART
        assert set(one) - APART - {"sums", "output"} == kept, where
        for key in kept:
            if key == "shades":  # of a number near the middle of two, either
                pair = [np.array(shade_numbers(side[key])) for side in (one, two)]
                assert np.abs(pair[0] - pair[1]).max() <= 1, where
                continue
            assert_alike(one[key], two[key], f"{where}.{key}")
    elif isinstance(two, list) and (numbers := as_numbers(two)) is not None:
        scale = max(1.0, float(np.abs(numbers).max(initial=0)))
        assert np.shape(one) == numbers.shape, where
        assert np.allclose(one, numbers, atol=2e-4 * scale, rtol=0), where
    elif isinstance(two, list):
        assert len(one) == len(two), where
        for index, pair in enumerate(zip(one, two, strict=True)):
            assert_alike(*pair, f"{where}[{index}]")
    elif isinstance(two, float):
        assert one == pytest.approx(two, rel=2e-4, abs=2e-4), where
    elif isinstance(two, str):  # a summary tells how fast it was measured
        assert re.sub(RATE, "", one) == re.sub(RATE, "", two), where
    else:
        assert one == two, where


@pytest.mark.parametrize("network", ["universal", "tiny"])
def test_both_backends_tell_the_same(still: Any, ask: Ask, network: str) -> None:
    """Explanations, cells, kernels and mistakes are those of the server, key by key."""
    digit = load_digits("uci").test.images[7].tolist()
    drawing = {"pictures": [encode(draw(4)[3])]}
    pictures, query = {"pictures": [digit]}, {"network": network, "frame": False}
    edit = {"picture": digit, "kernel": [[[1.0, 0.5], [-1.0, 2.0]]], "padding": 1, "stride": 2}
    places = [(1, 3, 4, 5), (2, 1, 2, 3), (3, 0, 1, 1)]
    mistakes = {"network": network, "data": "uci", "part": "train"}
    requests: list[tuple[str, str, dict[str, Any], Any]] = [
        ("POST", "/v1/explain", {"network": network, "drawing": True}, drawing),
        ("POST", "/v1/explain", {**query, "layers_only": True}, pictures),
        ("POST", "/v1/explain", {**query, "layers_only": True, "shades": True}, pictures),
        *(
            (
                "POST",
                "/v1/explain/cell",
                {**query, "layer": layer, "map": map_, "row": row, "column": column},
                pictures,
            )
            for layer, map_, row, column in places
        ),
        ("POST", "/v1/explain/kernel", {}, {**edit, "network": network, "frame": False}),
        ("GET", f"/v1/networks/{network}/layers/1", {"kernel": 2}, None),
        ("GET", "/v1/mistakes", mistakes, None),
        ("GET", "/v1/mistakes/parts", {"network": network, "data": "uci"}, None),
        ("GET", "/v1/mistakes/cell", {**mistakes, "truth": 8, "answer": 8, "count": 9}, None),
    ]
    told = [
        {"method": method, "path": path, "query": query, "body": body}
        for method, path, query, body in requests
    ]
    for request, answered in zip(told, ask(told), strict=True):
        method, path, query = request["method"], request["path"], request["query"]
        body = {"json": request["body"]} if request["body"] else {}
        served = still.request(method, path, params=query, **body)
        assert served.status_code == 200, served.text
        assert_alike(answered, served.json(), f"{path} {query}")


def test_shades_come_with_the_answer(ask: Ask) -> None:
    """One request while a digit is drawn tells what /v1/predict tells of it, too."""
    upload = {"pictures": [encode(draw(4)[2])]}
    query = {"network": "tiny", "drawing": True}
    inside, predicted = ask(
        [
            {"method": "POST", "path": path, "query": query | more, "body": upload}
            for path, more in (
                ("/v1/explain", {"layers_only": True, "shades": True}),
                ("/v1/predict", {"pixels": True}),
            )
        ]
    )
    assert inside["picture"] == predicted["pictures"][0]


def test_what_needs_the_server_says_how_it_is_had(ask: Ask) -> None:
    """Photos, reading and mail are refused with the command that brings them."""
    photo = {"pictures": [base64.b64encode(b"\x89PNG").decode()]}
    answers = ask(
        [
            {"method": "POST", "path": "/v1/predict", "body": photo},
            {"method": "GET", "path": "/v1/own"},
            {"method": "GET", "path": "/v1/mail"},
            {"method": "GET", "path": "/v1/mistakes", "query": {"data": "mnist"}},
            {"method": "GET", "path": "/v1/networks/best/layers/1"},
        ]
    )
    problems = [answer["problem"] for answer in answers]
    assert [item["type"] for item in problems[:4]] == ["urn:digitlens:needs-server"] * 4
    assert all("pip install" in item["try"] for item in problems[:4])
    assert problems[4]["detail"] == 'there is no network called "best" here'
