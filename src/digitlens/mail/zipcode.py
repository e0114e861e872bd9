"""A ZIP code is text from pixel to tray: 00501 is no number. And the states of the country."""

from __future__ import annotations

from dataclasses import dataclass

from digitlens.errors import UsageError
from digitlens.suggest import suggest

ZIP5, ZIP9 = 5, 9

# How many digits a ZIP and a ZIP+4 have.
ZIP_LENGTHS = (ZIP5, ZIP9)


@dataclass(frozen=True, order=True)
class ZipCode:
    """A ZIP of five digits, or a ZIP+4; `plus4` is the four digits after the dash, or ``""``.

    Examples
    --------
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

    Examples
    --------
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
