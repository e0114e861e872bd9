"""The Postal Service's labeling list L002: which plant sorts which three-digit prefix."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from digitlens.errors import DataError
from digitlens.mail.plan.rules import Plan, Range

if TYPE_CHECKING:
    from pathlib import Path

FRESH_DAYS = 92
"""A list is called stale when it is older: the Postal Service revises it every few months."""

UNASSIGNED = "X"

_DATE = re.compile(r'^"?(Effective|Grace) Date:\s*(\d{4})-(\d\d)-(\d\d)"?\s*$')
_PLANT = re.compile(r"(?P<name>.+?) (?P<state>[A-Z]{2}) (?P<id>\d{3})")
_HEAD = "3-digit zip code prefix"
_COLUMNS = ("column c", "column b")
"""Where the plant stands; military mail has none in the first, and goes by the second."""


@dataclass(frozen=True)
class LabelingList:
    """An edition of L002.

    Parameters
    ----------
    plants
        For each prefix of three digits the plant that sorts it, as on a container's label:
        "SCF BOSTON MA 021".
    effective, grace
        Since when it is in force, and until when the edition before it may still be used.
    """

    plants: dict[str, str]
    effective: date
    grace: date | None

    def staleness(self, today: date) -> str | None:
        """Say how old the list is, where that is too old to be relied on; else None."""
        age = (today - self.effective).days
        if age > FRESH_DAYS:
            return (
                f"this edition of L002 is {age} days old (effective {self.effective}); the "
                "Postal Service revises it every few months: fetch the current one from "
                "fast.usps.com"
            )
        if age < 0:
            return f"this edition of L002 is not in force before {self.effective}"
        return None

    def plan(self, default: str = "other") -> Plan:
        """Return the plan with a tray for each plant; prefixes side by side become ranges."""
        trays: dict[str, list[Range]] = {}
        plants: dict[str, str] = {}
        for prefix, plant in sorted(self.plants.items()):
            tray = tray_name(plant)
            plants[tray] = plant
            own = trays.setdefault(tray, [])
            if own and int(own[-1].high[:3]) + 1 == int(prefix):
                own[-1] = Range(own[-1].low, prefix + "99")
            else:
                own.append(Range.parse(prefix))
        order = sorted(trays, key=lambda tray: trays[tray][0])
        return Plan(
            {tray: tuple(trays[tray]) for tray in order},
            default,
            {tray: plants[tray] for tray in order},
            f"labeling list L002, effective {self.effective}",
            self.effective,
        )


def tray_name(plant: str) -> str:
    """Return the tray of a plant: its number, its name and its state, as a folder's name.

    Examples
    --------
    >>> tray_name("SCF MID-ISLAND NY 117")
    '117-mid-island-ny'
    """
    found = _PLANT.fullmatch(plant.removeprefix("SCF "))
    assert found is not None, "the list was checked"
    words = re.sub(r"[^a-z0-9]+", "-", f"{found['name']} {found['state']}".lower()).strip("-")
    return f"{found['id']}-{words}"


def read_l002(path: Path) -> LabelingList:
    """Read L002 from the CSV file at `path`; see `parse_l002`.

    Raises
    ------
    MissingDataError, DataError
        No such file, or one that is not L002.
    """
    from digitlens import files

    return parse_l002(files.read(path).content.decode("utf-8-sig", "replace"), str(path))


def parse_l002(text: str, name: str = "L002") -> LabelingList:
    """Return the labeling list that `text` holds, as the Postal Service publishes it.

    Above the table stand "Effective Date: 2024-08-01" and perhaps a grace date; the table's
    first column is the prefix, its "Column C" the plant; cells are padded with tabs. Military
    prefixes have no plant there and go by "Column B". Unassigned ones are left out.

    Raises
    ------
    DataError
        No effective date, no such table, a prefix that is none or stands there twice, or a
        plant that is not NAME STATE NUMBER; with the line.
    """
    dates = {}
    for line in text.splitlines()[:20]:
        if found := _DATE.match(line.strip()):
            dates[found[1]] = _date(name, *found.groups()[1:])
    if "Effective" not in dates:
        raise DataError(
            f"{name} does not say since when it is in force",
            seen=f"it begins with {text[:40]!r}",
            likely="it is not the list L002 as the Postal Service publishes it",
            try_='a line such as "Effective Date: 2024-08-01" stands above the table',
        )
    plants: dict[str, str] = {}
    reader = csv.reader(io.StringIO(text))
    columns: list[int] = []
    for row in reader:
        cells = [" ".join(cell.split()) for cell in row]
        if columns and any(cells):
            _add(plants, cells, columns, f"{name}, line {reader.line_num}")
        elif cells and cells[0].lower() == _HEAD:
            heads = [cell.lower() for cell in cells]
            columns = [i for word in _COLUMNS for i, cell in enumerate(heads) if word in cell]
    if not plants:
        raise DataError(
            f"{name} holds no table of prefixes",
            try_='its head is "3-Digit ZIP Code Prefix", and "Column C" names the plants',
        )
    return LabelingList(plants, dates["Effective"], dates.get("Grace"))


def _date(name: str, *parts: str) -> date:
    try:
        return date(*map(int, parts))
    except ValueError as error:
        raise DataError(f"{name} has no such date", seen="-".join(parts)) from error


def _add(plants: dict[str, str], cells: list[str], columns: list[int], where: str) -> None:
    prefix = cells[0]
    named = [cells[column] for column in columns if column < len(cells)]
    plant = next((each for each in named if each), "")
    if not (len(prefix) == 3 and prefix.isascii() and prefix.isdigit()):
        raise DataError(f"{where}: a prefix has three digits", seen=repr(prefix))
    if UNASSIGNED in cells[1:] and not plant:
        return
    if not _PLANT.fullmatch(plant.removeprefix("SCF ")):
        raise DataError(f'{where}: a plant is written as "SCF BOSTON MA 021"', seen=repr(plant))
    if prefix in plants:
        raise DataError(f"{where}: the prefix {prefix} stands there twice")
    plants[prefix] = plant
