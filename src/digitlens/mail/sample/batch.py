"""Sample mail: a folder of envelopes, and a table that says what stands on each.

ZIPs are written with MNIST's test digits where they are on this machine, else with digits that
the program draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.digits import SIDE, Digits
from digitlens.errors import StorageError, UsageError
from digitlens.mail.sample.address import CAPITAL, find_strokes, round_stroke
from digitlens.mail.sample.envelope import Envelope, draw_envelope
from digitlens.storage import make_folder, write_bytes, write_csv
from digitlens.synth import prepare_glyphs
from digitlens.synth.random import Random
from digitlens.synth.strokes import draw_strokes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from digitlens.geometry import Gray
    from digitlens.mail.directory import Directory
    from digitlens.synth import Glyphs


# MNIST's digits have their longer side at 20 pixels, their centre of mass in the middle.
DIGIT_SIZE = 20
# Digits are drawn this many times larger first: MNIST's edges are soft.
ZOOM = 4


def load_local_mnist() -> Digits | None:
    """Return MNIST's test digits where its four files lie on this machine, else None.

    Nothing is downloaded. Readers are trained on the training digits: mail written with
    those would look easier than it is.
    """
    from digitlens.data import load_digits
    from digitlens.data.catalog import MNIST, find_collection

    if find_collection(MNIST) is None:
        return None
    return load_digits("mnist", validation=0.0).test


def draw_digits(n_writers: int = 40, *, seed: int = 0) -> Digits:
    """Draw digits with a pen: three of each class by each of `n_writers` writers, at least 1.

    >>> draw_digits(2).counts.tolist()
    [6, 6, 6, 6, 6, 6, 6, 6, 6, 6]
    """
    images, labels, writers = [], [], []
    for writer in range(n_writers):
        # A writer has a slant, a width, a pen, and lines that stray more or less.
        rng = Random(np.random.default_rng([seed, writer]))
        slant, width = rng.normal(0.12, 0.18), rng.uniform(0.75, 1.1)
        pen, habit = rng.uniform(1.6, 3.2), rng.uniform(0.01, 0.05)
        for label in [*range(10)] * 3:
            images.append(_draw_digit(rng, label, (slant, width, pen, habit)))
            labels.append(label)
            writers.append(writer)
    return Digits(
        np.stack(images),
        np.array(labels, np.uint8),
        source="drawn",
        writers=np.array(writers, np.int64),
    )


def _draw_digit(rng: Random, label: int, style: tuple[float, float, float, float]) -> Gray:
    slant, width, pen, stray = style
    side, unit = ZOOM * SIDE, ZOOM * DIGIT_SIZE / CAPITAL
    ink = np.zeros((side, side), np.uint8)
    for stroke in find_strokes(str(label)):
        points = []
        for x, y, corner in stroke:
            across = x * unit * 0.85 * width + rng.normal(0, stray) * unit * CAPITAL
            up = (y - CAPITAL / 2) * unit * 0.92 + rng.normal(0, stray) * unit * CAPITAL
            points.append((side / 4 + across + slant * up, side / 2 - up, corner))
        draw_strokes(ink, round_stroke(points), ZOOM * pen)
    # One seven in seven has a stroke through it.
    if label == 7 and rng.bernoulli(0.15):
        middle = side / 2 - 0.05 * side
        draw_strokes(ink, [(side * 0.4, middle), (side * 0.66, middle - 3)], ZOOM * pen)
    return _center(ink)


def _center(ink: Gray) -> Gray:
    """Bring the ink to MNIST's frame: the longer side 20 pixels, its mass in the middle."""
    left, top, across, height = cv2.boundingRect(ink)
    scale = DIGIT_SIZE / max(across, height)
    size = max(1, round(across * scale)), max(1, round(height * scale))
    cut = ink[top : top + height, left : left + across]
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    # Center of mass in the middle, as far as the frame allows.
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    mass = small.sum()
    x = round(SIDE / 2 - float((small * columns).sum() / mass) - 0.5)
    y = round(SIDE / 2 - float((small * rows).sum() / mass) - 0.5)
    x, y = min(max(x, 0), SIDE - size[0]), min(max(y, 0), SIDE - size[1])
    result = np.zeros((SIDE, SIDE), np.uint8)
    result[y : y + size[1], x : x + size[0]] = small.round()
    return result


TRUTH = "truth.csv"
# The columns of truth.csv; the last four are the box of the receiver's ZIP in the picture.
COLUMNS = (
    *("piece", "zip", "zip4", "city", "state", "name", "street", "sender_zip"),
    *("left", "top", "right", "bottom"),
)
# The quality of the JPEG files: an envelope takes about 100 kB.
JPEG_QUALITY = 90

MAX_PIECES = 1_000_000


@dataclass(frozen=True)
class SampleMail:
    """A folder of sample mail, how many pieces, and where their digits come from."""

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
    """Draw envelopes; a smaller `count` gives the first ones of a larger.

    `digits` are what ZIPs and house numbers are written with; None: the program draws them.
    """
    glyphs = prepare_glyphs(draw_digits() if digits is None else digits)
    for index in range(count):
        yield draw_envelope(glyphs, Random(np.random.default_rng([seed, index])), directory)


def choose_digits(name: str) -> Digits:
    """Return the digits that mail is written with: "auto", "mnist" or "drawn"."""
    if name not in ("auto", "mnist", "drawn"):
        raise UsageError("digits are auto, mnist or drawn", seen=name)
    result = load_local_mnist() if name != "drawn" else None
    if result is None and name == "mnist":
        raise UsageError(
            "mail is to be written with MNIST's digits, and they are not on this machine",
            try_="digitlens data fetch mnist",
        )
    return draw_digits() if result is None else result


def make_sample(
    count: int,
    out: Path,
    directory: Directory,
    *,
    seed: int = 0,
    digits: str = "auto",
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SampleMail:
    """Write `count` envelopes as JPEG files into `out`, and truth.csv when all are there.

    `digits` are "mnist", its test digits; "drawn", by the program; or "auto", the first where
    at hand. `force` writes into a folder that holds mail already. Raises `UsageError` for a
    count below 1, or no MNIST where it is wanted; `StorageError` for such a folder, where the
    disk is full, or the folder cannot be written.
    """
    if not 1 <= count <= MAX_PIECES:
        raise UsageError(f"pieces of sample mail are 1 to {MAX_PIECES:,}", seen=str(count))
    if seed < 0:
        raise UsageError("a seed is 0 or more", seen=str(seed))
    there = sorted(path.name for path in out.glob("piece-*.jpg"))
    if (there or (out / TRUTH).exists()) and not force:
        raise StorageError(
            f"{out} holds pieces of mail already",
            seen=f"{', '.join(there[:3])}{' ...' if there[3:] else ''}" if there else TRUTH,
            try_="another folder, or --force to replace what has the same name",
        )
    chosen = choose_digits(digits)
    make_folder(out)
    rows = []
    for index, envelope in enumerate(draw_mail(count, directory, digits=chosen, seed=seed), 1):
        name = f"piece-{index:05d}.jpg"
        write_bytes(out / name, encode_jpeg(envelope))
        rows.append(_describe(name, envelope))
        if progress is not None:
            progress(index, count)
    write_csv(out / TRUTH, COLUMNS, rows)
    return SampleMail(out, count, chosen.source)


def encode_jpeg(envelope: Envelope) -> bytes:
    """Return the picture of an envelope as a JPEG file."""
    bgr = np.ascontiguousarray(envelope.picture[..., ::-1])
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "every uint8 picture in colours can be encoded"
    return data.tobytes()


def _describe(name: str, envelope: Envelope) -> list[str | int]:
    to, place = envelope.to, envelope.to.place
    return [
        name,
        place.zip,
        f"{place.zip}-{to.plus4}" if to.plus4 else "",
        place.city,
        place.state,
        to.name,
        to.street,
        envelope.sender.place.zip if envelope.sender else "",
        *envelope.box,
    ]
