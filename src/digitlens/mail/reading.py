"""What a reader is asked of mail: the line that is the receiver's ZIP, whichever way up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens.mail.deciding.choose import is_of_sender, weigh_lines
from digitlens.mail.zipcode import FIVE, NINE
from digitlens.reading.places import upright

if TYPE_CHECKING:
    from digitlens.ink.opening import Picture
    from digitlens.mail.deciding.choose import Candidate
    from digitlens.reader import Reader
    from digitlens.reader.page import Size
    from digitlens.reading.line import Box

LENGTHS = (FIVE, NINE)
"""How many digits the reader is told: a ZIP, or ZIP+4."""


def read_mail(reader: Reader, picture: Picture) -> tuple[Candidate, ...]:
    """Read the lines of a piece of mail that may be the receiver's ZIP; see `weigh_lines`.

    The piece may lie on its side or stand on its head. The sender's lines are not read: most
    of the time goes into reading.

    Raises
    ------
    MissingDataError, DataError, CorruptFileError, ShapeError
        As `Reader.page` says.
    """
    page = reader.page(picture, LENGTHS, where=_may_be_of_receiver)
    placed = {}
    for line in page.lines:
        box, size = upright(line.box, page.size, page.turn)
        # Rows of tables come back wherever they stand.
        if _may_be_of_receiver(box, size):
            placed[replace(line, box=box)] = line
    found = weigh_lines(tuple(placed))
    return tuple(replace(each, line=placed[each.line]) for each in found)


def _may_be_of_receiver(box: Box, size: Size) -> bool:
    return not is_of_sender(box, size)
