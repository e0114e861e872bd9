"""IDX files by path: a folder of them, or a pair."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from digitlens.data import load_digits
from digitlens.data.idx import write_images, write_labels
from digitlens.errors import CorruptFileError, DataError, LabelError, MissingDataError

LABELS = np.arange(60, dtype=np.uint8) % 10
IMAGES = np.repeat(LABELS, 784).reshape(60, 28, 28)


def place_files(
    folder: Path, prefix: str, count: int, *, packed: bool = False, sep: str = "-"
) -> Path:
    """Write a pair of IDX files of `count` digits and return the path of the images."""
    paths = []
    for kind, content in (
        (f"images{sep}idx3", write_images(IMAGES[:count])),
        (f"labels{sep}idx1", write_labels(LABELS[:count])),
    ):
        path = folder / f"{prefix}{kind}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content) if packed else content)
        paths.append(path)
    return paths[0]


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_four_files_is_read(tmp_path: Path, packed: bool) -> None:
    """Training and test part keep their digits; names may be MNIST's or alike."""
    place_files(tmp_path, "train-", 60, packed=packed)
    place_files(tmp_path, "t10k-", 20, packed=not packed)
    (tmp_path / "README.md").write_text("not an IDX file")
    data = load_digits(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (54, 6, 20)
    assert np.array_equal(data.test.images, IMAGES[:20])
    assert len(data.hashes) == 4
    assert "not by writer, because no table of writers lies beside the files" in data.split


def test_names_with_dots_and_prefixes_are_known(tmp_path: Path) -> None:
    """EMNIST's and Keras' spellings are read too."""
    place_files(tmp_path, "emnist-digits-train-", 60)
    place_files(tmp_path, "emnist-digits-test-", 20, sep=".")
    assert len(load_digits(tmp_path).test) == 20


def test_a_validation_pair_is_the_validation_part(tmp_path: Path) -> None:
    """A pair called validation is used as it is."""
    place_files(tmp_path, "train-", 60)
    place_files(tmp_path, "validation-", 30)
    place_files(tmp_path, "test-", 20)
    data = load_digits(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (60, 30, 20)


@pytest.mark.parametrize("which", ["images-idx3-ubyte", "labels-idx1-ubyte"])
def test_a_pair_is_named_by_either_file(tmp_path: Path, which: str) -> None:
    """The other file is found beside it, and a fifth becomes the test part."""
    place_files(tmp_path, "train-", 60)
    place_files(tmp_path, "t10k-", 20)
    data = load_digits(tmp_path / f"train-{which}")
    assert (len(data.train), len(data.validation), len(data.test)) == (43, 5, 12)
    assert sorted(data.hashes) == ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]


def test_the_file_that_is_named_is_the_one_that_is_read(tmp_path: Path) -> None:
    """Where a file lies packed and unpacked, the name decides; in a folder the unpacked one."""
    place_files(tmp_path, "train-", 60, packed=True)
    plain = place_files(tmp_path, "train-", 60)
    plain.write_bytes(b"damaged")
    packed = plain.with_name(f"{plain.name}.gz")
    assert len(load_digits(packed).part("all")) == 60
    for source in (plain, tmp_path):
        with pytest.raises(CorruptFileError, match="not an IDX file of images"):
            load_digits(source)


def test_a_single_pair_in_a_folder_is_one_part(tmp_path: Path) -> None:
    """Even one that is called test: there is nothing else to train on."""
    place_files(tmp_path, "t10k-", 50)
    assert len(load_digits(tmp_path).test) == 10


def test_counts_that_differ_are_refused(tmp_path: Path) -> None:
    """Both counts stand in the message."""
    path = place_files(tmp_path, "train-", 60)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(write_labels(LABELS[:59]))
    with pytest.raises(DataError) as caught:
        load_digits(path)
    assert str(caught.value) == (
        f"{path} and train-labels-idx1-ubyte must hold as many pictures as labels\n"
        "  seen    60 pictures, 59 labels"
    )


@pytest.mark.parametrize(
    ("gone", "there", "other"),
    [
        ("labels-idx1-ubyte", "images-idx3-ubyte", "labels"),
        ("images-idx3-ubyte", "labels-idx1-ubyte", "images"),
    ],
)
def test_a_file_without_its_other_half_is_refused(
    tmp_path: Path, gone: str, there: str, other: str
) -> None:
    """The message says what must lie beside it."""
    place_files(tmp_path, "train-", 60)
    (tmp_path / f"train-{gone}").unlink()
    for source in (tmp_path, tmp_path / f"train-{there}"):
        with pytest.raises(MissingDataError) as caught:
            load_digits(source)
        assert str(caught.value) == (
            f"{tmp_path / f'train-{there}'} must have its file of {other} beside it\n"
            f"  seen    no train-{gone}, packed or not"
        )


def test_two_pairs_of_one_part_are_refused(tmp_path: Path) -> None:
    """Which one to train on is for the user to say."""
    place_files(tmp_path, "balanced-train-", 60)
    place_files(tmp_path, "digits-train-", 60)
    with pytest.raises(DataError, match="one pair of IDX files for each part") as caught:
        load_digits(tmp_path)
    assert caught.value.try_ == (
        f"name one of them: --data {tmp_path / 'digits-train-images-idx3-ubyte'}"
    )


def test_a_folder_without_a_training_pair_is_refused(tmp_path: Path) -> None:
    """Test and validation alone teach nothing."""
    place_files(tmp_path, "test-", 60)
    place_files(tmp_path, "validation-", 60)
    with pytest.raises(MissingDataError, match="a pair of IDX files to train on"):
        load_digits(tmp_path)


def test_damage_is_reported_with_the_path(tmp_path: Path) -> None:
    """A truncated gz, letters among the labels, and no digits at all."""
    path = place_files(tmp_path, "train-", 60, packed=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(
        CorruptFileError, match=r"train-images-idx3-ubyte\.gz cannot be unpacked"
    ):
        load_digits(tmp_path)
    path.write_bytes(whole)
    labels = tmp_path / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(write_labels(LABELS)[:-1] + bytes([17]))
    with pytest.raises(LabelError, match=r"the labels of .*train-labels"):
        load_digits(tmp_path)
    place_files(tmp_path, "train-", 0, packed=True)
    with pytest.raises(DataError, match="holds no digits"):
        load_digits(tmp_path)


def test_a_table_of_writers_beside_the_files_is_used(tmp_path: Path) -> None:
    """Validation is then by writer; a damaged table is an error, not passed over."""
    place_files(tmp_path, "train-", 60)
    place_files(tmp_path, "t10k-", 20)
    rows = [f"{i % 10}\t0\t{i // 3}\t0\t0\t0\t0\t0\n" for i in range(60)]
    table = tmp_path / "qmnist-train-labels.tsv"
    table.write_text("".join(rows))
    data = load_digits(tmp_path)
    assert data.split == "by writer: 2 of the 20 writers, 6 digits, are held back"
    assert "qmnist-train-labels.tsv" in data.hashes
    table.write_text("".join(rows[:-1]))
    with pytest.raises(CorruptFileError, match="a row for each of 60 digits"):
        load_digits(tmp_path)
