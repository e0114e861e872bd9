"""What a reader is made of, what it takes, and what it promises and refuses."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.ctc import ConfidenceModels, Line
from digitlens.errors import (
    CorruptFileError,
    MissingDataError,
    ModelError,
    ShapeError,
    UsageError,
)
from digitlens.imaging.io import load_image
from digitlens.ocr import Reader

Gray = np.ndarray
Make = Callable[..., Any]


@pytest.fixture
def reader(network: Any) -> Reader:
    """Return a reader of printed digits."""
    return Reader(network=network)


@pytest.fixture
def page(make_sheet: Make) -> Gray:
    """Return a page with 4735 at (100, 80) and 257 at (250, 300)."""
    return make_sheet(("4735", 100, 80), ("257", 250, 300))


def test_files_bytes_and_pictures_are_read(
    reader: Reader, page: Gray, print_line: Make, tmp_path: Path
) -> None:
    """A path, bytes, a Pillow picture and an array give the same lines."""
    path = tmp_path / "page.png"
    Image.fromarray(page).save(path)
    wanted = reader.read(page)
    for picture in (path, str(path), path.read_bytes(), Image.open(path)):
        assert reader.read(picture) == wanted
    Image.fromarray(print_line("4028")).save(path)
    for picture in (path, path.read_bytes(), Image.open(path)):
        assert reader.read_line(picture).text == "4028"


@pytest.mark.parametrize(
    ("entry", "back"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_exif_s_rotation_is_honoured(
    reader: Reader, page: Gray, print_line: Make, entry: int, back: Image.Transpose
) -> None:
    """A file that says it lies on its side is read upright, boxes and size too, and says so."""

    def laid(pixels: Gray) -> bytes:
        picture, file = Image.fromarray(pixels), io.BytesIO()
        exif = picture.getexif()
        exif[0x0112] = entry
        picture.transpose(back).save(file, "PNG", exif=exif)
        return file.getvalue()

    result, plain = reader.page(laid(page)), reader.page(page)
    assert result.lines == plain.lines
    assert (result.size, result.turn) == (plain.size, plain.turn)
    assert result.about[0].endswith("turned upright as its EXIF entry says")
    assert result.about[1:] == plain.about[1:]
    line = print_line("4028")
    assert reader.read_line(laid(line)) == reader.read_line(line)


def test_a_line_s_lengths(reader: Reader, print_line: Make) -> None:
    """`read_line` keeps to the lengths it is given."""
    picture = print_line("4028")
    assert reader.read_line(picture, 4).text == "4028"
    assert len(reader.read_line(picture, 3).text) == 3
    assert reader.read_line(picture, {4, 9}).text == "4028"
    assert reader.read_line(np.full((40, 200), 255, np.uint8)).text == ""


@pytest.mark.parametrize("length", [0, -1, 2.5, "5", [], [3, 0], True])
def test_lengths_that_cannot_be_are_refused(reader: Reader, page: Gray, length: Any) -> None:
    """A length is a whole number of at least 1, or several."""
    for act in (reader.read_line, reader.read, reader.page):
        with pytest.raises(UsageError):
            act(page, length)


def test_pictures_that_cannot_be_read_are_refused(reader: Reader, tmp_path: Path) -> None:
    """A missing file, one that is no picture, another dtype: each has its error."""
    other = tmp_path / "letter.txt"
    other.write_text("4028")
    for act in (reader.read_line, reader.read):
        with pytest.raises(MissingDataError):
            act(tmp_path / "none.png")
        with pytest.raises(CorruptFileError):
            act(other)
        with pytest.raises(ShapeError):
            act(np.zeros((40, 50), np.float32))
        with pytest.raises(ShapeError):
            act(np.zeros((4, 50), np.uint8))


def test_a_picture_that_is_open_is_read(reader: Reader, page: Gray) -> None:
    """What `load_image` gave is read as the picture itself."""
    opened = load_image(page)
    assert reader.page(opened) == reader.page(page)
    assert reader.read_line(opened) == reader.read_line(page)


def test_what_is_too_long_is_refused(reader: Reader) -> None:
    """A side of more than 100,000 pixels is refused before anything is looked for."""
    for act in (reader.read, reader.read_line):
        with pytest.raises(ShapeError) as caught:
            act(np.zeros((5, 100_001), np.uint8))
        assert str(caught.value) == (
            "the picture is too long: a side may have 100,000 pixels at most\n"
            "  seen    100,001 x 5 pixels\n"
            "  try     cut it to pieces"
        )


def test_a_bar_is_the_calibration_s(make_network: Make, calibrations: ConfidenceModels) -> None:
    """The bar is set on readings like those asked for; a higher rate never raises it."""
    reader = Reader(network=make_network(calibrations=calibrations))
    free, five = reader.bar(0.05), reader.bar(0.05, 5)
    assert free.count == five.count == 500
    assert free.confidence != five.confidence
    assert free.limit <= 0.05
    assert 0 < free.read_rate < 1
    assert reader.bar(0.2).confidence <= free.confidence
    assert reader.bar(1e-6).confidence is None
    for rate in (0, -0.1, 1.5):
        with pytest.raises(UsageError):
            reader.bar(rate)
    with pytest.raises(UsageError):
        reader.bar(0.05, 0)


def test_without_calibrations_there_is_no_bar(reader: Reader) -> None:
    """A network that was not calibrated makes no promise, and says what to try."""
    with pytest.raises(ModelError) as caught:
        reader.bar(0.01)
    assert str(caught.value) == (
        "print.onnx must be calibrated for a promise about errors\n"
        "  seen    no calibration in the file\n"
        "  try     the published reader"
    )


def test_a_file_is_a_reader(make_onnx: Make, tmp_path: Path, page: Gray) -> None:
    """A reader is made of a network's file as well; what is none is refused."""
    path = tmp_path / "model.onnx"
    path.write_bytes(make_onnx())
    reader = Reader(path)
    assert reader.network.path == path
    assert isinstance(reader.read_line(page), Line)
    with pytest.raises(ModelError):
        Reader(tmp_path / "none.onnx")
