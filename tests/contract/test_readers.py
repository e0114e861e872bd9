"""The contract that every line reader keeps: shapes, counts, and its exported file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from digitlens.errors import ModelError
from digitlens.imaging.crop import HEIGHT, PITCH
from digitlens.models.architectures import line_network
from digitlens.models.architectures.line_network import (
    LineNetwork,
    RescorerNetwork,
    ResidualBlock,
    SignNetwork,
    count_size,
)
from digitlens.models.card import (
    CALIBRATIONS_KEY,
    LOG_PROBS,
    STRIP,
    LineModelCard,
    ModelCard,
)
from digitlens.models.convert import fuse_line_network, fuse_sequential
from digitlens.models.inference import Model
from digitlens.models.onnx_graph import read_metadata
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.models.ops import Relu, Residual, apply_to
from digitlens.models.recipe import READERS, RESCORER, SIGNS, find_line_recipe

NAMES = list(READERS)
assert NAMES, "there are readers to test"

CARD = LineModelCard(
    "reader-1", "reader", "made up", "none", "clean", 64, 0, 1, 1, 1, "2026-01-01T00:00:00"
)


def built(widths: tuple[int, int, int, int] = (4, 6, 8, 10)) -> LineNetwork:
    """Return a small network with normalisation that is not the identity."""
    torch.manual_seed(0)
    network = LineNetwork(widths).train()
    for _ in range(3):
        network(torch.randn(8, 1, HEIGHT, 64))
    return network.eval()


def session(content: bytes) -> Any:
    """Return ONNX Runtime's session of a file."""
    import onnxruntime

    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", NAMES)
def test_has_the_counts_its_file_states(name: str) -> None:
    """Weights and multiply-adds a column are those that the network's file asserts."""
    kind = {SIGNS: SignNetwork, RESCORER: RescorerNetwork}.get(name, LineNetwork)
    assert count_size(kind(find_line_recipe(name).widths)) == line_network.SIZES[name]


def test_counting_leaves_no_trace() -> None:
    """A network in training is so after its products were counted, its statistics the same."""
    network = LineNetwork((4, 6, 8, 10)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count_size(network)
    assert network.training
    assert all(torch.equal(before[name], item) for name, item in network.state_dict().items())


@pytest.mark.parametrize(("count", "width"), [(1, 4), (3, 16), (2, 132)])
def test_gives_a_frame_for_every_two_columns(count: int, width: int) -> None:
    """(N, 1, 32, W) becomes finite (N, W / 2, 11) for every W that is a multiple of 4."""
    logits = built()(torch.randn(count, 1, HEIGHT, width))
    assert logits.shape == (count, width // PITCH, 11)
    assert torch.isfinite(logits).all()
    assert line_network.POSITION_WIDTH // line_network.FRAMES_PER_POSITION == PITCH


def test_answers_a_batch_as_one_by_one() -> None:
    """In evaluation mode the neighbours of a line do not change its answer."""
    network, x = built(), torch.randn(4, 1, HEIGHT, 40)
    alone = torch.cat([network(one[None]) for one in x])
    torch.testing.assert_close(network(x), alone, rtol=1e-4, atol=1e-4)


def test_frames_of_a_place_follow_one_another() -> None:
    """Two frames of a place stand side by side: 11 outputs of the head, then the others."""
    network, x = built(), torch.randn(1, 1, HEIGHT, 24)
    places = network.head(network.body(x))[0, :, 0]
    frames = network(x)[0]
    for index in range(places.shape[1]):
        torch.testing.assert_close(frames[2 * index], places[:11, index])
        torch.testing.assert_close(frames[2 * index + 1], places[11:, index])


def test_folded_operations_answer_as_the_network() -> None:
    """The operations are the network: plain numpy agrees with torch to within 1e-4."""
    network, x = built(), torch.randn(2, 1, HEIGHT, 20)
    with torch.inference_mode():
        wanted = network.head(network.body(x)).numpy()
    result = apply_to(fuse_line_network(network), x.double().numpy())
    np.testing.assert_allclose(result, wanted, atol=1e-4)


def test_a_residual_block_is_folded_into_two_kernels() -> None:
    """Nothing is left of its normalisation: convolution, ReLU, convolution; added; ReLU."""
    (residual, relu) = fuse_sequential([ResidualBlock(4, (1, 5)).eval()])
    assert isinstance(residual, Residual)
    assert isinstance(relu, Relu)
    assert [type(op).__name__ for op in residual.body] == ["Conv", "Relu", "Conv"]


@pytest.mark.parametrize(("count", "width"), [(1, 16), (3, 132)])
def test_the_file_answers_as_the_network(count: int, width: int) -> None:
    """ONNX Runtime gives torch's log-probabilities to within 1e-4, for any N and W."""
    network, x = built(), torch.randn(count, 1, HEIGHT, width)
    with torch.inference_mode():
        wanted = network(x).log_softmax(2).numpy()
    (result,) = session(to_onnx(fuse_line_network(network), CARD)).run(
        [LOG_PROBS], {STRIP: x.numpy()}
    )
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, wanted, atol=1e-4)


def test_the_engine_fuses_all_but_the_head(tmp_path: Any) -> None:
    """Addition and ReLU run inside the convolutions, so that none walks over memory again."""
    import onnxruntime

    content = to_onnx(fuse_line_network(built((16, 16, 32, 32))), CARD)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    graph = onnx.load(tmp_path / "fused.onnx").graph
    kinds = {node.op_type for node in graph.node}
    assert kinds.isdisjoint({"Add", "Relu", "BatchNormalization"})


def test_half_precision_changes_little_and_halves_the_file() -> None:
    """With halved weights no probability moves by more than a hundredth."""
    content = to_onnx(fuse_line_network(built((16, 16, 32, 32))), CARD)
    small = rewrite_onnx(content, CARD, half=True)
    assert len(small) < 0.6 * len(content)
    x = np.random.default_rng(0).normal(size=(2, 1, 32, 48)).astype(np.float32)
    whole, half = (np.exp(session(item).run(None, {STRIP: x})[0]) for item in (content, small))
    np.testing.assert_allclose(half, whole, atol=1e-2)


def test_the_file_holds_its_card_and_calibrations() -> None:
    """Both are written on the file; calibrations only where they are given."""
    content = to_onnx(fuse_line_network(built()), CARD)
    held = session(content).get_modelmeta().custom_metadata_map
    assert LineModelCard.from_json(held[LineModelCard.KEY]) == CARD
    assert read_metadata(content) == held
    assert CALIBRATIONS_KEY not in held
    again = session(rewrite_onnx(content, CARD, {"format": 1, "free": None}))
    text = again.get_modelmeta().custom_metadata_map[CALIBRATIONS_KEY]
    assert json.loads(text) == {"format": 1, "free": None}


def test_the_card_says_what_was_measured() -> None:
    """As Markdown it has the network's size and each style's figure with its interval."""
    text = LineModelCard(
        **{
            **vars(CARD),
            "validation": {"cheque": {"misses": 50, "count": 1000}},
            "figures": {"read at 1 % error": "80 %"},
        }
    ).markdown()
    assert text.startswith("# reader-1\n")
    assert "| lines `cheque` by other writers | 50 misses in 1,000, 95.00 % right (95 %" in text
    assert "| read at 1 % error | 80 % |" in text
    assert "## Limits" in text


def test_a_card_of_another_kind_is_refused() -> None:
    """A file without a line card, or with one of another format, is an error of ours."""
    content = to_onnx(fuse_line_network(built()), CARD)
    model = onnx.load_from_string(content)
    del model.metadata_props[:]
    with pytest.raises(ModelError, match="card cannot be read"):
        LineModelCard.from_file(model.SerializeToString())
    with pytest.raises(ModelError, match="must be of format 1"):
        LineModelCard.from_json('{"format": 2}')
    digit = ModelCard("n", "n", "d", "s", 1, 0, 1, 1, 1, 1, "2026")
    with pytest.raises(ModelError, match="card cannot be read"):
        LineModelCard.from_json(digit.to_json())


def test_a_reader_is_no_model_of_single_digits(tmp_path: Any) -> None:
    """Who loads a reader where a model of single digits is wanted is told what it is."""
    path = tmp_path / "reader.onnx"
    path.write_bytes(to_onnx(fuse_line_network(built()), CARD))
    with pytest.raises(ModelError, match="must be a model of single digits") as caught:
        Model(path, path.read_bytes())
    assert caught.value.seen == "a reader of lines"
