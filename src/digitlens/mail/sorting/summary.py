"""What a run did, and what lies in the trays, in words and as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Summary:
    """The state of sorting after a run.

    Parameters
    ----------
    pieces
        All pieces in the state, those of earlier runs included.
    new
        Those that this run read.
    accepted, settled
        Pieces with a ZIP that the program accepted; that a person gave.
    waiting, unsortable
        Pieces in the review queue; pieces that a person gave up on.
    reasons
        How many pieces were sent to a person for which reason, waiting or settled.
    trays
        Pieces by tray.
    expected_errors
        How many of the accepted are wrong, as their probabilities say.
    seconds
        That this run took, for its new pieces.
    moved
        Pieces that this run moved because the plan had changed.
    would_move
        Pieces that lie elsewhere than the plan now says, and were left there.
    missing
        Pieces whose file is no longer in its folder, by folder; left as they are.
    changed
        Pictures that were changed after they had been sorted; not read again.
    copies
        Pieces that were copied because the disk took no link.
    """

    pieces: int
    new: int
    accepted: int
    settled: int
    waiting: int
    unsortable: int
    reasons: dict[str, int]
    trays: dict[str, int]
    expected_errors: float
    seconds: float
    moved: int = 0
    would_move: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    copies: int = 0

    @property
    def read_rate(self) -> float:
        """The share of all pieces that the program accepted, 0..1; 0.0 without pieces."""
        return self.accepted / self.pieces if self.pieces else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return {
            "pieces": self.pieces,
            "new": self.new,
            "accepted": self.accepted,
            "settled": self.settled,
            "waiting": self.waiting,
            "unsortable": self.unsortable,
            "read_rate": round(self.read_rate, 4),
            "expected_errors": round(self.expected_errors, 2),
            "reasons": self.reasons,
            "trays": self.trays,
            "moved": self.moved,
            "would_move": self.would_move,
            "missing": self.missing,
            "changed": self.changed,
            "copies": self.copies,
            "seconds": round(self.seconds, 2),
        }

    def lines(self) -> list[str]:
        """Return the summary in words.

        Examples
        --------
        >>> print(*Summary(4, 4, 3, 0, 1, 0, {"unsure": 1}, {"MA": 3}, 0.02, 1).lines()[1:3])
        3 read (75.0 %), of which 0.02 are expected to be wrong 1 waits for a person: unsure 1
        """
        said = [
            f"{_count(self.pieces, 'piece')}, {self.new:,} new",
            f"{self.accepted:,} read ({100 * self.read_rate:.1f} %), of which "
            f"{self.expected_errors:.2g} are expected to be wrong",
        ]
        if self.settled:
            said.append(f"{self.settled:,} settled by a person")
        if self.waiting:
            reasons = ", ".join(f"{name} {count:,}" for name, count in self.reasons.items())
            verb = "waits" if self.waiting == 1 else "wait"
            said.append(f"{self.waiting:,} {verb} for a person: {reasons}")
        if self.unsortable:
            said.append(f"{self.unsortable:,} unsortable")
        fullest = sorted(self.trays.items(), key=lambda each: -each[1])
        shown = ", ".join(f"{name} {count:,}" for name, count in fullest[:5])
        more = ", ..." if len(fullest) > 5 else ""
        said.append(f"{_count(len(fullest), 'tray')}: {shown}{more}" if fullest else "no trays")
        if self.new and self.seconds > 0:
            said.append(f"{self.new / self.seconds:.1f} pieces/s")
        return said

    def warnings(self) -> list[str]:
        """Return what a person should know, in words; empty where all is as it should be."""
        said = []
        if self.would_move:
            said.append(
                f"the plan has changed: {_count(self.would_move, 'sorted piece')} would now go "
                "to another tray; left where they are, --move moves them"
            )
        if self.missing:
            places = ", ".join(f"{name} {count:,}" for name, count in self.missing.items())
            said.append(
                f"{_count(sum(self.missing.values()), 'piece')} no longer in the tray: "
                f"{places}; --restore puts them back"
            )
        if self.changed:
            said.append(
                f"{_count(self.changed, 'picture')} changed after being sorted; not read again"
            )
        if self.copies:
            said.append(f"{_count(self.copies, 'piece')} copied, as no link could be made")
        return said


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
