"""Folders of class folders: which pictures are read, and what is said of the others."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.data import load_digits
from digitlens.data.folder import read_class_folders
from digitlens.errors import CorruptFileError, DataError, NoInkError, ShapeError
from digitlens.imaging import frame_digit
from digitlens.imaging.io import load_image

GREY = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str = "PNG", mode: str | None = None) -> bytes:
    """Return a picture file."""
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(file, kind)
    return file.getvalue()


def ready(digit: int, index: int) -> np.ndarray:
    """Return a thick ring in MNIST's frame whose inside names `digit` and `index`."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 4:24] = 255
    pixels[7:21, 7:21] = 0
    pixels[13:15, 13:15] = 20 * digit + 20
    pixels[9:11, 13:15] = pixels[17:19, 13:15] = index + 1
    return pixels


def place_files(folder: Path, item: int = 5, digits: str = "0123456789") -> Path:
    """Write `item` pictures in MNIST's frame for each digit."""
    for digit in digits:
        (folder / digit).mkdir(parents=True)
        for index in range(item):
            (folder / digit / f"{index}.png").write_bytes(encoded(ready(int(digit), index)))
    return folder


def page(digit: int = 1) -> np.ndarray:
    """Return a sheet of grey paper with one dark stroke, as a camera sees it."""
    pixels = np.full((120, 90), 200, np.uint8)
    pixels[20:80, 30 : 36 + digit] = 40
    return pixels


def test_class_folders_are_read_in_order(tmp_path: Path) -> None:
    """Every picture has its folder's label; the order is that of the names."""
    data = load_digits(place_files(tmp_path), validation=0)
    whole = data.part("all")
    assert len(whole) == 50
    assert np.array_equal(whole.images[:, 13, 13] // 20 - 1, whole.labels)
    places = np.concatenate([data.train.positions, data.test.positions])
    assert np.array_equal(whole.images[:, 9, 13] - 1, places % 5)
    assert np.array_equal(whole.labels, places // 5)


def test_pictures_of_any_kind_are_framed(tmp_path: Path) -> None:
    """Dark ink on grey paper, in colours or transparent, comes as `frame_digit` gives it."""
    place_files(tmp_path, 2, "37")
    coloured = np.repeat(page()[..., None], 3, axis=2)
    coloured[..., 0] //= 2
    inked = np.dstack([np.zeros_like(page()), 255 * (page() < 99)]).astype(np.uint8)
    files = {"page.png": page(), "colour.png": coloured, "clear.png": inked}
    for name, pixels in files.items():
        (tmp_path / "3" / name).write_bytes(encoded(pixels))
    result = read_class_folders(tmp_path, source="mine")
    assert result.names[:5] == (
        "3/0.png",
        "3/1.png",
        "3/clear.png",
        "3/colour.png",
        "3/page.png",
    )
    for name in files:
        image = result.train.images[result.names.index(f"3/{name}")]
        assert np.array_equal(image, frame_digit(tmp_path / "3" / name))
    assert np.array_equal(result.train.images[0], ready(3, 0))
    assert np.array_equal(result.train.labels, [3, 3, 3, 3, 3, 7, 7])


def test_small_drawings_out_of_the_frame_are_framed(tmp_path: Path) -> None:
    """28 x 28 pictures that are not in MNIST's frame, dark on light or not, are framed too."""
    place_files(tmp_path, 1, "1")
    corner = np.zeros((28, 28), np.uint8)
    corner[2:12, 3:6] = 255
    drawn = {"corner.png": corner, "dark.png": 255 - corner}
    for name, pixels in drawn.items():
        (tmp_path / "1" / name).write_bytes(encoded(pixels))
    images = read_class_folders(tmp_path, source="mine").train.images
    assert np.array_equal(images[1], frame_digit(corner))
    assert np.array_equal(images[2], frame_digit(255 - corner))
    assert images[1][:4].max() == 0
    assert images[1][6:22, 13:15].min() > 0


def test_a_set_made_for_networks_is_taken_as_it_is(tmp_path: Path) -> None:
    """Where nine in ten lie in MNIST's frame, the tenth is part of the set, not a mistake."""
    place_files(tmp_path, 9, "5")
    (tmp_path / "5" / "odd.png").write_bytes(encoded(GREY))
    assert np.array_equal(read_class_folders(tmp_path, source="x").train.images[9], GREY)
    (tmp_path / "5" / "odder.png").write_bytes(encoded(GREY))
    result = read_class_folders(tmp_path, source="x")
    assert not any(np.array_equal(image, GREY) for image in result.train.images)


@pytest.mark.parametrize(
    "names", [("train", "validation", "test"), ("training", "val", "testing")]
)
def test_parts_above_the_class_folders_are_kept(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    """The source's own parts are used as they are."""
    for name, item in zip(names, (5, 2, 3), strict=True):
        place_files(tmp_path / name, item)
    data = load_digits(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (50, 20, 30)
    assert data.split == "the source's own validation part: 20 digits"


def test_training_folder_without_test_folder(tmp_path: Path) -> None:
    """A fifth of train/ becomes the test part."""
    place_files(tmp_path / "train")
    assert len(load_digits(tmp_path).test) == 10


def test_one_hash_stands_for_all_pictures(tmp_path: Path) -> None:
    """It is the hash of the list that sha256sum prints for the sorted files."""
    place_files(tmp_path / "set", 2, "37")
    listed = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.parent.name}/{path.name}\n"
        for path in sorted((tmp_path / "set").rglob("*.png"))
    )
    wanted = {"set (4 pictures)": hashlib.sha256(listed.encode()).hexdigest()}
    assert load_digits(tmp_path / "set", validation=0).hashes == wanted


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    """What file managers leave behind is no picture."""
    place_files(tmp_path)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "labels.txt").write_text("beside the class folders")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "3" / name).write_bytes(b"x")
    assert len(load_digits(tmp_path).part("all")) == 50


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    """A hidden file does not fill it."""
    place_files(tmp_path)
    (tmp_path / "7").rename(tmp_path / ".7")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / ".keep").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_digits(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / '7'} is an empty class folder\n"
        "  try     put pictures of the digit into it, or remove it"
    )


@pytest.mark.parametrize("name", ["ten", "10", "7th", "A"])
def test_a_folder_that_is_no_digit_is_named(tmp_path: Path, name: str) -> None:
    """Class folders are called 0 to 9 and nothing else."""
    place_files(tmp_path)
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
    place_files(tmp_path / "test")
    with pytest.raises(DataError, match="a folder called train"):
        load_digits(tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "PPM"])
def test_lossless_formats_give_the_same_bytes(tmp_path: Path, kind: str) -> None:
    """Whatever the format, the grey values are those that were saved."""
    assert np.array_equal(only(tmp_path, encoded(ready(4, 2), kind)), ready(4, 2))


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA", "P"])
def test_grey_in_other_modes_is_grey(tmp_path: Path, mode: str) -> None:
    """Colours that are all grey, and alpha that is all opaque, lose nothing."""
    assert np.array_equal(only(tmp_path, encoded(ready(4, 2), mode=mode)), ready(4, 2))


def only(folder: Path, content: bytes) -> np.ndarray:
    """Return the one digit of a folder that holds nothing but the picture `content`."""
    (folder / "4").mkdir()
    (folder / "4" / "x").write_bytes(content)
    image: np.ndarray = read_class_folders(folder, source="x").train.images[0]
    return image


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    """A header that announces 400 million pixels costs nothing."""
    header = bytearray(encoded(GREY))
    header[16:24] = (20_000).to_bytes(4, "big") * 2
    import zlib

    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    with pytest.raises(ShapeError):
        load_image(bytes(header), name="x")


@pytest.mark.parametrize("content", [b"", b"letters", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    """Also formats whose decoders run other programs."""
    with pytest.raises(CorruptFileError, match="not a picture"):
        load_image(content, name="x")


def test_every_cut_of_a_picture_is_refused() -> None:
    """A picture that lacks pixels is never filled up in silence."""
    content = encoded(GREY)
    assert len(content) > 100
    for length in range(0, len(content) - 40, 7):  # after the pixels there are only sums
        with pytest.raises(CorruptFileError):
            load_image(content[:length], name="x")


def test_a_damaged_picture_in_a_folder_is_named(tmp_path: Path) -> None:
    """The path stands in the message, whichever thread read it."""
    place_files(tmp_path, 3, "48")
    path = tmp_path / "4" / "2.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CorruptFileError, match="is a damaged picture") as caught:
        load_digits(tmp_path)
    assert str(path) in caught.value.wanted


def test_every_bad_picture_is_listed(tmp_path: Path) -> None:
    """Several pictures that cannot be used are named in one message, each with its reason."""
    place_files(tmp_path, 3, "48")
    blank = np.full((60, 60), 255, np.uint8)
    (tmp_path / "4" / "1.png").write_bytes(b"letters")
    (tmp_path / "8" / "blank.png").write_bytes(encoded(blank))
    with pytest.raises(DataError) as caught:
        load_digits(tmp_path)
    assert str(caught.value) == (
        f"2 of 7 pictures in {tmp_path} cannot be used\n"
        f"  seen    {tmp_path / '4' / '1.png'} is not a picture that can be read: 7 bytes\n"
        f"          {tmp_path / '8' / 'blank.png'} must show a digit: bare paper: nothing "
        "stands out from it by 12 or more of 255 grey values\n"
        "  try     replace them, or take them out of the folder"
    )
    result = read_class_folders(tmp_path, source="mine")
    assert [type(error) for error in result.rejected] == [CorruptFileError, NoInkError]
    assert result.names == ("4/0.png", "4/2.png", "8/0.png", "8/1.png", "8/2.png")
    assert np.array_equal(result.train.labels, [4, 4, 8, 8, 8])


def test_of_many_bad_pictures_ten_are_listed(tmp_path: Path) -> None:
    """A long list ends in the number of those that are not on it."""
    place_files(tmp_path, 3, "0123")
    for path in sorted(tmp_path.rglob("*.png")):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="12 of 12 pictures") as caught:
        read_class_folders(tmp_path, source="mine")
    assert (caught.value.seen or "").splitlines()[9:][1:] == ["and 2 more"]


def test_a_folder_among_the_pictures_is_refused(tmp_path: Path) -> None:
    """A class folder holds files."""
    place_files(tmp_path, 3, "48")
    (tmp_path / "4" / "more").mkdir()
    with pytest.raises(DataError, match="more cannot be read"):
        load_digits(tmp_path)
