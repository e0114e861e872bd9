"""`route`: from a line that was read to a ZIP that is trusted, or to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.mail.deciding import decide
from digitlens.mail.directory import load_directory
from digitlens.mail.trust import default_bars

if TYPE_CHECKING:
    from digitlens.mail.deciding import Routing
    from digitlens.mail.directory import Directory
    from digitlens.reading import Line


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
    >>> from digitlens.reading import Line, LineDigit
    >>> small = Directory([Place("00501", "Holtsville", ("Holtsville",), "NY", "", "UNIQUE")])
    >>> digits = tuple(LineDigit(each, 0.999, (0, 0, 9, 9)) for each in "00501")
    >>> dl.route(Line("00501", 0.995, (0, 0, 45, 9), digits), "Holtsville", directory=small).zip
    '00501'
    """
    known = load_directory() if directory is None else directory
    least = default_bars() if bar is None else bar
    return decide(line, known, city=city, state=state, bar=least)
