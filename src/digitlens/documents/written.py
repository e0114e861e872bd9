"""What was read as text, CSV and JSON; see docs/reading.md for each key and column."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.documents.job import Job, Result

FORMAT = 1
"""Another number when a key of the JSON or a column of the CSV changes its meaning."""

COLUMNS = (
    "file",
    "page",
    "field",
    "text",
    "confidence",
    "sure",
    "left",
    "top",
    "right",
    "bottom",
)

WIDTH = 12
"""Columns for a number in the text: longer ones push the rest aside."""


def text_of(result: Result, job: Job, width: int = 0) -> list[str]:
    """Return a row for each number of a page.

    Parameters
    ----------
    result
        Of the page; one that could not be read has no rows.
    job
        Says what is sure, and what fields are called.
    width
        Columns for the file's name.
    """
    named = max((len(wanted.name) for wanted in job.wanted), default=0)
    rows = []
    for at, line in enumerate(result.lines):
        field = f"{job.wanted[at].name:{named}}   " if job.wanted else ""
        text = line.text or "nothing"
        sure = "" if job.sure(line, at) else "   ? not sure"
        rows.append(
            f"{result.name:{width}}   {field}{text:{WIDTH}}   {_percent(line.confidence)}{sure}"
        )
    return rows


def _percent(confidence: float) -> str:
    # Rounding must not make a certainty of what no network is certain of.
    return f"{100 * confidence:6.2f} %" if confidence < 0.99995 else ">99.99 %"


def csv_head() -> str:
    """Return the names of the CSV's columns."""
    return _csv(COLUMNS)


def csv_of(result: Result, job: Job) -> list[str]:
    """Return a CSV row for each number of a page."""
    rows = []
    for at, line in enumerate(result.lines):
        field = job.wanted[at].name if job.wanted else ""
        sure = "true" if job.sure(line, at) else "false"
        edges = [f"{edge:.1f}" for edge in line.box]
        page = "" if result.number is None else result.number
        rows.append(
            _csv([result.file, page, field, line.text, f"{line.confidence:.6f}", sure, *edges])
        )
    return rows


def _csv(row: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def json_head(model: str, job: Job, max_error: float | None) -> str:
    """Return how the JSON begins: everything up to the first picture."""
    fields: list[str | None] = [wanted.name for wanted in job.wanted]
    bars = [
        {"field": field, "confidence": None if bar is None else round(bar, 6)}
        for field, bar in zip(fields or [None], job.bars, strict=True)
    ]
    head = {"format": FORMAT, "model": model, "max_error": max_error, "bars": bars}
    return _json(head)[:-1] + ', "pictures": ['


def json_tail(rejected: list[Result]) -> str:
    """Return how the JSON ends: what was rejected."""
    rows = [
        {"file": each.file, "page": each.number, "error": str(each.error)} for each in rejected
    ]
    return f'], "rejected": {_json(rows)}}}'


def json_of(result: Result, job: Job) -> str:
    """Return a page that was read as one line of JSON."""
    assert result.page is not None, "the page was read"
    known = result.page.as_dict()
    lines = [
        {"field": job.wanted[at].name if job.wanted else None, "sure": job.sure(line, at)}
        | _plain(each)
        for at, (line, each) in enumerate(
            zip(result.page.lines, known.pop("lines"), strict=True)
        )
    ]
    tables = [
        table | {"cells": [each and _plain(each) for each in table["cells"]]}
        for table in known.pop("tables")
    ]
    head = {"file": result.file, "page": result.number}
    return _json(head | known | {"lines": lines, "tables": tables})


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    """Leave out a line's own format: that of the whole covers it."""
    return {key: value for key, value in line.items() if key != "format"}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
