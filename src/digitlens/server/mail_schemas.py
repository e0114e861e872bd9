"""The shape of every body of /v1/mail, in and out; as in `digitlens.server.schemas`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict  # as in `digitlens.server.schemas`

from digitlens.server.schemas import Strict

Token = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]

Part = Literal["whole", "line"]


class Guess(TypedDict):
    """A ZIP that a line may say; without a city no such ZIP is known."""

    zip: str
    probability: float
    city: str | None
    state: str | None


class TrayGuess(Guess):
    """The same with the tray that it goes to."""

    tray: str


# Requests, then answers.
class TakeBack(Strict):
    """Who takes an answer back, and the proof of what they have."""

    person: str = Field(min_length=1, max_length=60)
    token: str = Field("", pattern="^([0-9a-f]{16})?$")


class Claim(TakeBack):
    """Who wants a piece, which they have, and how many seconds they wait for one."""

    after: int = Field(0, ge=0, lt=2**63)
    wait: float = Field(0.0, ge=0, le=30)


class Loan(Strict):
    """The proof that a piece is lent."""

    token: Token


class Settlement(Loan):
    """What stands on a piece: five or nine digits, or null where nobody can tell."""

    zip: str | None = Field(max_length=10)
    unlisted: bool = False


class Queue(TypedDict):
    """How the work stands, in pieces."""

    waiting: int
    lent: int
    settled: int
    unsortable: int
    yours: int
    trays: dict[str, int]


@dataclass(frozen=True)
class MailState:
    """Whether mail is reviewed here, and how the work stands."""

    open: bool
    folder: str | None
    queue: Queue | None
    how: list[str]


@dataclass(frozen=True)
class MailPicture:
    """A piece's picture: its size, where its ZIP stands, and what is seen close."""

    width: int
    height: int
    box: list[float] | None
    view: list[int] | None


@dataclass(frozen=True)
class MailTask:
    """A piece that is lent."""

    piece: int
    token: str
    seconds: float
    name: str
    reason: str | None
    why: str
    text: str
    guesses: list[TrayGuess]
    picture: MailPicture | None
    problem: str | None


@dataclass(frozen=True)
class Claimed:
    """A piece, or null where nobody waits for a person."""

    task: MailTask | None
    queue: Queue


@dataclass(frozen=True)
class Settled:
    """Where a piece went."""

    piece: int
    tray: str
    queue: Queue


@dataclass(frozen=True)
class Routed:
    """Where a piece of mail goes."""

    zip: str | None
    zip4: str | None
    probability: float
    reason: str | None
    why: str
    text: str
    guesses: list[Guess]
    tray: str | None
    plant: str | None
    barcode: str | None


@dataclass(frozen=True)
class SortedPiece:
    """A piece that was sent, and where it lies."""

    piece: int
    name: str
    new: bool
    decision: str
    zip: str | None
    zip4: str | None
    probability: float
    reason: str | None
    why: str
    text: str
    tray: str
    plant: str | None
    file: str
    barcode: str | None


@dataclass(frozen=True)
class Lent:
    """For how long a piece is lent from now on."""

    piece: int
    seconds: float


@dataclass(frozen=True)
class ZipPlace:
    """Where a ZIP is, and which tray it goes to."""

    zip: str
    listed: bool
    city: str | None
    state: str | None
    county: str | None
    tray: str


@dataclass(frozen=True)
class MailCorrection:
    """What a person said of a piece, and what the program had thought."""

    piece: int
    picture: str | None
    zip: str | None
    person: str
    at: float
    text: str
    guesses: list[TrayGuess]
    box: list[float] | None
    boxes: list[list[float]]


@dataclass(frozen=True)
class Corrections:
    """What people said, oldest first."""

    count: int
    first: int
    corrections: list[MailCorrection]
    save: str
