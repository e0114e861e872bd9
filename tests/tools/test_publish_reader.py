"""The tool that publishes line readers."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from digitlens.ctc import ConfidenceModels
from digitlens.data import DataSplits
from digitlens.models.architectures.line_network import LineNetwork, RescorerNetwork
from digitlens.models.card import (
    CALIBRATIONS_KEY,
    LOG_PROBS,
    STRIP,
    LineModelCard,
    RescorerModelCard,
)
from digitlens.models.checksum import graph_digest
from digitlens.models.convert import fuse_line_network
from digitlens.models.onnx_writer import to_onnx
from digitlens.ocr.network import LineRecognizer, load_rescorer
from digitlens.synth import STYLES, synthesize_lines

TOOL = Path(__file__).parents[2] / "tools" / "publish_reader.py"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, make_data: Callable[..., DataSplits]) -> Any:
    """Return the tool as a module, with made-up digits where MNIST's would be."""
    monkeypatch.syspath_prepend(TOOL.parent)
    spec = importlib.util.spec_from_file_location("publish_reader", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "load_digits", lambda _: make_data(validation=100))
    return module


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """Return a draft's checkpoint of a small network."""
    torch.manual_seed(0)
    network = LineNetwork((4, 6, 8, 8))
    weights = {name: value.float() for name, value in network.state_dict().items()}
    path = tmp_path / "a.pt"
    torch.save({"ema": weights, "w": (4, 6, 8, 8)}, path)
    return path


def published(tool: Any, monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    """Run the tool with these words on its command line."""
    monkeypatch.setattr(sys, "argv", ["publish_reader.py", *map(str, words)])
    tool.main()


def test_a_draft_becomes_a_reader_with_card_and_calibrations(
    tool: Any, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file holds halved weights, figures of every style, and readable calibrations."""
    out = tmp_path / "lines"
    published(tool, monkeypatch, draft, "--share", 0.006, "--out", out, "--steps", 50)
    assert {path.name for path in out.iterdir()} == {"reader.onnx"}
    content = (out / "reader.onnx").read_bytes()
    card = LineModelCard.from_file(content)
    assert (card.name, card.steps, card.lines) == ("reader", 50, 3200)
    assert card.validation.keys() == STYLES.keys()
    assert {counted["count"] for counted in card.validation.values()} == {6}
    assert "read at 1 % error" in card.figures
    assert "torch" in card.versions
    assert len(card.notes) > 2
    held = onnxruntime.InferenceSession(content).get_modelmeta().custom_metadata_map
    calibrations = ConfidenceModels.from_dict(json.loads(held[CALIBRATIONS_KEY]))
    assert calibrations.unconstrained.curve.count == 216
    assert calibrations.unconstrained.worst is not None
    assert calibrations.constrained is not None
    assert calibrations.constrained.worst is not None
    assert not calibrations.by_length
    # Counted again on as many other lines, its card alone changes.
    published(tool, monkeypatch, "--recount", "--share", 0.012, "--out", out)
    again = (out / "reader.onnx").read_bytes()
    recounted = LineModelCard.from_file(again)
    assert {counted["count"] for counted in recounted.validation.values()} == {12}
    assert replace(recounted, validation=card.validation) == card
    assert graph_digest(again) == graph_digest(content)
    kept = onnxruntime.InferenceSession(again).get_modelmeta().custom_metadata_map
    assert kept[CALIBRATIONS_KEY] == held[CALIBRATIONS_KEY]


def test_a_published_reader_is_measured_with_a_rescorer(
    tool: Any, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--rescored takes the network as it is, and puts a weight into its card."""
    out = tmp_path / "lines"
    published(tool, monkeypatch, draft, "--name", "fast", "--share", 0.006, "--out", out)
    before = LineRecognizer(Path(), (out / "fast.onnx").read_bytes())
    network = RescorerNetwork((4, 4, 4, 4)).eval()
    facts = ("rescorer", "rescorer", "made up", "none", "clean", 1, 0, 1, 1, 1, "2026-01-01")
    path = tmp_path / "rescorer.onnx"
    path.write_bytes(to_onnx(fuse_line_network(network), RescorerModelCard(*facts)))
    monkeypatch.setattr(tool, "load_rescorer", lambda: load_rescorer(path))
    monkeypatch.setattr("digitlens.ocr.network.load_rescorer", lambda: load_rescorer(path))
    published(tool, monkeypatch, "--rescored", "fast", "--share", 0.006, "--out", out)
    after = LineRecognizer(Path(), (out / "reader.onnx").read_bytes())
    gray = np.random.default_rng(0).integers(0, 256, (40, 90), np.uint8)
    assert np.array_equal(after.log_probs(gray), before.log_probs(gray))
    assert (before.card.name, after.card.name) == ("fast", "reader")
    assert before.card.rescorer == ""
    assert after.card.rescorer == load_rescorer(path).graph_digest
    assert after.card.rescorer_weight in tool.WEIGHTS
    assert after.rescorer is load_rescorer(path)
    assert after.calibrations is not None


def test_the_weight_that_reads_best_is_chosen(tool: Any) -> None:
    """A rescorer that knows better counts; one that knows worse does not."""
    probs = np.full((5, 11), 1e-3)
    probs[:, 10] = 0.99
    probs[2, [4, 9, 10]] = 0.5, 0.481, 0.011

    class First:
        def log_probs(self, gray: object) -> np.ndarray:
            return np.log(probs)

    class Second:
        def __init__(self, digit: int) -> None:
            self.digit = digit

        def judge(self, gray: object, steps: np.ndarray) -> np.ndarray:
            said = np.full((len(steps), 11), 0.01)
            said[:, self.digit] = 0.9
            return np.log(said)

    lines = synthesize_lines(tool.prepare_glyphs(tool.load_digits("").train), 1, seed=0)
    nine = [replace(next(iter(lines)), text="9")]
    assert tool.choose_weight(First(), Second(9), nine) > 0
    assert tool.choose_weight(First(), Second(4), nine) == 0


def test_a_draft_is_exported_as_it_is(
    tool: Any, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--raw writes the network alone, in full precision."""
    raw = tmp_path / "raw.onnx"
    published(tool, monkeypatch, draft, "--raw", raw)
    network, _ = tool.load_draft(draft, "reader", 0, 0)
    strips = np.random.default_rng(0).normal(size=(1, 1, 32, 40)).astype(np.float32)
    (result,) = onnxruntime.InferenceSession(raw).run([LOG_PROBS], {STRIP: strips})
    with torch.inference_mode():
        wanted = network(torch.from_numpy(strips)).log_softmax(2).numpy()
    np.testing.assert_allclose(result, wanted, atol=1e-4)


def test_lines_for_calibration_are_of_every_style_and_length(
    tool: Any, make_data: Callable[..., DataSplits], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line knows its style, what wrote it and how long it is."""
    monkeypatch.setattr(tool, "CHUNK", 5)
    known = list(tool.write_mixture(tool.prepare_glyphs(make_data().train), 500))
    assert len(known) == 500
    assert {len(line.text) for line, _ in known} >= {0, 3, 4, 5, 6, 7, 8}
    styles, kinds, lengths = ({item[i] for _, item in known} for i in range(3))
    assert styles == STYLES.keys()
    assert kinds == {"glyphs"}
    assert lengths >= {"no number", "3 digits", "7 to 8 digits"}
