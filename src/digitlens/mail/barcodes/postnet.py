"""POSTNET, the older barcode of the Postal Service: a ZIP in tall and short bars.

Each digit is five bars, two of them tall; their places weigh 7, 4, 2, 1 and 0, and 7 + 4 is
0. A check digit brings the sum to a multiple of 10, and a tall bar stands at either end. The
Postal Service no longer takes it for lower rates (since 2013), but old mail bears it.
"""

from __future__ import annotations

from digitlens.errors import DataError
from digitlens.mail.barcodes.imb import check_digits

LENGTHS = (5, 9, 11)
BARS = tuple(5 * (length + 1) + 2 for length in LENGTHS)
"""32, 52 and 62 bars."""

TALL, SHORT = "|", "."

_DIGITS = (
    *("||...", "...||", "..|.|", "..||.", ".|..|"),
    *(".|.|.", ".||..", "|...|", "|..|.", "|.|.."),
)
_VALUES = {bars: str(digit) for digit, bars in enumerate(_DIGITS)}


def encode_postnet(digits: str) -> str:
    """Return the bars of a ZIP of 5, 9 or 11 digits: ``|`` is tall, ``.`` short.

    Raises
    ------
    UsageError
        Something else than 5, 9 or 11 digits.

    Examples
    --------
    >>> encode_postnet("12345")
    '|...||..|.|..||..|..|.|.|..|.|.|'
    """
    check_digits("a POSTNET barcode", digits, LENGTHS)
    check = -sum(map(int, digits)) % 10
    return TALL + "".join(_DIGITS[int(digit)] for digit in f"{digits}{check}") + TALL


def decode_postnet(bars: str) -> str:
    """Return the digits of a POSTNET barcode, without the check digit.

    Parameters
    ----------
    bars
        ``|`` and ``.``, or 1 and 0, left to right; spaces do not matter.

    Raises
    ------
    DataError
        Another number of bars, another letter, a missing frame bar, a digit that is none, or
        digits that do not sum to a multiple of 10.

    Examples
    --------
    >>> decode_postnet(encode_postnet("012345678"))
    '012345678'
    """
    result = "".join(bars.split()).translate(str.maketrans("10", TALL + SHORT))
    wrong = sorted(set(result) - {TALL, SHORT})
    if wrong:
        raise DataError("the bars of POSTNET are | and .", seen=", ".join(wrong))
    if len(result) not in BARS:
        raise DataError("POSTNET has 32, 52 or 62 bars", seen=f"{len(result)} bars")
    if result[0] != TALL or result[-1] != TALL:
        raise DataError(
            "POSTNET has a tall bar at either end", seen=f"{result[0]} {result[-1]}"
        )
    groups = [result[index : index + 5] for index in range(1, len(result) - 1, 5)]
    for index, group in enumerate(groups):
        if group not in _VALUES:
            raise DataError(
                "each digit of POSTNET has two tall bars of five",
                seen=f"digit {index + 1} is {group}",
                try_="take the picture again",
            )
    digits = "".join(_VALUES[group] for group in groups)
    if sum(map(int, digits)) % 10:
        raise DataError(
            "the digits of POSTNET sum to a multiple of 10 with the check digit",
            seen=f"{digits}, which sum to {sum(map(int, digits))}",
            try_="take the picture again",
        )
    return digits[:-1]
