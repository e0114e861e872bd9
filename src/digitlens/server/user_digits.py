"""Drawn and corrected digits, kept on purpose: a folder of class folders.

Each is a PNG of 28 x 28 in MNIST's frame, ``<label>/<hash>.png``: what `load_digits` reads
and ``digitlens train cnn --from cnn --data runs/own`` learns from. The same digit saved twice
is one file.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from digitlens.digits import CLASSES
from digitlens.errors import StorageError
from digitlens.server.answers import png_bytes
from digitlens.server.http_errors import UnknownError
from digitlens.storage import make_folder, storage_errors, write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.digits import Images


NAME = re.compile(r"[0-9a-f]{16}")

MOST = 20_000
"""Digits that are kept: what a person draws in years; a program that saves more is stopped."""


class UserDigits:
    """The digits that a lab's user has saved.

    Parameters
    ----------
    folder
        Where they lie; made when the first is saved.
    home
        The lab's folder, beside which commands are typed.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.called = folder.relative_to(home).as_posix()

    def names(self, label: int) -> list[str]:
        """Return the names of the digits saved with that label, in alphabetical order."""
        stems = (path.stem for path in self.folder.glob(f"{label}/*.png"))
        return sorted(stem for stem in stems if NAME.fullmatch(stem))

    def as_dict(self) -> dict[str, Any]:
        """Return what is there: the folder, a count and names for each label."""
        names = [self.names(label) for label in range(CLASSES)]
        return {
            "folder": self.called,
            "count": sum(map(len, names)),
            "digits": [
                {"label": label, "count": len(result), "names": result}
                for label, result in enumerate(names)
            ],
            "train": f"digitlens train cnn --from cnn --data {self.called}",
        }

    def save(self, digit: Images, label: int) -> str:
        """Keep a digit, uint8 (28, 28), and return its name.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        assert 0 <= label < CLASSES, "checked where it came in"
        name = hashlib.sha256(digit.tobytes()).hexdigest()[:16]
        folder = self.folder / str(label)
        make_folder(folder)
        path = folder / f"{name}.png"
        if not path.exists():
            write_bytes(path, png_bytes(digit))
        return name

    def check_room(self, more: int) -> None:
        """See that so many digits more may be kept.

        Raises
        ------
        StorageError
            They would be more than `MOST`.
        """
        count = sum(len(self.names(label)) for label in range(CLASSES))
        if count + more > MOST:
            raise StorageError(
                f"{MOST:,} digits of your own are kept", seen=f"{count:,}", try_="remove some"
            )

    def picture(self, label: int, name: str) -> bytes:
        """Return a saved digit as PNG.

        Raises
        ------
        UnknownError
            There is none of that name.
        """
        try:
            return self._path(label, name).read_bytes()
        except OSError as error:
            raise _unknown(label, name) from error

    def delete(self, label: int, name: str) -> None:
        """Remove a saved digit, and its class folder when it was the last: an empty one is
        an error to `load_digits`.

        Raises
        ------
        UnknownError
            There is none of that name.
        StorageError
            It cannot be removed.
        """
        path = self._path(label, name)
        if not path.is_file():
            raise _unknown(label, name)
        with storage_errors(path):
            path.unlink(missing_ok=True)
        try:
            path.parent.rmdir()
        except OSError:  # others are left
            return

    def _path(self, label: int, name: str) -> Path:
        """Return where a digit lies: made of nothing but a label and a hash."""
        if not 0 <= label < CLASSES or not NAME.fullmatch(name):
            raise _unknown(label, name)
        return self.folder / str(label) / f"{name}.png"


def _unknown(label: int, name: str) -> UnknownError:
    return UnknownError(
        f"there is no digit {name[:32]!r} of yours with the label {label}",
        try_="/v1/own lists all",
    )
