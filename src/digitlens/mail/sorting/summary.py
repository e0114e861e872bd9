"""What a run did and where everything lies: figures, words, pieces.csv and pieces.json."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from digitlens.mail.barcodes import IntelligentMail, encode_imb
from digitlens.mail.sorting.rows import LISTED, LISTING, REVIEW, UNSORTABLE, parse_routing
from digitlens.mail.sorting.trays import file_fingerprint
from digitlens.metrics.formatting import plural
from digitlens.storage import new_file, readable_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting.rows import Row
    from digitlens.mail.sorting.store import Store


CSV, JSON = "pieces.csv", LISTING

# The columns of pieces.csv, and the keys of each piece in pieces.json.
COLUMNS = (
    *("piece", "name", "decision", "zip", "zip4", "probability", "reason", "why", "text"),
    *("digits", "city", "state", "plant", "tray", "file", "barcode", "person", "source"),
)
# Digits of mailer and serial number together.
MAILER_AND_SERIAL_DIGITS = 15


@dataclass(frozen=True)
class SortSummary:
    """The state of sorting after a run."""

    # pieces, new: all pieces in the state, those of earlier runs included; those that this run
    # read
    pieces: int
    new: int
    # accepted, settled: pieces with a ZIP that the program accepted; that a person gave
    accepted: int
    settled: int
    # waiting, unsortable: pieces in the review queue; pieces that no person could read
    waiting: int
    unsortable: int
    # reasons, trays: pieces sent to a person by reason, waiting or settled; pieces by tray
    reasons: dict[str, int]
    trays: dict[str, int]
    # how many of the accepted are wrong, according to their probabilities
    expected_errors: float
    seconds: float  # that this run took for its new pieces
    # moved, would_move: pieces that this run moved because the plan had changed; that were left
    # elsewhere
    moved: int = 0
    would_move: int = 0
    # pieces whose file is no longer in its tray, by tray; left as they are
    missing: dict[str, int] = field(default_factory=dict)
    changed: int = 0  # pictures that were changed after they had been sorted; not read again
    copies: int = 0  # pieces that were copied because the disk took no link

    @property
    def read_rate(self) -> float:
        """The share of all pieces that the program accepted, 0..1; 0.0 without pieces."""
        return self.accepted / self.pieces if self.pieces else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        rounded = {
            "expected_errors": round(self.expected_errors, 2),
            "seconds": round(self.seconds, 2),
            "read_rate": round(self.read_rate, 4),
        }
        return asdict(self) | rounded

    def lines(self) -> list[str]:
        """Return the summary in words.

        >>> summary = SortSummary(4, 4, 3, 0, 1, 0, {"unsure": 1}, {"MA": 3}, 0.02, 1)
        >>> print(*summary.lines()[1:3])
        3 read (75.0 %), of which 0.02 are expected to be wrong 1 waits for a person: unsure 1
        """
        lines = [
            f"{plural(self.pieces, 'piece')}, {self.new:,} new",
            f"{self.accepted:,} read ({100 * self.read_rate:.1f} %), of which "
            f"{self.expected_errors:.2g} are expected to be wrong",
        ]
        if self.settled:
            lines.append(f"{self.settled:,} settled by a person")
        if self.waiting:
            verb = "waits" if self.waiting == 1 else "wait"
            lines.append(f"{self.waiting:,} {verb} for a person: {_list(self.reasons)}")
        if self.unsortable:
            lines.append(f"{self.unsortable:,} unsortable")
        fullest = sorted(self.trays.items(), key=lambda item: -item[1])
        if fullest:
            more = ", ..." if len(fullest) > 5 else ""
            lines.append(f"{plural(len(fullest), 'tray')}: {_list(dict(fullest[:5]))}{more}")
        else:
            lines.append("no trays")
        if self.new and self.seconds > 0:
            lines.append(f"{self.new / self.seconds:.1f} pieces/s")
        return lines

    def warnings(self) -> list[str]:
        """Return what a person should know, in words; empty where all is as it should be."""
        warnings = []
        if self.would_move:
            warnings.append(
                f"the plan has changed: {plural(self.would_move, 'sorted piece')} would now go "
                "to another tray; left where they are, --move moves them"
            )
        if self.missing:
            warnings.append(
                f"{plural(sum(self.missing.values()), 'piece')} no longer in the tray: "
                f"{_list(self.missing)}; --restore puts them back"
            )
        if self.changed:
            warnings.append(
                f"{plural(self.changed, 'picture')} changed after being sorted; not read again"
            )
        if self.copies:
            warnings.append(f"{plural(self.copies, 'piece')} copied, as no link could be made")
        return warnings


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def count_pieces(tally: Iterable[Row]) -> dict[str, Any]:
    """Return the figures of all pieces, as fields of `SortSummary`, from `Store.tally`."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    trays: Counter[str] = Counter()
    wrong = 0.0
    for row in tally:
        n, tray = row["n"], row["tray"]
        kinds = {REVIEW: "waiting", UNSORTABLE: "unsortable"}
        counts[kinds.get(tray, "settled" if row["by_person"] else "accepted")] += n
        counts["pieces"] += n
        if tray not in kinds:
            trays[tray] += n
        if row["reason"] is not None:
            reasons[row["reason"]] += n
        if row["has_zip"] and not row["by_person"]:
            wrong += row["wrong"]
    names = ("pieces", "accepted", "settled", "waiting", "unsortable")
    return {name: counts[name] for name in names} | {
        "reasons": dict(sorted(reasons.items())),
        "trays": dict(sorted(trays.items())),
        "expected_errors": float(wrong),
    }


@dataclass(frozen=True)
class Listing:
    """pieces.csv and pieces.json; `mailer` is described in `Sorting`."""

    plan: SortPlan
    directory: Directory
    mailer: tuple[str, str, str]

    def write(self, out: Path, store: Store, summary: SortSummary) -> None:
        """Write both into `out`, each whole or not at all, unless they say it all already."""
        paths = out / CSV, out / JSON
        state = self._describe_state(store, summary)

        def mark() -> str:
            return "\n".join([state, *map(file_fingerprint, paths)])

        if store.read_fact(LISTED) == mark():
            return
        # One walk over the rows writes both: a state of millions is not held in memory.
        with new_file(paths[0]) as (table, _), new_file(paths[1]) as (text, _):
            cells = io.TextIOWrapper(table, "utf-8", newline="", write_through=True)
            writer = csv.writer(cells, lineterminator="\n")
            writer.writerow(COLUMNS)
            about = {"format": 1, "summary": summary.as_dict()}
            head = json.dumps(about, indent=1, ensure_ascii=False)
            text.write((head[: -len("\n}")] + ',\n "pieces": [').encode())
            comma = ""
            for row in map(self.describe, store.pieces()):
                digits = " ".join(f"{item:.4f}" for item in row["digits"])
                writer.writerow((row | {"digits": digits}).values())
                text.write(f"{comma}\n  {_indent(row)}".encode())
                comma = ","
            text.write(b"\n ]\n}\n" if comma else b"]\n}\n")
            cells.detach()
        store.write_fact(LISTED, mark())

    def _describe_state(self, store: Store, summary: SortSummary) -> str:
        """Return a text that differs where the listing would, but for the times of runs."""
        places = map(self.directory.place, self.directory.zips)
        about = (COLUMNS, self.mailer, self.plan.plants, list(map(str, places)))
        seen = (summary.would_move, summary.missing, summary.changed)
        digest = hashlib.sha256(repr(about).encode()).hexdigest()
        return f"{store.counts('changes')} {digest} {seen}"

    def describe(self, piece: Row) -> dict[str, Any]:
        """Return a row of the listing, keys as in `COLUMNS`.

        ``decision`` is accepted, settled, review or unsortable; ``digits`` are the confidences
        of the digits as read.
        """
        routing = parse_routing(piece)
        place = self.directory.place(piece["zip"] or "")
        digits = (piece["zip"] or "") + piece["zip4"]
        return {
            "piece": piece["id"],
            "name": piece["name"],
            "decision": _name_decision(piece),
            "zip": piece["zip"],
            "zip4": f"{piece['zip']}-{piece['zip4']}" if piece["zip4"] else None,
            "probability": piece["probability"],
            "reason": piece["reason"],
            "why": routing["why"],
            "text": routing["text"],
            "digits": routing.get("digits", []),
            "city": place.city if place else None,
            "state": place.state if place else None,
            "plant": self.plan.find_plant(piece["tray"]) or None,
            "tray": piece["tray"],
            "file": f"{piece['tray']}/{piece['filed']}",
            "barcode": make_barcode(self.mailer, piece["id"], digits) if digits else None,
            "person": piece["person"],
            "source": readable_name(os.fsdecode(piece["source"])),
        }


def _indent(row: dict[str, Any]) -> str:
    """Return a row as JSON, as indented as `json.dumps` with indent=1 would two levels down.

    That is not written in C, and takes ten times as long.
    """
    digits = ",\n    ".join(map(repr, row["digits"]))
    digits = f"[\n    {digits}\n   ]" if digits else "[]"
    # The list stands deeper than the rest; no string has this key, as its quotes are escaped.
    text = _encode(row | {"digits": None})[1:-1].replace(
        '"digits": null', f'"digits": {digits}', 1
    )
    return f"{{\n   {text}\n  }}"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",\n   ", ": ")).encode


def _name_decision(piece: Row) -> str:
    if piece["tray"] in (REVIEW, UNSORTABLE):
        return str(piece["tray"])
    return "accepted" if piece["person"] is None else "settled"


def make_barcode(mailer: tuple[str, str, str], number: int, digits: str) -> str:
    """Return the Intelligent Mail barcode of a piece; its number is the serial number."""
    identifier, service, name = mailer
    serial = number % 10 ** (MAILER_AND_SERIAL_DIGITS - len(name))
    return encode_imb(IntelligentMail.of(identifier, service, name, serial, digits))
