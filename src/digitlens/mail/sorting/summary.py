"""What a run did and where everything lies: figures, words, pieces.csv and pieces.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from digitlens.mail.barcodes import IntelligentMail, encode_imb
from digitlens.mail.sorting.store import LISTING, find_source, parse_routing
from digitlens.mail.sorting.trays import REVIEW, UNSORTABLE
from digitlens.metrics.formatting import plural
from digitlens.storage import readable_name, write_csv, write_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan


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


def list_pieces(
    pieces: Iterable[sqlite3.Row],
    plan: SortPlan,
    directory: Directory,
    mailer: tuple[str, str, str],
) -> list[dict[str, Any]]:
    """Return a row for each piece, keys as in `COLUMNS`.

    ``decision`` is accepted, settled, review or unsortable; ``digits`` are the confidences of
    the digits as read. `mailer` is described in `Sorting`.
    """
    result = []
    for piece in pieces:
        routing = parse_routing(piece)
        place = directory.place(piece["zip"] or "")
        digits = (piece["zip"] or "") + piece["zip4"]
        result.append(
            {
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
                "plant": plan.find_plant(piece["tray"]) or None,
                "tray": piece["tray"],
                "file": f"{piece['tray']}/{piece['filed']}",
                "barcode": _make_barcode(mailer, piece["id"], digits) if digits else None,
                "person": piece["person"],
                "source": readable_name(str(find_source(piece))),
            }
        )
    return result


def _name_decision(piece: sqlite3.Row) -> str:
    if piece["tray"] in (REVIEW, UNSORTABLE):
        return str(piece["tray"])
    return "accepted" if piece["person"] is None else "settled"


def _make_barcode(mailer: tuple[str, str, str], number: int, digits: str) -> str:
    """Return the Intelligent Mail barcode of a piece; its number is the serial number."""
    identifier, service, name = mailer
    serial = number % 10 ** (MAILER_AND_SERIAL_DIGITS - len(name))
    return encode_imb(IntelligentMail.of(identifier, service, name, serial, digits))


def write_listing(out: Path, rows: list[dict[str, Any]], summary: SortSummary) -> None:
    """Write pieces.csv and pieces.json into `out`, each whole or not at all."""
    digits = (" ".join(f"{item:.4f}" for item in row["digits"]) for row in rows)
    cells = ((row | {"digits": item}).values() for row, item in zip(rows, digits, strict=True))
    write_csv(out / CSV, COLUMNS, map(tuple, cells))
    content = {"format": 1, "summary": summary.as_dict(), "pieces": rows}
    write_text(out / JSON, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
