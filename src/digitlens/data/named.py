"""MNIST and Fashion-MNIST by name: found, checked against their hashes, and read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from digitlens import files
from digitlens.data import places
from digitlens.data.download import download
from digitlens.data.mismatch import check_hash
from digitlens.data.parts import Parts
from digitlens.data.writers import parse_writers
from digitlens.digits import Digits
from digitlens.idx import read_images, read_labels, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data.published import File, Published


def read_published(published: Published) -> Parts:
    """Read a collection from the user's folder, else the cache, else its mirrors.

    Raises
    ------
    MissingDataError
        It is in none of the three places.
    HashMismatchError
        A file is not the one that was published. In the cache it is moved aside.
    """
    own = places.own_places(published)
    for place in own:
        if place.folder is not None and all(places.find(published.files, place.folder)):
            return read_folder(published, place.folder, own=True)
    cache = places.cache(published)
    assert cache.folder is not None, "the cache always has a place"
    if not all(places.find(published.files, cache.folder)):
        looked = [places.describe(place, published) for place in [*own, cache]]
        download(published, cache.folder, looked=looked)
    return read_folder(published, cache.folder, own=False)


def training_at_hand(published: Published) -> Digits | None:
    """Return a collection's training digits where they lie on this machine, else None.

    Nothing is downloaded, and its test digits are not opened.

    Raises
    ------
    HashMismatchError
        A file is not the one that was published.
    """
    wanted = published.files[:2]
    own = places.own_places(published)
    for place in [*own, places.cache(published)]:
        found = [] if place.folder is None else places.find(wanted, place.folder)
        paths = [path for path in found if path is not None]
        if len(paths) == len(wanted):
            images, labels = (
                _read(file, path, place in own)
                for file, path in zip(wanted, paths, strict=True)
            )
            source = f"{published.name} train"
            return Digits(read_images(*images[1:]), read_labels(*labels[1:]), source=source)
    return None


def read_folder(published: Published, folder: Path, *, own: bool) -> Parts:
    """Read a collection from `folder`, every file checked against its published hash.

    Parameters
    ----------
    published
        Which one; its four files must be in the folder, its tables may be.
    folder
        Where they are.
    own
        True when it is the user's own folder, in which nothing is moved.

    Raises
    ------
    HashMismatchError
        A file is not the one that was published.
    """
    wanted = (*published.files, *published.tables)
    found = zip(wanted, places.find(wanted, folder), strict=True)
    with ThreadPoolExecutor(2) as pool:
        # In order, so that the training images, which take longest, are begun first.
        tasks = {file.name: pool.submit(_read, file, path, own) for file, path in found if path}
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
    return Parts(
        published.name,
        train,
        {task.result()[0].path.name: task.result()[0].sha256 for task in tasks.values()},
        test=test,
        partitions=partitions,
        no_writers=no_writers,
    )


def _read(file: File, path: Path, own: bool) -> tuple[files.Bytes, bytes, str]:
    """Return the file as it is, its content unpacked, and what messages call it."""
    found = files.read(path)
    check_hash(file, found, own=own)
    return found, unpack(found.content, name=str(path)), str(path)
