"""The 1,797 digits that come with digitlens, brought to MNIST's frame.

Source: the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C.
Kaynak, 1998, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49), written by
13 people; scikit-learn ships the same digits. Licence: CC BY 4.0. What we changed: packed
into one file by tools/embed_uci.py, and scaled as described in `to_mnist`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlens import storage
from digitlens.data.idx import decompress
from digitlens.data.split import RawDataset
from digitlens.digits import SIDE, Digits, Images, Labels

# gzip of 1,797 rows of 65 bytes: 64 values 0..16 of 8 x 8 pixels, then the label.
FILE = Path(__file__).with_name("uci.gz")

BOX = 20  # side of the field that MNIST's digits were scaled to before they were centred


def read_uci() -> RawDataset:
    """Return the embedded digits in MNIST's frame, as one part."""
    small, labels, digest = read_embedded()
    return RawDataset("uci", Digits(to_mnist(small), labels), {FILE.name: digest})


def read_embedded() -> tuple[NDArray[np.uint8], Labels, str]:
    """Return uint8 (1797, 8, 8) with values 0..16, uint8 (1797,) labels, and the SHA-256."""
    result = storage.read_file(FILE)
    rows = np.frombuffer(decompress(result.content, name=str(FILE)), np.uint8).reshape(-1, 65)
    return rows[:, :64].reshape(-1, 8, 8), rows[:, 64].copy(), result.sha256


def to_mnist(small: NDArray[np.uint8]) -> Images:
    """Bring digits of 8 x 8 pixels, values 0..16, to MNIST's frame.

    Each is scaled to 20 x 20 with a cubic curve, and its centre of mass is put in the
    middle of 28 x 28 to the nearest pixel, the way LeCun, Cortes and Burges made MNIST.

    small: uint8 (N, 8, 8); 0 = paper, 16 = ink

    Returns uint8 (N, 28, 28); 0 = paper, 255 = ink.

    >>> to_mnist(np.full((1, 8, 8), 16, np.uint8))[0, 14, 14].item()
    255
    """
    scale = _cubic(small.shape[1], BOX)
    large = scale @ (small * (255 / 16)) @ scale.T
    boxes = np.clip(np.rint(large), 0, 255).astype(np.uint8)
    weights = boxes.sum(axis=(1, 2)).clip(1)
    along = np.arange(BOX) + 0.5
    rows = boxes.sum(axis=2) @ along / weights
    columns = boxes.sum(axis=1) @ along / weights
    images = np.zeros((len(boxes), SIDE, SIDE), np.uint8)
    tops = np.clip(np.rint(SIDE / 2 - rows), 0, SIDE - BOX).astype(int)
    lefts = np.clip(np.rint(SIDE / 2 - columns), 0, SIDE - BOX).astype(int)
    for image, box, top, left in zip(images, boxes, tops, lefts, strict=True):
        image[top : top + BOX, left : left + BOX] = box
    return images


@cache
def _cubic(source: int, target: int) -> NDArray[np.float64]:
    """Return (target, source) weights of Keys' cubic convolution (1981), a = -1/2."""
    places = (np.arange(target) + 0.5) * source / target - 0.5
    distance = np.abs(places[:, None] - np.arange(source))
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    result: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return result
