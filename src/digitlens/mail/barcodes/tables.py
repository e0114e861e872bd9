"""The tables of the Intelligent Mail barcode: characters of 13 bits, and where each bit goes.

Both are USPS-B-3200's: the characters are made by its rule, and which bit becomes which half
of which bar is a list there.
"""

from __future__ import annotations

from functools import cache

BITS = 13
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
    pairs = (each.split(":") for each in text.split())
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
    for number in range(1 << BITS):
        if number.bit_count() != count:
            continue
        mirrored = int(f"{number:0{BITS}b}"[::-1], 2)
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
    full = (1 << BITS) - 1
    plain = {character: (word, False) for word, character in enumerate(characters())}
    turned = {character ^ full: (word, True) for character, (word, _) in plain.items()}
    return plain | turned
