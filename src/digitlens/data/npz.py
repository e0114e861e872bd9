"""Digits in a numpy .npz file: Keras' mnist.npz, or arrays called images and labels."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens import files
from digitlens.data.forms import as_images, as_labels
from digitlens.data.parts import Parts
from digitlens.digits import Digits
from digitlens.errors import CorruptFileError, DataError
from digitlens.idx import kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_TRAIN = (("x_train", "y_train"), ("train_images", "train_labels"))
_TEST = (("x_test", "y_test"), ("test_images", "test_labels"))
_ALL = (("images", "labels"), ("x", "y"))


def read_npz(path: Path, *, source: str) -> Parts:
    """Read an .npz file.

    Parameters
    ----------
    path
        The file. Names of arrays, capitals or not: x_train, y_train and, if there is a
        test part, x_test, y_test; or train_images, ...; or images and labels; or x and y.
        For their forms see `digitlens.data.forms`. Pickled objects are never loaded.
    source
        What the user called it.

    Raises
    ------
    CorruptFileError
        Not an .npz file, or a damaged one.
    DataError
        Other names, or arrays that are no digits (`ShapeError`, `LabelError`).
    """
    found = files.read(path)
    arrays = _arrays(found)
    names = {name.lower(): name for name in arrays}

    def digits(pairs: tuple[tuple[str, str], ...]) -> Digits | None:
        for pair in pairs:
            if all(name in names for name in pair):
                x, y = (arrays[names[name]] for name in pair)
                images = as_images(x, what=f"{names[pair[0]]} in {path}")
                what = f"{names[pair[1]]} in {path}"
                return Digits(images, as_labels(y, count=len(images), what=what))
        return None

    train, test = digits(_TRAIN), digits(_TEST)
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
    return Parts(source, train, {path.name: found.sha256}, test=test)


def _arrays(found: files.Bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(found.content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (AttributeError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        reason: Exception = error  # an .npy file has no archive.files: not an .npz either
    except (zlib.error, KeyError) as error:
        reason = error
    except ValueError as error:
        if "pickle" in str(error) and found.content.startswith(b"PK"):
            raise DataError(
                f"{found.path} holds Python objects, which are not loaded: they could run code",
                seen=str(error),
                try_="save plain arrays: images as uint8, labels as uint8",
            ) from error
        reason = error
    raise CorruptFileError(
        f"{found.path} is not a whole .npz file",
        seen=f"{len(found.content):,} bytes; {reason}".splitlines()[0],
        likely=None if found.content.startswith(b"PK") else kind_of(found.content),
    ) from reason
