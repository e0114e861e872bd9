"""pieces.csv and pieces.json: every piece, what was read and where it is."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from digitlens.mail.sorting.store import REVIEW, UNSORTABLE
from digitlens.storage import write_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan


CSV, JSON = "pieces.csv", "pieces.json"

COLUMNS = (
    *("piece", "name", "decision", "zip", "zip4", "probability", "reason", "why", "text"),
    *("digits", "city", "state", "plant", "tray", "file", "barcode", "person", "source"),
)
"""The columns of pieces.csv, and the keys of each piece in pieces.json."""


def rows_of(
    connection: sqlite3.Connection,
    plan: SortPlan,
    directory: Directory,
    bars: Callable[[int, str], str],
) -> list[dict[str, Any]]:
    """Return a row for each piece, keys as in `COLUMNS`.

    `bars` gives the bars of a barcode for a piece's number and the digits of its ZIP.
    ``decision`` is accepted, settled, review or unsortable; ``digits`` are the confidences of
    the digits as read.
    """
    result = []
    for row in connection.execute("SELECT * FROM pieces ORDER BY id"):
        routing = json.loads(row["routing"])
        place = directory.place(row["zip"] or "")
        digits = (row["zip"] or "") + row["zip4"]
        result.append(
            {
                "piece": row["id"],
                "name": row["name"],
                "decision": _decision(row),
                "zip": row["zip"],
                "zip4": f"{row['zip']}-{row['zip4']}" if row["zip4"] else None,
                "probability": row["probability"],
                "reason": row["reason"],
                "why": routing["why"],
                "text": routing["text"],
                "digits": routing.get("digits", []),
                "city": place.city if place else None,
                "state": place.state if place else None,
                "plant": plan.plant_of(row["tray"]) or None,
                "tray": row["tray"],
                "file": f"{row['tray']}/{row['filed']}",
                "barcode": bars(row["id"], digits) if digits else None,
                "person": row["person"],
                "source": row["source"],
            }
        )
    return result


def _decision(row: sqlite3.Row) -> str:
    if row["tray"] in (REVIEW, UNSORTABLE):
        return str(row["tray"])
    return "accepted" if row["person"] is None else "settled"


def write_listing(out: Path, rows: list[dict[str, Any]], summary: dict[str, Any]) -> None:
    """Write pieces.csv and pieces.json into `out`, each whole or not at all.

    Raises
    ------
    StorageError
        The disk is full, or the folder cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        digits = " ".join(f"{item:.4f}" for item in row["digits"])
        writer.writerow({**row, "digits": digits})
    write_text(out / CSV, text.getvalue())
    whole = {"format": 1, "summary": summary, "pieces": rows}
    write_text(out / JSON, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
