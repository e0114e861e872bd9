"""A small directory of ZIPs, and lines as a reader gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import DataError
from digitlens.mail.candidates import ZipCandidate, rank_zip_lines
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Sorting, SortSummary, sort_folder

PLACES = [
    ("00501", "Holtsville", (), "NY"),
    ("02134", "Allston", ("Boston",), "MA"),
    ("02135", "Brighton", ("Boston",), "MA"),
    ("02108", "Boston", (), "MA"),
    ("02739", "Mattapoisett", (), "MA"),
    ("06390", "Fishers Island", (), "NY"),
    ("10001", "New York", ("Manhattan",), "NY"),
    ("10007", "New York", (), "NY"),
    ("55101", "Saint Paul", ("St Paul",), "MN"),
    ("90210", "Beverly Hills", (), "CA"),
    ("90211", "Beverly Hills", (), "CA"),
    ("96799", "Pago Pago", (), "AS"),
]


@pytest.fixture(scope="session")
def directory() -> Directory:
    """Return a directory of twelve ZIPs."""
    return Directory(
        Place(text, city, (city, *others), state, f"{city} County", "STANDARD")
        for text, city, others, state in PLACES
    )


def make_line(
    text: str,
    confidence: float = 0.999,
    others: tuple[tuple[str, float], ...] = (),
    box: tuple[float, float, float, float] = (300.0, 200.0, 400.0, 230.0),
) -> Line:
    """Return a line as a reader gives it, all digits as sure as the line."""
    pitch = (box[2] - box[0]) / max(len(text), 1)
    digits = tuple(
        LineDigit(
            digit,
            confidence,
            (box[0] + index * pitch, box[1], box[0] + (index + 1) * pitch, box[3]),
        )
        for index, digit in enumerate(text)
    )
    return Line(text, confidence, box, digits, tuple(Alternative(*other) for other in others))


@pytest.fixture(scope="session")
def line() -> Callable[..., Line]:
    """Return `make_line`."""
    return make_line


PIECES = {
    "a.png": "02134",
    "b.png": "00501",
    "deep/b.png": "90210",
    "c.jpg": "90219",  # no such ZIP
    "d.png": "10001",
    "e.tif": "damaged",
}
"""Made-up pictures: what the made-up reader reads is their content."""

SORTED = {
    "a.png": ["MA"],
    "b.png": ["NY"],
    "b~2.png": ["CA"],
    "c.jpg": ["review"],
    "d.png": ["NY"],
    "e.tif": ["review"],
}
"""Where each of them belongs, by state."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of made-up pictures, and of files that are none."""
    mail = tmp_path / "mail"
    for name, content in PIECES.items():
        path = mail / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (mail / "truth.csv").write_text("piece,zip\n")
    (mail / ".hidden.png").write_text("02134")
    return mail


@pytest.fixture
def sorting(directory: Directory, line: Callable[..., Line]) -> Sorting:
    """Return how the made-up pictures are sorted: by state, with a reader that is sure."""

    def read(path: Path) -> Sequence[ZipCandidate]:
        text = path.read_text()
        if text == "damaged":
            raise DataError("the picture cannot be decoded", seen="7 bytes")
        return rank_zip_lines([line(text, 0.9995)])

    return Sorting(read, RoutingPolicy(directory), make_plan(directory, "state"))


@dataclass(frozen=True)
class SmallMail:
    """The made-up pictures in `folder`, sorted into trays below `out`."""

    folder: Path
    out: Path
    sorting: Sorting

    def sort(self, **changes: Any) -> SortSummary:
        """Sort them, with `changes` of how."""
        return sort_folder(self.folder, self.out, replace(self.sorting, **changes))

    def places(self) -> dict[str, list[str]]:
        """Return the folders that hold each file below `out`."""
        result: dict[str, list[str]] = {}
        for path in sorted(self.out.glob("*/*")):
            result.setdefault(path.name, []).append(path.parent.name)
        return result


@pytest.fixture
def mail(folder: Path, tmp_path: Path, sorting: Sorting) -> SmallMail:
    """Return the made-up pictures, not yet sorted."""
    return SmallMail(folder, tmp_path / "out", sorting)


@pytest.fixture(scope="session")
def right_places() -> dict[str, list[str]]:
    """Return where each of the made-up pictures belongs, by state."""
    return SORTED
