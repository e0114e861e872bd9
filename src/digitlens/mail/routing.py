"""`route`: from a line that was read to a ZIP that is trusted, or to a person.

* What a reader is asked of mail: the line that is the receiver's ZIP, whichever way up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens.geometry import rotate_upright
from digitlens.mail.candidates import is_of_sender, rank_zip_lines
from digitlens.mail.decision import decide
from digitlens.mail.directory import load_directory
from digitlens.mail.thresholds import default_bars
from digitlens.mail.zipcode import FIVE, NINE

if TYPE_CHECKING:
    from digitlens.ctc import Line
    from digitlens.geometry import Box, Size
    from digitlens.imaging.io import ImageSource
    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.decision import Routing
    from digitlens.mail.directory import Directory
    from digitlens.ocr import Reader


def route(
    line: Line | None,
    city: str | None = None,
    state: str | None = None,
    *,
    bar: float | None = None,
    directory: Directory | None = None,
) -> Routing:
    """Decide where a line that is a ZIP sends its piece of mail.

    The reader's alternatives are weighed against the directory of ZIPs, and against city and
    state where these are known: what contradicts them is ruled out, and the probabilities of
    what is left are divided anew.

    Parameters
    ----------
    line
        What a reader made of the ZIP; None where it found no line.
    city, state
        As people write them: "St. Paul", "MN" or "Minnesota".
    bar
        A ZIP is accepted from this probability on, 0..1. None: from the bar on that promises
        at most 1 % wrong, as it was measured for the published reader, told to read 5 or 9
        digits, and for so much as is known: directory, state, or city and state.
    directory
        The ZIPs in use; None: those of the package ``zipcodes``, loaded once in a second.

    Returns
    -------
    A routing whose ``zip`` is five digits of text, or None; then ``reason`` and ``why`` say
    why a person must look, and ``guesses`` are the likeliest ZIPs.

    Raises
    ------
    UsageError
        A bar out of range, or a city or state that the directory does not know.
    MissingExtraError
        The package ``zipcodes`` is not installed.

    Examples
    --------
    >>> import digitlens as dl
    >>> from digitlens.mail.directory import Directory, Place
    >>> from digitlens.ctc import Line, LineDigit
    >>> small = Directory([Place("00501", "Holtsville", ("Holtsville",), "NY", "", "UNIQUE")])
    >>> digits = tuple(LineDigit(each, 0.999, (0, 0, 9, 9)) for each in "00501")
    >>> dl.route(Line("00501", 0.995, (0, 0, 45, 9), digits), "Holtsville", directory=small).zip
    '00501'
    """
    known = load_directory() if directory is None else directory
    least = default_bars() if bar is None else bar
    return decide(line, known, city=city, state=state, bar=least)


LENGTHS = (FIVE, NINE)
"""How many digits the reader is told: a ZIP, or ZIP+4."""


def read_mail(reader: Reader, picture: ImageSource) -> tuple[ZipCandidate, ...]:
    """Read the lines of a piece of mail that may be the receiver's ZIP; see `rank_zip_lines`.

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
        box, size = rotate_upright(line.box, page.size, page.turn)
        # Rows of tables come back wherever they stand.
        if _may_be_of_receiver(box, size):
            placed[replace(line, box=box)] = line
    result = rank_zip_lines(tuple(placed))
    return tuple(replace(item, line=placed[item.line]) for item in result)


def _may_be_of_receiver(box: Box, size: Size) -> bool:
    return not is_of_sender(box, size)
