"""The command line, run inside the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.cli.app import run


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def digitlens(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Return a function that runs ``digitlens`` with its arguments and tells how it ended."""

    def type_in(*arguments: object) -> Ended:
        capsys.readouterr()
        code = run([str(item) for item in arguments])
        out, err = capsys.readouterr()
        return Ended(code, out, err)

    return type_in


@pytest.fixture
def read(digitlens: Callable[..., Ended], stroke_network: Path) -> Callable[..., Ended]:
    """Return a function that runs ``digitlens read`` with the network of strokes."""
    return lambda *words: digitlens("read", *words, "--model", stroke_network)


@pytest.fixture
def dots(in_tmp: Path) -> Callable[..., Path]:
    """Return a function that writes a picture which the golden network reads as `digit`.

    Only 6 and 9, whose quarters lie across from each other: with any other the framing would
    move the ink's centre of mass to the middle, and with it the quarters.
    """

    def draw(digit: int, name: str | None = None) -> Path:
        assert digit in (6, 9), "framing leaves the dots of these two where they are"
        pixels = np.zeros((28, 28), np.uint8)
        for bit in range(4):
            row, column = 4 + 11 * (bit // 2), 4 + 11 * (bit % 2)
            pixels[row : row + 9, column : column + 9] = 255 * (digit >> bit & 1)
        path = Path(name or f"{digit}.png")
        Image.fromarray(pixels).save(path)
        return path

    return draw
