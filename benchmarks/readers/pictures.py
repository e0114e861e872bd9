"""What is read: strips that are generated, and real pictures from DIGITLENS_REAL."""

from __future__ import annotations

import csv
import hashlib
import math
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens import Digits
    from digitlens.synth import Style

STRIPS = ("clean", "ruled", "photo", "touching", "overlap")
"""Styles of `digitlens.synth` that strips are measured in."""

CHEQUES, FIVES = "cheque amounts", "cheque amounts of five digits"
PHOTOS, ENVELOPES, FORMS = "photos", "envelopes", "forms"
SINGLE, PRINTED, GRIDS, SUDOKU = "photos_single", "printed", "printed grids", "sudoku"
WANTED = (PHOTOS, ENVELOPES, FORMS)
"""Whole pictures that hold strings somebody wants."""

SETS = (*STRIPS, CHEQUES, FIVES, *WANTED, SINGLE, PRINTED, GRIDS, SUDOKU)
TEST_SEED, VALIDATION_SEED = 1, 2
ZIP = 5
ROW = 9


@dataclass(frozen=True)
class Task:
    """A picture to read.

    Parameters
    ----------
    group
        The set it belongs to, one of `SETS`.
    name
        Of the picture within the set.
    path
        Of the file.
    truth
        What stands in it: of a line one string, of a whole picture the wanted ones, in
        reading order; of a grid its rows, 0 = an empty cell.
    page
        Whether it is a whole picture; else one line.
    length
        Digits of the string where readers may be told.
    pixels
        Of a whole picture.
    """

    group: str
    name: str
    path: Path
    truth: tuple[str, ...]
    page: bool = False
    length: int | None = None
    pixels: int = 0

    @cached_property
    def digest(self) -> str:
        """What tells this picture from others."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]


def styles() -> dict[str, Style]:
    """Return the style of the generated lines for each set of lines.

    Validation lines of real cheques are generated ones in the style "cheque"; where five
    digits are promised, all have five.
    """
    from digitlens.synth import STYLES

    result = {name: STYLES[name] for name in STRIPS}
    result[CHEQUES] = STYLES["cheque"]
    result[FIVES] = replace(STYLES["cheque"], lengths=(ZIP, ZIP), usual=(ZIP, ZIP))
    return result


def strips(digits: Digits, group: str, count: int, seed: int, folder: Path) -> list[Task]:
    """Write `count` lines for a set of lines into PNG files; return the tasks to read them."""
    import cv2

    from digitlens.synth import synthesize_lines

    place = folder / group.replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    tasks = []
    lines = synthesize_lines(digits, count, seed=seed, style=styles()[group])
    for index, line in enumerate(lines):
        path = place / f"{index:04}.png"
        cv2.imwrite(str(path), line.image)
        length = ZIP if group == FIVES else None
        tasks.append(Task(group, path.name, path, (line.text,), length=length))
    return tasks


def validation_lines(groups: Sequence[str], count: int, folder: Path) -> dict[str, list[Task]]:
    """Return generated lines by writers of the validation part, for each set of lines."""
    from digitlens import load_digits

    digits = load_digits("mnist").validation
    kinds = [group for group in groups if group in (*STRIPS, CHEQUES, FIVES)]
    return {
        group: strips(digits, group, count, VALIDATION_SEED, folder / "validation")
        for group in kinds
    }


def measured_pictures(
    groups: Sequence[str], count: int, folder: Path, real: Path | None
) -> dict[str, list[Task]]:
    """Return the pictures of each set: strips of MNIST's test digits, and those in `real`.

    Raises
    ------
    SystemExit
        Real pictures are asked for and `real` is None, or holds none.
    """
    from digitlens import load_digits

    result: dict[str, list[Task]] = {}
    if set(groups) & set(STRIPS):
        digits = load_digits("mnist").test
        for group in (item for item in groups if item in STRIPS):
            result[group] = strips(digits, group, count, TEST_SEED, folder / "test")
    rest = [group for group in groups if group not in STRIPS]
    if rest and real is None:
        sys.exit("set DIGITLENS_REAL to the folder with real pictures, or read strips: --only")
    if rest and real is not None:
        every = [*cheques(real), *pages(real)]
        result |= {group: [task for task in every if task.group == group] for group in rest}
    return result


def cheques(real: Path) -> list[Task]:
    """Return the cheque amounts; those of five digits once more, with the length told."""
    folder = real / "strings_orand"
    rows = _rows(folder / "truth.csv")
    every = [Task(CHEQUES, row["file"], folder / row["file"], (row["truth"],)) for row in rows]
    fives = [task for task in every if len(task.truth[0]) == ZIP]
    return every + [replace(task, group=FIVES, length=ZIP) for task in fives]


def pages(real: Path) -> list[Task]:
    """Return the whole pictures."""
    return [
        Task(
            _group(row),
            row["file"],
            real / row["file"],
            tuple(row["truth"].split("|")),
            page=True,
            pixels=math.prod(int(side) for side in row["size"].split("x")),
        )
        for row in _rows(real / "truth.csv")
    ]


def _group(row: dict[str, str]) -> str:
    """Return the set of a row of truth.csv; printed grids are a set of their own."""
    folder = row["file"].split("/")[0]
    assert folder in SETS, "truth.csv names the folders that this benchmark knows"
    return GRIDS if folder == PRINTED and row["kind"].startswith("sudoku") else folder


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        sys.exit(f"DIGITLENS_REAL names no folder with {path.parent.name}/{path.name}")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
