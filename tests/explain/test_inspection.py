"""Looking into a model: what is read is what was exported, and what layers give is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from digitlens.digits import Digits
from digitlens.errors import ModelError
from digitlens.explain.inspection import InspectedModel, inspect_model
from digitlens.models.card import ModelCard
from digitlens.models.convert import quantize_first_layer
from digitlens.models.inference import load_model
from digitlens.models.onnx_graph import read_graph, read_tensor, with_outputs
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.models.ops import (
    Cascade,
    Conv,
    Ensemble,
    Flatten,
    Linear,
    MaxPool,
    Op,
    QuantLinear,
    RbfDistance,
    Relu,
    Residual,
    Tanh,
    apply,
)

Fresh = Callable[..., list[Op]]
NAMES = ["dense", "lenet5", "quick", "cnn"]


def prefixes(ops: Sequence[Op]) -> list[int]:
    """Return after how many operations each layer has its value, activation included."""
    ends = []
    for index, op in enumerate(ops):
        if isinstance(op, Conv | Linear | RbfDistance):
            has_activation = index + 1 < len(ops) and isinstance(ops[index + 1], Relu | Tanh)
            ends.append(index + 2 if has_activation else index + 1)
    return ends


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_those_that_were_exported(
    name: str, fresh: Fresh, card: ModelCard
) -> None:
    """Each layer holds its kernel and bias, to the bit, and says how it works."""
    ops = fresh(name)
    kernels = [op for op in ops if isinstance(op, Conv | Linear | RbfDistance)]
    layers = InspectedModel(to_onnx(ops, card)).layers
    assert [layer.number for layer in layers] == list(range(1, len(kernels) + 1))
    for layer, op in zip(layers, kernels, strict=True):
        if isinstance(op, RbfDistance):
            continue  # written as another kernel; what it gives is tested below
        np.testing.assert_array_equal(layer.weight, op.weight)
        np.testing.assert_array_equal(layer.bias, op.bias)
        if isinstance(op, Conv):
            seen = (layer.kind, layer.stride, layer.padding, layer.groups, layer.window)
            stride, padding = op.stride[0], op.padding[0]
            assert (op.stride, op.padding) == ((stride, stride), (padding, padding))
            assert seen == ("convolution", stride, padding, op.groups, op.weight.shape[-1])
        else:
            assert layer.kind == "dense"


@pytest.mark.parametrize("name", NAMES)
def test_layers_give_what_the_plain_operations_give(
    name: str, digits: Digits, fresh: Fresh, card: ModelCard
) -> None:
    """What ONNX Runtime gives for each layer is what the operations up to it give in numpy."""
    ops, images = fresh(name), digits.images[:5]
    result = InspectedModel(to_onnx(ops, card)).activations(images)
    ends = prefixes(ops)
    assert len(result) == len(ends) > 0
    for values, end in zip(result, ends, strict=True):
        np.testing.assert_allclose(values, apply(ops[:end], images), rtol=2e-3, atol=2e-3)


def test_half_precision_is_read_as_constants_and_is_no_layer(
    digits: Digits, fresh: Fresh, card: ModelCard
) -> None:
    """Weights kept in half precision come back as float32, and their casts are no layers."""
    content = to_onnx(fresh("quick"), card)
    whole, half = (
        InspectedModel(content),
        InspectedModel(rewrite_onnx(content, card, half=True)),
    )
    assert [item.name for item in whole.layers] == [item.name for item in half.layers]
    for one, other in zip(whole.layers, half.layers, strict=True):
        assert one.weight is not None
        assert other.weight is not None
        assert other.weight.dtype == np.float32
        np.testing.assert_array_equal(other.weight, one.weight.astype(np.float16))
    assert half.activations(digits.images[:1])[0].shape == (1, 32, 8, 8)


def test_a_layer_of_whole_numbers_is_shown_in_full(
    digits: Digits, fresh: Fresh, card: ModelCard
) -> None:
    """Its weights are scaled back, its bias found, and its values are those of the list."""
    ops = quantize_first_layer(fresh("dense"))
    inside = InspectedModel(to_onnx(ops, card))
    front, first = ops[1], inside.layers[0]
    assert isinstance(front, QuantLinear)
    assert [(item.number, item.kind, item.activation_name) for item in inside.layers] == [
        (1, "dense", "ReLU"),
        (2, "dense", "ReLU"),
        (3, "dense", "ReLU"),
        (4, "dense", ""),
    ]
    np.testing.assert_allclose(first.weight, front.weight * front.scale[:, None], rtol=1e-6)
    np.testing.assert_array_equal(first.bias, front.bias)
    last = inside.activations(digits.images[:3])[-1]
    np.testing.assert_allclose(last, apply(ops, digits.images[:3]), rtol=2e-3, atol=2e-3)


def test_the_members_of_an_ensemble_are_told_apart(
    digits: Digits, fresh: Fresh, card: ModelCard
) -> None:
    """Each network of an ensemble has its own layers, numbered from 1, and its own values."""
    first, second = fresh("quick"), fresh("lenet5", seed=1)
    inside = InspectedModel(to_onnx(Ensemble((first, second)), card))
    assert (inside.members, inside.is_cascade) == (2, False)
    assert [layer.number for layer in inside.layers] == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7]
    for member, ops in enumerate((first, second)):
        last = inside.activations(digits.images[:3], member=member)[-1]
        np.testing.assert_allclose(last, apply(ops, digits.images[:3]), rtol=2e-3, atol=2e-3)


def test_the_second_network_of_a_cascade_is_asked_about_the_unsure(
    digits: Digits, fresh: Fresh, card: ModelCard
) -> None:
    """What the second network gives has a row for each digit that was passed on to it."""
    first, second = fresh("quick"), fresh("lenet5", seed=1)
    images = digits.images[:20]
    leads = np.diff(np.sort(apply(first, images), axis=1)[:, -2:])[:, 0]
    margin = float(np.median(leads))
    inside = InspectedModel(to_onnx(Cascade(first, second, margin), card))
    assert (inside.members, inside.is_cascade) == (2, True)
    assert [len(inside.list_layers(member)) for member in (0, 1)] == [4, 7]
    asked = inside.activations(images, member=1)[-1]
    unsure = images[leads < margin]
    assert 0 < len(unsure) < len(images)
    np.testing.assert_allclose(asked, apply(second, unsure), rtol=2e-3, atol=2e-3)


@pytest.fixture
def residual(card: ModelCard) -> bytes:
    """Return the file of a network with a shortcut and pooling."""
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    ops = [
        Conv(numbers(4, 1, 3, 3), numbers(4), padding=(1, 1)),
        Relu(),
        Residual((
            Conv(numbers(4, 4, 3, 3), numbers(4), padding=(1, 1)),
            Relu(),
            Conv(numbers(4, 4, 3, 3), numbers(4), padding=(1, 1)),
        )),
        Relu(),
        MaxPool(2),
        Flatten(),
        Linear(numbers(10, 784), numbers(10)),
    ]  # fmt: skip
    return to_onnx(ops, card)


def test_shortcuts_and_pooling_are_named(digits: Digits, residual: bytes) -> None:
    """A sum belongs to the layer that ends in it, and pooling is a layer."""
    inspected = InspectedModel(residual)
    words = [(item.name, item.about) for item in inspected.layers]
    assert words == [
        ("layer 1, convolution", "kernels of 3 x 3, then ReLU"),
        ("layer 2, convolution", "kernels of 3 x 3, then ReLU"),
        ("layer 3, convolution", "kernels of 3 x 3, a shortcut added, then ReLU"),
        ("layer 4, pooling", "windows of 2 x 2 in steps of 2"),
        ("layer 5, dense", "each from all inputs"),
    ]
    values = inspected.activations(digits.images[:2])
    shapes = [item.shape for item in values]
    assert shapes == [(2, 4, 28, 28)] * 3 + [(2, 4, 14, 14), (2, 10)]
    sums, shortcut = values[2], values[0]
    assert (sums >= 0).all()
    assert ((sums == 0) | (shortcut >= 0)).all()


def test_a_graph_is_read_as_onnx_reads_it(
    fresh: Fresh, card: ModelCard, residual: bytes
) -> None:
    """Nodes, attributes and constants are those that the package onnx finds."""
    for content in (residual, to_onnx(Cascade(fresh("quick"), fresh("lenet5"), 2.0), card)):
        graph, theirs = read_graph(content), onnx.load_from_string(content).graph
        assert [node.op_type for node in graph.nodes] == [node.op_type for node in theirs.node]
        for node, other in zip(graph.nodes, theirs.node, strict=True):
            assert list(node.inputs) == list(other.input)
            assert list(node.outputs) == list(other.output)
            wanted = {item.name: helper.get_attribute_value(item) for item in other.attribute}
            assert node.attributes == wanted
        assert graph.constants.keys() == {item.name for item in theirs.initializer}
        for item in theirs.initializer:
            array = graph.constants[item.name]
            np.testing.assert_array_equal(array, numpy_helper.to_array(item))


def test_other_outputs_leave_the_rest_as_it_was(fresh: Fresh, card: ModelCard) -> None:
    """Only the outputs change: card, weights and nodes are the same bytes."""
    content = to_onnx(fresh("quick"), card)
    before, after = map(onnx.load_from_string, (content, with_outputs(content, ["relu3"])))
    assert [item.name for item in after.graph.output] == ["relu3"]
    del before.graph.output[:], after.graph.output[:]
    assert before == after


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TensorProto.FLOAT, [0.5, -2.0]),
        (TensorProto.FLOAT16, [0.5, -65504.0]),
        (TensorProto.INT64, [-1, 2**40]),
        (TensorProto.INT8, [-128, 127]),
    ],
)
def test_tensors_are_read_to_the_last_bit(kind: int, values: list[Any]) -> None:
    """Each type that digitlens writes comes back as the same numbers."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    array = np.array(values, dtype).reshape(2, 1)
    tensor = numpy_helper.from_array(array, "t")
    name, result = read_tensor(memoryview(tensor.SerializeToString()))
    assert name == "t"
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, array)


def test_a_tensor_of_texts_is_refused() -> None:
    """What is no number is named as what it is."""
    tensor = helper.make_tensor("words", TensorProto.STRING, (1,), [b"x"])
    with pytest.raises(ValueError, match="tensor words is of type 8"):
        read_tensor(memoryview(tensor.SerializeToString()))


@pytest.mark.parametrize("damage", [lambda c: c[: len(c) // 2], lambda c: b"\x0f" + c])
def test_a_damaged_file_is_a_model_error(
    damage: Callable[[bytes], bytes], fresh: Fresh, card: ModelCard
) -> None:
    """A file that is cut off, or none at all, is refused as a model."""
    with pytest.raises(ModelError, match="must be an ONNX file"):
        InspectedModel(damage(to_onnx(fresh("quick"), card)))


def test_a_file_without_layers_is_refused(fresh: Fresh, card: ModelCard) -> None:
    """A graph that holds no layer has nothing to show, and one by another hand is named."""
    with pytest.raises(ModelError, match="no layers in it"):
        InspectedModel(b"")
    content = to_onnx(fresh("quick"), card)
    assert content.count(b"MaxPool") == 0
    with pytest.raises(ModelError, match="an operation Rulo"):
        InspectedModel(content.replace(b"Relu", b"Rulo"))


def test_a_model_whose_file_has_gone_is_refused(
    tmp_path: Path, fresh: Fresh, card: ModelCard
) -> None:
    """The file is read again, and when it is not there any more that is said."""
    path = tmp_path / "x.onnx"
    path.write_bytes(to_onnx(fresh("quick"), card))
    model = load_model(path)
    assert inspect_model(model).layers[0].name == "layer 1, convolution"
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read again"):
        inspect_model(model)


def test_a_layer_as_json_holds_its_weights(fresh: Fresh, card: ModelCard) -> None:
    """Kernel and bias are plain lists, with what it takes to work them out by hand."""
    layer = InspectedModel(to_onnx(fresh("cnn"), card)).layers[2]
    result = layer.as_dict()
    assert np.shape(result["weight"]) == (64, 32, 3, 3)
    assert (result["stride"], result["window"], result["activation"]) == (2, 3, "ReLU")
    assert result["bend"] == "ReLU", "the key's old name stays for one release"
    assert layer.bias is not None
    assert result["bias"] == layer.bias.tolist()
