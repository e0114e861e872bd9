"""Why a model answers as it does: occlusion, integrated gradients, and all of it as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens import models
from digitlens.digits import Digits
from digitlens.errors import ShapeError
from digitlens.explain import explain, gradients
from digitlens.explain.inspection import inspect_model
from digitlens.explain.occlusion import log_odds, occlude
from digitlens.imaging import frame_steps
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers, to_module
from digitlens.models.inference import Model
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Cascade, Ensemble, Op

NAMES = ["dense", "lenet5", "quick", "cnn"]
Make = Callable[..., Model]
Fresh = Callable[..., list[Op]]


@pytest.fixture
def make(tmp_path: Path, card: ModelCard) -> Make:
    """Return a function that makes a model of a program of operations."""

    def model(program: Any, name: str = "made") -> Model:
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(to_onnx(program, replace(card, name=name, network=name)))
        return Model(path, path.read_bytes(), threads=1)

    return model


def odds_of(model: Model, images: Any, label: int) -> Any:
    """Return the model's log-odds of a label, (N,)."""
    return log_odds(model.logits(images).astype(np.float64), label)


@pytest.mark.parametrize("name", NAMES)
def test_an_explanation_holds_every_part(
    make: Make, digits: Digits, name: str, fresh: Fresh
) -> None:
    """Pixels, filters, the values of each layer, both maps and the answer, in their shapes."""
    model, digit = make(fresh(name), name), digits.images[7]
    result = explain(model, digit)
    assert (result.digit == digit).all()
    assert result.steps == ()
    np.testing.assert_array_equal(result.unrolled * 255, digit.reshape(-1))
    wanted = model.predict(digit[None])
    np.testing.assert_array_equal(result.probabilities, wanted.probabilities[0])
    assert result.label == wanted.labels[0]
    assert len(result.maps) == len(inspect_model(model).layers)
    np.testing.assert_allclose(
        result.maps[-1].values[:10], model.logits(digit[None])[0], rtol=1e-4, atol=1e-4
    )
    shape = {"dense": (64, 28, 28), "lenet5": (6, 5, 5), "quick": (32, 6, 6)}
    assert result.filters.shape == shape.get(name, (16, 5, 5))
    assert (result.members, result.member, result.shown) == (1, 0, "")


def test_covering_blank_paper_changes_nothing(make: Make, digits: Digits, fresh: Fresh) -> None:
    """Where the window holds no ink the fall is exactly 0 and the answer stays."""
    digit = digits.images[3].copy()
    digit[:, :9] = 0
    result = occlude(make(fresh("quick")), digit)
    assert not result.fall[:, :7].any()
    assert result.fall[:, 7:].any()
    assert (result.answers[:, :7] == result.answers[0, 0]).all()


@pytest.mark.parametrize(("row", "column", "window"), [(14, 14, 5), (6, 12, 3), (20, 14, 7)])
def test_occlusion_is_what_covering_by_hand_gives(
    make: Make, digits: Digits, row: int, column: int, window: int, fresh: Fresh
) -> None:
    """The fall at a pixel is that of the log-odds when its window is turned to paper."""
    model, digit = make(fresh("cnn")), digits.images[8]
    result = occlude(model, digit, window=window)
    spoilt, reach = digit.copy(), window // 2
    spoilt[row - reach : row + reach + 1, column - reach : column + reach + 1] = 0
    both = np.stack([digit, spoilt])
    label = int(model.predict(digit[None]).labels[0])
    before, after = odds_of(model, both, label)
    assert result.fall[row, column] == pytest.approx(before - after, abs=1e-4)
    assert result.answers[row, column] == model.predict(spoilt[None]).labels[0]
    assert result.odds == pytest.approx(before, abs=1e-5)


def test_larger_steps_leave_windows_out(make: Make, digits: Digits, fresh: Fresh) -> None:
    """With a step of 2 each 2 x 2 pixels have the value of their upper left one."""
    model = make(fresh("quick"))
    fine, coarse = (occlude(model, digits.images[6], step=step) for step in (1, 2))
    for name in ("fall", "answers"):
        wanted = getattr(fine, name)[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
        np.testing.assert_allclose(getattr(coarse, name), wanted, atol=1e-5)


def test_log_odds_stay_exact_where_a_probability_is_one() -> None:
    """A lead of 60 is told from one of 70, though both probabilities round to 1."""
    logits = np.zeros((2, 10))
    logits[:, 4] = 60, 70
    np.testing.assert_allclose(log_odds(logits, 4), np.array([60, 70]) - np.log(9))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_sum_to_what_the_ink_adds(
    make: Make, digits: Digits, name: str, fresh: Fresh
) -> None:
    """The parts of all pixels sum to the log-odds less those of blank paper; paper has none."""
    model, digit = make(fresh(name), name), digits.images[2]
    result = explain(model, digit)
    assert result.gradients is not None
    assert result.without_gradients == ""
    assert not result.gradients[digit == 0].any()
    paper, ink = odds_of(model, np.stack([np.zeros_like(digit), digit]), result.label)
    room = 0.01 * float(np.abs(result.gradients).sum()) + 1e-3
    assert result.gradients.sum() == pytest.approx(ink - paper, abs=room)


def test_an_ensemble_is_explained_as_a_whole_by_its_first(
    make: Make, digits: Digits, fresh: Fresh
) -> None:
    """The layers are those of the first network, answer and maps those of all together."""
    model = make(Ensemble((fresh("quick"), fresh("lenet5", 1), fresh("quick", 2))))
    result = explain(model, digits.images[1])
    assert (result.members, result.member, result.shown) == (3, 0, "the first of 3 networks")
    assert len(result.maps) == 4
    assert result.gradients is not None
    assert result.occlusion.odds == pytest.approx(
        odds_of(model, digits.images[1:2], result.label)[0], abs=1e-5
    )


def test_of_a_cascade_the_network_that_answered_is_shown(
    make: Make, digits: Digits, fresh: Fresh
) -> None:
    """A sure first network is shown itself; where it is not sure the second is."""
    first, second = fresh("quick"), fresh("lenet5", 1)
    easy = explain(make(Cascade(first, second, 0.0), "easy"), digits.images[0])
    hard = explain(make(Cascade(first, second, 1e6), "hard"), digits.images[0])
    assert (easy.member, len(easy.maps), len(easy.filters)) == (0, 4, 32)
    assert (hard.member, len(hard.maps), len(hard.filters)) == (1, 7, 6)
    assert "was sure" in easy.shown
    assert "was not sure" in hard.shown
    assert easy.gradients is not None
    assert hard.gradients is not None


def test_a_model_that_knows_no_digits_says_how_likely_that_is(
    make: Make, digits: Digits
) -> None:
    """With an eleventh output the explanation has its share, and the ten sum to 1."""
    torch.manual_seed(0)
    network = models.build("quick")
    network[-1] = torch.nn.Linear(128, 11)
    result = explain(make(fuse_layers(network.eval())), digits.images[0])
    assert result.no_digit is not None
    assert 0 < result.no_digit < 1
    assert (result.refused, result.unsure) == (False, False)
    assert "check this" not in result.answer
    assert replace(result, unsure=True).answer.endswith("; check this")
    assert replace(result, refused=True).answer.endswith("; check this")
    assert result.probabilities.sum() == pytest.approx(1)
    assert result.maps[-1].about.startswith(
        "11 values, one for each digit from 0 to 9, the last"
    )
    assert result.gradients is not None


def test_any_picture_is_framed_first_and_every_step_kept(make: Make, fresh: Fresh) -> None:
    """A large picture with dark ink is framed as frame_steps does it, once for both."""
    picture = np.full((90, 120), 230, np.uint8)
    picture[20:70, 60:68] = 40
    model, framing = make(fresh("quick")), frame_steps(picture)
    for given in (picture, framing):
        result = explain(model, given, gradients=False)
        np.testing.assert_array_equal(result.digit, framing.digit)
        assert [step.name for step in result.steps] == [step.name for step in framing.steps]
        assert (result.gradients, result.without_gradients) == (None, "")


def test_a_digit_of_another_dtype_is_refused(make: Make, fresh: Fresh) -> None:
    """An array of 28 x 28 floats is no digit of ours."""
    with pytest.raises(ShapeError):
        explain(make(fresh("quick")), np.zeros((28, 28)))


@pytest.mark.parametrize("filters", [True, False])
def test_as_dict_is_json(make: Make, digits: Digits, filters: bool, fresh: Fresh) -> None:
    """Everything is a plain number, list or text; the filters may be left out."""
    result = explain(make(fresh("cnn")), digits.images[4])
    again = json.loads(json.dumps(result.as_dict(filters=filters), allow_nan=False))
    assert ("filters" in again) == filters
    assert again["digit"] == result.label
    assert again["pixels"] == result.digit.tolist()
    for name, values in (
        ("fall", result.occlusion.fall),
        ("answers", result.occlusion.answers),
    ):
        np.testing.assert_allclose(again["occlusion"][name], values, atol=1e-3)
    for layer, item in zip(again["layers"], result.maps, strict=True):
        np.testing.assert_allclose(layer["values"], item.values, rtol=1e-3, atol=1e-3)
    assert "-0.0," not in json.dumps(again)


def test_without_torch_the_reason_is_told(
    make: Make, digits: Digits, monkeypatch: pytest.MonkeyPatch, fresh: Fresh
) -> None:
    """In a core install all but the gradients is there, and what brings them is named."""
    model = make(fresh("quick"))
    monkeypatch.delitem(sys.modules, "digitlens.explain.gradients", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    result = explain(model, digits.images[0])
    assert result.gradients is None
    assert "digitlens[train]" in result.without_gradients
    assert result.occlusion.fall.any()


def test_gradients_of_another_answer_are_left_out(
    make: Make, digits: Digits, monkeypatch: pytest.MonkeyPatch, fresh: Fresh
) -> None:
    """Where torch comes to another answer than the model, there are no gradients."""
    monkeypatch.setattr(gradients, "to_module", lambda ops: to_module(ops[:-1]))
    result = explain(make(fresh("quick")), digits.images[0])
    assert result.gradients is None
    assert result.without_gradients.startswith("torch comes to log-odds ")


def test_words_say_what_the_answer_hangs_on(make: Make, digits: Digits, fresh: Fresh) -> None:
    """The line names a window with the largest fall, and what would be read without it."""
    result = explain(make(fresh("cnn")), digits.images[5], gradients=False)
    row, column = np.unravel_index(result.occlusion.fall.argmax(), (28, 28))
    assert f"row {row}, column {column} it would" in result.mattered
    assert result.answer.startswith(f"made reads {result.label}, ")
    blank = explain(make(fresh("cnn")), np.zeros((28, 28), np.uint8), gradients=False)
    assert blank.mattered == "no part of the ink speaks for the answer by itself"
