"""What goes in and comes out at /v1/mail, for the OpenAPI document; docs/api.md says more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from digitlens.lab.wishes import Strict

Token = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]

Part = Literal["whole", "line"]


class Claim(Strict):
    """Who wants a piece, and which they have."""

    person: str = Field(min_length=1, max_length=60)
    token: str = Field("", pattern="^([0-9a-f]{16})?$")
    after: int = Field(0, ge=0, lt=2**63)


class TakeBack(Strict):
    """Who takes an answer back, and the proof of what they have."""

    person: str = Field(min_length=1, max_length=60)
    token: str = Field("", pattern="^([0-9a-f]{16})?$")


class Loan(Strict):
    """The proof that a piece is lent."""

    token: Token


class Settlement(Loan):
    """What stands on a piece: five or nine digits, or null where nobody can tell."""

    zip: str | None = Field(max_length=10)
    unlisted: bool = False


class Queue(BaseModel):
    """How the work stands, in pieces."""

    waiting: int
    lent: int
    settled: int
    unsortable: int
    yours: int
    trays: dict[str, int]


class MailState(BaseModel):
    """Whether mail is reviewed here, and how the work stands."""

    open: bool
    folder: str | None
    queue: Queue | None
    how: list[str]


class MailPicture(BaseModel):
    """A piece's picture: its size, where its ZIP stands, and what is seen close."""

    width: int
    height: int
    box: list[float] | None
    view: list[int] | None


class MailTask(BaseModel):
    """A piece that is lent."""

    piece: int
    token: str
    seconds: float
    name: str
    reason: str | None
    why: str
    text: str
    guesses: list[dict[str, Any]]
    picture: MailPicture | None
    problem: str | None


class Claimed(BaseModel):
    """A piece, or null where nobody waits for a person."""

    task: MailTask | None
    queue: Queue


class Settled(BaseModel):
    """Where a piece went."""

    piece: int
    tray: str
    queue: Queue


class Lent(BaseModel):
    """For how long a piece is lent from now on."""

    piece: int
    seconds: float


class ZipPlace(BaseModel):
    """Where a ZIP is, and which tray it goes to."""

    zip: str
    listed: bool
    city: str | None
    state: str | None
    county: str | None
    tray: str


class MailCorrection(BaseModel):
    """What a person said of a piece, and what the program had thought."""

    piece: int
    picture: str | None
    zip: str | None
    person: str
    at: float
    text: str
    guesses: list[dict[str, Any]]
    box: list[float] | None
    boxes: list[list[float]]


class Corrections(BaseModel):
    """What people said, oldest first."""

    count: int
    first: int
    corrections: list[MailCorrection]
    save: str
