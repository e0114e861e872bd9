"""Exports to files for others, each checked for parity before it is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens import models
from digitlens.digits import CLASSES, Digits
from digitlens.errors import MissingExtraError, ModelError, StorageError, UsageError
from digitlens.models import export
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers, rebuild
from digitlens.models.export import FORMATS, TOLERANCE, export_model
from digitlens.models.inference import load_model
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.models.ops import Ensemble, RbfDistance, Tanh, apply

MakeFolder = Callable[[str], Path]


@pytest.fixture
def run_folder(tmp_path: Path) -> MakeFolder:
    """Return a function that writes the two files of a run that an export reads."""
    from safetensors.torch import save_file

    def make(name: str) -> Path:
        torch.manual_seed(0)
        network = models.build(name)
        network.train()
        for _ in range(3):
            network(torch.rand(32, 1, 28, 28))
        network.eval()
        folder = tmp_path / f"{name}-1"
        folder.mkdir()
        save_file(
            {k: v.contiguous() for k, v in network.state_dict().items()},
            folder / "weights.safetensors",
        )
        card = ModelCard(f"{name}-1", name, "made up", "none", 1, 0, 1, 1, 1, 1, "2026-01-01")
        (folder / "model.onnx").write_bytes(to_onnx(fuse_layers(network), card))
        return folder

    return make


@pytest.mark.parametrize("name", list(models.NETWORKS))
def test_onnx_is_written_with_its_card_and_answers_the_same(
    run_folder: MakeFolder, digits: Digits, tmp_path: Path, name: str
) -> None:
    """The exported file is a model of ours, equal to the run's in every answer."""
    folder = run_folder(name)
    written = export_model(folder, "onnx", out=tmp_path / "out" / "x.onnx")
    assert written.difference <= TOLERANCE
    again, original = load_model(written.path), load_model(folder)
    assert again.card == original.card
    np.testing.assert_allclose(
        again.predict(digits.images).probabilities,
        original.predict(digits.images).probabilities,
        atol=TOLERANCE,
    )


def test_torch_file_runs_without_digitlens(
    run_folder: MakeFolder, digits: Digits, tmp_path: Path
) -> None:
    """torch.export.load alone gives a program that takes batches of any size."""
    folder = run_folder("cnn")
    written = export_model(folder, "torch", out=tmp_path / "cnn.pt2")
    program = torch.export.load(written.path).module()
    for count in (1, 9):
        pixels = digits.images[:count]
        with torch.inference_mode():
            logits = program(torch.from_numpy(pixels).unsqueeze(1).float() / 255)
        np.testing.assert_allclose(
            logits[:, :CLASSES].softmax(1).numpy(),
            load_model(folder).predict(pixels).probabilities,
            atol=TOLERANCE,
        )


@pytest.fixture
def lone(run_folder: MakeFolder, tmp_path: Path) -> Path:
    """Return a cnn with eleven outputs as it is published: one file, in half precision."""
    folder = run_folder("cnn")
    model = load_model(folder)
    path = tmp_path / "published" / "cnn.onnx"
    path.parent.mkdir()
    path.write_bytes(rewrite_onnx(model.path.read_bytes(), model.card, half=True))
    return path


@pytest.mark.parametrize("to", ["torch", "onnx"])
def test_a_file_without_weights_beside_it_is_enough(
    lone: Path, digits: Digits, tmp_path: Path, to: str
) -> None:
    """A published network is exported from its own file, with all its eleven outputs."""
    out = tmp_path / f"out{FORMATS[to]}"
    assert export_model(lone, to, out=out).difference <= TOLERANCE
    wanted = load_model(lone).predict(digits.images)
    assert wanted.no_digit is not None
    if to == "onnx":
        assert out.read_bytes() == lone.read_bytes()
        return
    with torch.inference_mode():
        pixels = torch.from_numpy(digits.images).unsqueeze(1).float() / 255
        logits = torch.export.load(out).module()(pixels)
    assert logits.shape == (len(digits), 11)
    np.testing.assert_allclose(
        logits.softmax(1)[:, 10].numpy(), wanted.no_digit, atol=TOLERANCE
    )


def test_an_ensemble_is_had_as_onnx_alone(lone: Path, tmp_path: Path) -> None:
    """Several networks together are copied as ONNX, and refused in other formats."""
    model = load_model(lone)
    ops = parse_onnx(lone.read_bytes(), name="cnn")
    path = tmp_path / "both.onnx"
    path.write_bytes(to_onnx(Ensemble((ops, ops)), model.card))
    out = tmp_path / "again.onnx"
    assert export_model(path, "onnx", out=out).difference == 0
    assert out.read_bytes() == path.read_bytes()
    with pytest.raises(ModelError, match="cannot be had in the format torch") as caught:
        export_model(path, "torch", out=tmp_path / "x.pt2")
    assert caught.value.try_ == "--to onnx"


def test_a_rebuilt_network_is_the_network(lone: Path, digits: Digits) -> None:
    """Unfolding, rebuilding and folding again gives the weights back to the last bit or so."""
    ops = parse_onnx(lone.read_bytes(), name="cnn")
    again = fuse_layers(rebuild(ops))
    assert [type(op) for op in again] == [type(op) for op in ops]
    np.testing.assert_allclose(
        apply(again, digits.images[:20]), apply(ops, digits.images[:20]), rtol=1e-4, atol=1e-4
    )


def test_layers_of_1998_are_not_rebuilt() -> None:
    """What is not trained again is named."""
    with pytest.raises(ModelError, match="are rebuilt") as caught:
        rebuild([Tanh(1.0, 1.0), RbfDistance(np.zeros((10, 4), np.float32), 1.0)])
    assert caught.value.seen == "rbfdistance"


def test_keras_without_keras_says_how_to_get_it(
    run_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The missing package is named, and nothing is written."""
    monkeypatch.setitem(__import__("sys").modules, "keras", None)
    out = tmp_path / "x.keras"
    with pytest.raises(MissingExtraError, match="pip install keras"):
        export_model(run_folder("dense"), "keras", out=out)
    assert not out.exists()


def test_a_network_that_answers_otherwise_is_not_kept(
    run_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """When parity fails there is an error with the difference, and no file."""
    folder = run_folder("quick")
    real = export.load_network

    def spoilt(*arguments: Any) -> Any:
        network = real(*arguments)
        with torch.no_grad():
            network[-1].bias += torch.arange(10.0)
        return network

    monkeypatch.setattr(export, "load_network", spoilt)
    out = tmp_path / "x.onnx"
    with pytest.raises(ModelError, match="must answer as the original"):
        export_model(folder, "onnx", out=out)
    assert not out.exists()


def test_an_existing_file_is_never_overwritten(run_folder: MakeFolder, tmp_path: Path) -> None:
    """A file in the way is an error, and it keeps its content."""
    out = tmp_path / "x.onnx"
    out.write_text("mine")
    with pytest.raises(StorageError, match="is there already"):
        export_model(run_folder("dense"), "onnx", out=out)
    assert out.read_text() == "mine"


def test_an_unknown_format_lists_the_known(run_folder: MakeFolder) -> None:
    """The formats are named."""
    with pytest.raises(UsageError, match="known: onnx, torch, keras"):
        export_model(run_folder("dense"), "tflite")


def test_weights_of_another_network_are_refused(run_folder: MakeFolder, tmp_path: Path) -> None:
    """A run folder whose files do not belong together is an error."""
    dense, quick = run_folder("dense"), run_folder("quick")
    shutil.copy(quick / "weights.safetensors", dense / "weights.safetensors")
    with pytest.raises(ModelError, match="must hold the weights of dense"):
        export_model(dense, "torch", out=tmp_path / "x.pt2")


def test_an_unknown_layer_cannot_be_folded() -> None:
    """A network's author who adds a layer without a rule is told at once."""
    with pytest.raises(TypeError, match="no rule to export GELU"):
        fuse_layers(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.GELU()))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own
@pytest.mark.parametrize("name", ["dense", "quick", "cnn"])
def test_keras_file_answers_the_same(
    run_folder: MakeFolder, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .keras file gives the run's answers; no variable is to be set."""
    monkeypatch.setenv("KERAS_BACKEND", "")  # so that what is set below goes with the test
    monkeypatch.delenv("KERAS_BACKEND")
    if not find_spec("keras"):
        pytest.skip("keras is not installed: pip install keras")
    written = export_model(run_folder(name), "keras", out=tmp_path / "x.keras")
    assert written.difference <= TOLERANCE


def test_keras_has_no_layers_of_1998(
    run_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Keras cannot hold is refused with the formats that can."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("keras", reason="keras is not installed: pip install keras")
    with pytest.raises(UsageError, match="--to onnx or --to torch"):
        export_model(run_folder("lenet5"), "keras", out=tmp_path / "x.keras")
