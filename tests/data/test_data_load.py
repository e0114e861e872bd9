"""Names and paths: which reader a source goes to, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlens.data import NAMES, load_digits
from digitlens.data.idx import write_images, write_labels
from digitlens.errors import DataError, MissingDataError, UsageError

LABELS = np.arange(40, dtype=np.uint8) % 10
IMAGES = np.zeros((40, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("name", "meant"), [("mnsit", "mnist"), ("MNIST", "mnist"), ("fasion", "fashion")]
)
def test_a_name_that_is_nearly_right_is_understood(name: str, meant: str) -> None:
    """The message asks whether the right one was meant."""
    with pytest.raises(UsageError) as caught:
        load_digits(name)
    assert str(caught.value) == (
        f"there is no source of digits called {name!r}\n"
        f"  try     did you mean {meant}? mnist, pen, fonts, world, uci and fashion have "
        "a name;\n"
        "          anything else is the path of a folder or of an IDX, .npz or .csv file"
    )


def test_a_name_like_no_other_lists_the_names() -> None:
    """Nothing is guessed from nothing, but the names are given."""
    with pytest.raises(UsageError) as caught:
        load_digits("letters")
    assert caught.value.try_ is not None
    assert all(name in caught.value.try_ for name in NAMES)
    assert "did you mean" not in caught.value.try_


@pytest.mark.parametrize("source", ["nowhere/digits", "digits.csv", Path("mnist")])
def test_a_path_that_is_not_there_is_missing_data(
    source: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is told from a name by its form, or by its type."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingDataError) as caught:
        load_digits(source)
    assert str(caught.value) == f"there is no file or folder {source}"


def test_an_empty_name_is_no_folder() -> None:
    """The empty string does not stand for the current folder."""
    with pytest.raises(UsageError, match="''"):
        load_digits("")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The kinds that can be read are listed."""
    path = tmp_path / "digits.docx"
    path.write_bytes(b"x")
    with pytest.raises(DataError, match="not a kind of file that holds digits") as caught:
        load_digits(path)
    assert caught.value.try_ is not None
    assert ".npz" in caught.value.try_


def test_wishes_are_checked_before_anything_is_read() -> None:
    """A wrong share is reported even when the source does not exist."""
    with pytest.raises(UsageError, match="validation must be"):
        load_digits("nowhere/digits", validation=1.0)


def test_each_kind_of_path_goes_to_its_reader(tmp_path: Path) -> None:
    """A folder or a file of IDX, an npz file: all give the same digits."""
    (tmp_path / "train-images-idx3-ubyte").write_bytes(write_images(IMAGES))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(write_labels(LABELS))
    npz = tmp_path / "digits.NPZ"
    with npz.open("wb") as file:
        np.savez(file, images=IMAGES, labels=LABELS)
    csv = tmp_path / "Digits.csv"
    rows = np.concatenate([LABELS[:, None], IMAGES.reshape(-1, 784)], axis=1)
    np.savetxt(csv, rows, fmt="%d", delimiter=",")
    for source in (tmp_path, tmp_path / "train-images-idx3-ubyte", npz, str(csv)):
        data = load_digits(source)
        assert (len(data.train), len(data.validation), len(data.test)) == (29, 3, 8)
        assert data.source == str(source)
        assert data.test.source == f"{source} test"


def test_loading_twice_gives_the_same(tmp_path: Path) -> None:
    """The same source and arguments give the same digits in the same order."""
    one, two = load_digits("uci", limit=50), load_digits("uci", limit=50)
    for part in ("train", "validation", "test"):
        assert np.array_equal(one.part(part).images, two.part(part).images)
        assert np.array_equal(one.part(part).positions, two.part(part).positions)


def test_a_folder_that_cannot_be_listed_is_a_data_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the operating system is shown in our form."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="cannot be read") as caught:
        load_digits(tmp_path)
    assert "Permission denied" in (caught.value.seen or "")
