"""Sample mail: a folder of envelopes, and a table that says what stands on each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.atomic import make_folder, write_bytes, write_text
from digitlens.errors import UsageError
from digitlens.mail.sample.digits import drawn_digits, mnist_at_hand
from digitlens.mail.sample.envelope import Envelope, draw_envelope
from digitlens.writing import ready
from digitlens.writing.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from digitlens.digits import Digits
    from digitlens.mail.directory import Directory
    from digitlens.writing import Glyphs

TRUTH = "truth.csv"
COLUMNS = (
    *("piece", "zip", "zip4", "city", "state", "name", "street", "sender_zip"),
    *("left", "top", "right", "bottom"),
)
"""Of truth.csv; the last four are the box of the receiver's ZIP in the picture."""

QUALITY = 90
"""Of the JPEG files: an envelope takes about 100 kB."""

MOST = 1_000_000


@dataclass(frozen=True)
class Sample:
    """A folder of sample mail.

    Parameters
    ----------
    folder
        Where it lies.
    pieces
        How many.
    digits
        What its digits are written with: "mnist test" or "drawn".
    """

    folder: Path
    pieces: int
    digits: str


def draw_mail(
    count: int,
    directory: Directory,
    *,
    digits: Digits | Glyphs | None = None,
    seed: int = 0,
) -> Iterator[Envelope]:
    """Draw envelopes; the first ones of many are those of few.

    Parameters
    ----------
    digits
        What ZIPs and house numbers are written with; None: the program draws them.
    """
    glyphs = ready(drawn_digits() if digits is None else digits)
    for at in range(count):
        yield draw_envelope(glyphs, Dice(np.random.default_rng([seed, at])), directory)


def choose_digits(wish: str) -> Digits:
    """Return the digits that mail is written with: "auto", "mnist" or "drawn".

    Raises
    ------
    UsageError
        Another word, or MNIST is wanted and does not lie on this machine.
    """
    if wish not in ("auto", "mnist", "drawn"):
        raise UsageError("digits are auto, mnist or drawn", seen=wish)
    found = mnist_at_hand() if wish != "drawn" else None
    if found is None and wish == "mnist":
        raise UsageError(
            "mail is to be written with MNIST's digits, and they are not on this machine",
            try_="digitlens data fetch mnist",
        )
    return drawn_digits() if found is None else found


def make_sample(
    count: int,
    out: Path,
    directory: Directory,
    *,
    seed: int = 0,
    digits: str = "auto",
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Sample:
    """Write `count` envelopes as JPEG files into `out`, and truth.csv when all are there.

    Parameters
    ----------
    digits
        "mnist", its test digits; "drawn", by the program; "auto", the first where at hand.
    force
        Write into a folder that holds sample mail already.

    Raises
    ------
    UsageError
        A count below 1, a folder with sample mail, or no MNIST where it is wanted.
    StorageError
        The disk is full, or the folder cannot be written.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"pieces of sample mail are 1 to {MOST:,}", seen=str(count))
    if seed < 0:
        raise UsageError("a seed is 0 or more", seen=str(seed))
    if (out / TRUTH).exists() and not force:
        raise UsageError(
            f"{out} holds sample mail already", try_="another folder, or --force to replace it"
        )
    chosen = choose_digits(digits)
    make_folder(out)
    rows = []
    for at, envelope in enumerate(draw_mail(count, directory, digits=chosen, seed=seed), 1):
        name = f"piece-{at:05d}.jpg"
        write_bytes(out / name, as_jpeg(envelope))
        rows.append(_row(name, envelope))
        if progress is not None:
            progress(at, count)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_text(out / TRUTH, text.getvalue())
    return Sample(out, count, chosen.source)


def as_jpeg(envelope: Envelope) -> bytes:
    """Return the picture of an envelope as a JPEG file."""
    bgr = np.ascontiguousarray(envelope.picture[..., ::-1])
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "every uint8 picture in colours can be encoded"
    return data.tobytes()


def _row(name: str, envelope: Envelope) -> list[str | int]:
    to, place = envelope.to, envelope.to.place
    return [
        name,
        place.zip,
        f"{place.zip}-{to.four}" if to.four else "",
        place.city,
        place.state,
        to.name,
        to.street,
        envelope.sender.place.zip if envelope.sender else "",
        *envelope.box,
    ]
