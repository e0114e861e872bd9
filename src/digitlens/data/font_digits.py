"""Digits of a folder of fonts: printed ones, school hands, people's hands, displays.

No font comes with digitlens. Put .ttf, .otf or .woff files into a folder, one folder a family
below it, and name it: ``DIGITLENS_DATA=folder``, or a folder ``fonts`` in it or in the cache.
``tools/fetch_fonts.py`` in the sources collects some three hundred families under open
licences. The digits of a family all go to one part, so validation and test show fonts that
were never trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlens.data.catalog import cache_path, describe_search, search_folders
from digitlens.data.split import RawDataset, set_aside_writers
from digitlens.digits import CLASSES, SIDE, Digits, Images
from digitlens.errors import DataError, MissingDataError
from digitlens.storage import read_file

NAME = "fonts"
SUFFIXES = (".ttf", ".otf", ".woff")
DISPLAYS = ("dseg", "segment")  # RawDataset of the names of families that show segments
DRAWING_SEED = 5  # decides how the digits of `read_fonts` are printed
REPEATS = 4  # so often `read_fonts` prints each digit of each face

# What nobody takes for a digit: no O, I, S, Z, B, D, G, P, T, Y, a, b, e, g, h, q.
SIGNS = "ACEFHKMNRVWXkmnvwx@#%+=*<"

# A character that no font has: it shows what stands for those that are lacking.
LACKING = "\uffff"


@dataclass(frozen=True)
class Face:
    """One font file: its path, its family (its folder) and that family's number."""

    path: Path
    family: str
    number: int

    @property
    def is_display(self) -> bool:
        """Whether it shows segments, of which some are unlit."""
        return any(part in self.path.as_posix().lower() for part in DISPLAYS)


def read_fonts() -> RawDataset:
    """Return the digits of all fonts, the family of each as its writer.

    Raises MissingDataError: there is no folder of fonts; DataError: a file in it is no font.
    """
    faces, hashes = read_faces()
    rng = np.random.default_rng(DRAWING_SEED)
    which = np.repeat(np.arange(len(faces)), REPEATS)
    images = print_digits([faces[i] for i in which], rng)
    labels = np.tile(np.arange(CLASSES, dtype=np.uint8), len(which))
    families = np.repeat([faces[i].number for i in which], CLASSES).astype(np.int64)
    one_group = np.zeros(len(labels), np.int64)
    printed = Digits(images, labels, writers=families)
    return RawDataset(NAME, printed, hashes, partitions=one_group)


def read_faces() -> tuple[list[Face], dict[str, str]]:
    """Return the fonts that have digits, by family, and one hash of all files.

    Raises MissingDataError: there is no folder of fonts; DataError: a file in it is no font.
    """
    from digitlens.synth.fonts import has_digits

    folder = find_folder()
    if folder is None:
        raise _missing()
    paths = [path for path in _font_files(folder) if has_digits(path)]
    if not paths:
        raise DataError(f"{folder} must hold fonts with the digits 0 to 9", seen="none of them")
    families = sorted({path.parent.name for path in paths})
    faces = [Face(path, path.parent.name, families.index(path.parent.name)) for path in paths]
    lines = [f"{read_file(path).sha256}  {path.relative_to(folder)}\n" for path in paths]
    return faces, {NAME: hashlib.sha256("".join(lines).encode()).hexdigest()}


def split_families(faces: Sequence[Face]) -> tuple[list[Face], list[Face]]:
    """Return the faces to learn from, and those of the fifth of the families held out.

    The families are those that `digitlens.data.split.split_data` sets aside.
    """
    aside = set_aside_writers(np.array([face.number for face in faces], np.int64))
    kept, held = list[Face](), list[Face]()
    for face, is_held in zip(faces, aside.tolist(), strict=True):
        (held if is_held else kept).append(face)
    return kept, held


def find_folder() -> Path | None:
    """Return the first folder with fonts: below or at the user's folders, else in the cache."""
    for folder in search_folders(NAME):
        if folder.is_dir() and _font_files(folder):
            return folder
    return None


def _font_files(folder: Path) -> list[Path]:
    """Return the font files at most four folders down, in the order of their names."""
    paths = [
        path
        for depth in ("*", "*/*", "*/*/*", "*/*/*/*")
        for path in folder.glob(depth)
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _missing() -> MissingDataError:
    return MissingDataError(
        "there must be a folder of fonts to draw digits from",
        seen="\n".join(describe_search(NAME, f"no {', '.join(SUFFIXES)} file")),
        try_=f"python tools/fetch_fonts.py {cache_path(NAME)}    in the sources;\n"
        "or set DIGITLENS_DATA to a folder of .ttf, .otf or .woff files",
    )


def print_digits(faces: Sequence[Face], rng: np.random.Generator) -> Images:
    """Print the digits 0 to 9 in each of `faces`, in turn: uint8 (10 N, 28, 28)."""
    from digitlens.synth.fonts import print_glyph, sample_print

    images = np.empty((len(faces) * CLASSES, SIDE, SIDE), np.uint8)
    for i, face in enumerate(faces):
        unlit = _glyph(face.path, "8") if face.is_display else None
        for label in range(CLASSES):
            ink = _glyph(face.path, str(label))
            how = sample_print(rng, display=face.is_display)
            images[CLASSES * i + label] = print_glyph(ink, how, unlit=unlit)
    return images


def print_signs(faces: Sequence[Face], rng: np.random.Generator) -> Images:
    """Print one sign that is no digit in each of `faces`: uint8 (M, 28, 28), M at most N.

    Displays are passed over, for their letters are those of other fonts only by name, and so
    is a sign that the face lacks: the box that stands for it could be a 0.
    """
    from digitlens.synth.fonts import print_glyph, sample_print

    images = []
    for face in faces:
        ink = _glyph(face.path, str(rng.choice(list(SIGNS))))
        lacking = np.array_equal(ink, _glyph(face.path, LACKING))
        if ink.size and not face.is_display and not lacking:
            images.append(print_glyph(ink, sample_print(rng)))
    return np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8)


@lru_cache(maxsize=20_000)
def _glyph(path: Path, text: str) -> NDArray[np.uint8]:
    from digitlens.synth.fonts import draw_text, open_font

    return draw_text(open_font(path), text)
