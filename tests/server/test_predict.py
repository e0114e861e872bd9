"""/v1/predict: pictures in, answers out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from digitlens import frame_digit, load_model
from digitlens.imaging import frame_drawing
from digitlens.server.schemas import Predicted

PNG = {"content-type": "image/png"}


def test_a_drawn_seven_is_seven(still: Any, seven_png: bytes) -> None:
    """A picture file as the body is answered by the default network, as in `Model.predict`."""
    response = still.post("/v1/predict", content=seven_png, headers=PNG)
    assert response.status_code == 200
    (result,) = response.json()["pictures"]
    (answer,) = result["answers"]
    expected = load_model().predict(frame_digit(seven_png)[None])
    assert answer["network"] == "universal"
    assert answer["digit"] == answer["likeliest"] == 7 == int(expected.labels[0])
    assert answer["probabilities"] == pytest.approx(
        expected.probabilities[0].tolist(), abs=1e-5
    )
    assert expected.no_digit is not None
    assert answer["no_digit"] == pytest.approx(float(expected.no_digit[0]), abs=1e-5)
    assert result["unchanged"] is False
    assert result["light_ink"] is False
    TypeAdapter(Predicted).validate_python(response.json())


def test_the_three_forms_of_a_body_are_answered_alike(
    still: Any, seven: Image.Image, seven_png: bytes
) -> None:
    """A file, multipart, base64 in its forms, and rows of numbers say the same."""
    coded = base64.b64encode(seven_png).decode()
    answers = [
        still.post("/v1/predict", content=seven_png, headers=PNG),
        still.post(
            "/v1/predict",
            content=seven_png,
            headers={"content-type": "application/octet-stream"},
        ),
        still.post("/v1/predict", files={"picture": ("a.png", seven_png)}),
        still.post("/v1/predict", json={"pictures": [coded]}),
        still.post("/v1/predict", json={"pictures": [f"data:image/png;base64,{coded}"]}),
        still.post("/v1/predict", json={"pictures": [base64.encodebytes(seven_png).decode()]}),
        still.post("/v1/predict", json={"pictures": [np.asarray(seven).tolist()]}),
    ]
    assert [item.status_code for item in answers] == [200] * 7
    assert all(item.json() == answers[0].json() for item in answers)


def test_many_pictures_keep_their_order(
    still: Any, make_digits: Callable[..., Any], png: Callable[..., bytes]
) -> None:
    """Pictures of one request are answered in their order, each as if it were alone."""
    files = [png(image) for image in make_digits(20).images]
    together = still.post(
        "/v1/predict",
        files=[("picture", (f"{index}.png", file)) for index, file in enumerate(files)],
    ).json()["pictures"]
    alone = [
        still.post("/v1/predict", content=file, headers=PNG).json()["pictures"][0]
        for file in files
    ]
    for one, other in zip(together, alone, strict=True):
        assert one["answers"][0]["likeliest"] == other["answers"][0]["likeliest"]
        assert one["answers"][0]["probabilities"] == pytest.approx(
            other["answers"][0]["probabilities"], abs=1e-5
        )


def test_several_networks_answer_in_the_order_asked(still: Any, seven_png: bytes) -> None:
    """Networks side by side come in the order of the query; one without "no digit" has null."""
    names = ["tiny", "cnn", "dense-deformed"]
    response = still.post(
        "/v1/predict", params={"network": names}, content=seven_png, headers=PNG
    )
    answers = response.json()["pictures"][0]["answers"]
    assert [item["network"] for item in answers] == names
    assert [item["digit"] for item in answers] == [7, 7, 7]
    assert answers[0]["no_digit"] is None
    assert answers[1]["no_digit"] is not None


def test_a_digit_is_taken_as_it_is_without_framing(
    still: Any, seven_png: bytes, png: Callable[..., bytes]
) -> None:
    """With frame=false a shifted digit stays shifted, and pixels=true shows it."""
    digit = np.roll(frame_digit(seven_png), 3, axis=1)
    answer = still.post(
        "/v1/predict",
        params={"frame": False, "pixels": True},
        content=png(digit),
        headers=PNG,
    ).json()["pictures"][0]
    assert answer["pixels"] == digit.tolist()
    assert answer["box"] is None


def test_no_digit_is_null(still: Any, png: Callable[..., bytes]) -> None:
    """A network that sees no digit says null, and what it would be beside it."""
    rows, columns = np.mgrid[0:28, 0:28]
    rings = 127 + 127 * np.sin(np.hypot(rows - 14, columns - 14) * 2)
    answer = still.post(
        "/v1/predict", params={"frame": False}, content=png(rings), headers=PNG
    ).json()["pictures"][0]["answers"][0]
    assert answer["digit"] is None
    assert 0 <= answer["likeliest"] <= 9
    assert answer["no_digit"] > 0.05


def test_one_bad_picture_fails_the_request_and_is_named(
    still: Any,
    seven_png: bytes,
    png: Callable[..., bytes],
    problem: Callable[..., dict[str, Any]],
) -> None:
    """There is no 200 with an error inside: of several pictures the bad one is named."""
    blank = png(np.full((60, 60), 255))
    files = [("picture", ("a.png", seven_png)), ("picture", ("b.png", blank))]
    result = problem(still.post("/v1/predict", files=files), 422)
    assert result["type"] == "urn:digitlens:no-ink"
    assert result["detail"] == "picture 2 must show a digit"
    assert result["seen"].startswith("bare paper")


def test_an_unknown_network_is_not_found(
    still: Any, seven_png: bytes, problem: Callable[..., dict[str, Any]]
) -> None:
    """A network that is not there is 404, and one with a path for a name too."""
    for name in ("ccn", "../cnn", "/etc/passwd", "x" * 500, ""):
        response = still.post(
            "/v1/predict", params={"network": name}, content=seven_png, headers=PNG
        )
        problem(response, 404)


@pytest.fixture
def two_marks() -> np.ndarray:
    """Return two upright strokes far from each other, black on white, (140, 140)."""
    drawing = np.full((140, 140), 255, np.uint8)
    drawing[40:100, 15:25] = drawing[40:100, 110:120] = 0
    return drawing


def test_a_drawing_is_one_digit(
    still: Any, two_marks: np.ndarray, png: Callable[..., bytes], problem: Callable[..., Any]
) -> None:
    """With drawing=true all marks are one digit; how many it looks like is told."""
    content = png(two_marks)
    problem(still.post("/v1/predict", content=content, headers=PNG), 422)
    query = {"drawing": True, "pixels": True}
    asked = still.post("/v1/predict", params=query, content=content, headers=PNG)
    (result,) = asked.json()["pictures"]
    TypeAdapter(Predicted).validate_python(asked.json())
    assert result["box"] == [15, 40, 120, 100]
    assert result["several"] == 2
    assert np.array_equal(result["pixels"], frame_drawing(two_marks).digit)
    answer = still.post("/v1/explain", params=query, content=content, headers=PNG).json()
    assert answer["pixels"] == result["pixels"]
    assert answer["steps"][0]["name"] == "opened"
