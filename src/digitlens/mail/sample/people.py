"""Who writes to whom: made-up people at made-up streets of real towns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlens.mail.directory import Directory, Place
    from digitlens.writing.dice import Dice


def _listed(text: str, mark: str | None = None) -> list[str]:
    return [each.strip() for each in text.split(mark)]


FIRST = _listed(
    "Ada Ben Clara David Ella Frank Grace Henry Iris James Karen Leo Maria Nora Oscar "
    "Paula Quinn Rosa Sam Tara Ulla Victor Wendy Xavier Yuki Zoe Amir Beatriz Chen Dmitri"
)
LAST = _listed(
    "Adams Baker Carter Diaz Evans Fisher Garcia Hughes Irving Johnson Kelly Lopez Miller "
    "Nguyen Olson Parker Quigley Rivera Smith Turner Upton Vargas Walker Young Zhang "
    "Novak"
)
STREETS = _listed(
    "Maple Oak Cedar Elm Pine Main Park Lake Hill Church Mill River Spring Washington "
    "Lincoln Jackson Franklin Highland Sunset Prospect Chestnut Walnut Meadow Union "
    "Center Bridge"
)
KINDS = _listed("St Ave Rd Ln Dr Blvd Ct Way")
FIRMS = _listed(
    "First County Bank; Green Valley Farms; City Water Works; Dr. Lee Dental; Harbor "
    "Insurance; Alumni Office; Public Library; Northern Gas Co.; Hillside Books; Tax "
    "Service",
    ";",
)


@dataclass(frozen=True)
class Address:
    """An address as it stands on an envelope.

    Parameters
    ----------
    name, street
        The first lines.
    place
        Town and ZIP.
    four
        The digits behind the dash, or ``""``.
    """

    name: str
    street: str
    place: Place
    four: str = ""

    @property
    def town(self) -> str:
        """The last line, up to the ZIP."""
        return f"{self.place.city}, {self.place.state}"


def draw_address(dice: Dice, directory: Directory, *, firm: bool = False) -> Address:
    """Draw an address in any ZIP of the directory; one in eight has a ZIP+4."""
    place = directory.place(dice.pick(directory.zips))
    assert place is not None, "it was drawn from the directory"
    name = dice.pick(FIRMS) if firm else f"{dice.pick(FIRST)} {dice.pick(LAST)}"
    if dice.hit(0.12):
        street = f"PO Box {1 + dice.below(2999)}"
    else:
        number = 1 + dice.below(9 if dice.hit(0.05) else 990 if dice.hit(0.5) else 9900)
        street = f"{number} {dice.pick(STREETS)} {dice.pick(KINDS)}"
    four = f"{dice.below(10_000):04d}" if dice.hit(0.125) else ""
    return Address(name, street, place, four)
