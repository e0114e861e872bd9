"""Files of sort plans: TOML that people write, and the Postal Service's labeling list L002.

Errors name the line: plans are written by hand, and a list has a thousand rows.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, UsageError, suggest
from digitlens.mail.directory import is_digits
from digitlens.mail.plan import Range, SortPlan, check_name
from digitlens.storage import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


KEYS = ("default", "source", "effective", "trays", "plants")

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'')
_LINE_WIDTH = 88


def read_plan(path: Path) -> SortPlan:
    """Read the plan in the file at `path`; see `parse_plan`."""
    try:
        text = read_file(path).content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file", seen=str(error)) from error
    return parse_plan(text, str(path))


def parse_plan(text: str, name: str = "the plan") -> SortPlan:
    """Return the plan in `text`; `name` is that of its file, for errors.

    `text` is TOML: ``default``, a tray; ``[trays]``, for each tray a list of ranges; and,
    optionally, ``source``, ``effective`` (a date) and ``[plants]``, a plant for a tray. Raises
    `DataError`, with the line, for what is not TOML, an unknown key, something that is no
    range, and two that overlap.

    >>> parse_plan('default = "other"\\n[trays]\\nboston = ["021"]').find_tray("02134")
    'boston'
    """
    # TOML, and of the right kinds.
    try:
        result = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not TOML", seen=str(error)) from error
    source = _PlanText(name, text.splitlines())
    _check_keys(result, source)

    # Ranges keep their lines until all are checked: an overlap names both.
    placed = _parse_ranges(result["trays"], source)
    rising = sorted(placed, key=lambda item: (item[0].low, item[0].high))
    for (one, tray, line), (two, other, later) in pairwise(rising):
        if one.high >= two.low:
            seen = f"{one} -> {tray} (line {line}) and {two} -> {other} (line {later})"
            wanted = "ranges of a plan must not overlap"
            raise source.error_at(max(line, later), wanted, seen)
    trays: dict[str, list[Range]] = {tray: [] for tray in result["trays"]}
    for range_, tray, _ in placed:
        trays[tray].append(range_)

    # A plant belongs to a tray of the plan.
    for tray in result.get("plants", {}):
        if tray not in trays:
            line = source.find_key(tray, after=source.find_key("plants"))
            wanted = f"there is a plant for the tray {tray}, but no such tray"
            raise source.error_at(line, wanted)
    try:
        return SortPlan(
            {tray: tuple(ranges) for tray, ranges in trays.items()},
            result["default"],
            result.get("plants", {}),
            result.get("source", ""),
            result.get("effective"),
        )
    except UsageError as error:
        raise source.error_at(0, error.wanted, error.seen) from error


@dataclass(frozen=True)
class _PlanText:
    """The lines of a plan, from 1, and where in them something stands: 0 is nowhere."""

    name: str
    lines: list[str]

    def error_at(
        self, line: int, wanted: str, seen: str | None = None, try_: str | None = None
    ) -> DataError:
        where = f"{self.name}, line {line}" if line else self.name
        return DataError(f"{where}: {wanted}", seen=seen, try_=try_)

    def find_key(self, key: str, after: int = 0) -> int:
        """Return the line in which `key` gets a value or a table."""
        for index, line in enumerate(self.lines[max(after - 1, 0) :], max(after, 1)):
            bare = line.strip().strip("[]").split("=")[0].strip().strip("\"'")
            if bare == key or bare.split(".")[0].strip() == key:
                return index
        return 0

    def find_text(self, text: str, start: int) -> int:
        """Return the first line from `start` on that holds `text` in quotes."""
        for index in range(max(start, 1), len(self.lines) + 1):
            for match in _STRING.finditer(self.lines[index - 1]):
                if text in match.groups():
                    return index
        return 0


def _check_keys(result: dict[str, Any], source: _PlanText) -> None:
    for key in result:
        if key not in KEYS:
            advice = suggest(key, KEYS) or f"the keys are {', '.join(KEYS)}"
            wanted = f"a plan has no key {key}"
            raise source.error_at(source.find_key(key), wanted, try_=advice)
    kinds: dict[str, tuple[type, str]] = {
        "default": (str, 'the name of a tray, such as default = "other"'),
        "trays": (dict, 'a table [trays] with lines such as boston = ["021-022"]'),
        "plants": (dict, 'a table [plants] with lines such as boston = "SCF BOSTON MA 021"'),
        "source": (str, "a text"),
        "effective": (date, "a date such as 2024-08-01"),
    }
    for key, (kind, what) in kinds.items():
        if key not in result and key not in ("default", "trays"):
            continue
        if not isinstance(result.get(key), kind):
            seen = "it is missing" if key not in result else repr(result[key])[:60]
            raise source.error_at(source.find_key(key), f"{key} must be {what}", seen)
    for tray, plant in result.get("plants", {}).items():
        if not isinstance(plant, str):
            line = source.find_key(tray)
            raise source.error_at(line, "a plant must be a text", repr(plant))


def _parse_ranges(trays: dict[str, Any], source: _PlanText) -> list[tuple[Range, str, int]]:
    """Return each range with its tray and its line."""
    result = []
    line = source.find_key("trays")
    for tray, entries in trays.items():
        line = source.find_key(tray, after=line) or line
        try:
            check_name(tray)
        except UsageError as error:
            raise source.error_at(line, error.wanted, error.seen) from error
        if not isinstance(entries, list) or not all(isinstance(item, str) for item in entries):
            raise source.error_at(
                line,
                f"the tray {tray} must have a list of ranges in quotes",
                repr(entries)[:60],
                'numbers lose their leading zeros: write ["021"]',
            )
        spot = line
        for entry in entries:
            spot = source.find_text(entry, spot) or spot
            try:
                result.append((Range.parse(entry), tray, spot))
            except UsageError as error:
                raise source.error_at(spot, error.wanted, error.seen, error.try_) from error
    return result


def write_plan(plan: SortPlan) -> str:
    """Return the plan as TOML; `parse_plan` gives the same plan back.

    >>> print(write_plan(SortPlan({"boston": (Range("02100", "02299"),)}, "other")))
    default = "other"
    <BLANKLINE>
    [trays]
    boston = ["021-022"]
    <BLANKLINE>
    """
    rows = [f"# {plan.source}"] if plan.source else []
    rows.append(f"default = {_quote(plan.default)}")
    if plan.source:
        rows.append(f"source = {_quote(plan.source)}")
    if plan.effective:
        rows.append(f"effective = {plan.effective.isoformat()}")
    rows += ["", "[trays]"]
    for tray, ranges in plan.trays.items():
        rows += _format_entry(_format_key(tray), [_quote(str(item)) for item in sorted(ranges)])
    if plan.plants:
        rows += ["", "[plants]"]
        rows += [
            f"{_format_key(tray)} = {_quote(plant)}" for tray, plant in plan.plants.items()
        ]
    return "\n".join([*rows, ""])


def _format_entry(key: str, entries: list[str]) -> list[str]:
    line = f"{key} = [{', '.join(entries)}]"
    if len(line) <= _LINE_WIDTH:
        return [line]
    rows, row = [f"{key} = ["], "   "
    for entry in entries:
        if len(row) + len(entry) + 2 > _LINE_WIDTH:
            rows.append(row)
            row = "   "
        row += f" {entry},"
    return [*rows, row, "]"]


def _format_key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quote(text)


def _quote(text: str) -> str:
    # TOML's strings are JSON's, but for the sign DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


# An older list is stale: the Postal Service revises it every few months.
MAX_AGE_DAYS = 92

UNASSIGNED = "X"

_DATE = re.compile(r'^"?(Effective|Grace) Date:\s*(\d{4})-(\d\d)-(\d\d)"?\s*$')
_PLANT = re.compile(r"(?P<name>.+?) (?P<state>[A-Z]{2}) (?P<id>\d{3})")
_TABLE_HEAD = "3-digit zip code prefix"
# Where the plant stands; military mail has none in the first, and goes by the second.
_PLANT_COLUMNS = ("column c", "column b")


@dataclass(frozen=True)
class LabelingList:
    """An edition of L002.

    `plants` has for each prefix of three digits the plant that sorts it, as on a container's
    label: "SCF BOSTON MA 021". The edition is in force since `effective`, and until `grace` the
    one before it may still be used.
    """

    plants: dict[str, str]
    effective: date
    grace: date | None

    def staleness(self, today: date) -> str | None:
        """Say how old the list is, where it is too old to rely on; else None."""
        age = (today - self.effective).days
        if age > MAX_AGE_DAYS:
            return (
                f"this edition of L002 is {age} days old (effective {self.effective}); the "
                "Postal Service revises it every few months: fetch the current one from "
                "fast.usps.com"
            )
        if age < 0:
            return f"this edition of L002 is not in force before {self.effective}"
        return None

    def make_plan(self, default: str = "other") -> SortPlan:
        """Return the plan with a tray for each plant; prefixes side by side become ranges."""
        trays: dict[str, list[Range]] = {}
        plants: dict[str, str] = {}
        for prefix, plant in sorted(self.plants.items()):
            tray = tray_name(plant)
            plants[tray] = plant
            ranges = trays.setdefault(tray, [])
            if ranges and int(ranges[-1].high[:3]) + 1 == int(prefix):
                ranges[-1] = Range(ranges[-1].low, prefix + "99")
            else:
                ranges.append(Range.parse(prefix))
        order = sorted(trays, key=lambda tray: trays[tray][0])
        return SortPlan(
            {tray: tuple(trays[tray]) for tray in order},
            default,
            {tray: plants[tray] for tray in order},
            f"labeling list L002, effective {self.effective}",
            self.effective,
        )


def tray_name(plant: str) -> str:
    """Return the tray of a plant: its number, its name and its state, as a folder's name.

    >>> tray_name("SCF MID-ISLAND NY 117")
    '117-mid-island-ny'
    """
    result = _PLANT.fullmatch(plant.removeprefix("SCF "))
    assert result is not None, "the list was checked"
    words = re.sub(r"[^a-z0-9]+", "-", f"{result['name']} {result['state']}".lower()).strip("-")
    return f"{result['id']}-{words}"


def read_l002(path: Path) -> LabelingList:
    """Read L002 from the CSV file at `path`; see `parse_l002`."""
    return parse_l002(read_file(path).content.decode("utf-8-sig", "replace"), str(path))


def parse_l002(text: str, name: str = "L002") -> LabelingList:
    """Return the labeling list that `text` holds, as the Postal Service publishes it.

    Above the table stand "Effective Date: 2024-08-01" and perhaps a grace date; the table's
    first column is the prefix, its "Column C" the plant; cells are padded with tabs. Military
    prefixes have no plant there and go by "Column B". Unassigned ones are left out. Raises
    `DataError`, with the line, where one of these is missing or wrong.
    """
    # Dates stand in the lines above the table.
    dates = {}
    for line in text.splitlines()[:20]:
        if result := _DATE.match(line.strip()):
            dates[result[1]] = _parse_date(name, *result.groups()[1:])
    if "Effective" not in dates:
        raise DataError(
            f"{name} does not say since when it is in force",
            seen=f"it begins with {text[:40]!r}",
            likely="it is not the list L002 as the Postal Service publishes it",
            try_='a line such as "Effective Date: 2024-08-01" stands above the table',
        )
    # The table begins below its head; what stands above it, and empty rows, are skipped.
    plants: dict[str, str] = {}
    reader = csv.reader(io.StringIO(text))
    columns: list[int] = []
    for row in _read_rows(reader, name):
        cells = [" ".join(cell.split()) for cell in row]
        if columns and any(cells):
            _add_plant(plants, cells, columns, f"{name}, line {reader.line_num}")
        elif cells and cells[0].lower() == _TABLE_HEAD:
            heads = [cell.lower() for cell in cells]
            columns = [
                i for word in _PLANT_COLUMNS for i, cell in enumerate(heads) if word in cell
            ]
    if not plants:
        raise DataError(
            f"{name} holds no table of prefixes",
            try_='its head is "3-Digit ZIP Code Prefix", and "Column C" names the plants',
        )
    return LabelingList(plants, dates["Effective"], dates.get("Grace"))


def _read_rows(reader: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    """Walk over a CSV file's rows; `DataError` where it is none."""
    try:
        yield from reader
    except csv.Error as error:  # a return in a field, or one of more than 131,072 characters
        raise DataError(f"{name} must be a CSV file", seen=str(error)) from error


def _parse_date(name: str, *parts: str) -> date:
    try:
        return date(*map(int, parts))
    except ValueError as error:
        raise DataError(f"{name} has no such date", seen="-".join(parts)) from error


def _add_plant(
    plants: dict[str, str], cells: list[str], columns: list[int], where: str
) -> None:
    prefix = cells[0]
    named = [cells[column] for column in columns if column < len(cells)]
    plant = next((item for item in named if item), "")
    if not is_digits(prefix, 3):
        raise DataError(f"{where}: a prefix has three digits", seen=repr(prefix))
    if UNASSIGNED in cells[1:] and not plant:  # a prefix without mail
        return
    if not _PLANT.fullmatch(plant.removeprefix("SCF ")):
        raise DataError(f'{where}: a plant is written as "SCF BOSTON MA 021"', seen=repr(plant))
    if prefix in plants:
        raise DataError(f"{where}: the prefix {prefix} stands there twice")
    plants[prefix] = plant
