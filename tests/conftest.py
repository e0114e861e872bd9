"""What all tests share: no network, made-up digits, a home of their own."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import settings

from digitlens.digits import SIDE, Digits

# On batches this small two threads cost more than they bring, and on a busy machine they
# wait for each other: the tests that train took ten times as long. Set before torch and
# OpenCV load.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

settings.register_profile("digitlens", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("digitlens")

WANTED = {
    "DIGITLENS_DATA": "the folder with MNIST's files",
    "DIGITLENS_REAL": "the folder with real pictures",
}

LONGEST = (
    *(f"tests/{name}/" for name in ("browser", "training", "golden", "laws", "viz", "tools")),
    "tests/fuzz/test_commands.py",
)
"""What takes longest: folders, and single files."""

NOBODY = "http://127.0.0.1:9"
"""A proxy at which nobody listens: it keeps the processes that tests start offline."""


@pytest.fixture(autouse=True, scope="session")
def offline() -> Any:
    """Let no test, and no process that a test starts, reach the network."""

    def refuse(self: socket.socket, address: object, connect: Callable[..., Any]) -> Any:
        if self.family == socket.AF_UNIX:
            return connect(self, address)
        return _no_network(address)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            real = getattr(socket.socket, name)
            patch.setattr(
                socket.socket, name, lambda self, to, real=real: refuse(self, to, real)
            )
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.setenv(name, NOBODY)
        yield


def _no_network(address: object) -> NoReturn:
    raise RuntimeError(f"a test tried to reach the network: {address!r}")


@pytest.fixture(autouse=True, scope="session")
def hearing() -> None:
    """Let Ctrl-C be heard by tests and their processes: a run in the background ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def one_list_of_fonts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Let matplotlib list the fonts once, not in every process with a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLCONFIGDIR", str(tmp_path_factory.mktemp("matplotlib")))
        yield


HOMES = itertools.count()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an empty cache and a width of its own; what it finds is what it made.

    No folder is made for it: most tests need none, and making one reads the names of all.
    """
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(HOMES))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the test in an empty folder, and return it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


class Clock:
    """A clock that stands until its `now`, in seconds, is set forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return what it shows."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture(scope="session")
def make_digits() -> Callable[..., Digits]:
    """Return `draw_digits`."""
    return draw_digits


@pytest.fixture(scope="session")
def digits() -> Digits:
    """Return 300 made-up digits, each class equally often."""
    return draw_digits(300, seed=0)


@pytest.fixture(scope="session")
def make_data() -> Callable[..., Any]:
    """Return a function that makes a whole `Data` of made-up digits."""

    def make(train: int = 240, validation: int = 60, test: int = 60, seed: int = 0) -> Any:
        from digitlens.data import DataSplits

        counts = {"train": train, "validation": validation, "test": test}
        parts = {
            part: draw_digits(count, seed=seed + index, source=f"made up {part}")
            for index, (part, count) in enumerate(counts.items())
        }
        words = "made up: each part drawn with a seed of its own"
        return DataSplits(**parts, source="made up", split=words, hashes={})

    return make


@pytest.fixture(scope="session")
def stroke_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a line network that reads upright strokes; see `draw_strokes`.

    A stroke as high as the line is a 1, one in its upper half a 7, in its lower half a 4.
    It is calibrated: of all lines the surer half is right, of those with two digits none.
    """
    import json

    from onnx import TensorProto, helper, numpy_helper

    from digitlens.ctc.confidence import ConfidenceModel, ConfidenceModels
    from digitlens.ctc.regression import IsotonicCalibrator
    from digitlens.metrics.risk_coverage import risk_coverage_curve
    from digitlens.models.card import (
        CALIBRATIONS_KEY,
        LOG_PROBS,
        STRIP,
        LineModelCard,
    )

    upper, lower = np.zeros((2, 32, 2), np.float32)
    upper[:16] = lower[16:] = 1 / 32
    weight, bias = np.zeros((11, 1, 32, 2), np.float32), np.full(11, -20, np.float32)
    for digit, seen, least in ((1, upper + lower, 1.0), (7, upper - lower, 1.0)):
        weight[digit, 0], bias[digit] = 12 * seen, -12 * least
    weight[4], bias[4], bias[10] = -weight[7], bias[7], 0
    nodes = [
        helper.make_node("Conv", [STRIP, "weight", "bias"], ["maps"], strides=[32, 2]),
        helper.make_node("Squeeze", ["maps", "rows"], ["frames"]),
        helper.make_node("Transpose", ["frames"], ["logits"], perm=[0, 2, 1]),
        helper.make_node("LogSoftmax", ["logits"], [LOG_PROBS], axis=2),
    ]
    values = {"weight": weight, "bias": bias, "rows": np.array([2])}
    shapes = {STRIP: [1, 1, 32, "width"], LOG_PROBS: [1, "frames", 11]}
    ends = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    }
    graph = helper.make_graph(
        nodes,
        "strokes",
        [ends[STRIP]],
        [ends[LOG_PROBS]],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    sure = np.linspace(1, 0, 2000)
    rising = IsotonicCalibrator((-8.0, 8.0), (0.0, 0.99), 1.0)
    half, none = (
        ConfidenceModel(None, rising, risk_coverage_curve(sure, right))
        for right in (sure > 0.5, np.zeros(2000, bool))
    )
    known = ConfidenceModels(half, half, {2: none}).as_dict()
    card = LineModelCard(
        "strokes", "strokes", "none", "none", "none", 0, 0, 0, 0, 0, "2026-01-01"
    )
    held = {CALIBRATIONS_KEY: json.dumps(known), LineModelCard.KEY: card.to_json()}
    helper.set_model_props(model, held)
    path = tmp_path_factory.mktemp("reader") / "strokes.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def strokes() -> Callable[..., np.ndarray]:
    """Return `draw_strokes`."""
    return draw_strokes


def draw_strokes(*lines: str) -> np.ndarray:
    """Draw numbers of 1, 4 and 7 as the network `stroke_network` reads them.

    Returns uint8 (H, W): black on white, a line of 60 rows for each number; a 1 is a stroke
    of 40 rows, a 7 its upper half, a 4 its lower half.
    """
    letters = max(map(len, lines), default=0)
    page = np.full((40 + 100 * len(lines), 100 + 30 * letters), 255, np.uint8)
    spans = {"1": (0, 40), "7": (0, 18), "4": (22, 40)}
    for row, line in enumerate(lines):
        for column, digit in enumerate(line):
            top, bottom = (40 + 100 * row + item for item in spans[digit])
            page[top:bottom, 50 + 30 * column : 58 + 30 * column] = 0
    return page


# The strokes of a seven-segment display, (row, column) from and to, in a field of 2 x 1.
_STROKES = np.array(
    [
        [[0, 0], [0, 1]],  # top
        [[0, 0], [1, 0]],  # upper left
        [[0, 1], [1, 1]],  # upper right
        [[1, 0], [1, 1]],  # middle
        [[1, 0], [2, 0]],  # lower left
        [[1, 1], [2, 1]],  # lower right
        [[2, 0], [2, 1]],  # bottom
    ],
    float,
)
_LIT = [
    [0, 1, 2, 4, 5, 6],
    [2, 5],
    [0, 2, 3, 4, 6],
    [0, 2, 3, 5, 6],
    [1, 2, 3, 5],
    [0, 1, 3, 5, 6],
    [0, 1, 3, 4, 5, 6],
    [0, 2, 5],
    [0, 1, 2, 3, 4, 5, 6],
    [0, 1, 2, 3, 5, 6],
]


def draw_digits(count: int, seed: int = 0, source: str = "made up") -> Digits:
    """Draw `count` digits like those of a calculator, but moved, slanted, thick and thin.

    The classes take turns, 0 to 9, so that even a few digits hold all of them; the same
    count and seed give the same pixels.
    """
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, label in zip(images, labels, strict=True):
        height, width = rng.uniform(8, 10), rng.uniform(7, 11)
        slant, thick = rng.normal(0.1, 0.15), rng.uniform(0.9, 1.8)
        strokes = _STROKES[_LIT[label]]
        strokes = strokes + rng.normal(0, 0.04, strokes.shape)
        y = 14 + (strokes[..., 0] - 1) * height + rng.uniform(-1.5, 1.5)
        x = 14 + (strokes[..., 1] - 0.5) * width + rng.uniform(-1.5, 1.5)
        x = x - slant * (y - 14)
        away = _distance(rows, columns, y, x)
        image[:] = 255 * np.clip(thick + 0.5 - away, 0, 1)
    return Digits(images, labels, source=source)


def _distance(rows: Any, columns: Any, y: Any, x: Any) -> Any:
    """Return how far each pixel (28, 28) is from the nearest of the strokes (S, 2)."""
    y0, x0 = y[:, 0, None, None], x[:, 0, None, None]
    dy, dx = y[:, 1, None, None] - y0, x[:, 1, None, None] - x0
    along = ((rows - y0) * dy + (columns - x0) * dx) / (dy**2 + dx**2)
    along = np.clip(along, 0, 1)
    return np.hypot(rows - y0 - along * dy, columns - x0 - along * dx).min(axis=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that at the end no worker waits long for another."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly, at the end, which real data the tests went without."""
    for name, what in WANTED.items():
        if not os.environ.get(name):
            terminalreporter.write_line(
                f"{name} is not set ({what}): tests that need it were skipped",
                yellow=True,
                bold=True,
            )
