"""From what people said of mail to data: lines with their ZIP, and single digits.

What is taken must be true. A person names the ZIP of a piece, not what stands in the box that
the program looked at: that may be the sender's line. So a line is taken only where what was
read there differs little from what the person said, or holds it: then only that part, as
letters before a ZIP are read as digits too. Its digits are taken only where there is one box
for each and the difference is digits read wrongly, not digits shifted by one.

* What people said of pieces, and where the pictures of pieces lie.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DataError, MissingDataError, UsageError
from digitlens.geometry import enclosing_box, rotate_upright
from digitlens.imaging import frame_digit
from digitlens.imaging.crop import crop_with_margin
from digitlens.imaging.io import load_image
from digitlens.mail.sorting.lease import Correction, rotation_of
from digitlens.mail.sorting.store import FILE, open_store
from digitlens.storage import make_folder, write_bytes, write_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from digitlens.geometry import Box, Size


LINES, DIGITS, TRUTH = "lines", "digits", "truth.csv"

COLUMNS = ("file", "truth", "n_digits", "read", "piece", "person", "at")
"""Of truth.csv: the picture, its digits, how many; what was read, and who said so and when."""

ALIKE = 2
"""Digits in which what was read and what was said may differ, and still be one line."""

WIDEST = 1.5
"""Heights of its line that a digit may be wide: what is wider holds letters or two digits."""

MARGIN = 0.05
"""Paper about a line, as a share of its width: about a quarter of the height of five digits."""


@dataclass(frozen=True)
class SavedCorrections:
    """What was made of corrections.

    Parameters
    ----------
    corrections
        All of them.
    lines, digits
        How many were saved.
    unread
        Pieces that a person could not read either.
    other
        Pieces where what was read is not the line that the person named.
    unseen
        Pieces whose picture is gone or damaged.
    """

    corrections: int = 0
    lines: int = 0
    digits: int = 0
    unread: int = 0
    other: int = 0
    unseen: int = 0

    def plus(self, **more: int) -> SavedCorrections:
        """Return the same with so many more."""
        return replace(self, **{name: getattr(self, name) + more[name] for name in more})


@dataclass(frozen=True)
class CorrectedPart:
    """What was read of a line, or of a part of it, and where it stands.

    Parameters
    ----------
    read
        The digits.
    box, boxes
        Of all of it, and of each digit where they are known.
    """

    read: str
    box: Box
    boxes: tuple[Box, ...]

    @property
    def turn(self) -> int:
        """As `rotation_of` its digits."""
        return rotation_of(self.boxes)

    def upright(self, size: Size) -> CorrectedPart:
        """Return it as it stands on the picture, of this size, once that is turned."""
        box, *boxes = (
            rotate_upright(item, size, self.turn)[0] for item in (self.box, *self.boxes)
        )
        return replace(self, box=box, boxes=tuple(boxes))


def save_corrections(corrections: Iterable[Correction], out: Path) -> SavedCorrections:
    """Save lines and digits that people corrected, to learn and to measure with.

    ``out/lines`` gets a picture of each line and truth.csv, ``out/digits`` the single digits
    in MNIST's frame as class folders, which `load_digits` reads and ``digitlens train cnn
    --from cnn --data`` learns from. Done again, it saves the same under the same names.

    Raises
    ------
    StorageError
        They cannot be written.
    """
    saved, rows = SavedCorrections(), []
    for item in corrections:
        saved = saved.plus(corrections=1)
        if item.zip is None:
            saved = saved.plus(unread=1)
            continue
        part = part_of(item, item.zip)
        if part is None:
            saved = saved.plus(other=1)
            continue
        try:
            pixels = load_image(item.picture).pixels
            size = pixels.shape[1], pixels.shape[0]
            pixels, part = np.rot90(pixels, part.turn // 90), part.upright(size)
            line = crop_with_margin(pixels, part.box, MARGIN)
        except (DataError, UsageError):  # gone, damaged, or another picture by now
            saved = saved.plus(unseen=1)
            continue
        name = f"{item.piece:06d}.png"
        _write(out / LINES / name, line)
        rows.append(_row(item, item.zip, part, name))
        digits = _digits(item.piece, item.zip, part, pixels, out / DIGITS)
        saved = saved.plus(lines=1, digits=digits)
    if rows:
        write_text(out / LINES / TRUTH, _table(rows))
    return saved


def part_of(told: Correction, said: str) -> CorrectedPart | None:
    """Return the part of the line that was read which is what the person said; or None."""
    if told.box is None:
        return None
    part = CorrectedPart(told.text, told.box, told.boxes)
    if told.text.count(said) == 1 and len(told.boxes) == len(told.text) > len(said):
        first = told.text.index(said)
        boxes = told.boxes[first : first + len(said)]
        part = CorrectedPart(said, enclosing_box(boxes), boxes)
    # Along the line and across it, whichever way up the piece lies.
    across, along = (0, 1) if part.turn % 180 else (1, 0)
    tall = part.box[across + 2] - part.box[across]
    width = max((box[along + 2] - box[along] for box in part.boxes), default=0.0)
    alike = edit_distance(part.read, said) <= ALIKE
    return part if alike and width <= WIDEST * tall else None


def in_place(read: str, said: str) -> bool:
    """Say whether digits were read wrongly, each in its place, and none missed or added.

    Examples
    --------
    >>> in_place("02134", "02184"), in_place("02134", "21345"), in_place("0213", "02134")
    (True, False, False)
    """
    if len(read) != len(said):
        return False
    wrong = sum(one != other for one, other in zip(read, said, strict=True))
    return wrong <= ALIKE and wrong == edit_distance(read, said)


def edit_distance(one: str, other: str) -> int:
    """Return how many digits must be changed, added or taken out (Levenshtein's distance).

    Examples
    --------
    >>> edit_distance("02134", "2134"), edit_distance("02134", "02184")
    (1, 1)
    """
    row = list(range(len(other) + 1))
    for index, mine in enumerate(one, 1):
        before, row[0] = row[0], index
        for place, theirs in enumerate(other, 1):
            change = before + (mine != theirs)
            before = row[place]
            row[place] = min(change, before + 1, row[place - 1] + 1)
    return row[-1]


def _digits(
    piece: int, said: str, part: CorrectedPart, pixels: NDArray[np.uint8], out: Path
) -> int:
    """Save the single digits of a line, where it is clear which box holds which; count them."""
    if len(part.boxes) != len(said) or not in_place(part.read, said):
        return 0
    count = 0
    for index, (label, box) in enumerate(zip(said, part.boxes, strict=True), 1):
        try:
            digit = frame_digit(crop_with_margin(pixels, box))
        except (DataError, UsageError):  # bare paper, or a neighbour's strokes
            continue
        _write(out / label / f"{piece:06d}-{index}.png", digit)
        count += 1
    return count


def _row(item: Correction, said: str, part: CorrectedPart, name: str) -> dict[str, Any]:
    return dict(
        zip(
            COLUMNS,
            (name, said, len(said), part.read, item.piece, item.person, round(item.at)),
            strict=True,
        )
    )


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    from PIL import Image

    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "PNG")
    make_folder(path.parent)
    write_bytes(path, into.getvalue())


def corrections_in(out: Path) -> Iterator[Correction]:
    """Walk over everything that people settled of the trays in `out`, oldest first.

    Raises
    ------
    MissingDataError
        Nothing was sorted into `out`.
    """
    check_sorted(out)
    with open_store(out) as connection:
        rows = connection.execute(
            "SELECT pieces.*, corrections.zip AS said, corrections.person AS who,"
            " corrections.at AS settled FROM corrections"
            " JOIN pieces ON pieces.id = corrections.piece ORDER BY corrections.id"
        ).fetchall()
    for row in rows:
        yield Correction.of(row, picture_of(out, row))


def picture_of(out: Path, row: sqlite3.Row) -> Path:
    """Return where a piece's picture lies: in its folder, or where it came from."""
    filed = out / row["tray"] / row["filed"]
    return filed if filed.exists() else Path(row["source"])


def check_sorted(out: Path) -> None:
    """See that there is a state of sorting.

    Raises
    ------
    MissingDataError
        There is none.
    """
    if not (out / FILE).is_file():
        raise MissingDataError(
            f"nothing was sorted into {out}", try_=f"digitlens route FOLDER --out {out}"
        )
