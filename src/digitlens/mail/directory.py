"""ZIP codes: their form, the states, and which are in use (from the package ``zipcodes``).

A ZIP code is text from pixel to tray: 00501 is no number.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from sys import intern
from typing import TYPE_CHECKING, Any

from digitlens.errors import MissingExtraError, UsageError, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


ZIP5, ZIP9 = 5, 9

# How many digits a ZIP and a ZIP+4 have.
ZIP_LENGTHS = (ZIP5, ZIP9)


@dataclass(frozen=True, order=True)
class ZipCode:
    """A ZIP of five digits, or a ZIP+4; `plus4` is the four digits after the dash, or ``""``.

    >>> ZipCode.parse("00501").five, str(ZipCode.parse("123456789"))
    ('00501', '12345-6789')
    """

    five: str
    plus4: str = ""

    def __post_init__(self) -> None:
        if not (is_digits(self.five, ZIP5) and (not self.plus4 or is_digits(self.plus4, 4))):
            raise UsageError(
                "a ZIP has five digits, a ZIP+4 nine", seen=f"{self.five!r}, {self.plus4!r}"
            )

    def __str__(self) -> str:
        return f"{self.five}-{self.plus4}" if self.plus4 else self.five

    @property
    def digits(self) -> str:
        """All digits without the dash: what a barcode holds."""
        return self.five + self.plus4

    @classmethod
    def parse(cls, text: str) -> ZipCode:
        """Return the ZIP in `text`: 12345, 123456789 or 12345-6789.

        `UsageError` for anything else, and for a number: numbers lose their leading zeros.
        """
        if not isinstance(text, str):
            raise UsageError(
                "a ZIP must be text",
                seen=f"{type(text).__name__} {text!r}",
                likely="a number loses its leading zeros: 00501 would be 501",
                try_="read the column as text",
            )
        bare = text.strip()
        if is_digits(bare, ZIP5) or is_digits(bare, ZIP9):
            return cls(bare[:ZIP5], bare[ZIP5:])
        if len(bare) == ZIP9 + 1 and bare[ZIP5] == "-" and is_digits(bare[:ZIP5], ZIP5):
            return cls(bare[:ZIP5], bare[ZIP5 + 1 :])
        is_short = bare.isascii() and bare.isdigit() and len(bare) < ZIP5
        raise UsageError(
            "a ZIP is 12345, 12345-6789 or 123456789",
            seen=repr(text),
            likely="a spreadsheet removed the leading zeros" if is_short and bare else None,
        )


def is_digits(text: str, count: int) -> bool:
    """Say whether `text` is exactly `count` of the digits 0 to 9."""
    return len(text) == count and text.isascii() and text.isdigit()


_STATE_LIST = (
    "AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT "
    "Connecticut; DE Delaware; DC District of Columbia; FL Florida; GA Georgia; HI "
    "Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas; KY Kentucky; LA "
    "Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota; MS "
    "Mississippi; MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ "
    "New Jersey; NM New Mexico; NY New York; NC North Carolina; ND North Dakota; OH Ohio; "
    "OK Oklahoma; OR Oregon; PA Pennsylvania; RI Rhode Island; SC South Carolina; SD "
    "South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia; WA "
    "Washington; WV West Virginia; WI Wisconsin; WY Wyoming; AS American Samoa; GU Guam; "
    "MP Northern Mariana Islands; PR Puerto Rico; VI Virgin Islands; FM Micronesia; MH "
    "Marshall Islands; PW Palau; AA Armed Forces Americas; AE Armed Forces Europe; AP "
    "Armed Forces Pacific "
)

# State names by the Postal Service's abbreviations (Publication 28, appendix B).
STATES = {item.strip()[:2]: item.strip()[3:] for item in _STATE_LIST.split(";")}

_STATE_CODES = {name.casefold(): code for code, name in STATES.items()}


def state_code(text: str) -> str:
    """Return the two letters of a state that is given by them or by its name.

    >>> state_code("new york"), state_code(" ny. ")
    ('NY', 'NY')
    """
    bare = " ".join(text.replace(".", "").split())
    if bare.upper() in STATES:
        return bare.upper()
    if bare.casefold() in _STATE_CODES:
        return _STATE_CODES[bare.casefold()]
    raise UsageError(
        "a state is two letters such as NY, or its name",
        seen=repr(text),
        try_=suggest(bare, STATES.values()),
    )


_PAIRS = (
    "st:saint ste:sainte ft:fort mt:mount pt:point n:north s:south e:east w:west "
    "hts:heights spgs:springs jct:junction hbr:harbor vlg:village "
)
# Words that addresses abbreviate (Publication 28), and what they stand for.
_ABBREVIATIONS = dict(pair.split(":") for pair in _PAIRS.split())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ZIP of five digits is.

    `city` is the name that the Postal Service prefers, `names` all that people write, that one
    first; `state` is two letters; `county` may be ``""``; `kind` is "STANDARD", "PO BOX",
    "UNIQUE" (one large receiver) or "MILITARY".
    """

    zip: str
    city: str
    names: tuple[str, ...]
    state: str
    county: str
    kind: str

    def __str__(self) -> str:
        return f"{self.zip} {self.city} {self.state}"


class Directory:
    """The ZIPs in use: one `Place` for each.

    >>> holtsville = Place("00501", "Holtsville", ("Holtsville",), "NY", "Suffolk", "UNIQUE")
    >>> directory = Directory([holtsville])
    >>> "00501" in directory, "501" in directory, str(directory.place("00501"))
    (True, False, '00501 Holtsville NY')
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = {place.zip: place for place in sorted(places, key=lambda item: item.zip)}
        self._zips = tuple(self._places)

    # Most runs are told no city: what only these need takes memory when it is asked for.
    @cached_property
    def _states(self) -> dict[str, set[str]]:
        states: dict[str, set[str]] = {}
        for place in self._places.values():
            states.setdefault(place.state, set()).add(place.zip)
        return states

    @cached_property
    def _cities(self) -> dict[tuple[str, str], set[str]]:
        """The ZIPs of each name that people write for a city, in its state."""
        cities: dict[tuple[str, str], set[str]] = {}
        for place in self._places.values():
            for name in place.names:
                cities.setdefault((normalize_name(name), place.state), set()).add(place.zip)
        return cities

    def __len__(self) -> int:
        return len(self._zips)

    def __contains__(self, text: str) -> bool:
        return text in self._places

    @property
    def zips(self) -> Sequence[str]:
        """All ZIPs, rising."""
        return self._zips

    def place(self, text: str) -> Place | None:
        """Return where the five digits `text` are, or None where no such ZIP is in use."""
        return self._places.get(text)

    def with_prefix(self, prefix: str) -> Sequence[str]:
        """Return the ZIPs that begin with `prefix`, rising."""
        low = bisect_left(self._zips, prefix)
        return self._zips[low : bisect_right(self._zips, prefix + "9" * (5 - len(prefix)))]

    def find_zips(self, city: str | None = None, state: str | None = None) -> frozenset[str]:
        """Return the ZIPs that a letter to `city` in `state` may have; None stands for any.

        A city is named as people write it: case, dots, "St." and "Ft." do not matter; a state
        by two letters or its name. `UsageError` where there is none.
        """
        code = None if state is None else state_code(state)
        if city is None:
            return frozenset(self._zips if code is None else self._states.get(code, ()))
        # A city is looked for in its state, or in all of them.
        name = normalize_name(city)
        states = self._states if code is None else (code,)
        result = [self._cities[name, item] for item in states if (name, item) in self._cities]
        if not result:
            raise self._unknown(city, code)
        return frozenset().union(*result)

    def _unknown(self, city: str, code: str | None) -> UsageError:
        names = {item for item, state in self._cities if code in (None, state)}
        meant = suggest(normalize_name(city), names, cutoff=0.75)
        where = f" in {code}" if code else ""
        return UsageError(
            f"the directory of ZIPs has no city of that name{where}",
            seen=repr(city),
            try_=meant.title() if meant else "leave the city out, and give the state alone",
        )


def normalize_name(name: str) -> str:
    """Return a city's name as it is compared: small letters, words in full.

    >>> normalize_name("St. Paul"), normalize_name("N Little-Rock")
    ('saint paul', 'north little rock')
    """
    words = re.findall(r"[^\W_]+", name.replace("'", "").casefold())
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


def parse_places(records: Iterable[dict[str, Any]]) -> list[Place]:
    """Return the places in the ``zipcodes`` package's records, without those out of use."""
    result = []
    for record in records:
        if not record["active"]:
            continue
        # Names that the Postal Service does not accept are written all the same.
        others = [*record["acceptable_cities"], *record["unacceptable_cities"]]
        about = map(intern, (record["state"], record["county"], record["zip_code_type"]))
        names = tuple(map(intern, (record["city"], *others)))
        result.append(Place(record["zip_code"], names[0], names, *about))
    return result


@cache
def load_directory() -> Directory:
    """Return the directory of all ZIPs in use, about 42,000; it is loaded once."""
    try:
        import zipcodes
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("the directory of ZIPs wants", "zipcodes", "mail") from error
    # Collecting garbage among a million new objects that all stay takes as long as making them.
    collecting = gc.isenabled()
    gc.disable()
    try:
        # They are loaded by their first two digits: all records at once take 140 MB, of which
        # a tenth stays.
        records = (zipcodes.similar_to(f"{first:02d}") for first in range(100))
        return Directory(chain.from_iterable(map(parse_places, records)))
    finally:
        if collecting:
            gc.enable()
