"""Models: opening their files, loading, refusing, predicting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

import digitlens
from digitlens import models
from digitlens.digits import Digits
from digitlens.errors import ModelError, ShapeError
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers
from digitlens.models.inference import CHUNK, Model, load_model, open_session
from digitlens.models.onnx_writer import to_onnx

TINY = Path(digitlens.__file__).parent / "published" / "tiny.onnx"

CARD = ModelCard(
    name="dense-1",
    network="dense",
    data="made up",
    split="stratified",
    trained_on=100,
    seed=3,
    epochs=2,
    best_epoch=1,
    weights=567_434,
    multiply_adds=566_528,
    created="2026-01-01T00:00:00+00:00",
    validation={"misses": 2, "count": 50},
    versions={"digitlens": "0.1.0"},
)


@pytest.fixture(scope="module")
def content() -> bytes:
    """Return the bytes of a model file."""
    torch.manual_seed(0)
    return to_onnx(fuse_layers(models.build("dense")), CARD)


@pytest.fixture
def path(content: bytes, tmp_path: Path) -> Path:
    """Return a model file."""
    file = tmp_path / "dense-1.onnx"
    file.write_bytes(content)
    return file


def test_the_card_travels_inside_the_file(path: Path) -> None:
    """What was written into the file is what a loaded model says of itself."""
    assert load_model(path).card == CARD


def test_a_big_batch_is_split_and_answered_in_order(path: Path, digits: Digits) -> None:
    """Splitting over cores changes no answer, whatever the batch's size."""
    model, alone = load_model(path, threads=3), load_model(path, threads=1)
    many = np.concatenate([digits.images] * 8)[: 3 * CHUNK + 7]
    for count in (1, CHUNK, CHUNK + 1, len(many)):
        images = many[:count]
        np.testing.assert_allclose(
            model.predict(images).probabilities,
            np.concatenate([alone.predict(one[None]).probabilities for one in images]),
            atol=1e-6,
        )


def test_no_pictures_give_no_answers(path: Path) -> None:
    """An empty batch is answered with an empty one, be its digits framed or not."""
    model, nothing = load_model(path), np.empty((0, 28, 28), np.uint8)
    for predictions in (model.predict(nothing), model(nothing)):
        assert predictions.labels.shape == (0,)
        assert predictions.probabilities.shape == (0, 10)


def test_probabilities_sum_to_one_and_labels_are_their_peak(path: Path, digits: Digits) -> None:
    """Rows are distributions, and the label is the likeliest class."""
    predictions = load_model(path).predict(digits.images)
    np.testing.assert_allclose(predictions.probabilities.sum(1), 1, atol=1e-5)
    assert (predictions.labels == predictions.probabilities.argmax(1)).all()
    assert predictions.labels.dtype == np.uint8


def test_three_answers_by_the_bounds_of_the_card(tmp_path: Path, digits: Digits) -> None:
    """A picture is answered, unsure or refused, never two of these; the card says where."""
    network = models.build("cnn").eval()
    plain = to_onnx(fuse_layers(network), CARD)
    seen = Model(tmp_path / "plain.onnx", plain).predict(digits.images)
    assert seen.no_digit is not None
    low, high = np.quantile(seen.no_digit, [0.5, 0.8])
    best = seen.probabilities.max(1)
    few = float(np.quantile(best, 0.1))
    card = replace(CARD, threshold=float(high), unsure_above=float(low), unsure_below=few)
    given = Model(tmp_path / "m.onnx", to_onnx(fuse_layers(network), card)).predict(
        digits.images
    )
    assert given.refused is not None
    assert given.unsure is not None
    assert (given.refused == (seen.no_digit > high)).all()
    doubtful = (seen.no_digit > low) | (best < few)
    assert (given.unsure == (doubtful & ~given.refused)).all()
    assert given.unsure.any()
    assert not given.unsure.all()


def test_views_that_are_not_contiguous_are_answered(path: Path, digits: Digits) -> None:
    """A strided view of pictures is answered like its copy."""
    model = load_model(path)
    view = digits.images[::3]
    np.testing.assert_array_equal(
        model.predict(view).probabilities, model.predict(view.copy()).probabilities
    )


@pytest.mark.parametrize(
    "images",
    [
        np.zeros(10, np.uint8),
        np.full((1, 28, 28), -0.4242, np.float32),
        np.full((2, 784), 1.5),
        np.full((2, 784), 300),
        [[0]],
    ],
)
def test_other_arrays_are_refused(path: Path, images: np.ndarray) -> None:
    """A wrong shape or range is an error that says what was wanted."""
    with pytest.raises(ShapeError, match=r"must (be|have)"):
        load_model(path).predict(images)


def foreign() -> bytes:
    """Return an ONNX file that somebody else made."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def test_an_onnx_file_of_others_is_refused(tmp_path: Path) -> None:
    """A valid ONNX file without our card is named as such."""
    path = tmp_path / "x.onnx"
    path.write_bytes(foreign())
    with pytest.raises(ModelError) as caught:
        load_model(path)
    assert "must be an ONNX file that digitlens wrote" in str(caught.value)
    assert "no card of digitlens inside" in str(caught.value)


def test_a_card_on_a_foreign_graph_is_refused(tmp_path: Path) -> None:
    """A card alone does not make a model ours: the graph must take pixels."""
    model = onnx.load_from_string(foreign())
    helper.set_model_props(model, {"digitlens.card": CARD.to_json()})
    path = tmp_path / "x.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="inputs"):
        load_model(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_damaged_file_is_refused(path: Path, share: float) -> None:
    """A truncated file is an error, not a crash."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match="ONNX Runtime"):
        load_model(path)


def test_a_missing_model_says_how_to_make_one(in_tmp: Path) -> None:
    """The error names what was wanted and the command that makes it."""
    with pytest.raises(ModelError) as caught:
        load_model("./cnn")
    assert caught.value.wanted == (
        "cnn is no model: wanted a published name, a run folder or an .onnx file"
    )
    assert caught.value.seen == "No such file or directory"
    assert "digitlens train cnn" in (caught.value.try_ or "")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("dense", "digitlens train dense    makes one; or"),
        ("lenet5-7", "digitlens train lenet5    makes one; or"),
        ("universe", "universal, if that was meant"),
        ("mine", "a published network: best, cnn"),
    ],
)
def test_advice_is_about_the_model_that_was_named(in_tmp: Path, name: str, advice: str) -> None:
    """What is not published is trained under its own name; what is nearly right is guessed."""
    with pytest.raises(ModelError) as caught:
        load_model(name)
    assert (caught.value.try_ or "").startswith(advice)


def test_an_unfinished_run_is_named_as_such(tmp_path: Path) -> None:
    """A run that was cut off before its model was written can be gone on with."""
    (tmp_path / "config.toml").write_text("format = 1\n")
    with pytest.raises(ModelError, match="unfinished run"):
        load_model(tmp_path)


def test_a_card_of_another_format_is_refused(tmp_path: Path) -> None:
    """A card that a later version wrote is not guessed at."""
    with pytest.raises(ModelError, match="format 1"):
        ModelCard.from_json(CARD.to_json().replace('"format": 1', '"format": 9'))


def test_a_card_without_its_fields_is_refused() -> None:
    """A card that lacks a field says which."""
    with pytest.raises(ModelError, match="seed"):
        ModelCard.from_json('{"format": 1, "name": "x"}')


def test_the_card_in_markdown_states_the_misses() -> None:
    """A person reads whole misses, and that nothing was held back where that is so."""
    assert "2 misses in 50, 96.00 % right" in CARD.markdown()
    assert "nothing was held back" in replace(CARD, validation={}).markdown()


def test_a_repr_names_the_model(path: Path) -> None:
    """The name in a notebook says which model it is."""
    assert repr(Model(path, path.read_bytes())) == f"Model('dense-1', {path})"


def test_a_network_is_opened_for_one_thread() -> None:
    """A session runs on the processor, in one thread, and answers."""
    session = open_session(TINY, TINY.read_bytes())
    assert session.get_providers() == ["CPUExecutionProvider"]
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    (entry,) = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[entry.type]
    shape = [size if isinstance(size, int) else 2 for size in entry.shape]
    assert all(
        np.isfinite(item).all()
        for item in session.run(None, {entry.name: np.zeros(shape, kind)})
    )


@pytest.mark.parametrize(
    ("content", "likely"),
    [
        (b"", "the file is empty"),
        (b"no network", "the file is damaged, or of another kind"),
        (TINY.read_bytes()[:1000], "the file is damaged, or of another kind"),
    ],
    ids=["empty", "text", "cut off"],
)
def test_what_is_no_network_is_refused(
    content: bytes, likely: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the engine does not take is told in one line, and the engine itself is quiet."""
    with pytest.raises(ModelError) as caught:
        open_session("letter.onnx", content)
    error = caught.value
    assert error.wanted == "letter.onnx must be an ONNX file that digitlens wrote"
    assert error.likely == likely
    assert error.try_ == "digitlens export RUN --to onnx writes it again"
    assert error.seen is not None
    assert error.seen.startswith("ONNX Runtime: ")
    assert "\n" not in error.seen
    assert len(error.seen) <= 214
    assert capfd.readouterr() == ("", "")


HOSTILE = {
    "a path as its name": {"name": "/tmp/x"},
    "a path upwards": {"name": "../x"},
    "a Windows path": {"name": "a\\b"},
    "the folder itself": {"name": ".."},
    "no name": {"name": ""},
    "a very long name": {"name": "n" * 100_000},
    "a terminal's commands": {"name": "\x1b[2Jx"},
    "commands in a note": {"notes": ["\x9b31m"]},
    "commands in a key": {"figures": {"\x07": "1"}},
    "words for a number": {"threshold": "abc"},
    "NaN": {"threshold": float("nan")},
    "infinity": {"unsure_above": float("inf")},
    "a number without end": {"weights": 10**400},
    "a flag for a number": {"epochs": True},
    "a number for words": {"data": 5},
    "a list for a table": {"figures": ["a"]},
    "a number in a list of notes": {"notes": [5]},
    "misses of nothing": {"validation": {"misses": 1}},
    "more misses than digits": {"test": {"misses": 2, "count": 1}},
    "no field of validation": {"validation": {"count": 0, "misses": 0}},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_card_is_refused(change: dict[str, object]) -> None:
    """A model file may come from anyone: such words never reach a path or a screen."""
    raw = json.loads(CARD.to_json()) | change
    with pytest.raises(ModelError, match="a model's card cannot be read"):
        ModelCard.from_json(json.dumps(raw))


def test_a_card_of_brackets_or_of_megabytes_is_refused() -> None:
    """Neither depth nor length is without limit."""
    for text in ("[" * 90_000, json.dumps({"format": 1, "x": "y" * 200_000})):
        with pytest.raises(ModelError, match="a model's card cannot be read"):
            ModelCard.from_json(text)


def test_an_unfinished_run_says_how_it_is_gone_on_with(tmp_path: Path) -> None:
    """The command that resumes it names its network."""
    (tmp_path / "config.toml").write_text('format = 1\n[run]\nnetwork = "dense"\n')
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path)
    assert caught.value.try_ == f"digitlens train dense --resume --out {tmp_path}"
