"""Line networks and pictures for the tests of reading pictures: small, quick and known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from digitlens.ctc import ConfidenceModel, ConfidenceModels, fit_confidence_models
from digitlens.ctc.regression import IsotonicCalibrator
from digitlens.imaging.crop import PITCH, input_width
from digitlens.models.card import CALIBRATIONS_KEY

BLANK = 10
STROKES = {
    "0": "1,0 3,0 4,2 4,4 3,6 1,6 0,4 0,2 1,0",
    "1": "0.5,1.5 2,0 2,6",
    "2": "0,1.2 1,0 3,0 4,1.2 4,2.2 0,6 4,6",
    "3": "0,0 4,0 1.6,2.4 3.2,2.6 4,3.6 4,5 3,6 1,6 0,5",
    "4": "3,6 3,0 0,4 4,4",
    "5": "4,0 0.4,0 0,2.8 2.5,2.4 4,3.4 4,5 3,6 1,6 0,5.2",
    "6": "3.6,0 1.2,1.6 0,3.6 0,5 1,6 3,6 4,5 4,3.8 3,2.9 1,2.9 0,3.8",
    "7": "0,0 4,0 1.4,6",
    "8": "1,0 3,0 3.8,1 3.8,2 0,4 0,5 1,6 3,6 4,5 4,4 0.2,2 0.2,1 1,0",
    "9": "0.4,6 2.8,4.4 4,2.4 4,1 3,0 1,0 0,1 0,2.2 1,3.1 3,3.1 4,2.2",
    "K": "0,0 0,6/4,0 0,3.4 4,6",
    "M": "0,6 0,0 2,4 4,0 4,6",
    "W": "0,0 1,6 2,2 3,6 4,0",
    "X": "0,0 4,6/4,0 0,6",
}
"""The strokes of digits and some letters, 4 wide and 6 high: x,y from the upper left."""

SIZE = 20, 28
"""Columns and rows to which digits are brought before they are compared."""

CLEAR, ALIKE = 0.8, 0.55
"""What is so much like a printed digit is one; what is less so may be one."""

Gray = np.ndarray
Box = tuple[float, float, float, float]


def printed(text: str, *, height: int = 44, margin: int = 10) -> Gray:
    """Return a line of digits or letters, `height` pixels high: uint8 (h, w), dark on white."""
    thick = max(2, round(height / 10))
    unit = (height - thick) / 6
    line = np.full((height + 40, round(7 * unit * len(text)) + 80), 255, np.uint8)
    for index, item in enumerate(text):
        for stroke in STROKES[item].split("/"):
            points = np.array([spot.split(",") for spot in stroke.split()], float)
            spots = (points + np.array([6.5 * index, 0])) * unit + 20 + thick / 2
            whole = np.rint(spots * 16).astype(np.int32)
            cv2.polylines(line, [whole], False, 0, thick, cv2.LINE_AA, 4)
    left, top, right, bottom = inked(line)
    return np.pad(line[top:bottom, left:right], margin, constant_values=255)


def inked(gray: Gray) -> tuple[int, int, int, int]:
    """Return the box of all that is far from the paper: left, top, right, bottom."""
    away = np.abs(gray.astype(int) - int(np.median(gray))) > 100
    rows, columns = np.flatnonzero(away.any(axis=1)), np.flatnonzero(away.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def sheet(
    *lines: tuple[str, int, int], size: tuple[int, int] = (700, 500), height: int = 44
) -> Gray:
    """Return a white page, (width, height), with lines whose ink begins at (x, y)."""
    page = np.full(size[::-1], 255, np.uint8)
    for text, x, y in lines:
        line = printed(text, height=height, margin=0)
        page[y : y + line.shape[0], x : x + line.shape[1]] = line
    return page


class PrintNetwork:
    """Reads printed digits, as a line network would, by comparing them with the typeface's.

    Parameters
    ----------
    sure
        The probability of a digit that is clearly one; of others it is a quarter of it.
    calibrations
        As a network has them.
    """

    path = Path("print.onnx")

    def __init__(
        self, sure: float = 0.999, calibrations: ConfidenceModels | None = None
    ) -> None:
        self.sure = sure
        self.calibrations = calibrations
        self.seen: list[Gray] = []

    def log_probs(self, gray: Gray) -> np.ndarray:
        """Return float32 (T, 11): a peak where the middle of each digit is."""
        self.seen.append(gray)
        width = input_width(*gray.shape)
        frames = np.full((-(-width // PITCH), BLANK + 1), 1e-7)
        for left, right, shape in _shapes(gray):
            digit, alike = _nearest(shape)
            middle = (left + right) / 2 * width / gray.shape[1]
            frame = frames[min(int(middle / PITCH), len(frames) - 1)]
            if alike > ALIKE:
                frame[:] = 1e-7
                frame[digit] = self.sure if alike > CLEAR else self.sure / 4
        frames[:, BLANK] = 0.0
        frames[:, BLANK] = 1 - frames.sum(axis=1)
        return np.log(frames).astype(np.float32)

    def rescore(self, gray: Gray, probs: np.ndarray) -> np.ndarray:
        """Return the probabilities as they are: no other network is asked."""
        return probs


class Replies:
    """A network that says what it was told to, one answer after the other."""

    path = Path("replies.onnx")
    calibrations = None

    def __init__(self, *answers: np.ndarray) -> None:
        self.answers = list(answers)
        self.seen: list[Gray] = []

    def log_probs(self, gray: Gray) -> np.ndarray:
        """Return the next answer."""
        self.seen.append(gray)
        return self.answers.pop(0)

    def rescore(self, gray: Gray, probs: np.ndarray) -> np.ndarray:
        """Return the probabilities as they are: no other network is asked."""
        return probs


def _shapes(gray: Gray) -> list[tuple[int, int, Gray]]:
    """Return first column, last column + 1 and ink of each run of columns with ink."""
    ink = np.abs(gray.astype(np.float32) - np.median(gray))
    if ink.max() < 40:
        return []
    ink = ink / ink.max()
    columns = np.flatnonzero(ink.max(axis=0) > 0.5)
    runs = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    return [(int(run[0]), int(run[-1]) + 1, ink[:, run[0] : run[-1] + 1]) for run in runs]


def _even(ink: Gray) -> Gray:
    """Bring a digit's ink to one size and spread, proportions kept."""
    rows = np.flatnonzero(ink.max(axis=1) > 0.5)
    ink = ink[rows[0] : rows[-1] + 1]
    height, width = ink.shape
    width = max(1, min(SIZE[0], round(width * SIZE[1] / height)))
    small = cv2.resize(ink, (width, SIZE[1]), interpolation=cv2.INTER_AREA)
    before = (SIZE[0] - width) // 2
    small = np.pad(small, ((0, 0), (before, SIZE[0] - width - before)))
    small = cv2.GaussianBlur(small, (0, 0), 1.5)
    small -= small.mean()
    return np.asarray(small / np.linalg.norm(small))


@cache
def _typeface() -> np.ndarray:
    pictures = (printed(digit, margin=4) for digit in "0123456789")
    return np.array([_even(_shapes(item)[0][2]) for item in pictures])


def _nearest(ink: Gray) -> tuple[int, float]:
    alike = (_typeface() * _even(ink)).sum(axis=(1, 2))
    return int(alike.argmax()), float(alike.max())


def peaks(*frames: dict[str, float], step: int = 4) -> np.ndarray:
    """Return float32 (T, 11): a frame of these digits' probabilities every `step` frames."""
    made = np.full((step * (len(frames) + 1), BLANK + 1), 1e-7)
    for index, frame in enumerate(frames):
        for digit, probability in frame.items():
            made[(index + 1) * step - 1, int(digit)] = probability
    made[:, BLANK] = 0.0
    made[:, BLANK] = 1 - made.sum(axis=1)
    return np.log(made).astype(np.float32)


@pytest.fixture
def network() -> PrintNetwork:
    """Return a network that reads printed digits surely."""
    return PrintNetwork()


@pytest.fixture(scope="session")
def make_network() -> Callable[..., PrintNetwork]:
    """Return `PrintNetwork`."""
    return PrintNetwork


@pytest.fixture(scope="session")
def replies() -> Callable[..., Replies]:
    """Return `Replies`."""
    return Replies


@pytest.fixture(scope="session")
def print_line() -> Callable[..., Gray]:
    """Return `printed`."""
    return printed


@pytest.fixture(scope="session")
def make_sheet() -> Callable[..., Gray]:
    """Return `sheet`."""
    return sheet


@pytest.fixture(scope="session")
def ink_box() -> Callable[[Gray], Box]:
    """Return `inked`."""
    return inked


@pytest.fixture(scope="session")
def make_frames() -> Callable[..., np.ndarray]:
    """Return `peaks`."""
    return peaks


@pytest.fixture(scope="session")
def make_onnx(stroke_network: Path) -> Callable[..., bytes]:
    """Return a function that gives the bytes of a line network's file, not calibrated.

    Its metadata is changed as one likes; None leaves an entry out.
    """
    import onnx

    def make(changes: dict[str, str | None] | None = None) -> bytes:
        model = onnx.load(stroke_network)
        held = {item.key: item.value for item in model.metadata_props}
        held |= {CALIBRATIONS_KEY: None} | (changes or {})
        del model.metadata_props[:]
        known = {name: value for name, value in held.items() if value is not None}
        onnx.helper.set_model_props(model, known)
        return bytes(model.SerializeToString())

    return make


@pytest.fixture(scope="session")
def calibrations() -> ConfidenceModels:
    """Return calibrations on made-up readings, with one of its own for five digits."""
    rng = np.random.default_rng(0)
    lines: dict[int | None, Any] = {}
    for length in (None, 5):
        features = np.zeros((1000, 5))
        features[:, 0] = rng.uniform(-4, 8, 1000)
        lines[length] = features, rng.random(1000) < 1 / (1 + np.exp(-features[:, 0]))
    return fit_confidence_models(lines, rng)


@pytest.fixture(scope="session")
def strict(calibrations: ConfidenceModels) -> ConfidenceModels:
    """Return calibrations for which a line is as sure as its least digit and its length."""
    steps = np.linspace(-8, 8, 33)
    curve = IsotonicCalibrator(
        tuple(steps.tolist()), tuple((1 / (1 + np.exp(-steps))).tolist()), 1.0
    )
    free = ConfidenceModel(
        (0.0, 0.0, 0.0, 1.0, 0.0, 1.0), curve, calibrations.unconstrained.curve
    )
    return ConfidenceModels(free)


@pytest.fixture(scope="session")
def make_table() -> Callable[[Sequence[str]], Gray]:
    """Return `table`."""
    return table


def table(rows: Sequence[str], *, side: int = 60) -> Gray:
    """Draw a table with a digit, or none, in each cell; it begins at (30, 30)."""
    height, width = side * len(rows), side * len(rows[0])
    page = np.full((height + 60, width + 60), 255, np.uint8)
    for x in range(30, width + 31, side):
        cv2.line(page, (x, 30), (x, height + 30), 0, 2)
    for y in range(30, height + 31, side):
        cv2.line(page, (30, y), (width + 30, y), 0, 2)
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts.replace(" ", "_")):
            if text == "_":
                continue
            digit = printed(text, height=36, margin=0)
            tall, broad = digit.shape
            y, x = (
                30 + side * row + (side - tall) // 2,
                30 + side * column + (side - broad) // 2,
            )
            page[y : y + tall, x : x + broad] = digit
    return page


class TopHeavy:
    """Says that all is digits, and that of sevens what is heavy above stands upright."""

    def log_probs(self, gray: np.ndarray) -> np.ndarray:
        """Answer as the network of signs does."""
        middle = len(gray) // 2
        is_upright = gray[:middle].mean() < gray[middle:].mean()
        probs = np.full((gray.shape[1] // 2, 5), 0.01)
        probs[:, 0] = 0.97 if is_upright else 0.6
        return np.log(probs)


@pytest.fixture
def top_heavy() -> TopHeavy:
    """Return what stands for the network of signs, and knows which way up a seven is."""
    return TopHeavy()
