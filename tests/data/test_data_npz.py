"""Digits in .npz files: the names, the forms, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.data import load_digits
from digitlens.data.arrays import _arrays, as_images
from digitlens.errors import CorruptFileError, DataError, LabelError, ShapeError
from digitlens.storage import read_file

LABELS = np.arange(50) % 10
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)


def save(folder: Path, **arrays: Any) -> Path:
    """Write an .npz file and return its path."""
    path = folder / "digits.npz"
    np.savez_compressed(path, **arrays)
    return path


def test_keras_names_give_training_and_test_part(tmp_path: Path) -> None:
    """Keras' mnist.npz is read as it is."""
    path = save(
        tmp_path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:20], y_test=LABELS[:20]
    )
    data = load_digits(path)
    assert (len(data.train), len(data.validation), len(data.test)) == (45, 5, 20)
    assert np.array_equal(data.test.images, IMAGES[:20])
    assert list(data.hashes) == ["digits.npz"]


@pytest.mark.parametrize(
    "names", [("images", "labels"), ("x", "y"), ("X", "Y"), ("X", "y"), ("Images", "Labels")]
)
def test_one_pair_of_arrays_gives_a_fifth_to_the_test_part(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """Capitals do not matter."""
    path = save(tmp_path, **{names[0]: IMAGES, names[1]: LABELS})
    assert len(load_digits(path).test) == 10


@pytest.mark.parametrize(
    "array",
    [
        IMAGES,
        IMAGES.reshape(-1, 784),
        IMAGES[..., None],
        IMAGES[:, None],
        IMAGES.astype(np.int64),
        IMAGES.astype(np.float64),
        IMAGES / 255,
        (IMAGES / 255).astype(np.float32),
        (IMAGES / 255).astype(np.float16),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_forms_that_are_certain_give_the_same_pictures(array: np.ndarray) -> None:
    """Unrolled, with a channel, in other types, and scaled: always the same bytes."""
    assert np.array_equal(as_images(array, what="x"), IMAGES)


def test_truth_values_are_ink_and_paper() -> None:
    """True becomes 255."""
    assert np.array_equal(as_images(IMAGES > 99, what="x"), (IMAGES > 99) * np.uint8(255))


@pytest.mark.parametrize(
    "shape", [(50, 16, 16), (28, 28), (50, 28, 28, 3), (28, 28, 50), (784,), (50, 785)]
)
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """The message shows dtype and shape."""
    with pytest.raises(ShapeError, match=r"must be \(N, 28, 28\)") as caught:
        as_images(np.zeros(shape, np.uint8), what="x")
    assert caught.value.seen == f"uint8 {shape}"


@pytest.mark.parametrize(
    ("array", "seen", "likely"),
    [
        ((IMAGES > 99).astype(np.uint8), "uint8 values from 0 to 1", "black and white"),
        (IMAGES / 127.5 - 1, "float64 values from -1 to 1", "scaled to -1..1"),
        (IMAGES - 30.5, "float64 values from -30.5 to 224.5", "mean subtracted"),
        (IMAGES * np.uint16(2), "uint16 values from 0 to 510", None),
        (IMAGES / 2, "float64 values from 0 to 127.5", None),
    ],
)
def test_a_scale_that_is_not_certain_is_refused(
    array: np.ndarray, seen: str, likely: str | None
) -> None:
    """Nothing is guessed: the range is shown, and what it may be."""
    with pytest.raises(ShapeError, match=r"0\.\.255 or fractions 0\.\.1") as caught:
        as_images(array, what="x")
    assert caught.value.seen == seen
    assert (likely or "") in (caught.value.likely or "")
    assert (likely is None) == (caught.value.likely is None)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(wrong: float) -> None:
    """The picture is named."""
    array = IMAGES / 255
    array[7, 3, 3] = wrong
    with pytest.raises(DataError, match="numbers only") as caught:
        as_images(array, what="x")
    assert caught.value.seen == "a value that is none, in picture 7"


def test_no_pictures_are_refused() -> None:
    """An empty array is said to be empty."""
    with pytest.raises(DataError, match="holds no pictures"):
        as_images(IMAGES[:0], what="x")


def test_text_is_no_picture() -> None:
    """Arrays of other things than numbers are refused."""
    with pytest.raises(ShapeError):
        as_images(np.full((5, 784), "1"), what="x")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS[:-1], "one for each picture"),
        (LABELS + 1, r"in 0\.\.9"),
        (LABELS + 0.5, "whole numbers"),
        (np.eye(10)[LABELS], "one for each picture"),
    ],
)
def test_wrong_labels_are_refused(tmp_path: Path, labels: np.ndarray, words: str) -> None:
    """Too few, outside the digits, fractions, or one-hot."""
    with pytest.raises(LabelError, match=words) as caught:
        load_digits(save(tmp_path, images=IMAGES, labels=labels))
    assert "digits.npz" in caught.value.wanted


def test_labels_in_a_column_are_read(tmp_path: Path) -> None:
    """(N, 1) is what some save."""
    assert len(load_digits(save(tmp_path, x=IMAGES, y=LABELS[:, None])).test) == 10


def test_other_names_are_listed(tmp_path: Path) -> None:
    """The message shows what the file holds."""
    path = save(tmp_path, pixels=IMAGES, labels=LABELS)
    with pytest.raises(DataError, match="must hold arrays called images and labels") as caught:
        load_digits(path)
    assert caught.value.seen == "pixels: uint8 (50, 28, 28), labels: int64 (50,)"


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    """An array of Python objects could run code: it is refused, and the reason given."""
    path = save(tmp_path, images=np.array([{}, []], object), labels=LABELS)
    with pytest.raises(DataError, match="could run code"):
        load_digits(path)


@pytest.mark.parametrize("cut", [0, 10, 1000, -1, -30])
def test_a_truncated_file_is_corrupt(tmp_path: Path, cut: int) -> None:
    """Wherever it ends too soon."""
    path = save(tmp_path, images=IMAGES, labels=LABELS)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CorruptFileError, match=r"is not a whole \.npz file"):
        load_digits(path)


def test_damage_inside_is_corrupt(tmp_path: Path) -> None:
    """A changed byte does not pass the sum in the file."""
    path = save(tmp_path, images=IMAGES, labels=LABELS)
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    path.write_bytes(content)
    with pytest.raises(CorruptFileError):
        load_digits(path)


def test_another_kind_of_file_is_recognised(tmp_path: Path) -> None:
    """A web page, or a single array, is no .npz file."""
    path = tmp_path / "digits.npz"
    path.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(CorruptFileError, match="a web page"):
        load_digits(path)
    with path.open("wb") as file:
        np.save(file, IMAGES)
    with pytest.raises(CorruptFileError, match="a numpy file"):
        load_digits(path)


def hostile(kind: str) -> bytes:
    """Return an .npz file that is made to do harm."""
    file = io.BytesIO()
    method = zipfile.ZIP_LZMA if kind == "lzma" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "w", method) as archive:
        array = io.BytesIO()
        np.save(array, LABELS)
        content = array.getvalue()
        if kind == "nested":
            content = content.replace(b"(50,)", b"(" * 20 + b"50,)")
        archive.writestr("labels.npy", content)
    packed = bytearray(file.getvalue())
    if kind == "method":
        for mark, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
            packed[packed.find(mark) + offset] = 99
    if kind == "encrypted":
        for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            packed[packed.find(mark) + offset] |= 1
    if kind == "lzma":
        packed[60:90] = bytes(30)
    return bytes(packed)


@pytest.mark.parametrize("kind", ["method", "encrypted", "lzma", "nested"])
def test_a_hostile_archive_is_a_damaged_file(tmp_path: Path, kind: str) -> None:
    """Whatever zipfile and numpy raise for a file that is made to do harm becomes our error."""
    path = tmp_path / "digits.npz"
    path.write_bytes(hostile(kind))
    with pytest.raises(CorruptFileError, match=r"is not a whole \.npz file"):
        load_digits(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """What the arrays take together is known, and limited, before any is unpacked."""
    path = save(tmp_path, images=IMAGES, labels=LABELS)
    with pytest.raises(DataError, match="at most 1,000 bytes are unpacked"):
        _arrays(read_file(path), limit=1_000)
