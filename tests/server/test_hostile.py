"""Uploads that mean no good, or are simply broken."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.server.settings import MEBIBYTE

Check = Callable[..., dict[str, Any]]
PNG = {"content-type": "image/png"}


def test_a_truncated_picture_is_a_damaged_one(
    still: Any, seven_png: bytes, problem: Check
) -> None:
    """Any beginning of a PNG is answered 422, whether or not its head is whole."""
    for length in (1, 8, 20, 33, 60, len(seven_png) // 2):
        result = problem(
            still.post("/v1/predict", content=seven_png[:length], headers=PNG), 422
        )
        assert result["type"] == "urn:digitlens:corrupt-file"


def _bomb(side: int) -> bytes:
    """Return a small PNG file that says it is `side` pixels wide and high, all black."""
    rows = zlib.compress(b"\0" * (side // 8 + 1) * side, 9)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


@pytest.mark.parametrize("side", [8_000, 20_000])
def test_a_bomb_is_refused_before_it_is_decoded(still: Any, problem: Check, side: int) -> None:
    """A small file of very many pixels is 413, or 422 where Pillow itself refuses it."""
    content = _bomb(side)
    assert len(content) < 100_000
    for address in ("/v1/predict", "/v1/explain", "/v1/predict?frame=false"):
        response = still.post(address, content=content, headers=PNG)
        problem(response, 413 if side == 8_000 else 422)


def test_a_polyglot_is_read_as_the_picture_it_is(still: Any, seven_png: bytes) -> None:
    """A page behind a picture is not looked at, and no answer may be taken for a page."""
    content = seven_png + b"<script>alert(1)</script>"
    response = still.post("/v1/predict", content=content, headers=PNG)
    assert response.json()["pictures"][0]["answers"][0]["digit"] == 7
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "script" not in response.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"%PDF-1.7 nothing", "image/png", 422),
        (b"GIF89a", "image/gif", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 422),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "application/octet-stream", 422),
        (b"", "image/png", 400),
        (b"x", "text/plain", 415),
        (b"x", "", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"pictures": 1}', "application/json", 400),
        (b'{"pictures": []}', "application/json", 400),
        (b'{"pictures": [1]}', "application/json", 422),
        (b'{"pictures": ["no base64!"]}', "application/json", 422),
        (b'{"pictures": [[[0, 256]]]}', "application/json", 422),
        (b'{"pictures": [[[0, true]]]}', "application/json", 422),
        (b'{"pictures": [[[0], [0, 1]]]}', "application/json", 422),
        (b'{"pictures": [[]]}', "application/json", 422),
        (b'{"pictures": [[[]]]}', "application/json", 422),
        (b'{"pictures": [[[0, 1]]]}', "application/json", 422),
        (b"\xff\xfe{", "application/json", 400),
        (b"no form", "multipart/form-data", 400),
        (b"no form", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400),
    ],
)
def test_a_body_of_the_wrong_kind_is_a_problem(
    still: Any, problem: Check, content: bytes, kind: str, status: int
) -> None:
    """What is no picture, or not of the form it says, is refused with the fitting status."""
    headers = {"content-type": kind} if kind else {}
    problem(still.post("/v1/predict", content=content, headers=headers), status)


def test_what_is_no_form_fills_no_log(still: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The parser of forms warns of each; whoever sent it is told so, and nobody else."""
    form = {"content-type": "multipart/form-data; boundary=a"}
    assert still.post("/v1/predict", content=b"{no form}", headers=form).status_code == 400
    assert "boundary" not in caplog.text


def test_a_hundred_megabytes_are_refused_unread(still: Any, problem: Check) -> None:
    """A body whose head says that it is too large is 413, and nothing of it is held."""
    result = problem(
        still.post("/v1/predict", content=b"\0" * (100 * MEBIBYTE), headers=PNG), 413
    )
    assert result["seen"] == "104,857,600 bytes"
    assert still.state.body_budget.held == 0


def test_a_body_without_a_length_is_counted(
    open_lab: Any, problem: Check, seven_png: bytes
) -> None:
    """A body that comes in pieces is cut off at the cap; its room is given back."""
    with open_lab(max_body_bytes=1000) as lab:
        pieces = (b"x" * 400 for _ in range(10))
        problem(lab.post("/v1/predict", content=pieces, headers=PNG), 413)
        form = {"picture": ("a.png", b"x" * 2000)}
        problem(lab.post("/v1/predict", files=form), 413)
        problem(lab.post("/v1/train", json={"network": "x" * 2000}), 413)
        assert lab.state.body_budget.held == 0


def test_no_room_is_left_when_others_send_much(
    open_lab: Any, problem: Check, seven_png: bytes
) -> None:
    """When bodies fill the room that all may hold, the next is 503 with Retry-After."""
    with open_lab(max_held_bytes=100) as lab:
        response = lab.post("/v1/predict", content=seven_png, headers=PNG)
        problem(response, 503)
        assert response.headers["retry-after"] == "1"


def test_too_many_pictures_are_refused(open_lab: Any, problem: Check, seven_png: bytes) -> None:
    """More pictures than one request may hold are 413, in either form."""
    with open_lab(max_pictures=3) as lab:
        files = [("picture", (f"{index}.png", seven_png)) for index in range(5)]
        problem(lab.post("/v1/predict", files=files), 413)
        rows = [[[0] * 28] * 28] * 5
        problem(lab.post("/v1/predict", json={"pictures": rows}), 413)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_is_read(still: Any, seven: Image.Image, mode: str) -> None:
    """Pictures of every kind of pixel that a file may have are answered."""
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(seven).astype(np.uint16) * 257)
    else:
        picture = seven.convert("L" if mode == "L" else "RGB").convert(mode)
    into = io.BytesIO()
    picture.save(into, "TIFF")
    response = still.post("/v1/predict", content=into.getvalue(), headers=PNG)
    assert response.status_code == 200, response.text
    assert response.json()["pictures"][0]["answers"][0]["likeliest"] == 7
