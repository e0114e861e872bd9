"""Opening any picture: every form gives the same pixels, and bad ones say what is wrong."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import CorruptFileError, DataError, MissingDataError, ShapeError
from digitlens.imaging import frame_digit
from digitlens.imaging.io import MAX_PIXELS, load_image

Write = Callable[..., np.ndarray]


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture as a file's bytes."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_path_bytes_picture_and_array_are_the_same(tmp_path: Path, write_digit: Write) -> None:
    """A path, as text or Path, bytes, a Pillow picture and an array open to the same pixels."""
    pixels = write_digit()
    picture = Image.fromarray(pixels)
    path = tmp_path / "seven.png"
    picture.save(path)
    for given in (path, str(path), path.read_bytes(), picture, pixels):
        assert np.array_equal(load_image(given).pixels, pixels)
    assert load_image(path).name == str(path)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (
            lambda p: Image.fromarray(np.asarray(p).astype(np.uint16) * 257),
            "PNG",
            "16-bit grey",
        ),
        (lambda p: p.convert("CMYK"), "TIFF", "mode CMYK"),
        (lambda p: p.convert("RGB").quantize(16), "PNG", "mode P"),
        (lambda p: p.point(lambda gray: 255 * (gray > 127), "1"), "PNG", "black and white"),
        (lambda p: p.convert("RGB"), "BMP", "mode RGB"),
        (lambda p: p.convert("L"), "TIFF", "grey"),
        (lambda p: p.convert("RGBA"), "PNG", "with transparency"),
    ],
)
def test_every_mode_is_read(
    write_digit: Write,
    correlate: Callable[..., float],
    change: Callable[..., Image.Image],
    kind: str,
    words: str,
) -> None:
    """16 bits, CMYK, palettes, 1 bit and colours give the digit that 8-bit grey gives."""
    plain = Image.fromarray(write_digit())
    content = encoded(change(plain), kind)
    assert words in load_image(content).about
    assert correlate(frame_digit(content), frame_digit(np.asarray(plain))) > 0.98


@pytest.mark.parametrize(("ink", "paper"), [(0, "white"), (255, "black")])
def test_transparent_paper_contrasts_with_the_ink(
    draw_digit: Write, ink: int, paper: str, correlate: Callable[..., float], write_digit: Write
) -> None:
    """Black ink on nothing and white ink on nothing both become the digit."""
    mask = draw_digit(7, 120)
    pixels = np.zeros((120, 120, 4), np.uint8)
    pixels[..., :3] = ink
    pixels[..., 3] = 255 * mask
    opened = load_image(pixels)
    assert f"filled with {paper}" in opened.about
    assert correlate(frame_digit(pixels), frame_digit(write_digit())) > 0.98


def test_a_transparent_rim_is_filled_with_the_paper(write_digit: Write) -> None:
    """Where most can be seen, what cannot is given the paper's colour, not black."""
    pixels = np.dstack([write_digit()] * 3 + [np.full((120, 120), 255, np.uint8)])
    pixels[:10, :, 3] = 0
    opened = load_image(pixels)
    assert opened.pixels[0, 0].tolist() == [220, 220, 220]


def test_exif_rotation_is_honoured(write_digit: Write) -> None:
    """A photo that says it lies on its side is turned upright."""
    upright = Image.fromarray(write_digit())
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    content = encoded(upright.rotate(90, expand=True), "PNG", exif=exif)
    opened = load_image(content)
    assert "turned upright" in opened.about
    assert np.array_equal(opened.pixels, np.asarray(upright))


def test_the_first_frame_of_an_animation_is_taken(write_digit: Write) -> None:
    """Of an animated picture the first frame counts, and the words say so."""
    frames = [Image.fromarray(write_digit(digit)) for digit in (7, 5, 0)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    opened = load_image(content)
    assert "the first of 3 frames" in opened.about
    assert np.array_equal(opened.pixels[..., 0], np.asarray(frames[0]))


def header_only(width: int, height: int) -> bytes:
    """Return a PNG that announces many pixels and holds none."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


@pytest.mark.parametrize("side", [9_000, 12_000, 20_000])
def test_a_decompression_bomb_is_refused_undecoded(side: int) -> None:
    """More pixels than the limit are refused from the header alone, and the limit is named."""
    with pytest.raises(ShapeError, match=r"too (large|many pixels)") as caught:
        load_image(header_only(side, side))
    assert "pixels" in str(caught.value.seen)


def test_the_limit_is_named() -> None:
    """The error of a picture that is too large says how many pixels are too many."""
    with pytest.raises(ShapeError, match=f"{MAX_PIXELS:,}"):
        load_image(header_only(9_001, 9_001))


def test_a_truncated_picture_is_never_filled_up(write_digit: Write) -> None:
    """Half a file is an error, wherever it was cut."""
    content = encoded(Image.fromarray(write_digit()), "JPEG")
    for length in (0, 3, 100, len(content) // 2):
        with pytest.raises(CorruptFileError):
            load_image(content[:length])


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    """Text, a missing file and a folder are told apart."""
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(CorruptFileError, match=r"text\.png is not a picture"):
        load_image(tmp_path / "text.png")
    with pytest.raises(MissingDataError, match=r"there is no file .*none\.png"):
        load_image(tmp_path / "none.png")
    with pytest.raises(DataError, match="cannot be read"):
        load_image(tmp_path)


@pytest.mark.parametrize(
    ("array", "seen", "try_"),
    [
        (np.zeros((28, 28)), "float64 (28, 28)", "(picture * 255).round().astype('uint8')"),
        (np.full((28, 28), 200.0), "float64 (28, 28)", "(picture).round().astype('uint8')"),
        (np.full((9, 9), np.nan), "float64 (9, 9), 81 of them NaN or infinite", None),
        (np.zeros((9, 9), bool), "bool (9, 9)", "picture.astype('uint8') * 255"),
        (np.zeros((9, 9), np.uint16), "uint16 (9, 9)", "(picture / 257).round()"),
        (np.zeros((9, 9, 1), np.uint8), "uint8 (9, 9, 1)", "picture[..., 0]"),
        (np.zeros((5, 28, 28), np.uint8), "uint8 (5, 28, 28)", "frame_stack"),
        (np.zeros((0, 28), np.uint8), "28 x 0 pixels", None),
        (np.zeros((3, 28), np.uint8), "28 x 3 pixels", None),
        (np.zeros(784, np.uint8), "uint8 (784,)", None),
    ],
)
def test_a_wrong_array_is_explained(array: np.ndarray, seen: str, try_: str | None) -> None:
    """Another dtype or shape is refused, with what it is and how to turn it."""
    with pytest.raises(ShapeError) as caught:
        load_image(array)
    assert caught.value.seen == seen
    assert (caught.value.try_ is None) == (try_ is None)
    assert try_ is None or try_ in str(caught.value.try_)


def test_what_is_nothing_of_the_kind_is_refused() -> None:
    """A list is no picture, and the error says what is."""
    with pytest.raises(ShapeError, match="path, bytes, a Pillow picture or a numpy array"):
        load_image([[0, 1], [1, 0]])  # type: ignore[arg-type]
