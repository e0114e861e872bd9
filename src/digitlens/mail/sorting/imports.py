"""Lines and addresses that come from files: of another reader, of a list of addresses."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import DataError
from digitlens.mail.candidates import rank_zip_lines
from digitlens.storage import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from digitlens.mail.candidates import ZipCandidate


# A column or key with one of these names says which piece a row is about.
PIECE_KEYS = ("piece", "file", "name")


def read_addresses(path: Path) -> dict[str, tuple[str | None, str | None]]:
    """Return city and state by the piece's name, from a CSV file.

    The file has a column ``piece`` (or ``file`` or ``name``) and ``city``, ``state`` or both;
    other columns are ignored, so that the truth.csv of sample mail works.
    """
    # Spreadsheets write a byte order mark.
    text = read_file(path).content.decode("utf-8-sig", "replace")
    reader = csv.DictReader(io.StringIO(text))
    columns = reader.fieldnames or []
    named = next((name for name in PIECE_KEYS if name in columns), None)
    if named is None or not {"city", "state"} & {*columns}:
        raise DataError(
            f"{path} must have the columns piece, city and state", seen=", ".join(columns)
        )
    return {
        row[named]: (row.get("city") or None, row.get("state") or None)
        for row in reader
        if row[named]
    }


def read_lines(path: Path, folder: Path) -> Callable[[Path], Sequence[ZipCandidate]]:
    """Return a reader that looks lines up in a file that another reader wrote.

    The file is JSON Lines: ``{"piece": "a.png", "lines": [...]}``, each line as `Line.as_dict`
    writes it, each name below `folder`. `DataError` for a wrong row in it; and, from the
    reader, for a piece that is not in it.
    """
    known: dict[str, Sequence[ZipCandidate]] = {}
    text = read_file(path).content.decode("utf-8", "replace")
    for index, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            values = json.loads(row)
            piece = next(values[key] for key in PIECE_KEYS if key in values)
            known[str(piece)] = rank_zip_lines([parse_line(item) for item in values["lines"]])
        except (ValueError, KeyError, TypeError, StopIteration, AssertionError) as error:
            raise DataError(
                f"{path}, line {index}: wanted a piece and its lines",
                seen=f"{type(error).__name__}: {error}",
                try_='{"piece": "a.png", "lines": [...]}, as digitlens writes lines',
            ) from error

    def read(picture: Path) -> Sequence[ZipCandidate]:
        name = picture.relative_to(folder.resolve()).as_posix()
        if name not in known:
            raise DataError(f"{path} has no lines of {name}")
        return known[name]

    return read


def parse_line(values: dict[str, Any]) -> Line:
    """Return the line that `Line.as_dict` wrote as `values`."""

    def parse_alternatives(of: dict[str, Any]) -> tuple[Alternative, ...]:
        return tuple(
            Alternative(str(item["text"]), float(item["probability"]))
            for item in of.get("alternatives", [])
        )

    def parse_box(of: dict[str, Any]) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = map(float, of["box"])
        return x0, y0, x1, y1

    digits = tuple(
        LineDigit(
            str(item["text"]),
            float(item["confidence"]),
            parse_box(item),
            parse_alternatives(item),
        )
        for item in values["digits"]
    )
    confidence = float(values["confidence"])
    return Line(
        str(values["text"]), confidence, parse_box(values), digits, parse_alternatives(values)
    )
