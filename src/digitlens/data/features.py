"""Features from pixels, and a digit as text or as a picture.

A digit of 28 x 28 pixels is unrolled row by row: feature = 28 * row + column, so that
feature 0 is the upper left pixel, 27 the upper right and 783 the lower right.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import CLASSES, FEATURES, SIDE, Images, Labels, check_images, check_labels
from digitlens.errors import LabelError, ShapeError, UsageError


def rescale(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Divide grey values 0..255 by 255.

    Takes uint8 of any shape; returns float32 of the same shape, 0.0 = paper, 1.0 = ink.

    Raises ShapeError: the images are not uint8: dividing twice would go unnoticed otherwise.

    >>> rescale(np.array([0, 51, 255], np.uint8)).tolist()
    [0.0, 0.20000000298023224, 1.0]
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        seen = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise ShapeError("grey values must be uint8, 0..255, to be rescaled", seen=str(seen))
    return np.divide(images, np.float32(255), dtype=np.float32)


def unroll(images: Images) -> NDArray[np.float32]:
    """Turn each picture into one row of 784 features between 0 and 1.

    images: uint8 (N, 28, 28); 0 = paper, 255 = ink

    Returns float32 (N, 784), 0.0 = paper, 1.0 = ink; feature 28 * row + column
    (`feature_index`). Raises ShapeError: the images are not uint8 (N, 28, 28).

    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> image[0, 2, 3] = 255
    >>> unroll(image)[0, feature_index(2, 3)].item()
    1.0
    """
    return rescale(check_images(images).reshape(-1, FEATURES))


def feature_index(row: int, column: int) -> int:
    """Return the feature of the pixel at `row`, `column`, both 0..27: 28 * row + column.

    Raises UsageError: the pixel lies outside the picture.

    >>> feature_index(0, 0), feature_index(1, 0), feature_index(27, 27)
    (0, 28, 783)
    """
    if not (0 <= row < SIDE and 0 <= column < SIDE):
        raise UsageError(
            f"row and column must be in 0..{SIDE - 1}", seen=f"row {row}, column {column}"
        )
    return SIDE * row + column


def pixel_at(feature: int) -> tuple[int, int]:
    """Return (row, column) of a feature 0..783; `feature_index` is the inverse.

    Raises UsageError: there is no such feature.

    >>> pixel_at(28), pixel_at(783)
    ((1, 0), (27, 27))
    """
    if not 0 <= feature < FEATURES:
        raise UsageError(f"a feature must be in 0..{FEATURES - 1}", seen=str(feature))
    row, column = divmod(int(feature), SIDE)
    return row, column


def one_hot(labels: Labels) -> NDArray[np.float32]:
    """Turn each label into ten zeros with a single one.

    Takes whole numbers (N,), values 0..9; returns float32 (N, 10).

    Raises LabelError: the labels are not whole numbers in 0..9.

    >>> one_hot(np.array([3], np.uint8)).tolist()
    [[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    array = np.asarray(labels)
    checked = check_labels(array, count=len(array) if array.ndim else 1)
    rows = np.zeros((len(checked), CLASSES), np.float32)
    rows[np.arange(len(checked)), checked] = 1
    return rows


def from_one_hot(rows: NDArray[Any]) -> Labels:
    """Turn ten zeros with a single one back into labels.

    rows: (N, 10), each row a single 1 among zeros; any number type

    Returns uint8 (N,), values 0..9. Raises LabelError: another shape, or a row that is not
    one-hot; the first is named.

    >>> from_one_hot(one_hot(np.array([3, 0], np.uint8))).tolist()
    [3, 0]
    """
    array = np.asarray(rows)
    if array.ndim != 2 or array.shape[1] != CLASSES:
        raise LabelError(f"one-hot labels must be (N, {CLASSES})", seen=f"{array.shape}")
    ones = array == 1
    wrong = np.flatnonzero((ones.sum(axis=1) != 1) | (~ones & (array != 0)).any(axis=1))
    if len(wrong):
        index = int(wrong[0])
        raise LabelError(
            "each row must be zeros with a single one",
            seen=f"row {index}: "
            f"{' '.join(f'{value:g}' for value in array[index].astype(float))}",
            try_="for the most probable class of each row: rows.argmax(axis=1)",
        )
    labels: Labels = ones.argmax(axis=1).astype(np.uint8)
    return labels


def grid(images: Images, columns: int = 10, gap: int = 2) -> NDArray[np.uint8]:
    """Lay pictures out in rows, as one picture: white ink on black.

    images: uint8 (N, 28, 28), N at least 1; 0 = paper, 255 = ink
    columns: pictures in a row; fewer when there are fewer
    gap: black pixels between two pictures

    Returns uint8 (H, W), read row by row; what is left of the last row stays black. Raises
    ShapeError: the images are not uint8 (N, 28, 28); UsageError: there are no images, or
    `columns` or `gap` is too small.

    >>> grid(np.zeros((25, 28, 28), np.uint8), columns=10, gap=2).shape
    (88, 298)
    """
    check_images(images)
    if not len(images):
        raise UsageError("a grid needs at least one picture", seen="0 pictures")
    if columns < 1 or gap < 0:
        raise UsageError(
            "a grid needs columns >= 1 and gap >= 0", seen=f"columns {columns}, gap {gap}"
        )
    across = min(columns, len(images))
    down = -(-len(images) // across)
    cell = SIDE + gap
    field = np.zeros((down, across, cell, cell), np.uint8)
    flat = field.reshape(-1, cell, cell)
    flat[: len(images), :SIDE, :SIDE] = images
    whole = field.transpose(0, 2, 1, 3).reshape(down * cell, across * cell)
    return np.ascontiguousarray(whole[: down * cell - gap, : across * cell - gap])


def grid_png(images: Images, columns: int = 10, gap: int = 2, zoom: int = 1) -> bytes:
    """Return `grid` as the bytes of a PNG file, each pixel `zoom` pixels wide and high.

    Raises ShapeError: the images are not uint8 (N, 28, 28); UsageError: there are no images, or
    a size is too small.

    >>> grid_png(np.zeros((1, 28, 28), np.uint8))[:4]
    b'\\x89PNG'
    """
    from PIL import Image  # loaded only when a picture is made

    if zoom < 1:
        raise UsageError("zoom must be at least 1", seen=str(zoom))
    pixels = grid(images, columns, gap).repeat(zoom, axis=0).repeat(zoom, axis=1)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def as_text(image: NDArray[np.uint8], numbers: bool = False, color: bool = False) -> str:
    """Draw one digit with characters, for a terminal.

    image: uint8 (28, 28); 0 = paper, 255 = ink
    numbers: the grey values themselves: the rows and columns that hold ink, four characters a
        pixel, so that a digit in MNIST's 20 x 20 box takes 79 columns
    color: half blocks in 24 greys by ANSI codes, 28 columns x 14 lines; else five shades, two
        characters a pixel, 56 columns x 28 lines, and no codes

    Returns lines without a line end after the last. Raises ShapeError: the image is not uint8
    (28, 28).

    >>> image = np.zeros((28, 28), np.uint8)
    >>> image[3:5, 7:9] = [[0, 128], [255, 64]]
    >>> print(as_text(image, numbers=True))
    rows 3..4, columns 7..8; every other pixel is 0
      0 128
    255  64
    """
    single = image[None] if isinstance(image, np.ndarray) else image
    check_images(single, what="the image (as (1, 28, 28))")
    if numbers:
        return _numbers(image)
    if color:
        return _half_blocks(image)
    shades = np.array([" ", "░", "▒", "▓", "█"])[(image.astype(int) * 4 + 127) // 255]
    return "\n".join("".join(mark * 2 for mark in row).rstrip() for row in shades)


def _numbers(image: NDArray[np.uint8]) -> str:
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not len(rows):
        return "every pixel is 0"
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    head = f"rows {top}..{bottom}, columns {left}..{right}; every other pixel is 0"
    box = image[top : bottom + 1, left : right + 1]
    return "\n".join([head, *(" ".join(f"{value:3d}" for value in row) for row in box)])


def _half_blocks(image: NDArray[np.uint8]) -> str:
    # The 24 greys of the 256-colour table are 232 (near black) to 255 (near white).
    grays = 232 + image.astype(int) * 23 // 255
    lines = []
    for upper, lower in zip(grays[::2], grays[1::2], strict=True):
        pairs = zip(upper, lower, strict=True)
        marks = "".join(f"\x1b[38;5;{over};48;5;{under}m▀" for over, under in pairs)
        lines.append(marks + "\x1b[0m")
    return "\n".join(lines)
