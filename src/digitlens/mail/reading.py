"""What a reader is asked of mail: lines of five or nine digits, but none of the sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.mail.deciding.choose import without_sender
from digitlens.mail.zipcode import FIVE, NINE

if TYPE_CHECKING:
    from digitlens.ink.opening import Picture
    from digitlens.reader import Reader
    from digitlens.reading import Line

LENGTHS = (FIVE, NINE)
"""How many digits the reader is told: a ZIP, or ZIP+4."""


def read_mail(reader: Reader, picture: Picture) -> list[Line]:
    """Read the lines of a piece of mail that may be the receiver's ZIP.

    Raises
    ------
    MissingDataError, DataError, CorruptFileError, ShapeError
        As `Reader.page` says.
    """
    page = reader.page(picture, LENGTHS)
    return without_sender(page.lines, page.size)
