"""What a reader, in a process of its own, and the benchmark say to each other: JSON lines.

The reader speaks first, one `Hello`; then each `Request` gets one `Answer`, in order. What a
library prints goes to stderr, as stdout is the wire.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable


class Hello(TypedDict):
    """What a reader says of itself: versions by package."""

    versions: dict[str, str]


class Request(TypedDict):
    """A picture to read.

    Parameters
    ----------
    path
        Of the picture.
    page
        Whether it is a whole picture; else one line.
    length
        Digits that the wanted string has; None where that is not told.
    setting
        One of the reader's own settings; "" where it has none.
    """

    path: str
    page: bool
    length: int | None
    setting: str


class Piece(TypedDict):
    """A piece of text that was read.

    Parameters
    ----------
    text
        As the reader gave it, with all that is no digit.
    confidence
        0..1, the reader's own.
    box
        Left, top, right, bottom in pixels.
    parts
        0..1, of each character or word; empty where they are not known.
    """

    text: str
    confidence: float
    box: list[float]
    parts: list[float]


class Answer(TypedDict):
    """What was read in one picture.

    Parameters
    ----------
    pieces
        In the reader's order.
    bar
        The least confidence that the reader itself accepts at 1 % error; None where it has
        no such bar.
    cpu, wall
        Seconds of processor time, and of the clock, after the file was decoded.
    error
        What went wrong, "" if nothing.
    """

    pieces: list[Piece]
    bar: float | None
    cpu: float
    wall: float
    error: str


def serve(
    versions: dict[str, str],
    load: Callable[[str], Any],
    read: Callable[[Any, Request], list[Piece]],
    bar: Callable[[Request], float | None] = lambda _: None,
) -> None:
    """Answer requests from stdin until it ends.

    Parameters
    ----------
    versions
        For the greeting.
    load
        From a path to a picture; not timed.
    read
        From a picture to pieces; timed.
    bar
        The reader's own bar at 1 % error for such a request.
    """
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps(Hello(versions=versions)), file=wire, flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), load, read, bar)), file=wire, flush=True)


def _answer(
    request: Request,
    load: Callable[[str], Any],
    read: Callable[[Any, Request], list[Piece]],
    bar: Callable[[Request], float | None],
) -> Answer:
    pieces: list[Piece] = []
    error, cpu, wall = "", 0.0, 0.0
    try:
        picture = load(request["path"])
        wall, cpu = time.perf_counter(), time.process_time()
        pieces = read(picture, request)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    except Exception as problem:  # whatever it is, the other pictures are still read
        error, cpu, wall = f"{type(problem).__name__}: {problem}", 0.0, 0.0
    return Answer(pieces=pieces, bar=bar(request), cpu=cpu, wall=wall, error=error)
