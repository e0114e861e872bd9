"""A published collection: where it is looked for, and what a wrong file leads to."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from digitlens.data import download as mismatch
from digitlens.data import load
from digitlens.data.catalog import FASHION, MNIST, PublishedDataset, PublishedFile, user_folders
from digitlens.data.idx import write_images, write_labels
from digitlens.data.load import read_published
from digitlens.data.split import split_data
from digitlens.errors import HashMismatchError

LABELS = np.arange(60, dtype=np.uint8) % 10
IMAGES = np.repeat(LABELS, 784).reshape(60, 28, 28)
TABLE = b"".join(
    b"%d\t%d\t%d\t0\t0\t0\t0\t0\n" % (i % 10, i // 30 * 4, i // 3) for i in range(60)
)
CONTENTS = {
    "train-images-idx3-ubyte": write_images(IMAGES),
    "train-labels-idx1-ubyte": write_labels(LABELS),
    "t10k-images-idx3-ubyte": write_images(IMAGES[:20]),
    "t10k-labels-idx1-ubyte": write_labels(LABELS[:20]),
    "qmnist-train-labels.tsv": TABLE,
    "qmnist-test-labels.tsv": TABLE,
}
PACKED = {name: gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}


def sha256(content: bytes) -> str:
    """Return the hash in hex."""
    return hashlib.sha256(content).hexdigest()


FILES = [
    PublishedFile(f"{name}.gz", len(PACKED[name]), sha256(PACKED[name]), sha256(content))
    for name, content in CONTENTS.items()
]
TINY = PublishedDataset(
    "mnist", "Tiny MNIST", (FILES[0], FILES[1], FILES[2], FILES[3]), (), tuple(FILES[4:])
)


def place_files(folder: Path, *, packed: bool = True, tables: bool = True) -> Path:
    """Write the collection into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        if tables or not name.startswith("qmnist"):
            (folder / (f"{name}.gz" if packed else name)).write_bytes(
                PACKED[name] if packed else content
            )
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that is the cache in this test; the user has named none."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / "cache" / name)
    monkeypatch.delenv("DIGITLENS_DATA", raising=False)
    return tmp_path / "cache" / "digitlens" / "mnist"


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["", "mnist"])
def test_the_users_folder_comes_first(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, below: str, packed: bool
) -> None:
    """$DIGITLENS_DATA or its mnist folder is read, packed or not, and the cache is not."""
    place_files(tmp_path / "own" / below, packed=packed)
    place_files(cache)
    (cache / FILES[0].name).write_bytes(b"never read")
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path / "own"))
    parts = read_published(TINY)
    assert np.array_equal(parts.train.images, IMAGES)
    assert parts.test is not None
    assert np.array_equal(parts.test.labels, LABELS[:20])
    contents = {f"{name}.gz": item for name, item in PACKED.items()} if packed else CONTENTS
    assert parts.hashes == {name: sha256(item) for name, item in contents.items()}


def test_the_cache_is_read_when_the_users_folder_lacks_a_file(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with three of the four files is passed over."""
    (place_files(tmp_path / "own") / FILES[1].name).unlink()
    place_files(cache)
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path / "own"))
    assert len(read_published(TINY).train) == 60


def test_writers_come_from_the_tables(cache: Path) -> None:
    """Training and test digits know their writers, training digits NIST's partition."""
    place_files(cache)
    parts = read_published(TINY)
    assert parts.train.writers is not None
    assert parts.partitions is not None
    assert parts.test is not None
    assert parts.test.writers is not None
    assert parts.train.writers[:7].tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert parts.partitions[[0, 59]].tolist() == [0, 4]
    assert len(parts.test.writers) == 20
    data = split_data(parts, validation=0.1, limit=None)
    assert data.split == "by writer: 2 of the 20 writers, 6 digits, are held back"


def test_without_tables_the_split_is_by_class_and_says_so(cache: Path) -> None:
    """The words name the table that is missing."""
    place_files(cache, tables=False)
    data = split_data(read_published(TINY), validation=0.1, limit=None)
    assert data.split == (
        "by class: 6 of 60 digits are held back; not by writer, because "
        "qmnist-train-labels.tsv.gz does not lie beside the files"
    )
    assert data.train.writers is None


def test_a_wrong_file_in_the_users_folder_is_named_and_left(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What belongs to the user is not moved; the message has both hashes."""
    path = place_files(tmp_path / "own") / FILES[3].name
    wrong = PACKED["t10k-labels-idx1-ubyte"][:-10]
    path.write_bytes(wrong)
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path / "own"))
    with pytest.raises(HashMismatchError) as caught:
        read_published(TINY)
    assert str(caught.value) == (
        f"{path} is not the file that was published; it was left as it is\n"
        f"  seen    SHA-256 {sha256(wrong)}, {len(wrong)} bytes\n"
        f"          wanted  {FILES[3].sha256}\n"
        f"  likely  it is cut off: the file has {len(wrong) + 10} bytes\n"
        f"  try     replace it, or read it unchecked by its path: --data {path.parent}"
    )
    assert path.read_bytes() == wrong


@pytest.mark.parametrize("index", range(len(FILES)))
@pytest.mark.parametrize("packed", [True, False])
def test_every_wrong_file_in_the_cache_is_moved_aside(
    cache: Path, index: int, packed: bool
) -> None:
    """Images, labels and tables alike are checked; the error says where the file is now."""
    place_files(cache, packed=packed)
    path = cache / (FILES[index].name if packed else FILES[index].unpacked_name)
    path.write_bytes(b"<html>Please log in")
    with pytest.raises(HashMismatchError, match="a web page") as caught:
        read_published(TINY)
    aside = path.with_name(f"{path.name}.mismatch")
    assert caught.value.wanted == (
        f"{path} is not the file that was published; it was moved to {aside}"
    )
    assert caught.value.try_ == "run the command again to fetch the file anew"
    assert not path.exists()
    assert aside.read_bytes() == b"<html>Please log in"


def test_a_second_wrong_file_does_not_replace_the_first(cache: Path) -> None:
    """Each file that is moved aside gets a name of its own."""
    for content in (b"one", b"two", b"three"):
        place_files(cache)
        (cache / FILES[0].name).write_bytes(content)
        with pytest.raises(HashMismatchError):
            read_published(TINY)
    kept = {path.name: path.read_bytes() for path in cache.glob("*.mismatch*")}
    name = f"{FILES[0].name}.mismatch"
    assert kept == {name: b"one", f"{name}-2": b"two", f"{name}-3": b"three"}


def test_a_file_that_was_packed_anew_is_not_the_published_one(cache: Path) -> None:
    """The hash is of the bytes on the disk, not of what is in them."""
    place_files(cache)
    path = cache / FILES[0].name
    path.write_bytes(gzip.compress(CONTENTS["train-images-idx3-ubyte"], 1, mtime=1))
    with pytest.raises(HashMismatchError):
        read_published(TINY)


def test_what_is_missing_is_fetched_into_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The downloader is told which collection, where to, and where it was looked for."""
    calls = []

    def download(published: PublishedDataset, folder: Path, *, looked: list[str]) -> None:
        calls.append((published, folder, looked))
        place_files(folder)

    monkeypatch.setattr(load, "download", download)
    (place_files(tmp_path / "own") / FILES[1].name).unlink()
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path / "own"))
    assert len(read_published(TINY).train) == 60
    assert calls == [
        (
            TINY,
            cache,
            [
                f"$DIGITLENS_DATA, {tmp_path / 'own'}: without train-labels-idx1-ubyte.gz",
                f"$DIGITLENS_DATA/mnist, {tmp_path / 'own' / 'mnist'}: no such folder",
                f"the cache, {cache}: no such folder",
            ],
        )
    ]


def test_published_facts_are_whole() -> None:
    """Every file has a size and two hashes, no hash occurs twice, and mirrors are folders."""
    files = [*MNIST.files, *MNIST.tables, *FASHION.files]
    hashes = [item for file in files for item in (file.sha256, file.unpacked_sha256)]
    assert len(files) == 10
    assert all(len(item) == 64 and int(item, 16) for item in hashes)
    assert len(set(hashes)) == len(hashes)
    assert all(file.name.endswith(".gz") and file.size > 4000 for file in files)
    for published in (MNIST, FASHION):
        assert all(item.endswith("/") for item in published.mirrors + published.table_mirrors)


def test_fashion_is_not_looked_for_among_mnists_files(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of the same names in $DIGITLENS_DATA itself are MNIST's."""
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path))
    assert [place.folder for place in user_folders(FASHION)] == [tmp_path / "fashion"]
    assert [place.folder for place in user_folders(MNIST)] == [tmp_path, tmp_path / "mnist"]


def test_a_file_of_another_collection_is_recognised(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fashion-MNIST's files have MNIST's names, but a hash of their own."""
    monkeypatch.setattr(mismatch, "FASHION", TINY)
    place_files(cache)
    (cache / FILES[0].name).write_bytes(PACKED["t10k-images-idx3-ubyte"])
    with pytest.raises(HashMismatchError) as caught:
        read_published(TINY)
    assert caught.value.likely == "it is t10k-images-idx3-ubyte.gz of Tiny MNIST"
