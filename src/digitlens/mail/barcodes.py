"""Barcodes of mail: digits to bars, and bars to digits.

The Intelligent Mail barcode holds 31 digits in 65 bars (USPS-B-3200). Digits become a number
of 102 bits; ten codewords are its digits to the base 1365; a check of 11 bits inverts
characters; and each of the 130 half bars is a bit of a character. Every bar belongs to two
characters, and every character has 2, 5, 8 or 11 of its 13 bits set: one damaged bar makes it
one more or one less, so it is always noticed.

POSTNET is older: a ZIP in tall and short bars. Each digit is five bars, two of them tall,
whose places weigh 7, 4, 2, 1 and 0, and 7 + 4 is 0. A check digit brings the sum to a multiple
of 10, and a tall bar stands at either end. The Postal Service no longer takes it for lower
rates (since 2013), but old mail bears it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from digitlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


TRACKING_DIGITS = 20
ROUTING_LENGTHS = (0, 5, 9, 11)
# A mailer whose number begins with 9 has one of nine digits, others have six.
LARGE_MAILER = "9"


@dataclass(frozen=True)
class IntelligentMail:
    """The digits of an Intelligent Mail barcode.

    `tracking` is 20 digits: barcode identifier (2; the second is 0 to 4), service type (3),
    mailer (6, or 9 that begin with 9), serial number (9 or 6). `routing` is the ZIP: none, 5, 9
    (ZIP+4) or 11 digits (with the delivery point).

    >>> mail = IntelligentMail("01234567094987654321", "012345678")
    >>> mail.mailer, mail.serial, mail.routing
    ('567094', '987654321', '012345678')
    """

    tracking: str
    routing: str = ""

    def __post_init__(self) -> None:
        check_digits("the tracking code", self.tracking, (TRACKING_DIGITS,))
        check_digits("the routing code", self.routing, ROUTING_LENGTHS)
        if self.tracking[1] not in "01234":
            raise UsageError(
                "the second digit of the barcode identifier is 0, 1, 2, 3 or 4",
                seen=self.tracking[:2],
            )

    @classmethod
    def of(
        cls, identifier: str, service: str, mailer: str, serial: int | str, routing: str = ""
    ) -> IntelligentMail:
        """Put the tracking code together; `serial` gets its leading zeros."""
        check_digits("the barcode identifier", identifier, (2,))
        check_digits("the service type", service, (3,))
        check_digits("the mailer's number", mailer, (9 if mailer[:1] == LARGE_MAILER else 6,))
        room = TRACKING_DIGITS - 5 - len(mailer)
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
        return self.tracking[5 : 14 if self.tracking[5] == LARGE_MAILER else 11]

    @property
    def serial(self) -> str:
        """The piece's number, nine or six digits."""
        return self.tracking[14 if self.tracking[5] == LARGE_MAILER else 11 :]


def check_digits(what: str, text: str, lengths: tuple[int, ...]) -> None:
    """Raise `UsageError` unless `text` is digits 0 to 9, and as many as one of `lengths`."""
    if not (text.isascii() and text.isdigit()) and text:
        raise UsageError(f"{what} holds digits only", seen=repr(text))
    if len(text) not in lengths:
        wanted = ", ".join(map(str, lengths[:-1])) + " or " * (len(lengths) > 1)
        raise UsageError(
            f"{what} must have {wanted}{lengths[-1]} digits", seen=f"{len(text)}: {text!r}"
        )


def encode_imb(content: IntelligentMail) -> str:
    """Return the 65 bars of `content`: a text of T (tracker), A, D and F (full), left first.

    >>> encode_imb(IntelligentMail("01234567094987654321"))[:20]
    'ATTFATTDTTADTAATTDTD'
    """
    # Digits -> a number and its check -> codewords.
    number = _pack(content)
    check = _compute_check(number)
    words = _split_words(number)
    words[-1] *= 2
    words[0] += CHECK_OFFSET * (check >> (CHECK_BITS - 1))
    # Codewords -> characters; each of the ten lower bits of the check inverts one.
    table = imb_characters()
    characters = [table[word] for word in words]
    for index in range(N_CHARACTERS):
        if check >> index & 1:
            characters[index] ^= (1 << CHARACTER_BITS) - 1
    # Characters -> bars: two bits say what a bar looks like, a digit to the base 16 each.
    bars = 0
    for place, character in enumerate(characters):
        bars |= _draw_character(place, character)
    return f"{bars:0{N_BARS}x}".translate(_BARS)


def decode_imb(bars: str) -> IntelligentMail:
    """Return what 65 bars say: letters T, A, D and F, left to right; spaces and case do not
    matter.

    Raises `DataError` for another number of bars or another letter, a bar that was misread, or
    bars read upside down.

    >>> bars = encode_imb(IntelligentMail("01234567094987654321", "01234"))
    >>> decode_imb(bars).routing
    '01234'
    """
    letters = "".join(bars.split()).upper()
    _check_letters(letters)
    try:
        return _decode_bars(letters)
    except DataError as error:
        # Bars that say something when they are flipped were read upside down.
        try:
            _decode_bars(flip_bars(letters))
        except DataError:
            raise error from None
        raise DataError(
            "the barcode stands upside down",
            seen=f"{letters[:20]}...",
            likely="the piece was fed the wrong way round",
            try_="turn the picture by 180 degrees",
        ) from None


def flip_bars(bars: str) -> str:
    """Return the bars as they are read when the piece is turned by 180 degrees.

    >>> flip_bars("ATF")
    'FTD'
    """
    return bars[::-1].translate(str.maketrans("AD", "DA"))


def _pack(content: IntelligentMail) -> int:
    routing, tracking = content.routing, content.tracking
    number = (int(routing) if routing else 0) + ROUTING_OFFSETS[len(routing)]
    number = number * 10 + int(tracking[0])
    number = number * 5 + int(tracking[1])
    return number * 10**18 + int(tracking[2:])


def _compute_check(number: int) -> int:
    """Return the check of 11 bits, as USPS-B-3200 counts it: the highest bit first."""
    first, *rest = number.to_bytes((NUMBER_BITS + 7) // 8)
    # Six bits of the first byte, then eight at a time.
    bits = NUMBER_BITS % 8
    check = _shift_check((1 << CHECK_BITS) - 1 ^ first << (CHECK_BITS - bits), bits)
    for byte in rest:
        check = check << 8 & (1 << CHECK_BITS) - 1 ^ _check_of(check >> (CHECK_BITS - 8) ^ byte)
    return check


@cache
def _check_of(byte: int) -> int:
    """Return what eight bits that leave the check add to it."""
    return _shift_check(byte << (CHECK_BITS - 8), 8)


def _shift_check(check: int, count: int) -> int:
    for _ in range(count):
        check <<= 1
        if check >> CHECK_BITS:
            check ^= 1 << CHECK_BITS | CHECK_POLYNOMIAL
    return check


@cache
def _draw_character(place: int, character: int) -> int:
    """Return the bars that a character draws, each four bits: 1 descends, 2 ascends."""
    halves = _list_halves()[place]
    return sum(half for bit, half in enumerate(halves) if character >> bit & 1)


@cache
def _list_halves() -> list[list[int]]:
    """Return the half bar of each bit of each character; the first bar's bits are highest."""
    halves = [[0] * CHARACTER_BITS for _ in range(N_CHARACTERS)]
    for index, ((down, low), (up, high)) in enumerate(zip(DESCENDERS, ASCENDERS, strict=True)):
        shift = 4 * (N_BARS - 1 - index)
        halves[down][low], halves[up][high] = 1 << shift, 2 << shift
    return halves


def _split_words(number: int) -> list[int]:
    number, last = divmod(number, LAST_BASE)
    words = [last]
    for _ in range(N_CHARACTERS - 1):
        number, word = divmod(number, N_CODEWORDS)
        words.append(word)
    return words[::-1]


def _check_letters(bars: str) -> None:
    wrong = sorted({letter for letter in bars if letter not in BAR_LETTERS})
    if wrong:
        raise DataError(
            "the bars of an Intelligent Mail barcode are T, A, D and F", seen=", ".join(wrong)
        )
    if len(bars) != N_BARS:
        raise DataError(
            f"an Intelligent Mail barcode has {N_BARS} bars",
            seen=f"{len(bars)} bars",
            likely="bars at an end were cut off" if N_BARS - 10 < len(bars) < N_BARS else None,
        )


def _decode_bars(bars: str) -> IntelligentMail:
    # The highest bit of the check is in the first codeword.
    words, check = _read_words(bars)
    if words[0] >= CHECK_OFFSET:
        words[0] -= CHECK_OFFSET
        check |= 1 << (CHECK_BITS - 1)
    # An odd last codeword cannot be written: it means bars read upside down.
    words[-1], odd = divmod(words[-1], 2)
    if odd or words[0] >= CHECK_OFFSET or words[-1] >= LAST_BASE:
        raise _damage_error("a codeword that no number has")
    # Codewords are the digits of the number; its check must be the one that was read.
    number = 0
    for word in words[:-1]:
        number = number * N_CODEWORDS + word
    number = number * LAST_BASE + words[-1]
    if number >> NUMBER_BITS or _compute_check(number) != check:
        raise _damage_error("its check does not fit its digits")
    return _unpack(number)


def _read_words(bars: str) -> tuple[list[int], int]:
    """Return the ten codewords and the ten lower bits of the check."""
    result = [0] * N_CHARACTERS
    for bar, (down, low), (up, high) in zip(bars, DESCENDERS, ASCENDERS, strict=True):
        state = BAR_LETTERS.index(bar)
        result[down] |= (state & 1) << low
        result[up] |= (state >> 1) << high
    known = _list_codewords()
    bad = [index for index, character in enumerate(result) if character not in known]
    if bad:
        raise _damage_error(_locate_damage(bad))
    words = [known[character][0] for character in result]
    return words, sum(known[character][1] << index for index, character in enumerate(result))


def find_damage(bars: str) -> list[list[tuple[int, int]]]:
    """Return the half bars of each impossible character: (bar, 0 = upper, 1 = lower half).

    One half bar that was misread makes its character impossible, and no other.
    """
    counts: list[int] = [0] * N_CHARACTERS
    places: list[list[tuple[int, int]]] = [[] for _ in range(N_CHARACTERS)]
    for index, (bar, (down, _), (up, _)) in enumerate(
        zip(bars, DESCENDERS, ASCENDERS, strict=True)
    ):
        state = BAR_LETTERS.index(bar)
        counts[down] += state & 1
        counts[up] += state >> 1
        places[up].append((index, 0))
        places[down].append((index, 1))
    return [own for own, count in zip(places, counts, strict=True) if count not in BIT_COUNTS]


def _locate_damage(bad: Sequence[int]) -> str:
    """Name the bars that belong to two impossible characters, where there are such."""
    both = [
        str(index + 1)
        for index, ((down, _), (up, _)) in enumerate(zip(DESCENDERS, ASCENDERS, strict=True))
        if down in bad and up in bad
    ]
    damage = f"{len(bad)} of {N_CHARACTERS} characters have an impossible number of bits"
    if len(bad) == 2 and both:
        damage += f"; bar {', '.join(both)} may be misread"
    return damage


def _damage_error(seen: str) -> DataError:
    return DataError(
        "the barcode is damaged or was misread", seen=seen, try_="take the picture again"
    )


def _unpack(number: int) -> IntelligentMail:
    number, rest = divmod(number, 10**18)
    number, second = divmod(number, 5)
    number, first = divmod(number, 10)
    # What is left is the routing code; its offset tells how long it is.
    for length in sorted(ROUTING_OFFSETS, reverse=True):
        if number >= ROUTING_OFFSETS[length]:
            routing = f"{number - ROUTING_OFFSETS[length]:0{length}d}" if length else ""
            break
    if len(routing) != length:
        raise _damage_error("a routing code of more than 11 digits")
    return IntelligentMail(f"{first}{second}{rest:018d}", routing)


N_BARS = 65
N_CHARACTERS = 10
CHARACTER_BITS = 13

# Codewords below this are characters with 5 of 13 bits set; the 78 after it have 2.
N_FIVE_BIT_WORDS = 1287

N_CODEWORDS = N_FIVE_BIT_WORDS + 78

BIT_COUNTS = (2, 5, 8, 11)  # of a character, plain or inverted

NUMBER_BITS = 102
CHECK_BITS = 11
CHECK_POLYNOMIAL = 0xF35

# The base of the tenth codeword; twice its value is written, odd ones mean upside down.
LAST_BASE = 636
# Added to the first codeword where the check's highest bit is set.
CHECK_OFFSET = 659
# A bar by its bits: 1 = descends, 2 = ascends; T is a tracker, F a full bar.
BAR_LETTERS = "TDAF"
_BARS = str.maketrans("0123", BAR_LETTERS)
# Added to a routing code of each length, so that each length has numbers of its own.
ROUTING_OFFSETS = {0: 0, 5: 1, 9: 100_001, 11: 1_000_100_001}

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


def _parse_places(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (item.split(":") for item in text.split())
    return tuple((int(character), int(bit)) for character, bit in pairs)


# For each bar, left to right, the (character, bit) that says whether it descends.
DESCENDERS = _parse_places(_DESCENDERS)
# For each bar the (character, bit) that says whether it ascends.
ASCENDERS = _parse_places(_ASCENDERS)


@cache
def imb_characters() -> tuple[int, ...]:
    """Return the character of each codeword 0..1364: numbers of 13 bits, 5 or 2 of them set.

    >>> table = imb_characters()
    >>> len(table), table[0], table[1287]
    (1365, 31, 3)
    """
    return (
        *_list_characters(5, N_FIVE_BIT_WORDS),
        *_list_characters(2, N_CODEWORDS - N_FIVE_BIT_WORDS),
    )


def _list_characters(count: int, size: int) -> list[int]:
    """Return the characters with `count` bits set, in the order of USPS-B-3200.

    A number and its mirror image stand side by side; those that are their own mirror image
    fill the table from its end.
    """
    table = [0] * size
    low, high = 0, size - 1
    for number in range(1 << CHARACTER_BITS):
        if number.bit_count() != count:
            continue
        mirrored = int(f"{number:0{CHARACTER_BITS}b}"[::-1], 2)
        if mirrored == number:
            table[high] = number
            high -= 1
        elif mirrored > number:
            table[low : low + 2] = number, mirrored
            low += 2
    assert low == high + 1, "each place is filled once"
    return table


@cache
def _list_codewords() -> dict[int, tuple[int, bool]]:
    """Return for each character, plain or inverted, its (codeword, is inverted).

    Inverting makes 8 or 11 bits of 5 or 2, so that no number means two things.
    """
    full = (1 << CHARACTER_BITS) - 1
    plain = {character: (word, False) for word, character in enumerate(imb_characters())}
    inverted = {character ^ full: (word, True) for character, (word, _) in plain.items()}
    return plain | inverted


POSTNET_LENGTHS = (5, 9, 11)
# 32, 52 and 62 bars.
POSTNET_BARS = tuple(5 * (length + 1) + 2 for length in POSTNET_LENGTHS)

TALL, SHORT = "|", "."

_POSTNET_DIGITS = (
    *("||...", "...||", "..|.|", "..||.", ".|..|"),
    *(".|.|.", ".||..", "|...|", "|..|.", "|.|.."),
)
_POSTNET_VALUES = {bars: str(digit) for digit, bars in enumerate(_POSTNET_DIGITS)}


def encode_postnet(digits: str) -> str:
    """Return the bars of a ZIP of 5, 9 or 11 digits: ``|`` is tall, ``.`` short.

    >>> encode_postnet("12345")
    '|...||..|.|..||..|..|.|.|..|.|.|'
    """
    check_digits("a POSTNET barcode", digits, POSTNET_LENGTHS)
    check = -sum(map(int, digits)) % 10
    return TALL + "".join(_POSTNET_DIGITS[int(digit)] for digit in f"{digits}{check}") + TALL


def decode_postnet(bars: str) -> str:
    """Return the digits of a POSTNET barcode, without the check digit.

    `bars` are ``|`` and ``.``, or 1 and 0, left to right; spaces do not matter. Raises
    `DataError` for another number of bars or another letter, a missing frame bar, a digit that
    is none, or digits that do not sum to a multiple of 10.

    >>> decode_postnet(encode_postnet("012345678"))
    '012345678'
    """
    result = "".join(bars.split()).translate(str.maketrans("10", TALL + SHORT))
    wrong = sorted(set(result) - {TALL, SHORT})
    if wrong:
        raise DataError("the bars of POSTNET are | and .", seen=", ".join(wrong))
    if len(result) not in POSTNET_BARS:
        raise DataError("POSTNET has 32, 52 or 62 bars", seen=f"{len(result)} bars")
    if result[0] != TALL or result[-1] != TALL:
        raise DataError(
            "POSTNET has a tall bar at either end", seen=f"{result[0]} {result[-1]}"
        )
    # Between the frame bars each five are a digit.
    groups = [result[index : index + 5] for index in range(1, len(result) - 1, 5)]
    for index, group in enumerate(groups):
        if group not in _POSTNET_VALUES:
            raise DataError(
                "each digit of POSTNET has two tall bars of five",
                seen=f"digit {index + 1} is {group}",
                try_="take the picture again",
            )
    digits = "".join(_POSTNET_VALUES[group] for group in groups)
    if sum(map(int, digits)) % 10:
        raise DataError(
            "the digits of POSTNET sum to a multiple of 10 with the check digit",
            seen=f"{digits}, which sum to {sum(map(int, digits))}",
            try_="take the picture again",
        )
    return digits[:-1]
