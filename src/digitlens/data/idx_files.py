"""Digits in IDX files: a folder of them, or one pair of images and labels."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digitlens import files
from digitlens.data.parts import Parts
from digitlens.data.writers import parse_writers
from digitlens.digits import Digits
from digitlens.errors import DataError, MissingDataError
from digitlens.idx import read_images, read_labels, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data.writers import Writers

_NAME = re.compile(r"(.*?)(images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?", re.IGNORECASE)
_TABLES = {"train": "qmnist-train-labels.tsv", "t10k": "qmnist-test-labels.tsv"}


@dataclass(frozen=True)
class Pair:
    """A file of images and the file of their labels; `prefix` is what both names begin with."""

    prefix: str
    images: Path
    labels: Path


def holds_idx(folder: Path) -> bool:
    """Return whether a file in `folder` is named like an IDX file."""
    return any(is_idx(path) for path in folder.iterdir())


def is_idx(path: Path) -> bool:
    """Return whether `path` is named like an IDX file of images or labels."""
    return _NAME.fullmatch(path.name) is not None


def read_idx_folder(folder: Path, *, source: str) -> Parts:
    """Read the pairs of IDX files in `folder`, packed or not.

    Parameters
    ----------
    folder
        Holds one pair for each part. A name with "t10k" or "test" before "images" is the
        test part, one with "valid" the validation part, any other the training part.
        QMNIST's tables of writers are read where they lie beside train-* and t10k-*.
    source
        What the user called it.

    Raises
    ------
    MissingDataError
        A file of images without labels, or the reverse.
    CorruptFileError, ShapeError, LabelError, DataError
        Files that cannot be read; see `digitlens.idx`.
    """
    pairs = _pairs(folder)
    parts: dict[str, Pair] = {}
    for pair in pairs:
        part = _part(pair.prefix) if len(pairs) > 1 else "train"
        if part in parts:
            raise DataError(
                f"{folder} must hold one pair of IDX files for each part",
                seen=f"{parts[part].images.name} and {pair.images.name} are both {part}",
                try_=f"name one of them: --data {pair.images}",
            )
        parts[part] = pair
    if "train" not in parts:
        raise MissingDataError(
            f"{folder} must hold a pair of IDX files to train on",
            seen=", ".join(pair.images.name for pair in pairs),
        )
    return _read(parts, source=source)


def read_idx_pair(path: Path, *, source: str) -> Parts:
    """Read one pair of IDX files, given either of them; the other must lie beside it.

    Raises
    ------
    MissingDataError
        The other file is not there.
    """
    (pair,) = _pairs(path.parent, only=_prefix(path))
    # Of a file that lies there packed and unpacked, the one that was named is read.
    pair = replace(pair, images=path) if _kind(path) == "images" else replace(pair, labels=path)
    return _read({"train": pair}, source=source)


def _read(parts: dict[str, Pair], *, source: str) -> Parts:
    hashes: dict[str, str] = {}
    with ThreadPoolExecutor(2) as pool:
        opened = {
            part: (pool.submit(_open, pair.images), pool.submit(_open, pair.labels))
            for part, pair in parts.items()
        }
        digits: dict[str, Digits] = {}
        writers: dict[str, Writers | None] = {}
        for part, tasks in opened.items():
            (images, unpacked), (labels, unpacked_labels) = (task.result() for task in tasks)
            hashes |= {images.path.name: images.sha256, labels.path.name: labels.sha256}
            digits[part] = _digits(images.path, unpacked, labels.path, unpacked_labels)
            writers[part] = _writers(parts[part], digits[part], hashes)
            known = writers[part]
            if known is not None:
                digits[part] = replace(digits[part], writers=known.writers)
    train = writers["train"]
    return Parts(
        source,
        digits["train"],
        hashes,
        validation=digits.get("validation"),
        test=digits.get("test"),
        partitions=None if train is None else train.partitions,
        no_writers="" if train else "no table of writers lies beside the files",
    )


def _open(path: Path) -> tuple[files.Bytes, bytes]:
    found = files.read(path)
    return found, unpack(found.content, name=str(path))


def _digits(image_path: Path, images: bytes, label_path: Path, labels: bytes) -> Digits:
    pictures = read_images(images, str(image_path))
    classes = read_labels(labels, str(label_path))
    if len(pictures) != len(classes):
        raise DataError(
            f"{image_path} and {label_path.name} must hold as many pictures as labels",
            seen=f"{len(pictures):,} pictures, {len(classes):,} labels",
        )
    if not len(classes):
        raise DataError(f"{image_path} holds no digits", seen="a header that says 0 pictures")
    return Digits(pictures, classes)


def _writers(pair: Pair, digits: Digits, hashes: dict[str, str]) -> Writers | None:
    table = _TABLES.get(pair.prefix.lower())
    for name in (f"{table}.gz", table) if table else ():
        path = pair.images.with_name(name)
        if path.is_file():
            found, text = _open(path)
            hashes[name] = found.sha256
            return parse_writers(text, str(path), digits.labels)
    return None


def _pairs(folder: Path, only: str | None = None) -> list[Pair]:
    """Return the pairs in `folder`, by name; unpacked files where both kinds are there."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        if is_idx(path) and only in (None, _prefix(path)) and path.is_file():
            found.setdefault(_prefix(path), {}).setdefault(_kind(path), path)
    pairs = []
    for prefix, both in found.items():
        if len(both) < 2:
            ((kind, path),) = both.items()
            other = "labels" if kind == "images" else "images"
            raise MissingDataError(
                f"{path} must have its file of {other} beside it",
                seen=f"no {prefix}-{other}-idx{1 if kind == 'images' else 3}-ubyte, "
                "packed or not",
            )
        pairs.append(Pair(prefix, both["images"], both["labels"]))
    return pairs


def _prefix(path: Path) -> str:
    return _match(path)[1].rstrip("-_.")


def _kind(path: Path) -> str:
    return _match(path)[2].lower()


def _match(path: Path) -> re.Match[str]:
    match = _NAME.fullmatch(path.name)
    assert match, "only IDX names are asked for"
    return match


def _part(prefix: str) -> str:
    name = prefix.lower()
    if "t10k" in name or "test" in name:
        return "test"
    return "validation" if "valid" in name else "train"
