"""Published files from their mirrors: complete and with the right hash, or not at all.

A file with another hash is explained (another edition, a cut-off download, a login page) and
moved aside, so that nothing that was given is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from digitlens import storage
from digitlens.data.catalog import FASHION, MNIST, PublishedDataset, PublishedFile
from digitlens.data.idx import find_kind
from digitlens.errors import DigitlensError, HashMismatchError, MissingDataError
from digitlens.storage import FileContent, make_folder

if TYPE_CHECKING:
    from ssl import SSLContext


def check_hash(file: PublishedFile, result: FileContent, *, own: bool) -> None:
    """Raise when `result` is not, byte for byte, the published `file`, packed or unpacked.

    file: what was published
    result: what was read
    own: true when it lies in the user's own folder: there it is left untouched. Else it is
        moved aside, so that the next run fetches it anew.

    Raises HashMismatchError: another hash; the error names the file and where it is now.
    """
    packed = result.path.name == file.name
    wanted = file.sha256 if packed else file.unpacked_sha256
    if result.sha256 == wanted:
        return
    if own:
        kept = "it was left as it is"
        help_ = f"replace it, or read it unchecked by its path: --data {result.path.parent}"
    else:
        kept = f"it was moved to {quarantine(result.path)}"
        help_ = "run the command again to fetch the file anew"
    raise HashMismatchError(
        f"{result.path} is not the file that was published; {kept}",
        seen=f"SHA-256 {result.sha256}, {len(result.content):,} bytes\nwanted  {wanted}",
        likely=explain_mismatch(file if packed else None, result.content),
        try_=help_,
    )


def quarantine(path: Path) -> Path:
    """Move the file at `path` to ``<name>.mismatch``, or ``.mismatch-2`` and so on."""
    target = path.with_name(f"{path.name}.mismatch")
    number = 2
    while target.exists():
        target = path.with_name(f"{path.name}.mismatch-{number}")
        number += 1
    return path.rename(target)


def explain_mismatch(file: PublishedFile | None, content: bytes) -> str | None:
    """Return what `content` probably is instead of the packed `file`, or None."""
    digest = hashlib.sha256(content).hexdigest()
    for published in (MNIST, FASHION):
        for other in (*published.files, *published.tables):
            if digest in (other.sha256, other.unpacked_sha256):
                return f"it is {other.name} of {published.title}"
    if file is not None and content[:2] == b"\x1f\x8b":
        if len(content) < file.size:
            return f"it is cut off: the file has {file.size:,} bytes"
        return None
    return find_kind(content)


# Called with a file's name, the bytes that have come, and all its bytes.
Progress: TypeAlias = Callable[[str, int, int], None]

# Copy an address to a path, telling how many bytes have come; `UnreachableError`.
Get: TypeAlias = Callable[[str, Path, Callable[[int], None]], None]

NO_CONNECTION = "no connection"
SECONDS = 30.0  # that a mirror may be silent
SYSTEM_LIST = Path("/etc/ssl/cert.pem")


class UnreachableError(Exception):
    """An address gave no file: no network, a time-out, or an answer such as 404."""


@dataclass(frozen=True)
class Fetched:
    """What a download brought."""

    folder: Path  # where the files are now
    # the files that were downloaded; what was there already is not among them
    names: tuple[str, ...]
    # tables of writers that could not be had, with the reason. Without them validation digits
    # are held back by class.
    missing: dict[str, str]


def download(
    published: PublishedDataset,
    folder: Path,
    *,
    looked: list[str],
    progress: Progress | None = None,
    get: Get | None = None,
) -> Fetched:
    """Bring what `folder` lacks of a collection.

    folder: where the files go; made when it is not there
    looked: where the collection was looked for before, in words, for the error
    progress: called as each file comes
    get: copies one address; `copy_address` when not given

    Raises MissingDataError: no mirror answered; HashMismatchError: every mirror that answered
    gave another file; the last is kept aside; StorageError: the folder cannot be written.
    """
    make_folder(folder)
    get = get or copy_address
    names: list[str] = []
    for file in published.files:
        if _lacks(folder, file):
            _fetch(file, published.mirrors, folder, published.title, looked, progress, get)
            names.append(file.name)
    missing: dict[str, str] = {}
    for file in published.tables:
        if not _lacks(folder, file):
            continue
        try:
            _fetch(file, published.table_mirrors, folder, published.title, [], progress, get)
            names.append(file.name)
        except (MissingDataError, HashMismatchError) as error:
            missing[file.name] = error.wanted
    return Fetched(folder, tuple(names), missing)


def _lacks(folder: Path, file: PublishedFile) -> bool:
    return not any((folder / name).is_file() for name in (file.name, file.unpacked_name))


def _fetch(
    file: PublishedFile,
    mirrors: tuple[str, ...],
    folder: Path,
    title: str,
    looked: list[str],
    progress: Progress | None,
    get: Get,
) -> None:
    """Bring one file from the first mirror that has it."""
    failures: list[str] = []
    mismatch: DigitlensError | None = None
    for mirror in mirrors:
        try:
            _copy(file, mirror + file.name, folder, progress, get)
        except UnreachableError as error:
            failures.append(f"{mirror}: {error}")
        except HashMismatchError as error:
            failures.append(f"{mirror}: another file")
            mismatch = error
        else:
            return
    # A wrong file tells more than a mirror that did not answer.
    if mismatch is not None:
        raise mismatch
    raise MissingDataError(
        f"{title} is not on this machine, and {file.name} could not be fetched",
        seen="\n".join([*looked, *failures]),
        likely="there is no network"
        if all(failure.endswith(NO_CONNECTION) for failure in failures)
        else None,
        try_=f"set DIGITLENS_DATA to a folder that holds {title}'s files,\n"
        "or use --data uci, which comes with digitlens",
    )


def _copy(
    file: PublishedFile, address: str, folder: Path, progress: Progress | None, get: Get
) -> None:
    """Copy one address into `folder`; a file with another hash is kept aside and named."""
    tell = progress or (lambda _name, _done, _size: None)
    target = folder / file.name
    with storage.new_file(target) as (_, partial):
        get(address, partial, lambda done: tell(file.name, min(done, file.size), file.size))
        result = storage.read_file(partial)
    if result.sha256 == file.sha256:
        return
    # The wrong file is kept: it says what answered in the mirror's place.
    aside = quarantine(target)
    raise HashMismatchError(
        f"{address} is not the file that was published; it was kept as {aside}",
        seen=f"SHA-256 {result.sha256}, {len(result.content):,} bytes\nwanted  {file.sha256}",
        likely=explain_mismatch(file, result.content),
        try_="try again later, or on another network",
    )


def copy_address(address: str, path: Path, tell: Callable[[int], None]) -> None:
    """Copy an address to a path, telling how many bytes have come.

    Raises UnreachableError: it gave no file.
    """
    # Loaded only when something is to be downloaded.
    from http.client import HTTPException
    from ssl import SSLCertVerificationError, SSLError
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    request = Request(address, headers={"User-Agent": "digitlens"})  # noqa: S310 - our own words
    done = 0
    try:
        with (
            urlopen(request, timeout=SECONDS, context=_trusted()) as answer,  # noqa: S310
            path.open("wb") as file,
        ):
            while block := answer.read(1 << 16):
                file.write(block)
                done += len(block)
                tell(done)
            if answer.length:  # what is left of what was announced: it was cut off
                raise UnreachableError(NO_CONNECTION)
    except HTTPError as error:
        raise UnreachableError(f"{error.code} {error.reason}") from error
    except (URLError, TimeoutError, ConnectionError, SSLError, HTTPException) as error:
        # A full disk is another OSError, and not the mirror's.
        reason = getattr(error, "reason", error)
        words = NO_CONNECTION
        if isinstance(reason, TimeoutError):
            words = "no answer in time"
        elif isinstance(reason, SSLCertVerificationError):
            words = f"its certificate is not trusted: {reason.verify_message}"
        raise UnreachableError(words) from error


def _trusted() -> SSLContext:
    """Return whom a download trusts: the system's list, which not every Python finds.

    Python for macOS from python.org brings none of its own; the system's lies in `SYSTEM_LIST`.
    """
    import ssl

    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and SYSTEM_LIST.is_file():
        context.load_verify_locations(SYSTEM_LIST)
    return context
