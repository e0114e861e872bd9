"""`load_digits`: from the name or path of a source to digits; `fetch`: a source beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.data.arrange import arrange, check_wishes
from digitlens.data.download import Fetched, download
from digitlens.data.idx_files import holds_idx, is_idx, read_idx_folder, read_idx_pair
from digitlens.data.kaggle import read_csv
from digitlens.data.named import read_folder, read_published
from digitlens.data.npz import read_npz
from digitlens.data.pictures import read_pictures, too_many_rejected
from digitlens.data.places import cache
from digitlens.data.published import FASHION, MNIST
from digitlens.data.uci import FILE, read_uci
from digitlens.errors import DataError, MissingDataError, UsageError
from digitlens.nearest import nearest

if TYPE_CHECKING:
    from digitlens.data.download import Progress
    from digitlens.data.parts import Data, Parts

PUBLISHED = {"mnist": MNIST, "fashion": FASHION}
"""Collections that may have to be downloaded."""

NAMES = ("mnist", "uci", "fashion")
"""Sources that have a name; anything else is a path."""


def load_digits(
    source: str | Path = "mnist", *, validation: float = 0.1, limit: int | None = None
) -> Data:
    """Load digits and divide them into training, validation and test digits.

    The same source and arguments always give the same digits in the same order.

    Parameters
    ----------
    source
        "mnist" and "fashion" are looked for in ``$DIGITLENS_DATA``, then in the cache, then
        downloaded; "uci" comes with digitlens. Else a path: a folder of class folders 0..9
        (perhaps below train/, validation/ and test/) with pictures of any size, each of which
        is brought into MNIST's frame; a folder of IDX files, one IDX file beside its other
        half, an .npz file, or a .csv or .csv.gz file of Kaggle's form.
        A source without a test part of its own gives a fifth of each class to it.
    validation
        Share of the training digits that is held back, at least 0 and below 1; by whole
        writers where they are known, the same share of each NIST partition's, else by
        class. A validation part of the source's own is used as it is, or trained on when
        the share is 0.
    limit
        Keep only so many training digits and at most as many validation digits, each
        class with its share; at least 10. The test part stays whole.

    Returns
    -------
    Data
        ``train``, ``validation`` and ``test``: uint8 (N, 28, 28) images, 0 = paper, 255 =
        ink, uint8 (N,) labels; ``split`` says in words what was held back. The arrays may
        be read-only.

    Raises
    ------
    UsageError
        No source of that name, or a share or limit that makes no sense.
    MissingDataError
        Nothing at that path; or not on this machine and not to be had from the network.
    DataError
        A file that cannot be used; its subclasses tell how.

    Examples
    --------
    >>> data = load_digits("uci")
    >>> len(data.train), len(data.validation), len(data.test)
    (1294, 144, 359)
    >>> data.split
    'by class: 144 of 1,438 digits are held back; the test part is 359 digits, a fifth of \
each class'
    """
    check_wishes(validation, limit)
    try:
        parts = read_parts(source)
    except OSError as error:  # a folder that may not be listed, and the like
        raise DataError(f"{source} cannot be read", seen=str(error)) from error
    if parts.rejected:
        count = sum(len(part) for part in (parts.train, parts.validation, parts.test) if part)
        raise too_many_rejected(parts.rejected, count + len(parts.rejected), parts.source)
    return arrange(parts, validation=validation, limit=limit)


def fetch(source: str = "mnist", *, progress: Progress | None = None) -> Fetched:
    """Download what the cache lacks of a named source, and check all of it.

    Parameters
    ----------
    source
        "mnist" or "fashion"; "uci" needs no download and gives an empty answer.
    progress
        Called with a file's name, the bytes that have come and all its bytes.

    Raises
    ------
    UsageError
        No source of that name.
    MissingDataError
        No mirror answered.
    HashMismatchError
        A file is not the one that was published; it is kept aside and named.
    StorageError
        The cache cannot be written.
    """
    if source == "uci":
        return Fetched(FILE.parent, (), {})
    if source not in PUBLISHED:
        raise _unknown(source)
    published = PUBLISHED[source]
    folder = cache(published).folder
    assert folder is not None, "the cache always has a place"
    fetched = download(published, folder, looked=[], progress=progress)
    read_folder(published, folder, own=False)
    return fetched


def read_parts(source: str | Path) -> Parts:
    """Return what a source holds, before anything is held back; see `load_digits`.

    Pictures that cannot be used are not an error here: `Parts.rejected` tells of them.
    """
    if isinstance(source, str) and source in PUBLISHED:
        return read_published(PUBLISHED[source])
    if source == "uci":
        return read_uci()
    name, path = str(source), Path(source).expanduser()
    if not name or not path.exists():
        raise _unknown(source)
    if path.is_dir():
        read = read_idx_folder if holds_idx(path) else read_pictures
        return read(path, source=name)
    if is_idx(path):
        return read_idx_pair(path, source=name)
    if path.suffix.lower() == ".npz":
        return read_npz(path, source=name)
    if path.name.lower().endswith((".csv", ".csv.gz")):
        return read_csv(path, source=name)
    raise DataError(
        f"{path} is not a kind of file that holds digits",
        try_="name an .npz, .csv or .csv.gz file, an IDX file such as\n"
        "train-images-idx3-ubyte.gz, or a folder; for pictures the folder they are in",
    )


def _unknown(source: str | Path) -> UsageError | MissingDataError:
    name = str(source)
    if isinstance(source, Path) or "/" in name or "\\" in name or Path(name).suffix:
        return MissingDataError(f"there is no file or folder {name}")
    close = nearest(name, NAMES)
    known = "mnist, uci and fashion have a name; anything else is the path of a folder\n"
    known += "or of an IDX, .npz or .csv file"
    return UsageError(
        f"there is no source of digits called {name!r}",
        try_=f"did you mean {close}? {known}" if close else known,
    )
