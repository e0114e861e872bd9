"""The lab as files: what its page needs to work on any host, or none, without a server.

=====================================  ======================================================
``index.html``, ``js``, ``css`` ...     the page itself; it knows that it stands alone
``networks/NAME.safetensors``           a published network's weights; its metadata hold the
                                        steps that `js/local/network.js` runs, and its layers
``lab.json``, ``maps/NAME.json``        what ``/v1/networks`` and ``/v1/map`` answer
``digits/NAME.bin``, ``mistakes.json``  digits, and what the networks make of them
=====================================  ======================================================
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.data import load_digits
from digitlens.data.uci import read_embedded, to_mnist
from digitlens.digits import CLASSES, SIDE, Digits
from digitlens.errors import UsageError
from digitlens.explain.explanation import Maps
from digitlens.explain.inspection import InspectedModel
from digitlens.imaging import frame_drawing
from digitlens.metrics.evaluation import evaluate
from digitlens.models.inference import load_model
from digitlens.models.ops import Conv, Flatten, Linear, MaxPool, Relu
from digitlens.models.registry import CUSTOM
from digitlens.server.digit_sets import PARTS, describe_parts, draw_map, summarize
from digitlens.server.inspect import describe_layer
from digitlens.server.networks import NetworkStore
from digitlens.server.routes import encode_json
from digitlens.server.routes.service import read_files
from digitlens.server.schemas import NetworkList, Parts, PartUse
from digitlens.storage import make_folder, write_bytes
from digitlens.synth.digit_forms import CELL, elastic_distortion
from digitlens.synth.random import Random
from digitlens.synth.strokes import count_forms, draw_skeleton

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.models.inference import Model
    from digitlens.models.ops import Op

# Those of a few hundred kilobytes: a phone loads them in a second, and answers in 10 ms. The
# first one answers first: `universal` is twice as large, and is loaded when it is chosen.
NETWORKS = ("cnn", "universal", "tiny")
# Digits that are drawn by our own generator, and its seed.
N_GENERATED, SEED = 300, 17
# Scripts that are loaded once somebody trains, or asks for gradients; and those of a view that
# this page explains only.
LATER = frozenset(
    f"js/{name}.js"
    for name in (
        *("local/augment", "local/backward", "local/gradients", "local/measured"),
        *("local/onnx", "local/trainer", "local/training", "parts/person", "parts/save"),
        *("views/arrivals", "views/piece", "views/review", "views/zip"),
    )
)
# The page's own addresses begin so, and are made relative to its folder.
ABSOLUTE = re.compile(r'(src|href)="/static/')
# The server's Content-Security-Policy, without what only a header may say.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; worker-src 'self'; base-uri 'none'; form-action 'none'"
)


def export_lab(folder: Path) -> list[Path]:
    """Write the lab's page, the small published networks and digits into `folder`.

    Any host of files serves it, ``python -m http.server`` too; files of the same names that are
    there already are replaced. Returns the files.

    Raises UsageError: `folder` is a file; StorageError: it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError("the lab is written into a folder", seen=f"{folder} is a file")
    models = {name: load_model(name) for name in NETWORKS}
    files = _page_files() | {
        f"networks/{name}.safetensors": encode_network(model) for name, model in models.items()
    }
    # digits: those that come with digitlens, and those of our generator
    splits = load_digits("uci")
    sets = {"uci": {part: splits.part(part) for part in PARTS}, "generated": generate_digits()}
    files["digits/uci.bin"] = _encode_small(sets["uci"])
    files["digits/generated.bin"] = _encode_rows(sets["generated"].values())
    networks = [item for item in NetworkStore(folder).list_all() if item.name in models]
    known = NetworkList(
        sorted(networks, key=lambda item: NETWORKS.index(item.name)),
        trainable=[{"name": CUSTOM.name, "about": CUSTOM.about}],
        reader=False,
        data=dict.fromkeys(("mnist", "fashion", "own"), False) | dict.fromkeys(sets, True),
    )
    files["lab.json"] = encode_json(known)
    mistakes = {name: _measure(model, sets) for name, model in models.items()}
    files["mistakes.json"] = encode_json(mistakes)
    held = sets["uci"]["validation"]
    for name, model in models.items():
        drawn = draw_map(InspectedModel(model.path.read_bytes()), held, name)
        files[f"maps/{name}.json"] = encode_json(replace(drawn, source="uci validation"))
    for name, content in files.items():
        path = folder / name
        make_folder(path.parent)
        write_bytes(path, content)
    return [folder / name for name in files]


def _page_files() -> dict[str, bytes]:
    """Return the page's files by name, the HTML with relative addresses and its backend."""
    files = {name: content for name, (content, _, _) in read_files().items()}
    del files["css/docs.css"]  # the page of the HTTP service
    html = ABSOLUTE.sub(r'\1="', files["index.html"].decode())
    preloads = "".join(
        f'<link rel="modulepreload" href="{name}">\n'
        for name in sorted(files)
        if name.startswith("js/") and name not in LATER | {"js/core/early-theme.js"}
    )
    head = (
        '<meta name="digitlens-backend" content="static">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
    )
    html = html.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{head}', 1)
    files["index.html"] = html.replace("</head>", f"{preloads}</head>", 1).encode()
    return files


@dataclass(frozen=True, eq=False)
class _Tensors:
    """Weights that are laid end to end, as a safetensors file has them."""

    header: dict[str, Any]
    parts: list[bytes]

    def add(self, values: NDArray[np.float32]) -> str:
        """Append an array, in half precision where it is lossless, and return its name."""
        half = values.astype(np.float16)
        kept, dtype = (half, "F16") if np.array_equal(half, values) else (values, "F32")
        start = sum(map(len, self.parts))
        self.parts.append(np.ascontiguousarray(kept).tobytes())
        name = str(len(self.parts) - 1)
        offsets = [start, start + len(self.parts[-1])]
        self.header[name] = {
            "dtype": dtype,
            "shape": list(values.shape),
            "data_offsets": offsets,
        }
        return name


def encode_network(model: Model) -> bytes:
    """Return a network of one member as a safetensors file.

    Its metadata hold, as JSON, ``steps``: the operations in order, with the names of their
    weights; ``layers``: what ``/v1/networks/NAME`` tells of each, its weights' names, and which
    step gives its sums and its values; ``card``; and the numbers that a decision needs.
    """
    inspected = InspectedModel(model.path.read_bytes())
    (steps,) = inspected.program.networks
    tensors = _Tensors({}, [])
    names = [_encode_step(step.op, tensors) for step in steps]
    # Which step gives a value of the file, by the value's name.
    made_by = {step.output: index for index, step in enumerate(steps)}
    shape, layers = [1, SIDE, SIDE], []
    values = inspected.activations(np.zeros((1, SIDE, SIDE), np.uint8))
    for layer, maps in zip(inspected.list_layers(0), values, strict=True):
        row = describe_layer(layer, shape, list(maps.shape[1:]))
        shape = row["shape"]
        about = f"{Maps(layer, maps[0]).about}: {layer.about}"
        places = {"sums": made_by[layer.sums], "output": made_by[layer.output]}
        layers.append(row | {"name": layer.name, "about": about} | places)
    card = model.card
    metadata = {
        "steps": names,
        "layers": layers,
        "card": asdict(card),
        "threshold": card.threshold,
        "unsure_above": card.unsure_above,
        "unsure_below": card.unsure_below,
    }
    texts = {key: json.dumps(value, separators=(",", ":")) for key, value in metadata.items()}
    header = json.dumps({"__metadata__": texts} | tensors.header).encode()
    header += b" " * (-len(header) % 8)  # numbers begin at a multiple of eight
    return len(header).to_bytes(8, "little") + header + b"".join(tensors.parts)


def _encode_step(op: Op, tensors: _Tensors) -> dict[str, Any]:
    match op:
        case Conv():
            weights = {"weight": tensors.add(op.weight), "bias": tensors.add(op.bias)}
            step = {"stride": op.stride, "padding": op.padding, "groups": op.groups}
            return {"op": "conv", **weights, **step}
        case Linear():
            return {
                "op": "dense",
                "weight": tensors.add(op.weight),
                "bias": tensors.add(op.bias),
            }
        case MaxPool():
            return {"op": "pool", "window": op.window}
        case Relu() | Flatten():
            return {"op": type(op).__name__.lower()}
        case _:
            raise AssertionError(f"no published network of the page has {type(op).__name__}")


def generate_digits() -> dict[str, Digits]:
    """Return digits that no person wrote, in one part: our own strokes, bent and framed."""
    rng = Random(np.random.default_rng(SEED))
    images = np.empty((N_GENERATED, SIDE, SIDE), np.uint8)
    labels = (np.arange(N_GENERATED) % CLASSES).astype(np.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        cell = np.zeros((CELL, CELL), np.uint8)
        draw_skeleton(cell, rng, label, rng.integers(count_forms(label)), rng.uniform(1.5, 3.5))
        image[:] = frame_drawing(255 - elastic_distortion(cell, rng)).digit
    return {"test": Digits(images, labels, source="generated")}


def _encode_rows(parts: Iterable[Digits]) -> bytes:
    """Return gzip of a row for each digit: its pixels, then its label."""
    rows = [
        np.hstack([part.images.reshape(len(part), -1), part.labels[:, None]]) for part in parts
    ]
    return gzip.compress(np.concatenate(rows).tobytes(), mtime=0)


def _encode_small(parts: dict[str, Digits]) -> bytes:
    """Return UCI's digits part after part as they were, 8 x 8: the page frames them itself."""
    small, labels, _ = read_embedded()
    place = {image.tobytes(): index for index, image in enumerate(to_mnist(small))}
    order = [place[image.tobytes()] for part in parts.values() for image in part.images]
    rows = np.hstack([small.reshape(len(small), -1), labels[:, None]])
    return gzip.compress(rows[order].tobytes(), mtime=0)


def _measure(model: Model, sets: dict[str, dict[str, Digits]]) -> dict[str, Any]:
    """Return what ``/v1/mistakes`` and ``/v1/mistakes/parts`` tell of one network."""
    result = {}
    for data, parts in sets.items():
        measured = {}
        for part, digits in parts.items():
            evaluation = evaluate(model, digits, name=model.name)
            measured[part] = {
                "figures": asdict(summarize(evaluation, data, part)),
                "answers": "".join(map(str, evaluation.predicted.tolist())),
                "confidences": [round(1e9 * share) for share in evaluation.confidence.tolist()],
            }
        result[data] = {"parts": _describe_parts(model, data), "measured": measured}
    return result


def _describe_parts(model: Model, data: str) -> dict[str, Any]:
    if data == "uci":
        use = describe_parts(model.card, data, load_digits(data))
    else:
        use = [PartUse("test", N_GENERATED, "no", "drawn by our own generator of strokes")]
    return asdict(Parts(model.name, data, use, None))
