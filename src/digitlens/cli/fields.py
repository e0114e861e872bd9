"""The option --field: one number that is wanted, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.documents import Wanted

EXAMPLE = "--field name=zip,count=5,area=400,300,640,360,boxes"
NAMES = ("name", "count", "area", "boxes")


def fields_of(texts: Sequence[str]) -> tuple[Wanted, ...]:
    """Return what several --field say.

    Parameters
    ----------
    texts
        Each of the parts ``name=NAME``, ``count=N``, ``area=LEFT,TOP,RIGHT,BOTTOM`` and
        ``boxes``, in any order, parted by commas. A field without a name is called by its
        number, from 1.

    Raises
    ------
    UsageError
        Something else, or two fields of one name.

    Examples
    --------
    >>> (zip,) = fields_of(["name=zip,count=5,area=400,300,640,360,boxes"])
    >>> zip.name, zip.field.count, zip.field.area, zip.field.boxes
    ('zip', 5, (400.0, 300.0, 640.0, 360.0), True)
    """
    found = tuple(_field(text, str(at)) for at, text in enumerate(texts, 1))
    names = [wanted.name for wanted in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("fields must have names of their own", seen=f"two called {name}")
    return found


def _field(text: str, number: str) -> Wanted:
    from digitlens.documents import Wanted
    from digitlens.reader import Field

    known = _parts(text)
    return Wanted(
        known["name"][0] if "name" in known else number,
        Field(
            count=_count(text, known["count"]) if "count" in known else None,
            area=_area(text, known["area"]) if "area" in known else None,
            boxes="boxes" in known,
        ),
    )


def _parts(text: str) -> dict[str, list[str]]:
    """Return each part's values; numbers that follow ``area=`` belong to it."""
    known: dict[str, list[str]] = {}
    last = ""
    for word in (each.strip() for each in text.split(",")):
        name, equals, value = word.partition("=")
        if equals and name in NAMES[:3] and value and name not in known:
            known[name] = [value]
        elif word == "boxes":
            known[word] = []
        elif last == "area" and not equals and len(known["area"]) < 4:
            known["area"].append(word)
            continue
        else:
            raise _wrong(text, f"'{word}'")
        last = name
    return known


def _count(text: str, values: list[str]) -> int:
    if not values[0].isdecimal() or int(values[0]) < 1:
        raise _wrong(text, f"count={values[0]}")
    return int(values[0])


def _area(text: str, values: list[str]) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = map(float, values)
    except ValueError as error:
        raise _wrong(text, f"area={','.join(values)}") from error
    if not (0 <= left < right < float("inf") and 0 <= top < bottom < float("inf")):
        raise _wrong(text, f"area={','.join(values)}: left, top, right, bottom in pixels")
    return left, top, right, bottom


def _wrong(text: str, what: str) -> UsageError:
    return UsageError(
        "--field must be made of name=NAME, count=N, area=LEFT,TOP,RIGHT,BOTTOM and boxes",
        seen=f"{what} in --field {text}",
        try_=EXAMPLE,
    )
