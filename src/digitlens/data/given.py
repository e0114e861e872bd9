"""Data as a caller has them -> `DataSplits`: a source's name, digits, or images and labels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from digitlens.data.load import load_digits
from digitlens.data.split import DataSplits, RawDataset, split_data
from digitlens.digits import Digits, check_labels
from digitlens.errors import UsageError
from digitlens.imaging.arrays import to_array


def as_splits(
    data: DataSplits | Digits | tuple[Any, Any] | str | Path,
    *,
    validation: float = 0.1,
    limit: int | None = None,
) -> DataSplits:
    """Return what was given as training, validation and test digits.

    data: a source for `load_digits`, which takes `validation` and `limit` too; what it gave;
        `Digits`; or images in a shape of MNIST's and labels, as `as_digits` takes them

    Raises UsageError: something else; else as `load_digits` and `as_digits`.

    >>> import numpy as np
    >>> as_splits((np.zeros((50, 784)), np.arange(50) % 10)).source
    'arrays'
    """
    if isinstance(data, DataSplits):
        return data
    if isinstance(data, str | os.PathLike):
        return load_digits(data, validation=validation, limit=limit)
    digits = as_digits(data)
    raw = RawDataset(source=digits.source or "arrays", train=digits, hashes={})
    return split_data(raw, validation=validation, limit=limit)


def as_digits(data: Digits | tuple[Any, Any]) -> Digits:
    """Return images and labels as `Digits`.

    data: images (N, 28, 28), (N, 784) or with a channel, 0 = paper, 0..255 or fractions 0..1;
        labels (N,), arrays, tensors or lists

    Raises ShapeError, LabelError: they cannot be used; UsageError: no images and labels.
    """
    if isinstance(data, Digits):
        return data
    if not (isinstance(data, tuple | list) and len(data) == 2):
        raise UsageError(
            "data must be a source's name, what load_digits gives, Digits, or (images, labels)",
            seen=type(data).__name__,
            try_='"mnist", or (x, y)',
        )
    from digitlens.imaging.pictures import frame_pictures  # OpenCV is not always needed

    images, _, _ = frame_pictures(data[0], framed=True)
    labels = to_array(data[1])
    return Digits(images, check_labels(labels, count=len(images)), source="arrays")
