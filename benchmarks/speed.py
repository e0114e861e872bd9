"""Prediction beside Keras and torch: a table of docs/benchmarks.md.

    make bench-speed

Each published network, cnn as a torch program, and Keras' own example answer the 10,000 test
pictures in batches, and one picture 500 times (Keras 30), each in a process of its own and in
turn, three rounds; medians are given. Pixels are uint8 and scaling counts. Keras' network is
not trained: its time does not depend on its weights.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peer import KERAS_PACKAGES, PEER, keep, keras_python, machine, timed

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
BATCHES = 9
SINGLES = 500
PATIENCE = 5.0
"""Seconds after which no further batch, and no further single picture, is timed."""


def ours(name: str) -> tuple[Callable[[Any], Any], Any]:
    """Return `predict` of a published network, and the pictures."""
    from digitlens import load_digits, load_model

    return load_model(name).predict, load_digits("mnist").test.images


def torch_program() -> tuple[Callable[[Any], Any], Any]:
    """Return the same answer from cnn in torch, channels last, in inference mode."""
    import torch

    from digitlens import load_digits, load_model
    from digitlens.models.convert import rebuild
    from digitlens.models.onnx_reader import parse_onnx

    ops = parse_onnx(load_model("cnn").path.read_bytes(), name="cnn")
    network = rebuild(ops).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def predict(images: Any) -> Any:
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(images), 1000)
            return [network(part.unsqueeze(1).float() / 255).softmax(1) for part in parts]

    return predict, load_digits("mnist").test.images


def measure(predict: Callable[[Any], Any], images: Any) -> None:
    """Time `predict` in this process and print the figures as JSON."""
    predict(images)
    batches, ones = [], []
    for _ in range(BATCHES):
        began = time.perf_counter()
        predict(images)
        batches.append(time.perf_counter() - began)
        if sum(batches) > PATIENCE:
            break
    one = images[:1]
    for _ in range(SINGLES):
        began = time.perf_counter()
        predict(one)
        ones.append(time.perf_counter() - began)
        if sum(ones) > PATIENCE:
            break
    figures = {
        "digits_per_second": len(images) / statistics.median(batches),
        "one_digit_seconds": statistics.median(ones),
    }
    print(json.dumps(figures))


def commands(folder: Path) -> dict[str, list[str]]:
    """Return what is timed: a title, and the command that prints its figures."""
    from digitlens.models.inference import published_names

    model = str(folder / "peer.keras")
    timed([keras_python(), str(PEER), "build", model], folder)
    result = {
        f"digitlens `Model.predict`, {name}": [sys.executable, __file__, "--predict", name]
        for name in published_names()
    }
    result["torch, the layers of cnn"] = [sys.executable, __file__, "--torch"]
    result["Keras `predict`, mnist_convnet"] = [keras_python(), str(PEER), "predict", model]
    return result


def main() -> None:
    """Run the benchmark and write its table to benchmarks/results/speed.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--predict", help=argparse.SUPPRESS)
    parser.add_argument("--torch", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.predict or options.torch:
        measure(*(torch_program() if options.torch else ours(options.predict)))
        return
    if "DIGITLENS_DATA" not in os.environ:
        sys.exit("set DIGITLENS_DATA to the folder with MNIST's files: Keras reads it too")
    with tempfile.TemporaryDirectory(prefix="digitlens-bench-") as name:
        folder = Path(name)
        todo = commands(folder)
        result: dict[str, list[dict[str, float]]] = {title: [] for title in todo}
        for turn in range(ROUNDS):
            for title, command in todo.items():
                printed = timed(command, folder)[2]
                result[title].append(json.loads(printed.splitlines()[-1]))
            print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr)
    rows = [
        f"| {title} | {statistics.median(run['digits_per_second'] for run in runs):,.0f} | "
        f"{1e6 * statistics.median(run['one_digit_seconds'] for run in runs):,.0f} µs |"
        for title, runs in result.items()
    ]
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "torch"))
    foot = f"{machine()}, {packages}, {', '.join(KERAS_PACKAGES)}; {time.strftime('%Y-%m-%d')}."
    head = ["| prediction | digits/s in batches | one digit |", "|---|---|---|"]
    keep("speed", "\n".join([*head, *rows, "", foot]) + "\n")


if __name__ == "__main__":
    main()
