"""A model's file for others, without torch: itself, or a folder for a model hub.

A copy is the same byte for byte, so it answers as the original; its card is inside.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from digitlens.errors import MissingExtraError, ModelError, UsageError
from digitlens.models.card import Card, ModelCard
from digitlens.runs import MODEL
from digitlens.storage import check_free, make_folder, write_bytes, write_text

FORMATS = ("onnx", "hub")  # what can be written without torch

_DIGIT_USE = """\
```python
import digitlens as dl

model = dl.load_model("model.onnx")
print(model("photo.jpg"))  # any picture of one digit
```
"""
_LINE_USE = """\
```python
import digitlens as dl

reader = dl.Reader("model.onnx")
for line in reader.read("page.jpg").lines:
    print(line.text, line.confidence)
```
"""


def copy_model(content: bytes, card: Card, to: str, out: str | Path | None = None) -> Path:
    """Write a model's file, or a folder with it and its card as a page, and return where.

    content, card: the file's bytes, and the card in it
    to: ``"onnx"``: the file; ``"hub"``: a folder with model.onnx and README.md, a model card
        with the head that Hugging Face reads
    out: the file or folder; in the current folder, named after the model, when None

    Raises StorageError: it is there already.
    """
    target = Path(out or (f"{card.name}.onnx" if to == "onnx" else card.name))
    check_free(target, "--out with another name")
    if to == "onnx":
        make_folder(target.parent)
        write_bytes(target, content)
        return target
    make_folder(target)
    write_bytes(target / MODEL, content)
    write_text(target / "README.md", hub_page(card))
    return target


HUB = "hf://"


def fetch_from_hub(address: str) -> Path:
    """Return the file of a model on Hugging Face's hub, which huggingface_hub fetches once.

    address: ``hf://OWNER/NAME``, whose model.onnx is meant, or ``hf://OWNER/NAME/FILE``

    Raises UsageError: the address is none; MissingExtraError: huggingface_hub is not
    installed; ModelError: the hub does not give the file.
    """
    owner, _, rest = address.removeprefix(HUB).partition("/")
    name, _, file = rest.partition("/")
    if not (owner and name):
        raise UsageError("a model on the hub is hf://OWNER/NAME", seen=address)
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "models of Hugging Face's hub need huggingface_hub, which is not installed",
            try_="pip install huggingface_hub",
        ) from error
    try:
        return Path(huggingface_hub.hf_hub_download(f"{owner}/{name}", file or MODEL))
    # Not OSError alone: a connection that breaks is an error of the library beneath the hub's.
    except Exception as error:
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ModelError(
            f"{address} cannot be had", seen=textwrap.shorten(words, 200, placeholder=" ...")
        ) from error


def hub_page(card: Card) -> str:
    """Return a card as the README.md of a model hub: a head in YAML, then the card."""
    digits = isinstance(card, ModelCard)
    head = [
        "license: mit",
        "library_name: digitlens",
        f"pipeline_tag: {'image-classification' if digits else 'image-to-text'}",
        "tags: [digits, handwriting, onnx]",
    ]
    if isinstance(card, ModelCard) and card.test:
        right = 1 - card.test["misses"] / card.test["count"]
        # JSON is YAML, and a name may hold any sign.
        task = {"type": "image-classification"}
        measured = {
            "task": task,
            "dataset": {"name": "MNIST", "type": "mnist", "split": "test"},
            "metrics": [{"type": "accuracy", "value": right}],
        }
        index = [{"name": card.name, "results": [measured]}]
        head += ["datasets: [mnist]", f"model-index: {json.dumps(index)}"]
    use = f"## In Python\n\n{_DIGIT_USE if digits else _LINE_USE}\n"
    before, limits, after = card.markdown().partition("## Limits\n")
    return "---\n" + "\n".join(head) + f"\n---\n\n{before}{use}{limits}{after}"
