"""/v1/read: lines of digits, by whatever reader is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

import digitlens
from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import ModelError
from digitlens.imaging.io import LoadedImage
from digitlens.ocr.page import Page
from digitlens.server import line_reader
from digitlens.server.schemas import Lines

PNG = {"content-type": "image/png"}
Check = Callable[..., dict[str, Any]]

SEVEN = LineDigit("7", 0.9, (1, 2, 11, 22), (Alternative("1", 0.05),))


class Fake:
    """A reader that tells the size it saw."""

    def page(self, picture: LoadedImage, length: int | None = None, **_: Any) -> Page:
        """Return a line of as many sevens as are asked for, else two lines of one."""
        height, width = picture.pixels.shape[:2]
        if length is None:
            line = Line("7", 0.9, (0, 0, width, height), (SEVEN,))
            return Page((line, line), size=(width, height), turn=-179.96)
        return Page((self.read_line(picture, length),))

    def read_line(self, picture: LoadedImage, length: int | None = None) -> Line:
        """Return one line."""
        count = length or 1
        return Line("7" * count, 0.5, (0, 0, 1, 1), (SEVEN,) * count)


@pytest.fixture(autouse=True)
def no_reader_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test find the reader anew."""
    monkeypatch.setattr(line_reader, "_readers", [])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the made-up reader in the place of the published one."""
    monkeypatch.setattr(digitlens, "Reader", Fake)


@pytest.mark.usefixtures("fake")
def test_lines_come_as_the_reader_gives_them(lab: Any, seven_png: bytes) -> None:
    """Lines are those of `Line.as_dict`, with the picture's size, and how it was turned."""
    result = lab.post("/v1/read", content=seven_png, headers=PNG).json()
    TypeAdapter(Lines).validate_python(result)
    assert (result["width"], result["height"], result["turn"]) == (140, 140, -180.0)
    assert len(result["lines"]) == 2
    assert result["lines"][0] == Line("7", 0.9, (0, 0, 140, 140), (SEVEN,)).as_dict()


def test_many_threads_read_with_one_reader(lab: Any, png: Callable[..., bytes]) -> None:
    """The published reader, asked by several at once, says to each what it says to one."""
    digits = digitlens.load_digits("uci").test
    pages = []
    for seed in range(6):
        ink = np.hstack(list(digits.images[4 * seed : 4 * seed + 4]))
        pages.append(png(np.pad(255 - np.kron(ink, np.ones((2, 2))), 20, constant_values=255)))
    alone = [lab.post("/v1/read", content=page, headers=PNG).json() for page in pages]
    asked = [lab.begin("POST", "/v1/read", content=page, headers=PNG) for page in pages * 3]
    assert [item.result(60).json() for item in asked] == alone * 3
    assert all(item["lines"] for item in alone)


@pytest.mark.usefixtures("fake")
def test_the_length_is_handed_on(lab: Any, seven_png: bytes) -> None:
    """With a length, and with line=true, the reader is asked for that."""
    for params in ({"length": 5}, {"length": 5, "line": True}):
        result = lab.post("/v1/read", params=params, content=seven_png, headers=PNG).json()
        assert [item["text"] for item in result["lines"]] == ["77777"]


@pytest.mark.usefixtures("fake")
def test_what_is_no_picture_is_a_problem(lab: Any, problem: Check) -> None:
    """Damaged pictures and odd lengths are refused before the reader sees them."""
    problem(lab.post("/v1/read", content=b"x", headers=PNG), 422)
    problem(lab.post("/v1/read", params={"length": 0}, content=b"x", headers=PNG), 422)


class Broken:
    """A reader whose network is not there."""

    def __init__(self) -> None:
        raise ModelError("reader.onnx is no model")


def test_without_a_reader_that_is_said(
    lab: Any, seven_png: bytes, problem: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation whose reader's network is missing answers 503."""
    monkeypatch.setattr(digitlens, "Reader", Broken)
    result = problem(lab.post("/v1/read", content=seven_png, headers=PNG), 503)
    assert result["detail"] == "no reader is installed"
    assert lab.get("/v1/networks").json()["reader"] is False
