"""Folders of class folders: which pictures are read, and what is said of the others."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.data import load_digits
from digitlens.data.picture import read_picture
from digitlens.errors import CorruptFileError, DataError, ShapeError

GREY = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str = "PNG", mode: str | None = None) -> bytes:
    """Return a picture file."""
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(file, kind)
    return file.getvalue()


def lay(folder: Path, each: int = 5, digits: str = "0123456789") -> Path:
    """Write `each` pictures for each digit; the first pixel is the digit, the second counts."""
    for digit in digits:
        (folder / digit).mkdir(parents=True)
        for at in range(each):
            pixels = GREY.copy()
            pixels[0, :2] = int(digit), at
            (folder / digit / f"{at}.png").write_bytes(encoded(pixels))
    return folder


def test_class_folders_are_read_in_order(tmp_path: Path) -> None:
    """Every picture has its folder's label; the order is that of the names."""
    data = load_digits(lay(tmp_path), validation=0)
    whole = data.part("all")
    assert len(whole) == 50
    assert np.array_equal(whole.images[:, 0, 0], whole.labels)
    places = np.concatenate([data.train.positions, data.test.positions])
    assert np.array_equal(whole.images[:, 0, 1], places % 5)
    assert np.array_equal(whole.labels, places // 5)


@pytest.mark.parametrize(
    "names", [("train", "validation", "test"), ("training", "val", "testing")]
)
def test_parts_above_the_class_folders_are_kept(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    """The source's own parts are used as they are."""
    for name, each in zip(names, (5, 2, 3), strict=True):
        lay(tmp_path / name, each)
    data = load_digits(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (50, 20, 30)
    assert data.split == "the source's own validation part: 20 digits"


def test_training_folder_without_test_folder(tmp_path: Path) -> None:
    """A fifth of train/ becomes the test part."""
    lay(tmp_path / "train")
    assert len(load_digits(tmp_path).test) == 10


def test_one_hash_stands_for_all_pictures(tmp_path: Path) -> None:
    """It is the hash of the list that sha256sum prints for the sorted files."""
    lay(tmp_path / "set", 2, "37")
    listed = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.parent.name}/{path.name}\n"
        for path in sorted((tmp_path / "set").rglob("*.png"))
    )
    wanted = {"set (4 pictures)": hashlib.sha256(listed.encode()).hexdigest()}
    assert load_digits(tmp_path / "set", validation=0).hashes == wanted


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    """What file managers leave behind is no picture."""
    lay(tmp_path)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "labels.txt").write_text("beside the class folders")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "3" / name).write_bytes(b"x")
    assert len(load_digits(tmp_path).part("all")) == 50


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    """A hidden file does not fill it."""
    lay(tmp_path)
    (tmp_path / "7").rename(tmp_path / ".7")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / ".keep").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_digits(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / '7'} is an empty class folder\n"
        "  try     put pictures of the digit into it, or remove it"
    )


@pytest.mark.parametrize("name", ["ten", "10", "07", "A"])
def test_a_folder_that_is_no_digit_is_named(tmp_path: Path, name: str) -> None:
    """Class folders are called 0 to 9 and nothing else."""
    lay(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="class folders, named 0 to 9") as caught:
        load_digits(tmp_path)
    assert caught.value.seen == name


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    """An empty folder says so, and what else may be named is listed."""
    with pytest.raises(DataError, match="class folders") as caught:
        load_digits(tmp_path)
    assert caught.value.seen == "no folders"
    assert ".csv" in (caught.value.try_ or "")


def test_a_test_folder_alone_is_refused(tmp_path: Path) -> None:
    """There must be something to train on."""
    lay(tmp_path / "test")
    with pytest.raises(DataError, match="a folder called train"):
        load_digits(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "PPM"])
def test_lossless_formats_give_the_same_bytes(kind: str) -> None:
    """Whatever the format, the grey values are those that were saved."""
    assert np.array_equal(read_picture(encoded(GREY, kind), name="x"), GREY)


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA", "P"])
def test_grey_in_other_modes_is_grey(mode: str) -> None:
    """Colours that are all grey, and alpha that is all opaque, lose nothing."""
    assert np.array_equal(read_picture(encoded(GREY, mode=mode), name="x"), GREY)


def test_black_and_white_becomes_0_and_255() -> None:
    """One bit a pixel is read as paper and ink."""
    assert set(np.unique(read_picture(encoded(GREY, mode="1"), name="x"))) == {0, 255}


def test_jpeg_is_read() -> None:
    """With its losses."""
    flat = np.full((28, 28), 200, np.uint8)
    assert np.abs(read_picture(encoded(flat, "JPEG"), name="x").astype(int) - 200).max() <= 2


def coloured() -> np.ndarray:
    """Return a picture with one red pixel."""
    pixels = np.repeat(GREY[..., None], 3, axis=2)
    pixels[5, 5] = [200, 0, 0]
    return pixels


@pytest.mark.parametrize(
    ("content", "what", "seen"),
    [
        (encoded(np.zeros((32, 20), np.uint8)), "of another size", "20 x 32 pixels, mode L"),
        (encoded(GREY.astype(np.uint16) * 257), "of another mode", "28 x 28 pixels, mode I;16"),
        (encoded(GREY.astype(np.float32), "TIFF"), "of another mode", "28 x 28 pixels, mode F"),
        (encoded(coloured()), "in colour", "28 x 28 pixels, mode RGB"),
        (
            encoded(np.stack([GREY, GREY], axis=2)),
            "transparent",
            "28 x 28 pixels, mode LA",
        ),
    ],
)
def test_pictures_out_of_mnists_frame_are_refused(content: bytes, what: str, seen: str) -> None:
    """File, size and mode are named, and what a digit must be."""
    with pytest.raises(ShapeError) as caught:
        read_picture(content, name="7/x.png")
    assert str(caught.value) == (
        f"7/x.png is {what}; a digit must be 28 x 28 pixels, grey, white ink on black\n"
        f"  seen    {seen}\n"
        "  try     bring it into MNIST's frame first: in a 20 x 20 box, its centre of mass\n"
        "          in the middle of 28 x 28"
    )


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    """A header that announces 400 million pixels costs nothing."""
    header = bytearray(encoded(GREY))
    header[16:24] = (20_000).to_bytes(4, "big") * 2
    import zlib

    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    with pytest.raises(ShapeError):
        read_picture(bytes(header), name="x")


@pytest.mark.parametrize("content", [b"", b"letters", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Also formats whose decoders run other programs."""
    with pytest.raises(CorruptFileError, match="not a picture"):
        read_picture(content, name="x")


def test_every_cut_of_a_picture_is_refused() -> None:
    """A picture that lacks pixels is never filled up in silence."""
    content = encoded(GREY)
    assert len(content) > 100
    for length in range(0, len(content) - 40, 7):  # after the pixels there are only sums
        with pytest.raises(CorruptFileError):
            read_picture(content[:length], name="x")


def test_a_damaged_picture_in_a_folder_is_named(tmp_path: Path) -> None:
    """The path stands in the message, whichever thread read it."""
    lay(tmp_path)
    path = tmp_path / "4" / "2.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CorruptFileError, match="is a damaged picture") as caught:
        load_digits(tmp_path)
    assert str(path) in caught.value.wanted


def test_a_folder_among_the_pictures_is_refused(tmp_path: Path) -> None:
    """A class folder holds files."""
    lay(tmp_path)
    (tmp_path / "4" / "more").mkdir()
    with pytest.raises(DataError, match="more cannot be read"):
        load_digits(tmp_path)
