"""A piece that is lent to a person, and what a person said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Task:
    """A piece that is lent to a person.

    Parameters
    ----------
    piece
        Its number.
    picture
        Its file in the review folder, or where it came from.
    name
        As it was called in the folder that was sorted.
    reason, why
        Why a person must look.
    guesses
        The likeliest ZIPs, as `Guess.as_dict` gives them: keys 1 to 3.
    text
        What the reader read.
    token
        Proves that the piece is lent to whoever has it.
    until
        When the loan ends, in seconds since 1970.
    """

    piece: int
    picture: Path
    name: str
    reason: str
    why: str
    guesses: tuple[dict[str, Any], ...]
    text: str
    token: str
    until: float


@dataclass(frozen=True)
class Correction:
    """What a person said of a piece: data to learn from.

    Parameters
    ----------
    picture
        Where the piece lies now.
    zip
        Five or nine digits; None where the person could not tell either.
    guesses, text
        What the program had thought.
    """

    piece: int
    picture: Path
    zip: str | None
    person: str
    at: float
    guesses: tuple[dict[str, Any], ...]
    text: str
