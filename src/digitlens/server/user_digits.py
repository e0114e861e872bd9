"""Drawn and corrected digits, saved as a folder of class folders.

Each is a PNG of 28 x 28 in MNIST's frame, ``<label>/<hash>.png``: what `load_digits` reads
and ``digitlens train universal --from universal --data runs/own`` learns from. The same digit
saved twice is one file.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from digitlens.digits import CLASSES
from digitlens.errors import StorageError
from digitlens.server.answers import encode_png
from digitlens.server.http_errors import UnknownError
from digitlens.storage import make_folder, storage_errors, write_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.digits import Images
    from digitlens.server.schemas import OwnList


NAME = re.compile(r"[0-9a-f]{16}")

# What a person draws in years; a program that saves more is stopped.
MAX_DIGITS = 20_000


class UserDigits:
    """The digits that a lab's user has saved in `folder`, below the lab's folder `home`."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self._relative = folder.relative_to(home).as_posix()

    def names(self, label: int) -> list[str]:
        """Return the names of the digits with that label, in alphabetical order."""
        stems = (path.stem for path in self.folder.glob(f"{label}/*.png"))
        return sorted(stem for stem in stems if NAME.fullmatch(stem))

    def list_all(self) -> OwnList:
        """Return all names by label, and how to learn from the digits."""
        names = [self.names(label) for label in range(CLASSES)]
        return {
            "folder": self._relative,
            "count": sum(map(len, names)),
            "digits": [
                {"label": label, "count": len(result), "names": result}
                for label, result in enumerate(names)
            ],
            "train": f"digitlens train universal --from universal --data {self._relative}",
        }

    def save(self, digit: Images, label: int) -> str:
        """Save a digit, uint8 (28, 28), and return its name."""
        assert 0 <= label < CLASSES, "the request was checked"
        # Named by its pixels: the same digit saved twice is one file.
        name = hashlib.sha256(digit.tobytes()).hexdigest()[:16]
        folder = self.folder / str(label)
        make_folder(folder)
        path = folder / f"{name}.png"
        if not path.exists():
            write_bytes(path, encode_png(digit))
        return name

    def check_limit(self, n_more: int) -> None:
        """Raise StorageError where `n_more` digits would be more than `MAX_DIGITS`."""
        count = sum(len(self.names(label)) for label in range(CLASSES))
        if count + n_more > MAX_DIGITS:
            raise StorageError(
                f"{MAX_DIGITS:,} digits of your own are kept",
                seen=f"{count:,}",
                try_="remove some",
            )

    def read_png(self, label: int, name: str) -> bytes:
        """Return a saved digit as PNG; UnknownError where there is none of that name."""
        try:
            return self._path(label, name).read_bytes()
        except OSError as error:
            raise _unknown_digit(label, name) from error

    def delete(self, label: int, name: str) -> None:
        """Remove a saved digit.

        Raises UnknownError: there is none of that name; StorageError: it cannot be removed.
        """
        path = self._path(label, name)
        if not path.is_file():
            raise _unknown_digit(label, name)
        with storage_errors(path):
            path.unlink(missing_ok=True)
        try:
            path.parent.rmdir()  # an empty class folder is an error to load_digits
        except OSError:  # others are left
            return

    def _path(self, label: int, name: str) -> Path:
        """Return where a digit lies: a path of nothing but a label and a hash."""
        if not 0 <= label < CLASSES or not NAME.fullmatch(name):
            raise _unknown_digit(label, name)
        return self.folder / str(label) / f"{name}.png"


def _unknown_digit(label: int, name: str) -> UnknownError:
    return UnknownError(
        f"there is no digit {name[:32]!r} of yours with the label {label}",
        try_="/v1/own lists all",
    )
