"""The states of the United States, as mail names them: two letters, or the whole name."""

from __future__ import annotations

from digitlens.errors import UsageError
from digitlens.nearest import nearest

_LIST = (
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

STATES = {each.strip()[:2]: each.strip()[3:] for each in _LIST.split(";")}
"""The Postal Service's abbreviations (Publication 28, appendix B), and the names."""

_NAMES = {name.casefold(): code for code, name in STATES.items()}


def state_code(text: str) -> str:
    """Return the two letters of a state that is given by them or by its name.

    Raises
    ------
    UsageError
        There is no such state; the nearest name is offered.

    Examples
    --------
    >>> state_code("new york"), state_code(" ny. ")
    ('NY', 'NY')
    """
    bare = " ".join(text.replace(".", "").split())
    if bare.upper() in STATES:
        return bare.upper()
    if bare.casefold() in _NAMES:
        return _NAMES[bare.casefold()]
    meant = nearest(bare, STATES.values())
    raise UsageError(
        "a state is two letters such as NY, or its name",
        seen=repr(text),
        try_=meant,
    )
