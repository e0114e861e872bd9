"""First layers in whole numbers: their rounding, their files, their place in a cascade."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.models.card import ModelCard
from digitlens.models.fold import LARGEST, quantize_first_layer
from digitlens.models.inference import Model
from digitlens.models.onnx_reader import parse_onnx, parse_program
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.models.ops import Cascade, Flatten, Linear, Op, Program, QuantLinear, Relu, apply
from digitlens.models.ops import apply_program as answers_of

CARD = ModelCard("n-1", "n", "made up", "none", 1, 0, 1, 1, 1, 1, "2026-01-01T00:00:00+00:00")


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
    assert np.abs(front.weight).max() == LARGEST
    moved = np.abs(front.weight * front.scale[:, None] - old.weight)
    assert (moved <= 0.501 * np.abs(old.weight).max(1, keepdims=True) / LARGEST).all()
    assert not front.weight[3].any()


def test_two_products_fit_in_sixteen_bits() -> None:
    """Processors that add two products in 16 bits do not overflow."""
    assert 2 * 255 * LARGEST < 2**15


def test_the_file_answers_as_the_operations(digits: Digits) -> None:
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


def test_it_unfolds_to_what_it_was_made_of(digits: Digits) -> None:
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
    wanted = answers_of(program, digits.images)
    np.testing.assert_allclose(logits_of(program, digits.images), wanted, rtol=1e-4, atol=1e-4)
    back = parse_program(to_onnx(program, CARD), name="x")
    np.testing.assert_array_equal(answers_of(back, digits.images), wanted)
