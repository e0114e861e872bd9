"""Datasets as people have them: turned, packed by others, named otherwise, listed in a CSV."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.data import load_digits
from digitlens.data.idx import write_images, write_labels
from digitlens.data.orientation import CHANGES, find_change
from digitlens.data.uci import read_uci
from digitlens.digits import Digits, check_labels
from digitlens.errors import DataError, DigitlensWarning, LabelError


@pytest.fixture(scope="module")
def digits() -> Digits:
    """Return digits by other writers than those that a sample is compared with."""
    test = read_uci().test
    return test if test is not None else read_uci().train[1500:]


def save(path: Path, digits: Digits, change: Callable[[np.ndarray], np.ndarray]) -> Path:
    """Write digits as an .npz file, changed."""
    np.savez(path, images=change(digits.images), labels=digits.labels)
    return path


@pytest.mark.parametrize("change", CHANGES)
def test_digits_that_lie_another_way_are_noticed(
    tmp_path: Path, digits: Digits, change: str
) -> None:
    """EMNIST's transposed arrays and 255 - x are told, and offered the right way round."""
    path = save(tmp_path / "x.npz", digits, CHANGES[change])
    with pytest.warns(DigitlensWarning, match=f"name {change}:") as caught:
        load_digits(path)
    assert str(path) in str(caught[0].message)
    data = load_digits(f"{change}:{path}", validation=0)
    assert np.array_equal(
        np.sort(data.part("all").images.sum((1, 2))), np.sort(digits.images.sum((1, 2)))
    )
    assert data.source == f"{change}:{path}"


def test_digits_that_lie_right_and_other_signs_say_nothing(digits: Digits) -> None:
    """Neither ordinary digits nor pictures of other things are taken for turned ones."""
    assert find_change(digits) is None
    noise = np.random.default_rng(0).integers(0, 256, digits.images.shape).astype(np.uint8)
    assert find_change(Digits(noise, digits.labels)) is None
    assert find_change(digits[:20]) is None


def place(folder: Path, names: list[str], count: int = 2) -> Path:
    """Write `count` small pictures into a folder for each name."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for index in range(count):
            (folder / name / f"{index}.png").write_bytes(picture())
    return folder


def picture() -> bytes:
    """Return a picture of a stroke."""
    pixels = np.full((60, 40), 230, np.uint8)
    pixels[10:50, 18:23] = 20
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1", "9"],
        ["zero", "One", "nine"],
        ["00", "01", "09"],
        ["digit_0", "Digit 1", "class-9"],
    ],
)
def test_class_folders_may_be_named_otherwise(tmp_path: Path, names: list[str]) -> None:
    """Words, leading zeros and prefixes name a class; what systems leave there is no class."""
    place(tmp_path, names)
    for junk in ("__MACOSX/0", ".git"):
        (tmp_path / junk).mkdir(parents=True)
    for junk in (".DS_Store", "Thumbs.db", "._0.png"):
        (tmp_path / names[0] / junk).write_bytes(b"junk")
    data = load_digits(tmp_path, validation=0).part("all")
    assert sorted(data.labels.tolist()) == [0, 0, 1, 1, 9, 9]


def test_a_folder_that_is_no_class_is_told(tmp_path: Path) -> None:
    """A folder of another name is more likely a wrong folder than one to skip."""
    place(tmp_path, ["0", "cat", "12"])
    with pytest.raises(DataError, match="must hold class folders, named 0 to 9") as caught:
        load_digits(tmp_path)
    assert caught.value.seen == "12, cat"


def test_a_class_with_one_picture_warns(tmp_path: Path) -> None:
    """Nothing can be held back of a single picture."""
    place(place(tmp_path, ["0", "1"], 6), ["2", "7"], 1)
    with pytest.warns(DigitlensWarning, match="has one picture of 2 and of 7: too few"):
        load_digits(tmp_path)


def test_one_bad_picture_of_many_does_not_stop_the_others(tmp_path: Path) -> None:
    """A few pictures that cannot be used are named and left out; the rest is loaded."""
    place(tmp_path, ["0", "1"], 15)
    (tmp_path / "0" / "3.png").write_bytes(b"no picture")
    with pytest.warns(DigitlensWarning, match=r"left out: .*0/3\.png is not a picture"):
        assert len(load_digits(tmp_path, validation=0).part("all")) == 29


@pytest.mark.parametrize("place", ["raw", "MNIST/raw", "7-zip"])
def test_mnist_as_other_programs_lay_it_out(tmp_path: Path, digits: Digits, place: str) -> None:
    """Torchvision's folders, and 7-Zip's folder for each file with a dot in its name."""
    some = digits[:200]
    for name, content in (
        ("train-images.idx3-ubyte", write_images(some.images)),
        ("train-labels.idx1-ubyte", write_labels(some.labels)),
    ):
        path = tmp_path / place / name
        if place == "7-zip":
            path = tmp_path / name.replace(".", "-") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert len(load_digits(tmp_path, validation=0).part("all")) == 200


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("", "{file},{label}"),
        ("", "{label};{file}"),
        ("id,filename,label", "5,{file},{label}.0"),
        ('"image"\t"class"', "{file}\tzero"),
    ],
)
def test_a_csv_of_paths_and_labels_is_read(tmp_path: Path, head: str, row: str) -> None:
    """Pictures that a CSV lists are read from its folder, whatever its columns' order."""
    place(tmp_path / "a, b", ["x"], 10)
    quote = '"' if head != '"image"\t"class"' else ""
    rows = [head] if head else []
    files = [f"{quote}a, b/x/{index}.png{quote}" for index in range(10)]
    rows += [row.format(file=file, label=0) for file in files]
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\r\n")
    data = load_digits(tmp_path / "list.csv", validation=0).part("all")
    assert data.labels.tolist() == [0] * 10
    with (tmp_path / "list.csv").open("a") as file:
        file.write("a.png,cat\n")
    with pytest.raises(DataError, match=r"line 1[12]: a row must have a file and its label"):
        load_digits(tmp_path / "list.csv")


def test_labels_that_are_whole_numbers_in_another_form() -> None:
    """5.0 and "5" are the label 5; 5.5 and "five" are none."""
    assert check_labels(np.array([5.0, 0.0]), count=2).tolist() == [5, 0]
    assert check_labels(np.array(["5", "0"]), count=2).tolist() == [5, 0]
    for wrong in (
        np.array([5.5]),
        np.array([float("nan")]),
        np.array(["five"]),
        np.array([1e300]),
    ):
        with pytest.raises(LabelError):
            check_labels(wrong, count=1)


@pytest.mark.parametrize("names", ["x_val y_val", "X_valid y_valid", "val_images val_labels"])
def test_a_validation_part_in_an_npz_file_is_used(
    tmp_path: Path, digits: Digits, names: str
) -> None:
    """x_val is what it is called, and not ignored."""
    first, second = names.split()
    arrays = {first: digits.images[:20], second: digits.labels[:20]}
    path = tmp_path / "x.npz"
    np.savez(path, x_train=digits.images, y_train=digits.labels, **arrays)
    assert len(load_digits(path).validation) == 20
