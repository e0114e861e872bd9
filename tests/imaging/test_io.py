"""Opening any picture: every form gives the same pixels, and bad ones say what is wrong."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, features

from digitlens.errors import (
    CorruptFileError,
    DataError,
    DigitlensWarning,
    MissingDataError,
    ShapeError,
)
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
        (
            np.full((9, 9), -1.5),
            "float64 (9, 9), values -1.5..-1.5",
            "picture * 0.3081 + 0.1307",
        ),
        (np.full((9, 9), 1.2), "float64 (9, 9), values 1.2..1.2", "picture.clip(0, 1)"),
        (np.eye(9, dtype=np.int64), "int64 (9, 9), values 0..1", "picture * 255"),
        (np.full((9, 9), np.nan), "float64 (9, 9), 81 NaN or infinite", "numpy.nan_to_num"),
        (np.full((9, 9), 300, np.uint16), "uint16 (9, 9), values 300..300", "(picture / 257)"),
        (np.full((9, 9), "x"), "<U1 (9, 9)", None),
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
    """A thing that is no picture is refused, and the error says what is."""
    with pytest.raises(ShapeError, match="path, bytes, an open file, a Pillow picture"):
        load_image(object())
    with pytest.raises(ShapeError, match="equally long"):
        load_image([[0, 1], [1]])


def test_numbers_of_any_kind_are_the_same_picture() -> None:
    """Fractions, tensors, lists, bools and channels first or last give the same pixels."""
    digit = np.zeros((30, 20), np.uint8)
    digit[5:25, 8:12] = 255
    same: list[Any] = [
        digit / 255,
        digit.astype(np.float64),
        digit.astype(np.int64),
        digit > 0,
        digit.tolist(),
        (digit / 255).tolist(),
        digit[None],
        digit[..., None],
        torch.from_numpy(digit),
        torch.from_numpy(digit)[None].float().div(255).requires_grad_(),
    ]
    for other in same:
        np.testing.assert_array_equal(load_image(other).pixels, digit)
    colors = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    np.testing.assert_array_equal(load_image(colors.transpose(2, 0, 1)).pixels, colors)


def test_an_open_file_is_read_in_binary_mode_alone(tmp_path: Path) -> None:
    """An open file is a picture and has its name; one that was opened as text is refused."""
    path = tmp_path / "one.png"
    Image.new("L", (30, 20)).save(path)
    with path.open("rb") as file:
        assert load_image(file).name == str(path)
    with path.open() as text, pytest.raises(DataError, match="binary mode"):
        load_image(text)


@pytest.mark.parametrize("kind", ["TIFF", "GIF"])
def test_pages_that_are_cut_off_are_a_damaged_picture(kind: str) -> None:
    """Whatever Pillow raises for a file of several pages (TypeError, IndexError) is told."""
    pages = [
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 40), np.uint8))
        for seed in range(3)
    ]
    content = encoded(pages[0], kind, save_all=True, append_images=pages[1:])
    refused = 0
    for length in range(0, len(content), len(content) // 60):
        try:
            load_image(content[:length])
        except CorruptFileError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("bits", [1, 8, 10, 12, 14, 16])
def test_grey_of_more_than_8_bits_is_scaled_by_the_bits_that_are_used(
    bits: int, write_digit: Write
) -> None:
    """A camera's 12 bits in a file of 16, and 8 bits in one, give the digit's own grey."""
    pixels = np.where(write_digit() > 127, 255, 0).astype(np.uint8)
    values = (pixels.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    content = encoded(Image.fromarray(values), "TIFF")
    assert np.array_equal(load_image(content).pixels, pixels)


@pytest.mark.parametrize(
    "picture",
    [
        lambda pixels: Image.fromarray(pixels.astype(np.int32) << 23),
        lambda pixels: Image.fromarray(pixels.astype(np.int32)),
        lambda pixels: Image.fromarray(pixels.astype(np.float32) / 255),
        lambda pixels: Image.fromarray(pixels.astype(np.float32)),
    ],
)
def test_32_bits_a_pixel_are_read(picture: Callable[..., Any], write_digit: Write) -> None:
    """Whole numbers and fractions of 32 bits become 8."""
    pixels = write_digit()
    loaded = load_image(encoded(picture(pixels), "TIFF")).pixels
    assert np.abs(loaded.astype(int) * (pixels.max() / loaded.max()) - pixels).max() <= 1


@pytest.mark.parametrize(
    ("low", "high"), [(-5.0, 3.0), (0.0, 1e6), (0.0, float("nan"))], ids=str
)
def test_fractions_of_an_unknown_scale_are_refused(low: float, high: float) -> None:
    """A float picture that is neither 0..1 nor 0..255 nor 0..65535 is not guessed at."""
    pixels = np.full((20, 20), low, np.float32)
    pixels[5:9] = high
    with pytest.raises(ShapeError, match=r"must have values 0\.\.1"):
        load_image(encoded(Image.fromarray(pixels), "TIFF"))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lost", [1, 2, 7])
def test_a_jpeg_that_lacks_its_last_bytes_is_read(
    lost: int, progressive: bool, write_digit: Write, correlate: Callable[..., float]
) -> None:
    """A photo whose transfer lost its end is read, with a warning that says so."""
    whole = encoded(Image.fromarray(write_digit()), "JPEG", progressive=progressive)
    with pytest.warns(DigitlensWarning, match=r"cut.jpg is cut short"):
        loaded = load_image(whole[:-lost], name="cut.jpg")
    assert "its last bytes are missing" in loaded.about
    height = len(loaded.pixels)
    assert height >= 104
    assert correlate(loaded.pixels, load_image(whole).pixels[:height]) > 0.98


@pytest.mark.parametrize(
    ("share", "progressive"),
    [(0.3, False), (0.6, False), (0.8, False), (0.3, True), (0.6, True)],
)
def test_a_jpeg_that_lacks_more_is_refused(
    share: float, progressive: bool, write_digit: Write
) -> None:
    """No picture is answered of which a part was not seen."""
    noise = np.random.default_rng(0).integers(0, 9, (120, 120), np.uint8)
    whole = encoded(Image.fromarray(write_digit() - noise), "JPEG", progressive=progressive)
    with pytest.raises(CorruptFileError, match="damaged"):
        load_image(whole[: int(share * len(whole))])


def test_damaged_exif_entries_are_passed_over(write_digit: Write) -> None:
    """A picture whose EXIF is rubbish is read as it lies, and nothing is written to stderr."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x09\0" + b"\x12\x01\x03\0\xff\xff\xff\xff\xff" * 3
    content = encoded(Image.fromarray(write_digit()), "JPEG", exif=exif)
    assert load_image(content).pixels.shape == (120, 120)


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "JPEG"])
def test_what_phones_and_scanners_write_is_read(
    kind: str, write_digit: Write, correlate: Callable[..., float]
) -> None:
    """AVIF, JPEG 2000 and JFIF files are pictures like any other."""
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    loaded = load_image(encoded(Image.fromarray(write_digit()).convert("RGB"), kind))
    assert correlate(frame_digit(loaded.pixels), frame_digit(write_digit())) > 0.95


def test_heic_photos_are_read(write_digit: Write, correlate: Callable[..., float]) -> None:
    """With the extra heif, an iPhone's photo is a picture like any other."""
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(write_digit()).convert("RGB")).save(file)
    loaded = load_image(file.getvalue())
    assert correlate(frame_digit(loaded.pixels), frame_digit(write_digit())) > 0.95


def test_heic_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be opened is named by its first bytes, with what to do."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(CorruptFileError) as caught:
        load_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), name="IMG_1.HEIC")
    assert str(caught.value) == (
        "IMG_1.HEIC is not a picture that can be read\n"
        "  seen    123 bytes, by the first ones an HEIC photo, as iPhones take them\n"
        '  try     pip install "digitlens[heif]"'
    )


@pytest.mark.parametrize(
    ("content", "what", "advice"),
    [
        (b"8BPS\0\1", "a Photoshop file", "save it as PNG"),
        (b"<?xml version='1.0'?><svg xmlns=''>", "an SVG drawing", "export it as PNG"),
        (b"FUJIFILMCCD-RAW 0201", "a Fujifilm raw photo", "export it as JPEG"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a Canon raw photo", "export it as JPEG"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a film", "save one of its pictures"),
        (b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a", "a JPEG XL picture", "pillow-jxl-plugin"),
        (b"%PDF-1.7\n", "a PDF file", "digitlens read"),
        (b"<html>404", "a web page", "fetch or copy the file again"),
        (b"hello", "5 bytes", "save it as PNG or JPEG"),
        (b"", "0 bytes", "fetch or copy the file again"),
    ],
)
def test_other_files_are_named_by_their_first_bytes(
    content: bytes, what: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of another kind is called by its kind, and the error says what helps."""
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(CorruptFileError) as caught:
        load_image(content)
    assert what in (caught.value.seen or "")
    assert advice in (caught.value.try_ or "")


def test_a_matrix_is_an_array() -> None:
    """An array of numpy's old matrix class, which always has two axes, is read as one."""
    matrix = np.full((20, 20), 9, np.uint8).view(np.matrix)
    assert type(load_image(matrix).pixels) is np.ndarray
