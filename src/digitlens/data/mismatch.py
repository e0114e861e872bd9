"""Files that are not the ones that were published: named, explained and kept aside."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from digitlens.data.published import FASHION, MNIST
from digitlens.errors import HashMismatchError
from digitlens.idx import kind_of

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data.published import File
    from digitlens.files import Bytes


def check_hash(file: File, found: Bytes, *, own: bool) -> None:
    """Raise when `found` is not, byte for byte, the published `file`, packed or unpacked.

    Parameters
    ----------
    file
        What was published.
    found
        What was read.
    own
        True when it lies in the user's own folder: there it is left untouched. Else it is
        moved aside, so that the next run fetches it anew.

    Raises
    ------
    HashMismatchError
        Another hash; the error names the file and where it is now.
    """
    packed = found.path.name == file.name
    wanted = file.sha256 if packed else file.unpacked_sha256
    if found.sha256 == wanted:
        return
    if own:
        kept = "it was left as it is"
        help_ = f"replace it, or read it unchecked by its path: --data {found.path.parent}"
    else:
        kept = f"it was moved to {set_aside(found.path)}"
        help_ = "run the command again to fetch the file anew"
    raise HashMismatchError(
        f"{found.path} is not the file that was published; {kept}",
        seen=f"SHA-256 {found.sha256}, {len(found.content):,} bytes\nwanted  {wanted}",
        likely=likely(file if packed else None, found.content),
        try_=help_,
    )


def set_aside(path: Path) -> Path:
    """Move the file at `path` to ``<name>.mismatch``, or ``.mismatch-2`` and so on."""
    target = path.with_name(f"{path.name}.mismatch")
    number = 2
    while target.exists():
        target = path.with_name(f"{path.name}.mismatch-{number}")
        number += 1
    return path.rename(target)


def likely(file: File | None, content: bytes) -> str | None:
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
    return kind_of(content)
