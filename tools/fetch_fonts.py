"""Collect fonts under open licences in a folder, to draw digits from.

    python tools/fetch_fonts.py FOLDER [--only KIND]

FOLDER/KIND/FAMILY/ gets the regular and bold faces of each family of `fonts.toml` with their
licence, FOLDER/fonts.csv a line for each file. What is there already is not fetched again. The
families come from npm (``npm pack @fontsource/FAMILY``) and from Debian (``apt-get download``);
without one of the two programs, put font files into FOLDER/KIND/FAMILY/ by hand: that is all
that ``load_digits("fonts")`` needs.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("fonts.toml")
WEIGHTS = ("300", "400", "700")
SUFFIXES = (".ttf", ".otf", ".woff")


class UnavailableError(Exception):
    """A package could not be had."""


@dataclass(frozen=True)
class Package:
    """A family of fonts in a registry.

    Parameters
    ----------
    kind
        What its digits look like: the table of `fonts.toml`.
    name
        Of the package, without ``@fontsource/``.
    debian
        Whether it is one of Debian's.
    """

    kind: str
    name: str
    debian: bool


def main() -> int:
    """Fetch what is missing and write the list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", help="one kind of fonts.toml")
    options = parser.parse_args()
    failed = 0
    for package in read_table(TABLE):
        target = options.folder / package.kind / package.name
        if options.only not in (None, package.kind) or target.is_dir():
            continue
        try:
            fetch(package, target)
        except UnavailableError as error:
            failed += 1
            print(f"{package.name}: {error}", file=sys.stderr)  # noqa: T201
        else:
            print(target)  # noqa: T201
    write_list(options.folder)
    return 3 if failed else 0


def read_table(path: Path) -> list[Package]:
    """Return the families that `path` lists by kind."""
    kinds = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Package(kind, name, debian=source == "debian")
        for kind, sources in kinds.items()
        for source, names in sources.items()
        for name in names
    ]


def fetch(package: Package, target: Path) -> None:
    """Put a family's faces and licence into `target`: all of them or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as name:
        unpacked, ready = Path(name, "unpacked"), Path(name, "ready")
        unpacked.mkdir()
        ready.mkdir()
        if package.debian:
            _unpack_debian(package.name, unpacked)
        else:
            _unpack_npm(package.name, unpacked)
        faces = [path for path in sorted(unpacked.rglob("*")) if _is_wanted(path, package)]
        if not faces:
            raise UnavailableError("the package holds no face that fits")
        for path in faces:
            # Debian packs several families together: what stands before the dash names each.
            place = ready / path.stem.partition("-")[0] if package.debian else ready
            place.mkdir(exist_ok=True)
            shutil.copyfile(path, place / path.name)
        for path in _licences(unpacked):
            shutil.copyfile(path, ready / path.name)
        ready.replace(target)


def _unpack_npm(name: str, folder: Path) -> None:
    _run(["npm", "pack", "--silent", f"@fontsource/{name}"], folder)
    for archive in folder.glob("*.tgz"):
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")


def _unpack_debian(name: str, folder: Path) -> None:
    _run(["apt-get", "download", "-qq", name], folder)
    for archive in folder.glob("*.deb"):
        _run(["dpkg-deb", "-x", archive.name, "."], folder)


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)  # noqa: S603
    except FileNotFoundError as error:
        raise UnavailableError(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{' '.join(command)} failed") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{' '.join(command)} took over two minutes") from error


def _is_wanted(path: Path, package: Package) -> bool:
    if path.suffix.lower() not in SUFFIXES or path.is_symlink() or "Weather" in path.name:
        return False
    if package.debian:
        return True
    latin = f"{package.name}-latin-"
    return any(path.name == f"{latin}{weight}-normal.woff" for weight in WEIGHTS)


def _licences(folder: Path) -> list[Path]:
    names = ("LICENSE", "metadata.json", "copyright")
    return [path for path in sorted(folder.rglob("*")) if path.name in names]


def write_list(folder: Path) -> None:
    """Write FOLDER/fonts.csv: file, kind, family, licence, whose."""
    with (folder / "fonts.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "kind", "family", "licence", "whose"])
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                name = path.relative_to(folder)
                licence = read_licence(folder / Path(*name.parts[:2]))
                rows.writerow([name.as_posix(), name.parts[0], path.parent.name, *licence])


def read_licence(family: Path) -> tuple[str, str]:
    """Return the name of a family's licence and whose the font is, as far as they are told."""
    told = family / "metadata.json"
    seen = "see the file beside the font"
    if not told.is_file():
        return seen, seen
    licence = json.loads(told.read_text(encoding="utf-8")).get("license", seen)
    if isinstance(licence, str):
        return licence, seen
    return licence.get("type", seen), licence.get("attribution", seen)


if __name__ == "__main__":
    sys.exit(main())
