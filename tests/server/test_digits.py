"""/v1/own and /v1/mistakes: digits kept on purpose, and what networks get wrong."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from digitlens import evaluate, frame_digit, load_digits, load_model
from digitlens.server import digit_sets
from digitlens.server.schemas import CellPictures, DigitMap, Measured, OwnList, OwnSaved, Sample
from digitlens.training.user_data import load_user_data

Check = Callable[..., dict[str, Any]]


def coded(content: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(content).decode()


def test_saved_digits_are_what_training_reads(
    lab: Any, make_digits: Callable[..., Any], png: Callable[..., bytes]
) -> None:
    """Digits saved with their labels are read back, the same pixels, as one's own pictures."""
    made = make_digits(30)
    rows = [
        {"picture": coded(png(image)), "label": int(label)}
        for image, label in zip(made.images, made.labels, strict=True)
    ]
    saved = lab.post("/v1/own", json={"digits": rows})
    assert saved.status_code == 201
    TypeAdapter(OwnSaved).validate_python(saved.json())
    assert saved.json()["count"] == 30
    assert saved.json()["folder"] == "runs/own"
    read = load_user_data("runs/own", 0)
    assert read.rejected == ()
    assert read.data.train.counts.tolist() == made.counts.tolist()
    expected = {frame_digit(png(image)).tobytes() for image in made.images}
    assert {image.tobytes() for image in read.data.train.images} == expected
    assert all(path.parent.parent == Path("runs/own") for path in Path("runs").rglob("*.png"))


def test_a_digit_saved_twice_is_one(lab: Any, seven_png: bytes) -> None:
    """The same picture with the same label is one file, and can be seen and removed."""
    body = {"digits": [{"picture": coded(seven_png), "label": 7}] * 3}
    saved = lab.post("/v1/own", json=body).json()
    assert saved["count"] == 1
    (name,) = {item["name"] for item in saved["saved"]}
    picture = lab.get(f"/v1/own/7/{name}")
    assert picture.headers["content-type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(picture.content)))
    assert np.array_equal(pixels, frame_digit(seven_png))
    left = lab.delete(f"/v1/own/7/{name}").json()
    TypeAdapter(OwnList).validate_python(left)
    assert left["count"] == 0
    assert not Path("runs/own/7").exists(), "an empty class folder would be an error"


def test_a_digit_is_cut_out_of_a_line_by_its_box(
    lab: Any, seven: Image.Image, png: Callable[..., bytes]
) -> None:
    """With a box, the digit inside it is saved, though others stand beside it."""
    line = Image.new("L", (420, 140), 245)
    for index in range(3):
        line.paste(seven, (140 * index, 0))
    box = [140 + 30, 30, 140 + 110, 115]
    whole = {"picture": coded(png(line)), "label": 7}
    saved = lab.post("/v1/own", json={"digits": [whole | {"box": box}]}).json()
    picture = lab.get(f"/v1/own/7/{saved['saved'][0]['name']}").content
    one = np.asarray(Image.open(io.BytesIO(picture))).astype(int)
    assert np.abs(one - frame_digit(png(seven)).astype(int)).mean() < 6
    assert lab.post("/v1/own", json={"digits": [whole]}).status_code == 422


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"label": 10}, 422),
        ({"label": "7/../.."}, 422),
        ({"label": True}, 422),
        ({"box": [1, 2, 3]}, 422),
        ({"box": [90, 2, 20, 60]}, 400),
        ({"box": [1e300, 0, 2e300, 5]}, 400),
        ({"box": [-1e308, -1e308, 1e308, 1e308]}, 400),
        ({"box": [500, 500, 600, 600]}, 400),
        ({"picture": "../../etc/passwd"}, 422),
        ({"name": "x"}, 422),
    ],
)
def test_what_cannot_be_saved_saves_nothing(
    lab: Any, seven_png: bytes, problem: Check, change: dict[str, Any], status: int
) -> None:
    """One digit of several that cannot be used, and nothing at all is written."""
    good = {"picture": coded(seven_png), "label": 7}
    problem(lab.post("/v1/own", json={"digits": [good, good | change]}), status)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    "place", ["7/x", "7/..%2f..%2fx", "77/0123456789abcdef", "7/0123456789ABCDEF", "x/y"]
)
def test_no_name_leads_out_of_the_folder(lab: Any, problem: Check, place: str) -> None:
    """Only names that the lab itself gives are looked for."""
    for response in (lab.get(f"/v1/own/{place}"), lab.delete(f"/v1/own/{place}")):
        assert response.status_code in (404, 422)
        problem(response, response.status_code)


def test_a_networks_mistakes_are_those_that_evaluate_counts(lab: Any) -> None:
    """The confusion matrix is that of `evaluate`, and each cell has as many pictures."""
    result = lab.get("/v1/mistakes", params={"data": "uci"}).json()
    TypeAdapter(Measured).validate_python(result)
    expected = evaluate(load_model(), load_digits("uci").test)
    assert result["confusion"] == expected.confusion.tolist()
    assert result["misses"] == expected.misses
    truth, answer, times = expected.top_confusions(1)[0]
    place = {"data": "uci", "truth": truth, "answer": answer}
    cell = lab.get("/v1/mistakes/cell", params=place).json()
    TypeAdapter(CellPictures).validate_python(cell)
    assert cell["count"] == len(cell["pictures"]) == times
    for item in cell["pictures"]:
        content = base64.b64decode(item["picture"].partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(content)))
        assert np.array_equal(pixels, expected.digits.images[item["index"]])
    again = lab.post("/v1/predict", json={"pictures": [cell["pictures"][0]["picture"]]})
    assert again.status_code == 200, "a picture of a cell can be opened as it is"


def test_a_cell_comes_in_parts(lab: Any) -> None:
    """`first` and `count` leaf through a cell, the surest first."""
    place = {"data": "uci", "truth": 3, "answer": 3}
    whole = lab.get("/v1/mistakes/cell", params=place | {"count": 20}).json()["pictures"]
    assert [item["confidence"] for item in whole] == sorted(
        (item["confidence"] for item in whole), reverse=True
    )
    part = lab.get("/v1/mistakes/cell", params=place | {"first": 5, "count": 3}).json()
    assert part["pictures"] == whole[5:8]


def test_own_digits_can_be_measured_once_there_are_some(
    lab: Any, seven_png: bytes, problem: Check
) -> None:
    """Before any is saved that is said; then the network is measured on them."""
    problem(lab.get("/v1/mistakes", params={"data": "own"}), 503)
    body = {"digits": [{"picture": coded(seven_png), "label": 7}]}
    lab.post("/v1/own", json=body)
    result = lab.get("/v1/mistakes", params={"data": "own"}).json()
    assert (result["count"], result["misses"]) == (1, 0)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"data": "/etc"}, 400),
        ({"data": "../x"}, 400),
        ({"data": "uci", "part": "secret"}, 400),
        ({"data": "uci", "network": "none"}, 404),
    ],
)
def test_what_cannot_be_measured_is_a_problem(
    lab: Any, problem: Check, params: dict[str, Any], status: int
) -> None:
    """Sources that are paths, unknown parts and networks are refused."""
    problem(lab.get("/v1/mistakes", params=params), status)


def test_no_more_are_kept_than_a_person_draws(
    lab: Any, seven_png: bytes, problem: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that saves without end is stopped, and nothing of its request is written."""
    monkeypatch.setattr(digit_sets, "MAX_DIGITS", 1)
    rows = [{"picture": coded(seven_png), "label": label} for label in (1, 7)]
    problem(lab.post("/v1/own", json={"digits": rows}), 507)
    assert not Path("runs").exists()
    assert lab.post("/v1/own", json={"digits": rows[:1]}).status_code == 201


def test_a_sample_is_a_test_digit_counted_round(lab: Any) -> None:
    """Without MNIST a digit of UCI's test part comes; an index past the end begins again."""
    test = load_digits("uci").test
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digit_sets, "list_sources", lambda _: {"mnist": False})
        first, again = (
            lab.get("/v1/sample", params={"index": index}).json()
            for index in (3, 3 + len(test))
        )
    TypeAdapter(Sample).validate_python(first)
    assert first == again
    assert (first["source"], first["label"]) == ("uci test", int(test.labels[3]))
    assert np.array_equal(first["pixels"], test.images[3])


def test_a_map_lays_digits_where_the_last_hidden_layer_puts_them(lab: Any) -> None:
    """A digit's values of /v1/explain, less the mean, times the components, are its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digit_sets, "list_sources", lambda _: {"mnist": False})
        result = lab.get("/v1/map", params={"network": "tiny"}).json()
        asked = {"index": result["index"][7], "part": "validation"}
        digit = lab.get("/v1/sample", params=asked).json()
    TypeAdapter(DigitMap).validate_python(result)
    assert (result["source"], result["labels"][7]) == ("uci validation", digit["label"])
    query = {"network": "tiny", "frame": False, "layers_only": True}
    body = {"pictures": [digit["pixels"]]}
    inside = lab.post("/v1/explain", params=query, json=body).json()
    values = np.ravel(inside["layers"][result["layer"] - 1]["values"])
    place = np.array(result["components"]) @ (values - result["mean"])
    assert place == pytest.approx(result["points"][7], abs=0.02)
    assert 0.2 < result["share"] <= 1
    points = np.array(result["points"])
    assert points.var(axis=0)[0] >= points.var(axis=0)[1]
