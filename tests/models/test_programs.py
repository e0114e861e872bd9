"""Files of operations: ensembles, cascades, "no digit", half precision, layers of bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitlens.digits import Digits, Images
from digitlens.errors import ModelError
from digitlens.models.card import ModelCard
from digitlens.models.convert import MAX_WEIGHT, quantize_first_layer, rebuild
from digitlens.models.inference import Model
from digitlens.models.onnx_reader import parse_onnx, parse_program
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.models.ops import (
    Cascade,
    Conv,
    Ensemble,
    Flatten,
    Linear,
    Op,
    Program,
    QuantLinear,
    Relu,
    apply,
    count_outputs,
)

CARD = ModelCard(
    "n-1", "n", "made up", "none", 1, 0, 1, 1, 1, 1, "2026-01-01T00:00:00+00:00",
    threshold=0.09,
)  # fmt: skip


def small(seed: int, outputs: int = 10) -> list[Op]:
    """Return a network with weights of chance."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.2, shape).astype(np.float32)

    return [
        Conv(weights(4, 1, 5, 5) / 255, weights(4), stride=(3, 3)),
        Relu(),
        Flatten(),
        Linear(weights(outputs, 256), weights(outputs)),
    ]


def apply_program(program: Program, pixels: Images) -> np.ndarray:
    """Return what `program` answers, by the plain meaning of its operations."""
    match program:
        case Ensemble():
            return np.mean([apply(ops, pixels) for ops in program.members], axis=0)
        case Cascade():
            logits = apply(program.first, pixels)
            best = np.sort(logits, axis=1)
            unsure = best[:, -1] - best[:, -2] < program.margin
            if unsure.any():
                logits[unsure] = apply(program.second, pixels[unsure])
            return logits
        case _:
            return apply(program, pixels)


def loaded(program: Program, card: ModelCard = CARD) -> Model:
    """Return the model that the file of `program` holds."""
    return Model(Path("x.onnx"), to_onnx(program, card))


def test_an_ensemble_answers_with_the_mean_of_its_members(digits: Digits) -> None:
    """The logits of an ensemble are the means of its members'."""
    members = (small(0), small(1), small(2))
    wanted = np.mean([loaded(member).logits(digits.images) for member in members], axis=0)
    result = loaded(Ensemble(members)).logits(digits.images)
    np.testing.assert_allclose(result, wanted, atol=1e-4)
    np.testing.assert_allclose(
        result, apply_program(Ensemble(members), digits.images), atol=1e-4
    )


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_a_cascade_passes_on_what_it_is_unsure_of(share: float, digits: Digits) -> None:
    """Digits under the margin are answered by the second network, the others by the first."""
    first, second = small(0), small(1)
    best = np.sort(apply(first, digits.images), axis=1)
    lead = best[:, -1] - best[:, -2]
    ends = {0.0: -1.0, 1.0: float(lead.max()) + 1}
    margin = ends.get(share, float(np.quantile(lead, share)))
    program = Cascade(first, second, margin)
    result = loaded(program).logits(digits.images)
    passed_on = lead < margin
    assert float(passed_on.mean()) == pytest.approx(share, abs=0.01)
    wanted = np.where(
        passed_on[:, None], apply(second, digits.images), apply(first, digits.images)
    )
    np.testing.assert_allclose(result, wanted, atol=1e-4)
    np.testing.assert_allclose(apply_program(program, digits.images), wanted, atol=1e-4)


def test_an_eleventh_output_is_the_share_of_no_digit(digits: Digits) -> None:
    """`no_digit` is the eleventh softmax of eleven; the ten go on as if it were not there."""
    network = small(5, outputs=11)
    assert count_outputs(network) == 11
    logits = apply(network, digits.images)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    given = loaded(network).predict(digits.images)
    assert given.no_digit is not None
    assert given.refused is not None
    np.testing.assert_allclose(given.no_digit, shares[:, 10], atol=1e-5)
    ten = shares[:, :10] / shares[:, :10].sum(1, keepdims=True)
    np.testing.assert_allclose(given.probabilities, ten, atol=1e-5)
    assert np.array_equal(given.refused, given.no_digit > CARD.threshold)
    assert 0 < given.refused.sum() < len(digits)


def test_a_network_of_ten_outputs_refuses_nothing(digits: Digits) -> None:
    """Without an eleventh output there is no word about what is no digit."""
    given = loaded(small(0)).predict(digits.images)
    assert given.no_digit is None
    assert given.refused is None


def test_batches_of_any_size_give_the_same_shares(digits: Digits) -> None:
    """No digits, one digit and more than a chunk all come back in order."""
    model = loaded(small(5, outputs=11))
    many = np.concatenate([digits.images] * 3)
    whole = model.predict(many).no_digit
    assert whole is not None
    one = model.predict(many[:1]).no_digit
    assert one is not None
    np.testing.assert_allclose(one, whole[:1], atol=1e-6)
    none = model.predict(many[:0])
    assert none.no_digit is not None
    assert none.no_digit.shape == (0,)
    assert none.probabilities.shape == (0, 10)


@pytest.mark.parametrize(
    "program",
    [small(0), Ensemble((small(0), small(1))), Cascade(small(0), small(1), 0.5)],
    ids=["one", "ensemble", "cascade"],
)
def test_half_precision_halves_the_file_and_hardly_moves_an_answer(
    program: Program, digits: Digits
) -> None:
    """Halved weights answer almost alike, and the file carries the new card."""
    content = to_onnx(program, CARD)
    card = replace(CARD, name="halved")
    halved = rewrite_onnx(content, card, half=True)
    model = Model(Path("x.onnx"), halved)
    assert model.card == card
    before = Model(Path("x.onnx"), content).predict(digits.images).probabilities
    after = model.predict(digits.images).probabilities
    assert not np.array_equal(before, after)
    close = np.abs(after - before).max(1) < 0.01
    assert close.mean() > 0.98, "at a cascade's margin a digit may go the other way"
    assert len(halved) < 0.75 * len(content)


def test_a_file_unfolds_to_the_operations_it_was_made_of(digits: Digits) -> None:
    """Weights, strides and order come back, and so does a halved file."""
    ops = small(3, outputs=11)
    content = to_onnx(ops, CARD)
    back = parse_onnx(content, name="x")
    assert [type(op) for op in back] == [type(op) for op in ops]
    np.testing.assert_array_equal(apply(back, digits.images), apply(ops, digits.images))
    halved = parse_onnx(rewrite_onnx(content, CARD, half=True), name="x")
    np.testing.assert_allclose(
        apply(halved, digits.images), apply(ops, digits.images), atol=0.05
    )


def test_joined_networks_unfold_to_what_they_were_joined_from(digits: Digits) -> None:
    """An ensemble and a cascade come back with all their networks and the margin."""
    for program in (Ensemble((small(0), small(1))), Cascade(small(0), small(1), 0.5)):
        back = parse_program(to_onnx(program, CARD), name="x")
        assert type(back) is type(program)
        np.testing.assert_array_equal(
            apply_program(back, digits.images), apply_program(program, digits.images)
        )


def test_what_is_several_networks_does_not_unfold() -> None:
    """An ensemble is refused, and the error says what it is likely to be."""
    with pytest.raises(ModelError, match="an ensemble of them"):
        parse_onnx(to_onnx(Ensemble((small(0), small(1))), CARD), name="x")


def test_a_rebuilt_network_answers_as_the_operations(digits: Digits) -> None:
    """torch, given pixels in 0..1, gives the logits of the operations on 0..255."""
    import torch

    ops = small(4)
    pixels = torch.from_numpy(digits.images).unsqueeze(1).float() / 255
    with torch.inference_mode():
        logits = rebuild(ops)(pixels)
    np.testing.assert_allclose(logits.numpy(), apply(ops, digits.images), atol=1e-4)


def dense(seed: int) -> list[Op]:
    """Return a fully connected network with weights of chance, one row of them nothing."""
    rng = np.random.default_rng(seed)
    first = rng.normal(0, 1 / 255, (20, 784)).astype(np.float32)
    first[3] = 0
    last = rng.normal(0, 1, (10, 20)).astype(np.float32)
    return [
        Flatten(),
        Linear(first, rng.normal(0, 1, 20).astype(np.float32)),
        Relu(),
        Linear(last, np.zeros(10, np.float32)),
    ]


def logits_of(program: Program, pixels: np.ndarray) -> np.ndarray:
    """Return what the file of `program` answers."""
    return Model(Path("x.onnx"), to_onnx(program, CARD)).logits(pixels)


def test_rounded_weights_are_within_half_a_step_of_the_old() -> None:
    """Each weight moves by at most half of its row's largest over 64; no row overflows."""
    ops = dense(0)
    front, old = quantize_first_layer(ops)[1], ops[1]
    assert isinstance(front, QuantLinear)
    assert isinstance(old, Linear)
    assert front.weight.dtype == np.int8
    assert np.abs(front.weight).max() == MAX_WEIGHT
    moved = np.abs(front.weight * front.scale[:, None] - old.weight)
    assert (moved <= 0.501 * np.abs(old.weight).max(1, keepdims=True) / MAX_WEIGHT).all()
    assert not front.weight[3].any()


def test_two_products_fit_in_sixteen_bits() -> None:
    """Processors that add two products in 16 bits do not overflow."""
    assert 2 * 255 * MAX_WEIGHT < 2**15


def test_a_first_layer_of_bytes_answers_as_its_operations(digits: Digits) -> None:
    """ONNX Runtime's whole numbers give what the plain meaning of the list gives."""
    ops = quantize_first_layer(dense(1))
    full = np.concatenate([digits.images, np.full((1, 28, 28), 255, np.uint8)])
    np.testing.assert_allclose(logits_of(ops, full), apply(ops, full), rtol=1e-4, atol=1e-4)


def test_rounding_hardly_moves_an_answer(digits: Digits) -> None:
    """Logits stay close to those of the float32 layer, and almost all answers the same."""
    ops = dense(2)
    before, after = apply(ops, digits.images), apply(quantize_first_layer(ops), digits.images)
    assert not np.array_equal(before, after)
    assert np.abs(after - before).mean() < 0.02 * before.std()
    assert (before.argmax(1) == after.argmax(1)).mean() > 0.97


def test_a_first_layer_of_bytes_unfolds_to_what_it_was_made_of(digits: Digits) -> None:
    """Whole weights, scale and bias come back, from a halved file too."""
    ops = quantize_first_layer(dense(3))
    content = to_onnx(ops, CARD)
    for file in (content, rewrite_onnx(content, CARD, half=True)):
        back = parse_onnx(file, name="x")
        front, old = back[1], ops[1]
        assert isinstance(front, QuantLinear)
        assert isinstance(old, QuantLinear)
        np.testing.assert_array_equal(front.weight, old.weight)
        np.testing.assert_array_equal(front.scale, old.scale)
        np.testing.assert_array_equal(front.bias, old.bias)
    np.testing.assert_array_equal(
        apply(parse_onnx(content, name="x"), digits.images), apply(ops, digits.images)
    )


@pytest.mark.parametrize("margin", [-1.0, 0.5, 1e9])
def test_a_cascade_from_bytes_answers_as_its_parts(margin: float, digits: Digits) -> None:
    """Bytes go to both networks, none, some or all digits to the second."""
    program = Cascade(quantize_first_layer(dense(4)), dense(5), margin)
    wanted = apply_program(program, digits.images)
    np.testing.assert_allclose(logits_of(program, digits.images), wanted, rtol=1e-4, atol=1e-4)
    back = parse_program(to_onnx(program, CARD), name="x")
    np.testing.assert_array_equal(apply_program(back, digits.images), wanted)
