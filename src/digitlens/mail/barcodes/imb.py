"""The Intelligent Mail barcode: 31 digits in 65 bars, as USPS-B-3200 has it.

Digits become a number of 102 bits; ten codewords are its digits to the base 1365; a check of
11 bits turns characters over; and each of the 130 half bars is a bit of a character. Every
bar belongs to two characters, and every character has 2, 5, 8 or 11 of its 13 bits set: one
damaged bar makes it 1 more or 1 less, so it is always noticed.

* What an Intelligent Mail barcode says: who sent which piece where.
* The tables of the Intelligent Mail barcode: characters of 13 bits, and where each bit goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from digitlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


TRACKING = 20
ROUTINGS = (0, 5, 9, 11)
LARGE = "9"
"""A mailer whose number begins with 9 has one of nine digits, others have six."""


@dataclass(frozen=True)
class IntelligentMail:
    """The digits of an Intelligent Mail barcode.

    Parameters
    ----------
    tracking
        20 digits: barcode identifier (2; the second is 0 to 4), service type (3), mailer (6,
        or 9 that begin with 9), serial number (9 or 6).
    routing
        The ZIP: none, 5, 9 (ZIP+4) or 11 digits (with the delivery point).

    Raises
    ------
    UsageError
        Something else than digits, or too many or too few of them.

    Examples
    --------
    >>> mail = IntelligentMail("01234567094987654321", "012345678")
    >>> mail.mailer, mail.serial, mail.routing
    ('567094', '987654321', '012345678')
    """

    tracking: str
    routing: str = ""

    def __post_init__(self) -> None:
        check_digits("the tracking code", self.tracking, (TRACKING,))
        check_digits("the routing code", self.routing, ROUTINGS)
        if self.tracking[1] not in "01234":
            raise UsageError(
                "the second digit of the barcode identifier is 0, 1, 2, 3 or 4",
                seen=self.tracking[:2],
            )

    @classmethod
    def of(
        cls, identifier: str, service: str, mailer: str, serial: int | str, routing: str = ""
    ) -> IntelligentMail:
        """Put the tracking code together; `serial` gets its leading zeros.

        Raises
        ------
        UsageError
            A field of another length, or a serial number too long for its field.
        """
        check_digits("the barcode identifier", identifier, (2,))
        check_digits("the service type", service, (3,))
        check_digits("the mailer's number", mailer, (9 if mailer[:1] == LARGE else 6,))
        room = TRACKING - 5 - len(mailer)
        number = f"{serial:0{room}d}" if isinstance(serial, int) else serial.zfill(room)
        check_digits("the serial number", number, (room,))
        return cls(identifier + service + mailer + number, routing)

    @property
    def identifier(self) -> str:
        """The barcode identifier, two digits."""
        return self.tracking[:2]

    @property
    def service(self) -> str:
        """The service type identifier, three digits."""
        return self.tracking[2:5]

    @property
    def mailer(self) -> str:
        """The mailer's number, six or nine digits."""
        return self.tracking[5 : 14 if self.tracking[5] == LARGE else 11]

    @property
    def serial(self) -> str:
        """The piece's number, nine or six digits."""
        return self.tracking[14 if self.tracking[5] == LARGE else 11 :]


def check_digits(what: str, text: str, lengths: tuple[int, ...]) -> None:
    """Raise `UsageError` unless `text` is digits 0 to 9, and as many as one of `lengths`."""
    if not (text.isascii() and text.isdigit()) and text:
        raise UsageError(f"{what} holds digits only", seen=repr(text))
    if len(text) not in lengths:
        wanted = ", ".join(map(str, lengths[:-1])) + " or " * (len(lengths) > 1)
        raise UsageError(
            f"{what} must have {wanted}{lengths[-1]} digits", seen=f"{len(text)}: {text!r}"
        )


TABLES_BITS = 13
CHARACTERS = 10
BARS = 65

FIVE = 1287
"""Codewords below this are characters with 5 of 13 bits set; the 78 after it have 2."""

CODEWORDS = FIVE + 78

_DESCENDERS = (
    "7:2 1:10 9:12 5:5 8:9 0:1 2:5 4:4 6:3 3:9 5:11 8:5 9:10 7:1 3:6 0:3 6:4 1:1 "
    "7:10 4:0 6:2 8:11 9:8 2:6 5:1 1:12 7:3 5:8 4:6 3:4 8:4 7:11 6:0 0:6 2:1 5:9 "
    "4:11 9:5 3:3 0:7 1:3 6:10 8:7 2:11 0:8 4:2 5:10 9:3 6:5 7:8 5:0 2:3 6:12 3:11 "
    "8:8 5:4 1:5 9:1 8:3 7:0 4:7 0:12 2:9 6:8 3:10 "
)
_ASCENDERS = (
    "4:3 0:0 2:8 6:11 3:1 5:12 1:8 9:11 8:10 7:6 1:4 2:12 0:2 6:7 4:9 8:6 2:7 9:9 "
    "5:2 3:8 0:4 1:0 3:12 7:7 4:10 6:9 8:0 9:7 2:10 0:5 5:7 1:9 9:6 4:8 3:2 8:12 "
    "6:1 7:4 1:2 2:0 4:1 3:5 9:4 5:6 7:12 8:1 3:0 0:9 2:4 1:7 4:5 0:10 9:2 1:6 "
    "7:9 0:11 2:2 4:12 6:6 3:7 7:5 1:11 9:0 5:3 8:2 "
)


def _places(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (item.split(":") for item in text.split())
    return tuple((int(character), int(bit)) for character, bit in pairs)


DESCENDERS = _places(_DESCENDERS)
"""For each bar, left to right, the (character, bit) that says whether it descends."""

ASCENDERS = _places(_ASCENDERS)
"""For each bar the (character, bit) that says whether it ascends."""


@cache
def characters() -> tuple[int, ...]:
    """Return the character of each codeword 0..1364: numbers of 13 bits, 5 or 2 of them set.

    Examples
    --------
    >>> table = characters()
    >>> len(table), table[0], table[1287]
    (1365, 31, 3)
    """
    return (*_with(5, FIVE), *_with(2, CODEWORDS - FIVE))


def _with(count: int, size: int) -> list[int]:
    """Return the characters with `count` bits set, in the order of USPS-B-3200.

    A number and its mirror image stand side by side; those that are their own mirror image
    fill the table from its end.
    """
    table = [0] * size
    low, high = 0, size - 1
    for number in range(1 << TABLES_BITS):
        if number.bit_count() != count:
            continue
        mirrored = int(f"{number:0{TABLES_BITS}b}"[::-1], 2)
        if mirrored == number:
            table[high] = number
            high -= 1
        elif mirrored > number:
            table[low : low + 2] = number, mirrored
            low += 2
    assert low == high + 1, "each place is filled once"
    return table


@cache
def codewords() -> dict[int, tuple[int, bool]]:
    """Return for each character, plain or with all bits turned over, its (codeword, turned).

    Turning over makes 8 or 11 bits of 5 or 2, so that no number means two things.
    """
    full = (1 << TABLES_BITS) - 1
    plain = {character: (word, False) for word, character in enumerate(characters())}
    turned = {character ^ full: (word, True) for character, (word, _) in plain.items()}
    return plain | turned


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
    result = [table[word] for word in words]
    for index in range(CHARACTERS):
        if check >> index & 1:
            result[index] ^= 0x1FFF
    return "".join(
        STATES[(result[down] >> low & 1) + 2 * (result[up] >> height & 1)]
        for (down, low), (up, height) in zip(DESCENDERS, ASCENDERS, strict=True)
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
    result = "".join(bars.split()).upper()
    _check_letters(result)
    try:
        return _decoded(result)
    except DataError as error:
        try:
            _decoded(upside_down(result))
        except DataError:
            raise error from None
        raise DataError(
            "the barcode stands upside down",
            seen=f"{result[:20]}...",
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
    for index in reversed(range(BITS)):
        turn = check >> (CHECK_BITS - 1) ^ number >> index & 1
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
    result = [0] * CHARACTERS
    for bar, (down, low), (up, height) in zip(bars, DESCENDERS, ASCENDERS, strict=True):
        state = STATES.index(bar)
        result[down] |= (state & 1) << low
        result[up] |= (state >> 1) << height
    known = codewords()
    bad = [index for index, character in enumerate(result) if character not in known]
    if bad:
        raise _damaged(_where(bad))
    words = [known[character][0] for character in result]
    return words, sum(known[character][1] << index for index, character in enumerate(result))


def _where(bad: Sequence[int]) -> str:
    """Name the bars that belong to two impossible characters, where there are such."""
    both = [
        str(index + 1)
        for index, ((down, _), (up, _)) in enumerate(zip(DESCENDERS, ASCENDERS, strict=True))
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
