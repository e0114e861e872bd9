"""Pictures of lines whose numbers are known: what people corrected, to learn from.

A folder with truth.csv, whose columns ``file`` and ``truth`` name each picture and its digits:
what ``digitlens mail corrections`` saves in its folder ``lines``.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlens.errors import DataError
from digitlens.imaging.binarize import to_gray
from digitlens.imaging.io import load_image
from digitlens.storage import read_file

TRUTH = "truth.csv"

HELD_BACK = 0.25  # share of the lines that only measure
MIN_LINES = 8  # from so many lines on some are held back
_SEED = 4  # fixed, so that every run on the same lines holds back the same


@dataclass(frozen=True, eq=False)
class LineFolder:
    """Lines of a folder: pictures, uint8 (H, W), and their digits."""

    train: list[tuple[NDArray[np.uint8], str]]
    validation: list[tuple[NDArray[np.uint8], str]]
    rejected: list[DataError]  # why pictures were left out
    hashes: dict[str, str]  # SHA-256 of truth.csv and the pictures, by the folder's name


def find_line_folder(source: object) -> Path | None:
    """Return the folder with truth.csv that `source` is, or has as ``lines``; or None."""
    if not isinstance(source, str | Path):
        return None
    folders = [Path(source), Path(source) / "lines"]
    return next((folder for folder in folders if (folder / TRUTH).is_file()), None)


def read_line_folder(folder: Path) -> LineFolder:
    """Read the lines of a folder, and hold a quarter back where there are eight.

    Raises DataError: truth.csv lacks a column, or no picture of it can be learnt from.
    """
    table = read_file(folder / TRUTH)
    try:
        rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    except (csv.Error, UnicodeError) as error:
        raise DataError(f"{folder / TRUTH} must be a CSV file", seen=str(error)) from error
    if rows and not {"file", "truth"} <= rows[0].keys():
        raise DataError(
            f"{folder / TRUTH} must have the columns file and truth",
            seen=", ".join(name or "(no name)" for name in rows[0]),
        )
    lines, rejected, digest = [], [], hashlib.sha256(table.content)
    for row in rows:
        truth = (row["truth"] or "").strip()
        try:
            if not (truth.isascii() and truth.isdigit()):
                raise DataError(f"{row['file']}: its truth must be digits", seen=repr(truth))
            path = folder / row["file"]
            lines.append((to_gray(load_image(path).pixels), truth))
            digest.update(read_file(path).content)
        except DataError as error:
            rejected.append(error)
    if not lines:
        raise DataError(
            f"{folder} must hold pictures of lines to learn from",
            seen=str(rejected[0]).splitlines()[0] if rejected else f"no row in {TRUTH}",
        )
    held = np.zeros(len(lines), np.bool_)
    if len(lines) >= MIN_LINES:
        order = np.random.default_rng(_SEED).permutation(len(lines))
        held[order[: int(HELD_BACK * len(lines))]] = True
    train, validation = (
        [line for line, mark in zip(lines, held, strict=True) if bool(mark) is wanted]
        for wanted in (False, True)
    )
    hashes = {folder.resolve().name: digest.hexdigest()}
    return LineFolder(train, validation, rejected, hashes)
