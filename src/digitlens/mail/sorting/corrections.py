"""From what people said of mail to data: lines with their ZIP, and single digits.

What is saved must be true. A person names the ZIP of a piece, not what stands in the box that
the program looked at: that may be the sender's line. So a line is saved only where what was
read there differs little from what the person said, or contains it: then only that part, as
letters before a ZIP are read as digits too. Its digits are saved only where there is one box
for each and the difference is digits read wrongly, not digits shifted by one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import DataError, UsageError
from digitlens.geometry import enclosing_box, rotate_upright
from digitlens.imaging import frame_digit
from digitlens.imaging.crop import crop_with_margin
from digitlens.imaging.io import encode_png, load_image
from digitlens.mail.sorting.review import find_rotation
from digitlens.storage import make_folder, write_bytes, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.geometry import Box, Size
    from digitlens.mail.sorting.review import Correction


LINES, DIGITS, TRUTH = "lines", "digits", "truth.csv"

# The columns of truth.csv: the picture, its digits and their number; what the program read; the
# piece; who corrected it, and when.
COLUMNS = ("file", "truth", "n_digits", "read", "piece", "person", "at")
# In how many digits what was read may differ from what was said, and still be the same line.
MAX_EDITS = 2
# The widest box of a digit, in heights of its line: a wider one holds letters or two digits.
MAX_DIGIT_WIDTH = 1.5
# The paper around a line that is saved with it, as a share of its width: about a quarter of the
# height of five digits.
LINE_MARGIN = 0.05


@dataclass(frozen=True)
class SavedCorrections:
    """What became of corrections: all of them, and the lines and digits that were saved.

    Left out are pieces that a person could not read either (`unread`), where what was read is
    not the line that the person named (`other`), and whose picture is gone or damaged
    (`unseen`).
    """

    corrections: int = 0
    lines: int = 0
    digits: int = 0
    unread: int = 0
    other: int = 0
    unseen: int = 0


@dataclass(frozen=True)
class CorrectedPart:
    """What was read of a line, or of a part of it, and where it stands.

    `box` is that of all of it, `boxes` those of each digit where they are known.
    """

    read: str
    box: Box
    boxes: tuple[Box, ...]

    @property
    def rotation(self) -> int:
        """Degrees by which the picture must be rotated for the digits to run to the right."""
        return find_rotation(self.boxes)

    def rotate(self, size: Size) -> CorrectedPart:
        """Return it as it stands on the picture of this size once that is upright."""
        box, *boxes = (
            rotate_upright(item, size, self.rotation)[0] for item in (self.box, *self.boxes)
        )
        return replace(self, box=box, boxes=tuple(boxes))


def save_corrections(corrections: Iterable[Correction], out: Path) -> SavedCorrections:
    """Save lines and digits that people corrected, to learn from and to measure with.

    ``out/lines`` gets a picture of each line and truth.csv, ``out/digits`` the single digits
    in MNIST's frame as class folders, which `load_digits` reads and ``digitlens train universal
    --from universal --data`` learns from. Done again, it saves the same under the same names.
    """
    count: Counter[str] = Counter()
    rows = []
    for correction in corrections:
        count["corrections"] += 1

        # Which part of the line is what the person said?
        if correction.zip is None:
            count["unread"] += 1
            continue
        part = find_part(correction, correction.zip)
        if part is None:
            count["other"] += 1
            continue

        # Cut it out of the upright picture.
        try:
            pixels = load_image(correction.picture).pixels
            size = pixels.shape[1], pixels.shape[0]
            pixels, part = np.rot90(pixels, part.rotation // 90), part.rotate(size)
            line = crop_with_margin(pixels, part.box, LINE_MARGIN)
        except (DataError, UsageError):  # gone, damaged, or another picture by now
            count["unseen"] += 1
            continue

        # Save the line, and its digits where each has its box.
        piece, said, name = correction.piece, correction.zip, f"{correction.piece:06d}.png"
        _write_png(out / LINES / name, line)
        who = (correction.person, round(correction.settled_at))
        rows.append((name, said, len(said), part.read, piece, *who))
        count["lines"] += 1
        count["digits"] += _save_digits(piece, said, part, pixels, out / DIGITS)
    if rows:
        write_csv(out / LINES / TRUTH, COLUMNS, rows)
    return SavedCorrections(**count)


def find_part(correction: Correction, said: str) -> CorrectedPart | None:
    """Return the part of the line that was read which is what the person said; or None."""
    if correction.box is None:
        return None
    part = CorrectedPart(correction.text, correction.box, correction.boxes)
    # What was said stands in what was read as a whole: the rest are letters read as digits.
    has_box_each = len(correction.boxes) == len(correction.text)
    if correction.text.count(said) == 1 and has_box_each and part.read != said:
        first = correction.text.index(said)
        boxes = correction.boxes[first : first + len(said)]
        part = CorrectedPart(said, enclosing_box(boxes), boxes)
    # A box is measured along the line and across it, whichever way up the piece lies.
    across, along = (0, 1) if part.rotation % 180 else (1, 0)
    height = part.box[across + 2] - part.box[across]
    width = max((box[along + 2] - box[along] for box in part.boxes), default=0.0)
    is_same_line = edit_distance(part.read, said) <= MAX_EDITS
    return part if is_same_line and width <= MAX_DIGIT_WIDTH * height else None


def is_in_place(read: str, said: str) -> bool:
    """Say whether digits were misread, each in its place, and none missed or added.

    >>> is_in_place("02134", "02184"), is_in_place("02134", "21345")
    (True, False)
    """
    if len(read) != len(said):
        return False
    wrong = sum(one != other for one, other in zip(read, said, strict=True))
    return wrong <= MAX_EDITS and wrong == edit_distance(read, said)


def edit_distance(one: str, other: str) -> int:
    """Return how many digits must be changed, added or taken out (Levenshtein's distance).

    >>> edit_distance("02134", "2134"), edit_distance("02134", "02184")
    (1, 1)
    """
    # A row of the table: the distance of a beginning of `one` to each beginning of `other`.
    row = list(range(len(other) + 1))
    for i, digit in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, other_digit in enumerate(other, 1):
            change = diagonal + (digit != other_digit)
            diagonal = row[j]
            row[j] = min(change, diagonal + 1, row[j - 1] + 1)
    return row[-1]


def _save_digits(
    piece: int, said: str, part: CorrectedPart, pixels: NDArray[np.uint8], out: Path
) -> int:
    """Save the single digits of a line, where it is clear which box holds which; count them."""
    if len(part.boxes) != len(said) or not is_in_place(part.read, said):
        return 0
    count = 0
    for index, (label, box) in enumerate(zip(said, part.boxes, strict=True), 1):
        try:
            digit = frame_digit(crop_with_margin(pixels, box))
        except (DataError, UsageError):  # bare paper, or a neighbour's strokes
            continue
        _write_png(out / label / f"{piece:06d}-{index}.png", digit)
        count += 1
    return count


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    make_folder(path.parent)
    write_bytes(path, encode_png(pixels))
