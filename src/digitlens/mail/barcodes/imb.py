"""The Intelligent Mail barcode: 31 digits in 65 bars, as USPS-B-3200 has it.

Digits become a number of 102 bits; ten codewords are its digits to the base 1365; a check of
11 bits turns characters over; and each of the 130 half bars is a bit of a character. Every
bar belongs to two characters, and every character has 2, 5, 8 or 11 of its 13 bits set: one
damaged bar makes it 1 more or 1 less, so it is always noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import DataError
from digitlens.mail.barcodes.content import IntelligentMail
from digitlens.mail.barcodes.tables import (
    ASCENDERS,
    BARS,
    CHARACTERS,
    CODEWORDS,
    DESCENDERS,
    characters,
    codewords,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BITS = 102
CHECK_BITS = 11
GENERATOR = 0xF35
LAST = 636
"""The tenth codeword has this base; twice its value is written, odd ones say upside down."""

FIRST = 659
"""Above the first codeword stands the check's highest bit, as 659 more."""

STATES = "TDAF"
"""A bar by its bits: 1 = descends, 2 = ascends; T is a tracker, F a full bar."""

STARTS = {0: 0, 5: 1, 9: 100_001, 11: 1_000_100_001}
"""Routing codes by length, and what is added so that each length has numbers of its own."""


def encode_imb(content: IntelligentMail) -> str:
    """Return the 65 bars of `content`: a text of T (tracker), A, D and F (full), left first.

    Examples
    --------
    >>> encode_imb(IntelligentMail("01234567094987654321"))[:20]
    'ATTFATTDTTADTAATTDTD'
    """
    number = _number(content)
    check = _check(number)
    words = _words(number)
    words[-1] *= 2
    words[0] += FIRST * (check >> (CHECK_BITS - 1))
    table = characters()
    found = [table[word] for word in words]
    for at in range(CHARACTERS):
        if check >> at & 1:
            found[at] ^= 0x1FFF
    return "".join(
        STATES[(found[down] >> low & 1) + 2 * (found[up] >> high & 1)]
        for (down, low), (up, high) in zip(DESCENDERS, ASCENDERS, strict=True)
    )


def decode_imb(bars: str) -> IntelligentMail:
    """Return what 65 bars say.

    Parameters
    ----------
    bars
        Letters T, A, D and F, left to right; spaces and case do not matter.

    Raises
    ------
    DataError
        Not 65 bars, another letter, a bar that was misread, or bars read upside down.

    Examples
    --------
    >>> bars = encode_imb(IntelligentMail("01234567094987654321", "01234"))
    >>> decode_imb(bars).routing
    '01234'
    """
    found = "".join(bars.split()).upper()
    _check_letters(found)
    try:
        return _decoded(found)
    except DataError as error:
        try:
            _decoded(upside_down(found))
        except DataError:
            raise error from None
        raise DataError(
            "the barcode stands upside down",
            seen=f"{found[:20]}...",
            likely="the piece was fed the wrong way round",
            try_="turn the picture by 180 degrees",
        ) from None


def upside_down(bars: str) -> str:
    """Return the bars as they are read when the piece is turned by 180 degrees.

    Examples
    --------
    >>> upside_down("ATF")
    'FTD'
    """
    return bars[::-1].translate(str.maketrans("AD", "DA"))


def _number(content: IntelligentMail) -> int:
    routing, tracking = content.routing, content.tracking
    number = (int(routing) if routing else 0) + STARTS[len(routing)]
    number = number * 10 + int(tracking[0])
    number = number * 5 + int(tracking[1])
    return number * 10**18 + int(tracking[2:])


def _check(number: int) -> int:
    """Return the check of 11 bits, as USPS-B-3200 counts it: the highest bit first."""
    check = (1 << CHECK_BITS) - 1
    for at in reversed(range(BITS)):
        turn = check >> (CHECK_BITS - 1) ^ number >> at & 1
        check = (check << 1 ^ (GENERATOR if turn & 1 else 0)) & ((1 << CHECK_BITS) - 1)
    return check


def _words(number: int) -> list[int]:
    number, last = divmod(number, LAST)
    words = [last]
    for _ in range(CHARACTERS - 1):
        number, word = divmod(number, CODEWORDS)
        words.append(word)
    return words[::-1]


def _check_letters(bars: str) -> None:
    wrong = sorted({letter for letter in bars if letter not in STATES})
    if wrong:
        raise DataError(
            "the bars of an Intelligent Mail barcode are T, A, D and F", seen=", ".join(wrong)
        )
    if len(bars) != BARS:
        raise DataError(
            f"an Intelligent Mail barcode has {BARS} bars",
            seen=f"{len(bars)} bars",
            likely="bars at an end were cut off" if BARS - 10 < len(bars) < BARS else None,
        )


def _decoded(bars: str) -> IntelligentMail:
    words, check = _read(bars)
    if words[0] >= FIRST:
        words[0] -= FIRST
        check |= 1 << (CHECK_BITS - 1)
    words[-1], odd = divmod(words[-1], 2)
    if odd or words[0] >= FIRST or words[-1] >= LAST:
        raise _damaged("a codeword that no number has")
    number = 0
    for word in words[:-1]:
        number = number * CODEWORDS + word
    number = number * LAST + words[-1]
    if number >> BITS or _check(number) != check:
        raise _damaged("its check does not fit its digits")
    return _content(number)


def _read(bars: str) -> tuple[list[int], int]:
    """Return the ten codewords and the ten lower bits of the check."""
    found = [0] * CHARACTERS
    for bar, (down, low), (up, high) in zip(bars, DESCENDERS, ASCENDERS, strict=True):
        state = STATES.index(bar)
        found[down] |= (state & 1) << low
        found[up] |= (state >> 1) << high
    known = codewords()
    bad = [at for at, character in enumerate(found) if character not in known]
    if bad:
        raise _damaged(_where(bad))
    words = [known[character][0] for character in found]
    return words, sum(known[character][1] << at for at, character in enumerate(found))


def _where(bad: Sequence[int]) -> str:
    """Name the bars that belong to two impossible characters, where there are such."""
    both = [
        str(at + 1)
        for at, ((down, _), (up, _)) in enumerate(zip(DESCENDERS, ASCENDERS, strict=True))
        if down in bad and up in bad
    ]
    said = f"{len(bad)} of {CHARACTERS} characters have a number of bits that none has"
    if len(bad) == 2 and both:
        said += f"; bar {', '.join(both)} may be misread"
    return said


def _damaged(seen: str) -> DataError:
    return DataError(
        "the barcode is damaged or was misread", seen=seen, try_="take the picture again"
    )


def _content(number: int) -> IntelligentMail:
    number, rest = divmod(number, 10**18)
    number, second = divmod(number, 5)
    number, first = divmod(number, 10)
    for length in sorted(STARTS, reverse=True):
        if number >= STARTS[length]:
            routing = f"{number - STARTS[length]:0{length}d}" if length else ""
            break
    if len(routing) != length:
        raise _damaged("a routing code of more than 11 digits")
    return IntelligentMail(f"{first}{second}{rest:018d}", routing)
