"""Files to read: pictures, TIFFs and PDFs of strokes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.imaging.inputs import InputFile
from digitlens.ocr.page import ReadOptions


@pytest.fixture
def job(stroke_network: Path) -> ReadOptions:
    """Return a job for the network of strokes."""
    return ReadOptions(stroke_network)


@pytest.fixture
def source(tmp_path: Path, strokes: Callable[..., np.ndarray]) -> Callable[..., InputFile]:
    """Return a function that writes a picture of numbers and returns it as a source."""

    def write(name: str, *lines: str) -> InputFile:
        path = tmp_path / name
        Image.fromarray(strokes(*lines)).save(path)
        return InputFile(path, name, path.stem)

    return write


@pytest.fixture
def pages(strokes: Callable[..., np.ndarray]) -> Callable[..., bytes]:
    """Return a function that makes a file of several pages, one for each number."""

    def make(kind: str, numbers: Sequence[str]) -> bytes:
        first, *rest = [Image.fromarray(strokes(number)) for number in numbers]
        file = io.BytesIO()
        first.save(file, kind, save_all=True, append_images=rest)
        return file.getvalue()

    return make
