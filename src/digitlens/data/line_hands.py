"""Whole hands to write lines with: the pen digits' writers, and fonts, in three parts.

Writers and families of the test parts of `read_world` are kept out here too, so a network of
digits and a reader of lines can be measured on the same strangers.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlens.data.font_digits import REPEATS, Face, read_faces
from digitlens.data.pen_digits import read_strokes
from digitlens.data.split import RawDataset, split_data
from digitlens.digits import CLASSES, SIDE, Digits, Indices, Labels
from digitlens.synth.hands import FACES, PEN, Hands, group_strokes


class LineHands(NamedTuple):
    """Hands to learn from, to choose by and to measure with, and the hashes of their files."""

    train: Hands
    validation: Hands
    test: Hands
    hashes: dict[str, str]


def hand_sources(kinds: Iterable[str]) -> list[str]:
    """Return the names of the sources that hands of these kinds are from.

    >>> hand_sources(("glyphs", "pen", "school"))
    ['pen', 'fonts']
    """
    wanted = set(kinds)
    return [name for name, some in (("pen", {PEN}), ("fonts", set(FACES))) if wanted & some]


def read_line_hands(kinds: Iterable[str], validation: float = 0.1) -> LineHands:
    """Return the hands of the kinds that a recipe names; no file is read for "glyphs".

    kinds: of `digitlens.synth.hands.KINDS`
    validation: share of the writers, and of the families, that is held back to choose by

    Raises MissingDataError: the pen digits or the fonts are not at hand.
    """
    wanted = set(kinds)
    writers, hashes = _read_writers(validation) if PEN in wanted else (([], [], []), {})
    faces: list[dict[str, list[list[Path]]]] = [{}, {}, {}]
    if wanted & set(FACES):
        faces, more = _read_faces(validation)
        faces = [{kind: part[kind] for kind in part if kind in wanted} for part in faces]
        hashes |= more
    train, held, test = (Hands(*pair) for pair in zip(writers, faces, strict=True))
    return LineHands(train, held, test, hashes)


def _read_writers(validation: float) -> tuple[tuple[list, list, list], dict[str, str]]:  # type: ignore[type-arg]
    digits, hashes = read_strokes()
    parts = []
    for writers in _split(digits.labels, digits.writers, validation):
        which = np.flatnonzero(np.isin(digits.writers, writers))
        strokes = [digits.strokes[index] for index in which]
        labels, numbers = digits.labels[which].tolist(), digits.writers[which].tolist()
        parts.append(group_strokes(strokes, labels, numbers))
    return (parts[0], parts[1], parts[2]), hashes


def _read_faces(
    validation: float,
) -> tuple[list[dict[str, list[list[Path]]]], dict[str, str]]:
    faces, hashes = read_faces()
    labels = np.tile(np.arange(CLASSES, dtype=np.uint8), len(faces) * REPEATS)
    families = np.repeat([face.number for face in faces], CLASSES * REPEATS)
    split = _split(labels, families.astype(np.int64), validation)
    return [_by_kind(faces, numbers) for numbers in split], hashes


def _split(
    labels: Labels, writers: Indices, validation: float
) -> tuple[Indices, Indices, Indices]:
    """Return the writers to learn from, to choose by and to measure with, by their numbers.

    They are those of `read_pen` and `read_fonts`; nothing is drawn to find them.
    """
    blank = Digits(np.zeros((len(labels), SIDE, SIDE), np.uint8), labels, writers=writers)
    parts = RawDataset("", blank, {}, partitions=np.zeros(len(labels), np.int64))
    split = split_data(parts, validation=validation, limit=None)
    train, held, test = (
        np.unique(part.writers) if part.writers is not None else np.zeros(0, np.int64)
        for part in (split.train, split.validation, split.test)
    )
    return train, held, test


# In the names of families whose digits are drawn as smiling heads: no meter shows them, and a
# figure for displays that they are half of says nothing about displays.
CARTOONS = ("seggchan",)


def _by_kind(faces: list[Face], numbers: Indices) -> dict[str, list[list[Path]]]:
    """Return the files of these families by kind; a folder that names no kind is of print."""
    result: dict[str, dict[int, list[Path]]] = {}
    for face in faces:
        cartoon = any(name in face.family.lower() for name in CARTOONS)
        if face.number in numbers and not cartoon:
            named = [part for part in face.path.parts if part in FACES]
            kind = named[-1] if named else "printed"
            result.setdefault(kind, {}).setdefault(face.number, []).append(face.path)
    return {kind: list(families.values()) for kind, families in sorted(result.items())}
