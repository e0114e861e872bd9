"""`load_digits`: from the name or path of a source to digits; `fetch`: a source beforehand.

`as_splits` and `as_digits` take data as a caller has them: digits, or images and labels.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from digitlens import storage
from digitlens.data import catalog
from digitlens.data.arrays import read_csv, read_npz
from digitlens.data.catalog import (
    FASHION,
    MNIST,
    PublishedDataset,
    PublishedFile,
    cache_path,
)
from digitlens.data.download import Fetched, Progress, check_hash, download
from digitlens.data.folder import (
    error_too_many_rejected,
    find_columns,
    read_class_folders,
    read_picture_list,
)
from digitlens.data.font_digits import read_fonts
from digitlens.data.idx import (
    decompress,
    find_idx_folder,
    is_idx,
    parse_writers,
    read_idx_folder,
    read_idx_pair,
    read_images,
    read_labels,
)
from digitlens.data.orientation import CHANGES, apply_change, find_change
from digitlens.data.pen_digits import FILE as PEN_FILE
from digitlens.data.pen_digits import SUFFIXES as PEN_SUFFIXES
from digitlens.data.pen_digits import fetch_pen, read_pen
from digitlens.data.split import DataSplits, RawDataset, check_options, split_data
from digitlens.data.uci import FILE, read_uci
from digitlens.data.world import read_world
from digitlens.digits import Digits, check_labels
from digitlens.errors import DataError, DigitlensWarning, MissingDataError, UsageError, suggest
from digitlens.imaging.arrays import to_array


def read_published(published: PublishedDataset) -> RawDataset:
    """Read a collection from the user's folder, else the cache, else its mirrors.

    Raises MissingDataError: it is in none of the three places; HashMismatchError: a file is not
    the one that was published. In the cache it is moved aside.
    """
    result = catalog.find_collection(published)
    if result is not None:
        return read_dataset_folder(published, result[1], own=result[0].is_own)
    looked = [
        catalog.describe_places(place, published) for place in catalog.search_places(published)
    ]
    cache = cache_path(published.name)
    download(published, cache, looked=looked)
    return read_dataset_folder(published, cache, own=False)


def find_training_digits(published: PublishedDataset) -> Digits | None:
    """Return a collection's training digits where they lie on this machine, else None.

    Nothing is downloaded, and its test digits are not opened.

    Raises HashMismatchError: a file is not the one that was published.
    """
    wanted = published.files[:2]
    result = catalog.find_collection(published, wanted)
    if result is None:
        return None
    place, folder = result
    images, labels = (
        _read(file, path, place.is_own)
        for file, path in zip(wanted, catalog.find_files(wanted, folder), strict=True)
        if path is not None
    )
    source = f"{published.name} train"
    return Digits(read_images(*images[1:]), read_labels(*labels[1:]), source=source)


def read_dataset_folder(published: PublishedDataset, folder: Path, *, own: bool) -> RawDataset:
    """Read a collection from `folder`, every file checked against its published hash.

    published: which one; its four files must be in the folder, its tables may be
    folder: where they are
    own: true when it is the user's own folder, in which nothing is moved

    Raises HashMismatchError: a file is not the one that was published.
    """
    wanted = (*published.files, *published.tables)
    result = zip(wanted, catalog.find_files(wanted, folder), strict=True)
    with ThreadPoolExecutor(2) as pool:
        # In order, so that the training images, which take longest, are begun first.
        tasks = {
            file.name: pool.submit(_read, file, path, own) for file, path in result if path
        }
        images, labels, test_images, test_labels = [tasks[f.name] for f in published.files]
        train_labels = read_labels(*labels.result()[1:])
        tables = [tasks.get(file.name) for file in published.tables]
        writers = partitions = test_writers = None
        if tables and tables[0]:
            known = parse_writers(*tables[0].result()[1:], train_labels)
            writers, partitions = known.writers, known.partitions
        digits_labels = read_labels(*test_labels.result()[1:])
        if tables and tables[1]:
            test_writers = parse_writers(*tables[1].result()[1:], digits_labels).writers
        train = Digits(read_images(*images.result()[1:]), train_labels, writers=writers)
        test = Digits(
            read_images(*test_images.result()[1:]), digits_labels, writers=test_writers
        )
    no_writers = ""
    if writers is None and published.tables:
        no_writers = f"{published.tables[0].name} does not lie beside the files"
    return RawDataset(
        published.name,
        train,
        {task.result()[0].path.name: task.result()[0].sha256 for task in tasks.values()},
        test=test,
        partitions=partitions,
        no_writers=no_writers,
    )


def _read(file: PublishedFile, path: Path, own: bool) -> tuple[storage.FileContent, bytes, str]:
    """Return the file as it is, its content unpacked, and what messages call it."""
    result = storage.read_file(path)
    check_hash(file, result, own=own)
    return result, decompress(result.content, name=str(path)), str(path)


# Collections that may have to be downloaded.
PUBLISHED_NAMES = {"mnist": MNIST, "fashion": FASHION}

# Sources with a reader of their own.
READERS: dict[str, Callable[[], RawDataset]] = {
    "uci": read_uci,
    "pen": read_pen,
    "fonts": read_fonts,
    "world": lambda: read_world(read_published(MNIST)),
}

MAX_LEFT_OUT = 0.05  # the share of pictures that cannot be used, above which none is
# Sources that have a name; anything else is a path.
NAMES = ("mnist", "pen", "fonts", "world", "uci", "fashion")


def load_digits(
    source: str | Path = "mnist", *, validation: float = 0.1, limit: int | None = None
) -> DataSplits:
    """Load digits and divide them into training, validation and test digits.

    The same source and arguments always give the same digits in the same order.

    source: "mnist" and "fashion" are looked for in ``$DIGITLENS_DATA``, then in the cache, then
        downloaded, and so are the "pen" digits, strokes of 30 writers that are drawn with a
        pen; "fonts" are the digits of a folder of fonts; "world" is MNIST, both of these and
        forms made by rule; "uci" comes with digitlens. Else a path: a folder of class folders
        0..9 (perhaps below train/, validation/ and test/) with pictures of any size, each of
        which is brought into MNIST's frame; a folder of IDX files, one IDX file beside its
        other half, an .npz file, a .csv or .csv.gz file of Kaggle's form, or a .csv file of
        paths and labels. Before any, "transposed:", "inverted:" or "transposed,inverted:" turns
        the digits; where that seems wanted, a warning says so. A source without a test part of
        its own gives a fifth of each class to it.
    validation: share of the training digits that is held back, at least 0 and below 1; by whole
        writers where they are known, the same share of each NIST partition's, else by class. A
        validation part of the source's own is used as it is, or trained on when the share is 0.
    limit: keep only so many training digits and at most as many validation digits, each class
        with its share; at least 10. The test part stays whole.

    Returns ``train``, ``validation`` and ``test``: uint8 (N, 28, 28) images, 0 = paper, 255 =
    ink, uint8 (N,) labels; ``split`` says in words what was held back. The arrays may be
    read-only. Raises UsageError: no source of that name, or a share or limit that makes no
    sense; MissingDataError: nothing at that path; or not on this machine and not to be had from
    the network; DataError: a file that cannot be used; its subclasses tell how.

    >>> data = load_digits("uci")
    >>> len(data.train), len(data.validation), len(data.test)
    (1294, 144, 359)
    >>> data.split
    'by class: 144 of 1,438 digits are held back; the test part is 359 digits, a fifth of \
each class'
    """
    check_options(validation, limit)
    try:
        parts = read_source(source)
    except OSError as error:  # a folder that may not be listed, and the like
        raise DataError(f"{source} cannot be read", seen=str(error)) from error
    if parts.rejected:
        count = sum(len(part) for part in (parts.train, parts.validation, parts.test) if part)
        count += len(parts.rejected)
        reason = error_too_many_rejected(parts.rejected, count, parts.source)
        # A few do not stop the others; more are a sign of something else.
        if len(parts.rejected) > MAX_LEFT_OUT * count:
            raise reason
        warnings.warn(f"left out: {reason}", DigitlensWarning, stacklevel=2)
    single = [str(digit) for digit in np.flatnonzero(parts.train.counts == 1)]
    if single:
        warnings.warn(
            f"{parts.source} has one picture of {' and of '.join(single)}: "
            "too few to hold any back, and to learn from",
            DigitlensWarning,
            stacklevel=2,
        )
    return split_data(parts, validation=validation, limit=limit)


def fetch(source: str = "mnist", *, progress: Progress | None = None) -> Fetched:
    """Download what the cache lacks of a named source, and check all of it.

    source: "mnist", "fashion" or "pen"; "uci" needs no download and gives an empty answer
    progress: called with a file's name, the bytes that have come and all its bytes

    Raises UsageError: no source of that name; MissingDataError: no mirror answered;
    HashMismatchError: a file is not the one that was published; it is kept aside and named;
    StorageError: the cache cannot be written.
    """
    if source == "uci":
        return Fetched(FILE.parent, (), {})
    if source == "pen":
        return _fetch_pen(progress)
    if source not in PUBLISHED_NAMES:
        raise _unknown_source(source)
    published = PUBLISHED_NAMES[source]
    folder = cache_path(published.name)
    fetched = download(published, folder, looked=[], progress=progress)
    read_dataset_folder(published, folder, own=False)
    return fetched


def _fetch_pen(progress: Progress | None) -> Fetched:
    folder = cache_path("pen")
    if any((folder / f"{PEN_FILE}{suffix}").is_file() for suffix in PEN_SUFFIXES):
        return Fetched(folder, (), {})
    path = fetch_pen(tell=lambda done: progress(PEN_FILE, done, done) if progress else None)
    return Fetched(folder, (path.name,), {})


def read_source(source: str | Path) -> RawDataset:
    """Return what a source holds, before anything is held back; see `load_digits`.

    Pictures that cannot be used are not an error here: `Parts.rejected` tells of them.
    """
    if isinstance(source, str) and source in PUBLISHED_NAMES:
        return read_published(PUBLISHED_NAMES[source])
    if source in READERS:
        return READERS[str(source)]()
    change, colon, rest = str(source).partition(":")
    if colon and change in CHANGES and not Path(source).exists():
        return _warn_of_change(
            replace(apply_change(_read_path(rest), change), source=str(source))
        )
    return _warn_of_change(_read_path(source))


def _read_path(source: str | Path) -> RawDataset:
    name, path = str(source), Path(source).expanduser()
    if not name or not path.exists():
        raise _unknown_source(source)
    if path.is_dir():
        folder = find_idx_folder(path)
        if folder is not None:
            return read_idx_folder(folder, source=name)
        return read_class_folders(path, source=name)
    if is_idx(path):
        return read_idx_pair(path, source=name)
    if path.suffix.lower() == ".npz":
        return read_npz(path, source=name)
    if path.name.lower().endswith((".csv", ".csv.gz")):
        if find_columns(storage.read_head(path)) is not None:
            return read_picture_list(path, source=name)
        return read_csv(path, source=name)
    raise DataError(
        f"{path} is not a kind of file that holds digits",
        try_="name an .npz, .csv or .csv.gz file, an IDX file such as\n"
        "train-images-idx3-ubyte.gz, or a folder; for pictures the folder they are in",
    )


def _warn_of_change(parts: RawDataset) -> RawDataset:
    """Return the digits, with a warning where they seem to lie another way."""
    change = find_change(parts.train)
    if change is not None:
        looks = "black on white" if change == "inverted" else "transposed, as EMNIST's do"
        looks = "transposed and black on white" if "," in change else looks
        warnings.warn(
            f"the digits of {parts.source} look {looks}; "
            f"name {change}:{parts.source} to take them the right way round",
            DigitlensWarning,
            stacklevel=4,
        )
    return parts


def _unknown_source(source: str | Path) -> UsageError | MissingDataError:
    name = str(source)
    if isinstance(source, Path) or "/" in name or "\\" in name or Path(name).suffix:
        return MissingDataError(f"there is no file or folder {name}")
    close = suggest(name, NAMES)
    known = f"{', '.join(NAMES[:-1])} and {NAMES[-1]} have a name;\n"
    known += "anything else is the path of a folder or of an IDX, .npz or .csv file"
    return UsageError(
        f"there is no source of digits called {name!r}",
        try_=f"did you mean {close}? {known}" if close else known,
    )


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
