"""Digits in arrays: numpy's .npz files and Kaggle's CSV, brought to uint8 (N, 28, 28)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens import storage
from digitlens.data.idx import decompress, find_kind
from digitlens.data.split import RawDataset
from digitlens.digits import CLASSES, FEATURES, SIDE, Digits, Images, Labels, check_labels
from digitlens.errors import CorruptFileError, DataError, DigitlensError, LabelError, ShapeError

_SHAPES = ((SIDE, SIDE), (FEATURES,), (SIDE, SIDE, 1), (1, SIDE, SIDE))


def as_images(array: NDArray[Any], *, what: str) -> Images:
    """Bring pictures of another shape or scale to uint8 (N, 28, 28), where that is certain.

    array: (N, 28, 28), (N, 784), (N, 28, 28, 1) or (N, 1, 28, 28), white ink on black. Whole
        numbers 0..255; or fractions 0..1, which are multiplied by 255 and rounded; or truth
        values, True = ink.

    Raises ShapeError: another shape, or values of which the scale is not certain; DataError: no
    pictures, or a value that is not a number.

    >>> as_images(np.full((2, 784), 0.2), what="x")[1, 0, 0].item()
    51
    """
    if array.shape[1:] not in _SHAPES or array.dtype.kind not in "buif":
        raise ShapeError(
            f"{what} must be (N, {SIDE}, {SIDE}), (N, {FEATURES}) or (N, {SIDE}, {SIDE}, 1)",
            seen=f"{array.dtype} {array.shape}",
        )
    if not array.size:
        raise DataError(f"{what} holds no pictures", seen=f"{array.dtype} {array.shape}")
    images = array.reshape(-1, SIDE, SIDE)
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        index = int(np.flatnonzero(~np.isfinite(images).all(axis=(1, 2)))[0])
        raise DataError(
            f"{what} must hold numbers only", seen=f"a value that is none, in picture {index}"
        )
    return _as_gray(images, what=what)


def _as_gray(images: NDArray[Any], *, what: str) -> Images:
    low, high = images.min(), images.max()
    fractions = images.dtype.kind == "f"
    if fractions and low >= 0 and high <= 1:
        scaled: Images = np.rint(images * 255).astype(np.uint8)
        return scaled
    whole = not fractions or bool((images == np.rint(images)).all())
    if low < 0 or high > 255 or not whole or (not fractions and high == 1):
        likely = None
        if high == 1 and low == 0:
            likely = "black and white pictures, or grey ones with hardly any ink"
        elif low < 0 and high <= 1:
            likely = "pictures scaled to -1..1"
        elif low < 0:
            likely = "pictures with their mean subtracted"
        raise ShapeError(
            f"{what} must hold whole numbers 0..255 or fractions 0..1",
            seen=f"{images.dtype} values from {low:g} to {high:g}",
            likely=likely,
            try_="multiply by 255 before saving" if high == 1 and low == 0 else None,
        )
    return images.astype(np.uint8, copy=False)


def as_labels(array: NDArray[Any], *, count: int, what: str) -> Labels:
    """Return labels (N,) or (N, 1) as uint8 (N,).

    Raises LabelError: not whole numbers in 0..9, or not `count` of them.
    """
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    return check_labels(flat, count=count, what=what)


_TRAIN = (("x_train", "y_train"), ("train_images", "train_labels"))
_TEST = (("x_test", "y_test"), ("test_images", "test_labels"))
_VALIDATION = tuple(
    pair
    for name in ("val", "valid", "validation")
    for pair in ((f"x_{name}", f"y_{name}"), (f"{name}_images", f"{name}_labels"))
)
_ALL = (("images", "labels"), ("x", "y"))


def read_npz(path: Path, *, source: str) -> RawDataset:
    """Read an .npz file.

    path: the file. Names of arrays, capitals or not: x_train, y_train and, where there are such
        parts, x_test, y_test and x_val, y_val; or train_images, ...; or images and labels; or x
        and y. For their forms see `digitlens.data.arrays`. Pickled objects are never loaded.

    Raises CorruptFileError: not an .npz file, or a damaged one; DataError: other names, or
    arrays that are no digits (`ShapeError`, `LabelError`).
    """
    result = storage.read_file(path)
    arrays = _arrays(result)
    names = {name.lower(): name for name in arrays}

    def digits(pairs: tuple[tuple[str, str], ...]) -> Digits | None:
        for pair in pairs:
            if all(name in names for name in pair):
                x, y = (arrays[names[name]] for name in pair)
                images = as_images(x, what=f"{names[pair[0]]} in {path}")
                what = f"{names[pair[1]]} in {path}"
                return Digits(images, as_labels(y, count=len(images), what=what))
        return None

    # Keras' names first; one pair of arrays alone is training digits.
    train, validation, test = digits(_TRAIN), digits(_VALIDATION), digits(_TEST)
    if train is None:
        train = digits(_ALL)
    if train is None:
        raise DataError(
            f"{path} must hold arrays called images and labels, or x_train, y_train, "
            "x_test and y_test",
            seen=", ".join(
                f"{name}: {array.dtype} {array.shape}" for name, array in arrays.items()
            )
            or "no arrays",
        )
    hashes = {path.name: result.sha256}
    return RawDataset(source, train, hashes, validation=validation, test=test)


def _arrays(
    result: storage.FileContent, limit: int = storage.MAX_BYTES
) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(result.content), allow_pickle=False) as archive:
            size = sum(item.file_size for item in archive.zip.infolist())
            if size > limit:
                raise DataError(
                    f"{result.path} is too large: at most {limit:,} bytes are unpacked",
                    seen=f"{size:,} bytes in {len(result.content):,}",
                )
            return {name: archive[name] for name in archive.files}
    except DigitlensError:
        raise
    # numpy and zipfile raise a dozen kinds of error for a damaged or hostile archive; an .npy
    # file has no `zip`, and is no archive either.
    except Exception as error:
        if "pickle" in str(error) and result.content.startswith(b"PK"):
            raise DataError(
                f"{result.path} holds Python objects, which are not loaded: they "
                f"could run code",
                seen=str(error),
                try_="save plain arrays: images as uint8, labels as uint8",
            ) from error
        words = str(error) or type(error).__name__
        raise CorruptFileError(
            f"{result.path} is not a whole .npz file",
            seen=f"{len(result.content):,} bytes; {words}".splitlines()[0],
            likely=None if result.content.startswith(b"PK") else find_kind(result.content),
        ) from error


_COLUMNS = 1 + FEATURES
# Bytes that are worked on at once: little enough to stay in the processor's cache.
_BLOCK = 2 << 20
_LONGEST = 1 << 16  # bytes of a line: what is longer, by ten times what one needs, is no row


def read_csv(path: Path, *, source: str) -> RawDataset:
    """Read a .csv or .csv.gz file of one digit a row: the label, then 784 pixels.

    path: the file, with or without a header. Pixels are whole numbers, 0 = paper, 255 = ink,
        row by row.

    Raises DataError: no label column, no digits, or a row with a wrong value or of another
    length; the line is named, and the column; LabelError: a label outside 0..9; the line is
    named.
    """
    result = storage.read_file(path)
    rows = parse_csv(decompress(result.content, name=str(path)), name=str(path))
    images = np.ascontiguousarray(rows[:, 1:]).reshape(-1, SIDE, SIDE)
    labels = np.ascontiguousarray(rows[:, 0])
    return RawDataset(source, Digits(images, labels), {path.name: result.sha256})


def parse_csv(text: bytes, *, name: str) -> NDArray[np.uint8]:
    """Return uint8 (N, 785), the label and the pixels of each row of a CSV file.

    Raises DataError, LabelError: as in `read_csv`.
    """
    # What editors and spreadsheets leave: other line ends, a mark at the start, empty lines.
    if b"\r" in text[:8192]:
        text = text.replace(b"\r\n", b"\n")
    text = text.removeprefix(b"\xef\xbb\xbf")
    while text.endswith(b"\n\n"):
        text = text.rstrip(b"\n")
    if len(text) > _LONGEST and text.find(b"\n", 0, _LONGEST) < 0:
        raise _long_line(1, name=name)
    if text and not text.endswith(b"\n"):
        text += b"\n"
    # A first line with a letter in it is a header, as Kaggle's has.
    first = text[: text.find(b"\n")]
    header = any(chr(byte).isalpha() for byte in first)
    _check_columns(first, header, name=name)
    start = len(first) + 1 if header else 0
    line = 2 if header else 1
    blocks = []
    # Block by block: numpy reads a block in one call, and the whole text at once would be
    # held several times over.
    while start < len(text):
        end = text.rfind(b"\n", start, start + _BLOCK) + 1
        end = end or text.find(b"\n", start, start + _LONGEST) + 1
        if not end:
            raise _long_line(line, name=name)
        block = _numbers(text[start:end])
        if block is None:
            raise _first_wrong(text[start:end], line, name=name)
        blocks.append(block)
        start, line = end, line + len(block)
    if not blocks:
        raise DataError(f"{name} holds no digits", seen=f"{int(header)} line")
    # Labels are checked at the end, where the line of the first wrong one can be named.
    rows = np.concatenate(blocks)
    wrong = np.flatnonzero(rows[:, 0] >= CLASSES)
    if len(wrong):
        index = int(wrong[0])
        raise LabelError(
            f"the labels of {name} must be in 0..{CLASSES - 1}",
            seen=f"{rows[index, 0]} in line {index + 1 + header}; {len(wrong):,} such lines",
        )
    return rows


def _long_line(line: int, *, name: str) -> DataError:
    return DataError(
        f"{name}, line {line}: a row must have {_COLUMNS} values, "
        f"the label and {FEATURES} pixels",
        seen=f"a line of more than {_LONGEST:,} bytes",
    )


def _check_columns(first: bytes, header: bool, *, name: str) -> None:
    cells = first.split(b",")
    labelled = not header or cells[0].strip(b' "').lower() == b"label"
    if len(cells) == FEATURES:
        raise DataError(
            f"{name} has no column of labels",
            seen=f"{FEATURES} columns",
            likely="it is Kaggle's test.csv, whose labels were never published",
            try_="use Kaggle's train.csv",
        )
    if len(cells) != _COLUMNS or not labelled:
        raise DataError(
            f"{name} must have {_COLUMNS} columns, the label first and then {FEATURES} pixels",
            seen=f"{len(cells):,} columns; the first is {_text(cells[0])}",
        )


def _numbers(block: bytes) -> NDArray[np.uint8] | None:
    """Return the numbers of whole lines as uint8 (N, 785), or None where one is wrong."""
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text < ord("0")).astype(np.int32)  # where a cell ends: , or a line
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    lengths = ends - starts
    if len(ends) % _COLUMNS or lengths.min() < 1 or lengths.max() > 3 or text.max() > ord("9"):
        return None
    marks = text[ends].reshape(-1, _COLUMNS)
    if (marks[:, :-1] != ord(",")).any() or (marks[:, -1] != ord("\n")).any():
        return None
    digits = text - np.uint8(ord("0"))
    values = digits[ends - 1].astype(np.uint16)
    tens = np.flatnonzero(lengths >= 2)
    values[tens] += digits[ends[tens] - 2] * np.uint16(10)
    hundreds = np.flatnonzero(lengths == 3)
    values[hundreds] += digits[ends[hundreds] - 3] * np.uint16(100)
    if values.max() > 255:
        return None
    return values.astype(np.uint8).reshape(-1, _COLUMNS)


def _first_wrong(block: bytes, line: int, *, name: str) -> DigitlensError:
    """Return the error for the first wrong cell of a block that begins at `line`."""
    for number, row in enumerate(block[:-1].split(b"\n"), start=line):
        cells = row.split(b",")
        if len(cells) != _COLUMNS:
            return DataError(
                f"{name}, line {number}: a row must have {_COLUMNS} values, "
                f"the label and {FEATURES} pixels",
                seen=f"{len(cells):,} values",
            )
        for column, cell in enumerate(cells):
            if not (cell.isdigit() and len(cell) <= 3 and int(cell) <= 255):
                where = f"pixel{column - 1}" if column else "label"
                return DataError(
                    f"{name}, line {number}, column {column + 1} ({where}): "
                    "a value must be a whole number in 0..255",
                    seen=_text(cell),
                )
    raise AssertionError("a block was refused, yet each of its cells is right")


def _text(cell: bytes) -> str:
    return repr(cell[:40].decode("utf-8", "replace"))
