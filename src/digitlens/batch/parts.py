"""The files that rows are kept in: JSON lines, CSV or Parquet, a part each."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from digitlens.batch.items import open_parquet
from digitlens.ocr.output import csv_cells
from digitlens.storage import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import IO

    Row = dict[str, Any]
    Columns = dict[str, str]


JSONL, CSV, PARQUET = "jsonl", "csv", "parquet"
FORMS = (JSONL, CSV, PARQUET)

# The kind of a row's error in JSON. Within a text its quotes would have backslashes.
_KIND = re.compile(rb'"kind": "([^"]*)"')


def encode_rows(rows: Sequence[Row], form: str, columns: Columns) -> bytes:
    """Return rows as the content of a file; the same rows give the same bytes."""
    if form == PARQUET:
        return _encode_parquet(rows, columns)
    text = io.StringIO()
    if form == CSV:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(csv_cells(row, columns) for row in rows)
    else:
        for row in rows:
            text.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
    return text.getvalue().encode("utf-8", "backslashreplace")


def _encode_parquet(rows: Sequence[Row], columns: Columns) -> bytes:
    import pyarrow
    from pyarrow import parquet

    types = {"bool": "bool_", "double": "float64"}
    schema = pyarrow.schema(
        [(name, getattr(pyarrow, types.get(kind, kind))()) for name, kind in columns.items()]
    )
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), file)
    return file.getvalue()


def count_rows(path: Path) -> tuple[int, Counter[str]]:
    """Return how many rows a part has, and how many of them are errors of each kind."""
    if path.suffix == ".parquet":
        kinds = open_parquet(path).read(columns=["kind"]).column("kind").to_pylist()
        return len(kinds), Counter(kind for kind in kinds if kind)
    content = read_file(path).content
    if path.suffix == ".jsonl":
        kinds = _KIND.findall(content)
        return content.count(b"\n"), Counter(kind.decode(errors="replace") for kind in kinds)
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    return len(rows) - 1, Counter(row[-1] for row in rows[1:] if row[-1])


def join_parts(paths: Iterable[Path], form: str, file: IO[bytes]) -> None:
    """Write the rows of all parts to `file`, one part at a time, in their order."""
    if form == PARQUET:
        _join_parquet(paths, file)
        return
    for index, path in enumerate(paths):
        content = read_file(path).content
        # Names of columns have no line end in them.
        start = content.index(b"\n") + 1 if form == CSV and index else 0
        file.write(content[start:])


def _join_parquet(paths: Iterable[Path], file: IO[bytes]) -> None:
    from pyarrow import parquet

    writer = None
    for path in paths:
        table = open_parquet(path).read()
        writer = writer or parquet.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
