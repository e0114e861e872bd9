"""Picture files and folders of them, for commands that read single digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from digitlens.ink import Framing

SUFFIXES = {
    ".bmp",
    ".gif",
    ".jpeg",
    ".jpg",
    ".pbm",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
}
"""By these names a folder's pictures are known; its other files are passed over."""


def expand(paths: Iterable[Path]) -> list[Path]:
    """Return files as they are named, and for each folder the pictures in it, by name.

    A folder without pictures stays in the list, to be told of where it is read. Hidden files
    and folders inside folders are passed over.
    """
    files: list[Path] = []
    for path in paths:
        inside = sorted(_pictures(path)) if path.is_dir() else []
        files += inside or [path]
    return files


def _pictures(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            yield path


def frame_file(path: Path) -> Framing:
    """Bring the digit in a picture file into MNIST's frame.

    Raises
    ------
    DataError
        It is a folder, cannot be opened, or shows no digit or several; see
        `digitlens.ink.frame_digit`.
    """
    from digitlens.ink import frame_steps

    if path.is_dir():
        raise DataError(
            f"{path} is a folder without pictures",
            try_="name one with PNG, JPEG, BMP, TIFF, GIF, WebP or PGM files in it",
        )
    return frame_steps(path)


def write_stages(framings: Iterable[tuple[Path, Framing]], folder: Path) -> int:
    """Write the steps of each framing as one PNG, named after its picture; return how many.

    Two pictures of one name get -2, -3 and so on behind it.

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    from digitlens.atomic import make_folder, write_bytes
    from digitlens.ink.strip import strip_png

    make_folder(folder)
    taken: set[str] = set()
    for path, framing in framings:
        name, count = path.stem, 1
        while name in taken:
            count += 1
            name = f"{path.stem}-{count}"
        taken.add(name)
        write_bytes(folder / f"{name}.png", strip_png(framing))
    return len(taken)
