"""Lines and addresses that come from files: of another reader, of a list of addresses."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import DataError, MissingDataError
from digitlens.mail.candidates import rank_zip_lines
from digitlens.storage import read_file, readable_name

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
    try:
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
    except csv.Error as error:  # a field of more than 131,072 characters, a null byte
        seen = f"line {reader.line_num}: {error}"
        raise DataError(f"{path} must be a CSV file", seen=seen) from error


def read_lines(path: Path, folder: Path) -> Callable[[Path], Sequence[ZipCandidate]]:
    """Return a reader that looks lines up in a file that another reader wrote.

    The file is JSON Lines: ``{"piece": "a.png", "lines": [...]}``, each line as `Line.as_dict`
    writes it, each name below `folder`. `DataError` for a row that names no piece; and, from
    the reader, for a piece that is not in it, or whose row is wrong.
    """
    known: dict[str, Sequence[ZipCandidate]] = {}
    wrong: dict[str, MissingDataError] = {}
    text = read_file(path).content.decode("utf-8", "replace")
    for index, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        piece = None
        try:
            values = json.loads(row)
            piece = str(next(values[key] for key in PIECE_KEYS if key in values))
            known[piece] = rank_zip_lines([parse_line(item) for item in values["lines"]])
        except Exception as error:  # any: a row may hold anything
            fault = MissingDataError(
                f"{path}, line {index}: wanted a piece and its lines",
                seen=f"{type(error).__name__}: {error}",
                try_='{"piece": "a.png", "lines": [...]}, as digitlens writes lines',
            )
            if piece is None:  # whose row it was nobody can say
                raise fault from error
            wrong[piece] = fault

    def read(picture: Path) -> Sequence[ZipCandidate]:
        name = readable_name(picture.relative_to(folder.resolve()).as_posix())
        if name in wrong:
            raise wrong[name]
        if name not in known:
            raise MissingDataError(f"{path} has no lines of {name}")
        return known[name]

    return read


def parse_line(values: dict[str, Any]) -> Line:
    """Return the line that `Line.as_dict` wrote as `values`."""

    def parse_share(value: Any) -> float:
        share = float(value)
        if not 0 <= share <= 1:  # nor NaN
            raise ValueError(f"a confidence of {share}, which must be in 0..1")
        return share

    def parse_alternatives(of: dict[str, Any]) -> tuple[Alternative, ...]:
        return tuple(
            Alternative(str(item["text"]), parse_share(item["probability"]))
            for item in of.get("alternatives", [])
        )

    def parse_box(of: dict[str, Any]) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = map(float, of["box"])
        return x0, y0, x1, y1

    digits = tuple(
        LineDigit(
            str(item["text"]),
            parse_share(item["confidence"]),
            parse_box(item),
            parse_alternatives(item),
        )
        for item in values["digits"]
    )
    confidence = parse_share(values["confidence"])
    return Line(
        str(values["text"]), confidence, parse_box(values), digits, parse_alternatives(values)
    )
