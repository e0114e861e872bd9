"""digitlens doctor: whether everything is here that is needed. Nothing is downloaded."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import typer

from digitlens.cli.console import JsonOption, announce, columns, echo, echo_json
from digitlens.errors import DigitlensError
from digitlens.models.registry import DEFAULT_NETWORK

NEEDED = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "platformdirs", "typer")
EXTRAS = {
    "train": ("torch", "onnx", "safetensors", "matplotlib", "tomli-w", "unlzw3"),
    "lab": ("fastapi", "starlette", "uvicorn", "python-multipart", "typing_extensions"),
    "mail": ("zipcodes",),
    "postgres": ("psycopg",),
    "pdf": ("pypdfium2",),
    "heif": ("pillow-heif",),
    "tables": ("pandas", "pyarrow", "scikit-learn"),
    "remote": ("fsspec",),
    "ray": ("ray",),
    "tune": ("optuna",),
}
GOLDEN = Path(__file__).with_name("golden.onnx")
REINSTALL = "pip install --force-reinstall digitlens"
READER = "reader"
MIN_READ = 7  # the reader is broken when it reads fewer than this of ten digits
MAX_MISS_RATE = 0.1  # the published network is broken when it misses more of uci's digits


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    name: str  # what was checked
    # ``"ok"``; ``"note"``, not needed or not yet here; ``"broken"``
    state: Literal["ok", "note", "broken"]
    seen: str  # what was found
    advice: str = ""  # what helps, or empty


def doctor(as_json: JsonOption = False) -> None:
    """Check Python, packages, data, cache and engine.

    Nothing is downloaded. The exit code is 1 when something that is needed is broken."""
    from digitlens.metrics.formatting import hang

    findings = examine()
    if as_json:
        echo_json([asdict(finding) for finding in findings])
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            head = f"{finding.state:6}  {finding.name:{width}}  "
            echo(hang(head, finding.seen, columns()))
            if finding.advice:
                echo(hang(" " * len(head), f"try: {finding.advice}", columns()))
    broken = [finding.name for finding in findings if finding.state == "broken"]
    if broken:
        announce(f"broken: {', '.join(broken)}")
        raise typer.Exit(1)


def examine() -> list[Finding]:
    """Check everything and return what was found, in a fixed order."""
    return [
        # what is installed
        *(_check_python(), *_check_needed(), *_check_extras()),
        # data, and a place for it
        *(*_check_data(), _check_cache()),
        # networks: a tiny one with known answers, the published ones, the newest of the user
        _guard("engine", _check_engine, "pip install -U onnxruntime"),
        _guard("published", _check_published, REINSTALL),
        _guard("reader", _check_reader, REINSTALL),
        _guard("newest run", _check_newest_run),
        *_list_networks(),
    ]


def _guard(name: str, check: Callable[[], Finding], advice: str = "") -> Finding:
    """Return what `check` finds; its errors, and what it finds broken, get this advice."""
    try:
        finding = check()
    except (DigitlensError, ImportError) as error:
        known = getattr(error, "try_", None) or ""
        return Finding(name, "broken", str(error).splitlines()[0], advice or known)
    is_bad = finding.state == "broken" and not finding.advice
    return replace(finding, advice=advice) if is_bad else finding


def _check_python() -> Finding:
    from digitlens.workers import visible_cpus

    cores = visible_cpus()
    system = f"{platform.system()} {platform.machine()}"
    return Finding("python", "ok", f"{platform.python_version()}, {system}, {cores} cores")


def _find_version(package: str) -> str | None:
    from importlib import metadata  # 40 modules that no help text needs

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _check_needed() -> Iterator[Finding]:
    for package in ("digitlens", *NEEDED):
        version = _find_version(package)
        if version is None:
            yield Finding(package, "broken", "not installed", f"pip install {package}")
        else:
            yield Finding(package, "ok", version)


def _check_extras() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        versions = {package: _find_version(package) for package in packages}
        seen = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
        if None in versions.values():
            advice = f'pip install "digitlens[{extra}]"'
            yield Finding(f"extra {extra}", "note", seen, advice)
        else:
            yield Finding(f"extra {extra}", "ok", seen)


def _check_data() -> Iterator[Finding]:
    from digitlens.data import catalog
    from digitlens.data.catalog import FASHION, MNIST

    for published in (MNIST, FASHION):
        result, name = catalog.find_collection(published), f"data {published.name}"
        if result is not None:
            tables = catalog.find_files(published.tables, result[1])
            writers = ", with the table of writers" if tables and all(tables) else ""
            yield Finding(name, "ok", f"{result[1]}{writers}")
        else:
            advice = f"digitlens data fetch {published.name}"
            yield Finding(name, "note", "not on this machine yet", advice)


def _check_cache() -> Finding:
    from digitlens.data.catalog import cache_path

    cache = cache_path("mnist").parent
    # The cache may not be made yet: then its nearest folder that exists must be writable.
    there = next(item for item in (cache, *cache.parents) if item.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return Finding("cache", "ok", str(cache))
    return Finding(
        "cache", "broken", f"{cache}: {there} may not be written", f"chmod u+w {there}"
    )


def _check_engine() -> Finding:
    """Let the engine answer for the network in `GOLDEN`, whose answers are known.

    It looks at the four quarters of the picture alone: the digit is the number that the inked
    quarters spell in binary, up to 9 (see tests/cli/test_doctor.py, which builds it).
    """
    import numpy as np

    from digitlens.models.inference import load_model

    images = np.zeros((10, 28, 28), np.uint8)
    for digit in range(10):
        for bit in range(4):
            row, column = 14 * (bit // 2), 14 * (bit % 2)
            images[digit, row : row + 14, column : column + 14] = 255 * (digit >> bit & 1)
    answers = load_model(GOLDEN, threads=1).predict(images).labels.tolist()
    if answers != list(range(10)):
        return Finding("engine", "broken", f"0..9 were read as {answers}")
    return Finding("engine", "ok", "the golden network reads 0..9 as 0..9")


def _check_published() -> Finding:
    """Let the published network read the digits that come with digitlens."""
    from digitlens.data import load_digits
    from digitlens.models.inference import load_model, published_names

    names = published_names()
    if DEFAULT_NETWORK not in names:
        return Finding("published", "broken", f"{DEFAULT_NETWORK} is not among {names}")
    digits = load_digits("uci").test
    answers = load_model().predict(digits.images).labels
    misses, count = int((answers != digits.labels).sum()), len(digits)
    missed = f"{DEFAULT_NETWORK} misses {misses} of {count} digits of another source"
    seen = f"{', '.join(names)}; {missed}"
    return Finding("published", "ok" if misses <= MAX_MISS_RATE * count else "broken", seen)


def _check_reader() -> Finding:
    """Let the published reader read a line of ten of the digits that come with digitlens."""
    import numpy as np

    from digitlens.data import load_digits
    from digitlens.ocr import Reader
    from digitlens.ocr.network import PUBLISHED

    if not (PUBLISHED / f"{READER}.onnx").is_file():
        return Finding("reader", "note", "no network that reads lines is here", REINSTALL)
    digits = load_digits("uci").test
    first = [int(np.flatnonzero(digits.labels == digit)[0]) for digit in range(10)]
    line = 255 - np.hstack(list(digits.images[first]))
    reader = Reader(READER)
    text = reader.read_line(line, length=10).text
    right = sum(a == b for a, b in zip(text, "0123456789", strict=False))
    calibrated = reader.network.calibrations is not None
    seen = f"reads 0123456789 as {text}, {'' if calibrated else 'not '}calibrated"
    good = right >= MIN_READ and calibrated
    return Finding("reader", "ok" if good else "broken", seen)


def _check_newest_run() -> Finding:
    import numpy as np

    from digitlens.models.inference import load_model
    from digitlens.models.recipe import READERS
    from digitlens.runs import find_newest_finished, read_config

    folder = find_newest_finished()
    if folder is None:
        return Finding("newest run", "note", "none in this folder yet", "digitlens train quick")
    network = read_config(folder).get("run", {}).get("network")
    if network in READERS:
        return Finding("newest run", "ok", f"{folder}: {network}, a reader of lines")
    model = load_model(folder)
    shares = model.predict(np.zeros((1, 28, 28), np.uint8)).probabilities
    if abs(float(shares.sum()) - 1) > 1e-4:
        return Finding("newest run", "broken", f"{folder} answers nonsense", "train it again")
    return Finding("newest run", "ok", f"{folder}: {model.card.network}, it answers")


def _list_networks() -> Iterator[Finding]:
    from digitlens.models.registry import NETWORKS

    for entry in NETWORKS.values():
        yield Finding(f"network {entry.name}", "ok", entry.about)
