"""Models that travel: copies, and folders for a hub."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from digitlens.errors import MissingExtraError, ModelError, StorageError, UsageError
from digitlens.models.copies import copy_model, hub_page
from digitlens.models.inference import load_model
from digitlens.ocr.network import load_line_recognizer


def test_a_copy_answers_as_the_original(tmp_path: Path) -> None:
    """The file is the same byte for byte, and is never written over another."""
    model = load_model("tiny")
    content = model.path.read_bytes()
    written = copy_model(content, model.card, "onnx", tmp_path / "new" / "tiny.onnx")
    assert written.read_bytes() == content
    with pytest.raises(StorageError, match="is there already"):
        copy_model(content, model.card, "onnx", written)


def test_a_hubs_folder_has_the_model_and_its_card(tmp_path: Path) -> None:
    """model.onnx can be loaded from there, README.md has the head that a hub reads."""
    model = load_model("universal")
    folder = copy_model(model.path.read_bytes(), model.card, "hub", tmp_path / "universal")
    assert load_model(folder).card == model.card
    _, head, page = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    fields = yaml.safe_load(head)
    assert (fields["license"], fields["pipeline_tag"]) == ("mit", "image-classification")
    (entry,) = fields["model-index"]
    accuracy = entry["results"][0]["metrics"][0]["value"]
    assert accuracy == 1 - model.card.test["misses"] / model.card.test["count"]
    assert page.lstrip().startswith("# universal\n")
    assert page.index("## Use") < page.index("## In Python") < page.index("## Limits")


def test_a_reader_has_a_page_too() -> None:
    """A reader's page says how lines are read with it."""
    page = hub_page(load_line_recognizer().card)
    assert yaml.safe_load(page.split("---\n")[1])["pipeline_tag"] == "image-to-text"
    assert "dl.Reader(" in page


def test_a_model_is_fetched_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """hf://OWNER/NAME is the model.onnx there; refusals are errors in words."""
    asked: list[tuple[str, str]] = []
    tiny = load_model("tiny")

    def download(repository: str, file: str) -> str:
        asked.append((repository, file))
        if file != "model.onnx":
            raise OSError("404: no such file")
        return str(tiny.path)

    monkeypatch.setitem(
        sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download)
    )
    assert load_model("hf://somebody/digits").card == tiny.card
    with pytest.raises(ModelError, match="cannot be had"):
        load_model("hf://somebody/digits/other.onnx")
    assert asked == [("somebody/digits", "model.onnx"), ("somebody/digits", "other.onnx")]
    with pytest.raises(UsageError, match="hf://OWNER/NAME"):
        load_model("hf://digits")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="huggingface_hub"):
        load_model("hf://somebody/digits")


@pytest.mark.parametrize("words", ["", "the connection broke while " * 20])
def test_whatever_the_hub_raises_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Errors of an unknown kind, without words or with many, are a model not to be had."""

    class BrokenError(Exception):
        """As httpx has them: no OSError."""

    def download(repository: str, file: str) -> str:
        raise BrokenError(words)

    monkeypatch.setitem(
        sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download)
    )
    with pytest.raises(ModelError, match="cannot be had") as refusal:
        load_model("hf://somebody/digits")
    seen = str(refusal.value.seen)
    assert seen.startswith("BrokenError:")
    assert len(seen) <= 200
    assert seen.endswith("..." if words else ":")
