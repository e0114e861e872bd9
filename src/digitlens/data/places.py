"""Where a published collection may lie on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlens.data.published import File, Published

VARIABLE = "DIGITLENS_DATA"
"""The environment variable that names the user's own folder of data."""


@dataclass(frozen=True)
class Place:
    """A folder that was looked into.

    Parameters
    ----------
    what
        What messages call it.
    folder
        Where it is; None when it was not named.
    """

    what: str
    folder: Path | None


def own_places(published: Published) -> list[Place]:
    """Return the folders that the user named: DIGITLENS_DATA/<name>, and itself for MNIST.

    Only MNIST may lie in the folder itself: Fashion-MNIST's files have the same names.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return [Place(f"${VARIABLE}", None)]
    folder = Path(named).expanduser()
    places = [Place(f"${VARIABLE}/{published.name}", folder / published.name)]
    if published.name == "mnist":
        places.insert(0, Place(f"${VARIABLE}", folder))
    return places


def cache(published: Published) -> Place:
    """Return the folder that downloads are kept in; it need not be there yet."""
    import platformdirs  # loaded only when the user's own folder holds no data

    return Place("the cache", Path(platformdirs.user_cache_dir("digitlens")) / published.name)


def find(files: tuple[File, ...], folder: Path) -> list[Path | None]:
    """Return where each file lies in `folder`, packed or unpacked, or None."""
    found: list[Path | None] = []
    for file in files:
        candidates = (folder / file.name, folder / file.unpacked_name)
        found.append(next((path for path in candidates if path.is_file()), None))
    return found


def is_here(published: Published) -> bool:
    """Say whether a collection's files lie on this machine; none is opened or fetched."""
    folders = [place.folder for place in (*own_places(published), cache(published))]
    return any(folder is not None and all(find(published.files, folder)) for folder in folders)


def describe(place: Place, published: Published) -> str:
    """Return in words why the collection cannot be read from `place`."""
    if place.folder is None:
        return f"{place.what} is not set"
    where = f"{place.what}, {place.folder}"
    if not place.folder.is_dir():
        return f"{where}: no such folder"
    found = find(published.files, place.folder)
    missing = [file.name for file, path in zip(published.files, found, strict=True) if not path]
    if len(missing) == len(published.files):
        return f"{where}: none of the four files"
    return f"{where}: without {', '.join(missing)}"
