"""The parts of the benchmark, each kept when it was measured, so that one may be repeated."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A table, and what has to be known to read it.

    Parameters
    ----------
    table
        Markdown.
    notes
        Sentences.
    problem
        What could not be measured, and why; "" where all was.
    date
        Of the measurement.
    """

    table: str
    notes: list[str] = field(default_factory=list)
    problem: str = ""
    date: str = field(default_factory=lambda: time.strftime("%Y-%m-%d"))


def keep_part(home: Path, name: str, part: Part) -> None:
    """Write a part down, whole or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    new = home / f"{name}.new"
    new.write_text(json.dumps(asdict(part), indent=1), encoding="utf-8")
    new.replace(home / f"{name}.json")


def kept_part(home: Path, name: str) -> Part | None:
    """Return a part as it was measured last, None where it never was."""
    path = home / f"{name}.json"
    return Part(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def page(parts: Sequence[Part], machine: str) -> str:
    """Return all parts as one page of Markdown: tables first, then what belongs to them."""
    problems = [f"**NOT MEASURED: {part.problem}**" for part in parts if part.problem]
    dates = sorted({part.date for part in parts})
    notes = [note for part in parts for note in part.notes]
    last = f"{machine}; {' to '.join(sorted({dates[0], dates[-1]}))}."
    foot = "\n".join(f"- {note}" for note in (*notes, last))
    tables = [part.table for part in parts if part.table]
    return "\n\n".join([*problems, *tables, foot]) + "\n"
