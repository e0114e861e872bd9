"""A lab with mail to review: ``python lab_with_mail.py COUNT``; it prints its address.

Each piece is a drawn envelope of which a made-up reader is not sure. Of the last piece the
picture is damaged, and it has no guesses.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lab_with_reader import tell
from PIL import Image, ImageDraw

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import DataError
from digitlens.mail.candidates import rank_zip_lines
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review, Sorting, sort_folder
from digitlens.server.review_desk import ReviewDesk
from digitlens.server.serve import serve
from digitlens.server.settings import ServerSettings

PLACES = (
    ("00501", "Holtsville", "NY"),
    ("02134", "Allston", "MA"),
    ("02135", "Brighton", "MA"),
    ("90210", "Beverly Hills", "CA"),
)
DIRECTORY = Directory(Place(zip_, city, (city,), state, "", "") for zip_, city, state in PLACES)
BOX = (300.0, 200.0, 400.0, 230.0)
DAMAGED = "no picture"


def draw(path: Path) -> None:
    """Draw an envelope with five strokes for a ZIP."""
    picture = Image.new("RGB", (600, 340), (240, 234, 215))
    pen = ImageDraw.Draw(picture)
    pen.line([(40, 40), (160, 40)], fill=(80, 80, 90), width=6)
    for index in range(5):
        left = BOX[0] + 20 * index
        pen.line([(left + 4, 204), (left + 15, 204), (left + 8, 226)], (30, 30, 60), 3)
    picture.save(path)


def read(path: Path) -> list[Line]:
    """Return 02134, or 02135, 00501 and a ZIP that is none."""
    if path.read_bytes() == DAMAGED.encode():
        raise DataError(f"{path.name} is not a picture that can be read", seen="10 bytes")
    digits = tuple(
        LineDigit(digit, 0.9, (BOX[0] + 20 * index, BOX[1], BOX[0] + 20 * (index + 1), BOX[3]))
        for index, digit in enumerate("02134")
    )
    others = (Alternative("02135", 0.3), Alternative("99134", 0.1))
    return rank_zip_lines([Line("02134", 0.6, BOX, digits, others)])


def main(count: int) -> None:
    """Make the mail, sort it and open the lab."""
    mail, trays = Path("mail"), Path("trays")
    mail.mkdir()
    for index in range(1, count):
        draw(mail / f"{index:02d}.png")
    (mail / f"{count:02d}.png").write_text(DAMAGED)
    plan = make_plan(DIRECTORY, "state")
    sort_folder(mail, trays, Sorting(read, RoutingPolicy(DIRECTORY), plan))
    desk = ReviewDesk(trays, Review(trays.resolve(), plan, DIRECTORY), plan, DIRECTORY)
    serve(ServerSettings(folder=Path.cwd(), port=0), tell, desk)


if __name__ == "__main__":
    main(int(sys.argv[1]))
