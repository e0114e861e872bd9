"""Lines that are ZIPs, or could be, read by digitlens and RapidOCR in turn."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2

from digitlens.mail.directory import ZIP_LENGTHS
from digitlens.mail.thresholds import ALONE
from readers.answer_cache import AnswerCache
from readers.pictures import FIVES, Task, cheques, validation_lines
from readers.processes import READERS
from readers.results import ReaderResults
from reading import ask_all, choose_settings, open_readers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from digitlens import Digits
    from digitlens.mail.directory import Directory
    from digitlens.mail.thresholds import Thresholds
    from digitlens.ocr import Reader

CUT = "ZIPs cut out of sample mail"
"""The name of this set of lines."""

PEERS = ("digitlens", "RapidOCR")
BARE = 0.25
"""Paper left around a ZIP that is cut out, in its heights."""

VALIDATION = 1000
VALIDATION_SEED = 5
ZIP = 5


@dataclass(frozen=True)
class Counted:
    """Lines: how many, accepted, and accepted wrongly."""

    count: int
    accepted: int
    wrong: int


def cut_out(picture: Any, box: tuple[int, int, int, int]) -> Any:
    """Return the ZIP of an envelope, uint8 (h, w, 3), with some paper around."""
    left, top, right, bottom = box
    bare = round(BARE * (bottom - top))
    height, width = picture.shape[:2]
    return picture[
        max(0, top - bare) : min(height, bottom + bare),
        max(0, left - bare) : min(width, right + bare),
    ]


def _kept(pictures: Iterable[tuple[Any, str]], folder: Path) -> list[Task]:
    folder.mkdir(parents=True, exist_ok=True)
    tasks = []
    for index, (picture, text) in enumerate(pictures):
        path = folder / f"{index:04}.png"
        cv2.imwrite(str(path), picture)
        tasks.append(Task(CUT, path.name, path, (text,), length=len(text)))
    return tasks


def cut_lines(folder: Path, count: int, home: Path) -> list[Task]:
    """Cut the first `count` ZIPs without four more digits out of sample mail."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["zip4"]][:count]
    return _kept(((_cut_of(folder, row), row["zip"]) for row in rows), home / "test")


def _cut_of(folder: Path, row: dict[str, str]) -> Any:
    left, top, right, bottom = (int(row[side]) for side in ("left", "top", "right", "bottom"))
    return cut_out(cv2.imread(str(folder / row["piece"])), (left, top, right, bottom))


def cut_validation(digits: Digits, directory: Directory, count: int, home: Path) -> list[Task]:
    """Cut ZIPs out of other sample mail, of writers of the validation part."""
    from digitlens.mail.sample import draw_mail

    drawn = draw_mail(2 * count, directory, digits=digits, seed=VALIDATION_SEED)
    plain = (envelope for envelope in drawn if not envelope.to.plus4)
    pictures = (
        (cut_out(item.picture[..., ::-1], item.box), item.to.place.zip)
        for item, _ in zip(plain, range(count), strict=False)
    )
    return _kept(pictures, home / "validation")


def side_by_side(
    tasks: dict[str, list[Task]], validation: dict[str, list[Task]], home: Path
) -> list[ReaderResults]:
    """Let both readers read all lines in turn; return them with their answers.

    A reader that cannot be had comes back with its reason.
    """
    kinds = [kind for kind in READERS if kind.name in PEERS]
    results = [
        ReaderResults(kind, AnswerCache(home / f"{kind.name}.json"), validation=validation)
        for kind in kinds
    ]
    readers = open_readers(results, PEERS)
    try:
        choose_settings(readers, results, validation)
        peers = {name: reader for name, reader in readers.items() if name != PEERS[0]}
        ask_all(peers, results, [task for some in validation.values() for task in some])
        ask_all(readers, results, [task for some in tasks.values() for task in some])
    finally:
        for reader in readers.values():
            reader.close()
    return results


def as_mail(reader: Reader, tasks: Iterable[Task], thresholds: Thresholds) -> Counted:
    """Read and accept lines as `digitlens route` does with nothing known."""
    count = accepted = wrong = 0
    threshold = thresholds[ALONE]
    for task in tasks:
        line = reader.read_line(task.path, ZIP_LENGTHS)
        taken = (
            threshold is not None
            and len(line.text) in ZIP_LENGTHS
            and line.confidence >= threshold
        )
        count += 1
        accepted += taken
        wrong += taken and line.text != task.truth[0]
    return Counted(count, accepted, wrong)


def five_digit_cheques(real: Path) -> list[Task]:
    """Return the cheque amounts of five digits, the length told."""
    return [task for task in cheques(real) if task.group == FIVES]


def cheque_validation(home: Path) -> list[Task]:
    """Return generated lines in the style of cheques, five digits each."""
    return validation_lines([FIVES], VALIDATION, home)[FIVES]
