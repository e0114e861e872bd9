"""A sort plan as a TOML file that people can write."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, UsageError
from digitlens.mail.plan.rules import Plan, Range, check_name
from digitlens.nearest import nearest

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("default", "source", "effective", "trays", "plants")

_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'')
_WIDTH = 88


def read_plan(path: Path) -> Plan:
    """Read the plan in the file at `path`.

    Raises
    ------
    MissingDataError, DataError
        No such file, or one that cannot be used; the line is named.
    """
    from digitlens import files

    try:
        text = files.read(path).content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file", seen=str(error)) from error
    return parse_plan(text, str(path))


def parse_plan(text: str, name: str = "the plan") -> Plan:
    """Return the plan that `text` says.

    Parameters
    ----------
    text
        TOML: ``default``, a tray; ``[trays]``, tables of a tray and its list of ranges; and,
        where wanted, ``source``, ``effective`` (a date) and ``[plants]``, a plant for a tray.
    name
        Of the file, for errors.

    Raises
    ------
    DataError
        Not TOML, an unknown key, a range that is none, two that overlap; with the line.

    Examples
    --------
    >>> parse_plan('default = "other"\\n[trays]\\nboston = ["021"]').tray_of("02134")
    'boston'
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name} is not TOML", seen=str(error)) from error
    lines = text.splitlines()
    _check_keys(found, lines, name)
    placed = _ranges(found["trays"], lines, name)
    _check_overlap(placed, name)
    trays: dict[str, list[Range]] = {tray: [] for tray in found["trays"]}
    for range_, tray, _ in placed:
        trays[tray].append(range_)
    for tray in found.get("plants", {}):
        if tray not in trays:
            at = _line_of_key(lines, tray, after=_line_of_key(lines, "plants"))
            raise _fault(name, at, f"there is a plant for the tray {tray}, but no such tray")
    try:
        return Plan(
            {tray: tuple(ranges) for tray, ranges in trays.items()},
            found["default"],
            found.get("plants", {}),
            found.get("source", ""),
            found.get("effective"),
        )
    except UsageError as error:
        raise _fault(name, 0, error.wanted, error.seen) from error


def _check_keys(found: dict[str, Any], lines: list[str], name: str) -> None:
    for key in found:
        if key not in KEYS:
            meant = nearest(key, KEYS)
            raise _fault(
                name,
                _line_of_key(lines, key),
                f"a plan has no key {key}",
                try_=f"{meant}" if meant else f"the keys are {', '.join(KEYS)}",
            )
    kinds: dict[str, tuple[type, str]] = {
        "default": (str, 'the name of a tray, such as default = "other"'),
        "trays": (dict, 'a table [trays] with lines such as boston = ["021-022"]'),
        "plants": (dict, 'a table [plants] with lines such as boston = "SCF BOSTON MA 021"'),
        "source": (str, "a text"),
        "effective": (date, "a date such as 2024-08-01"),
    }
    for key, (kind, what) in kinds.items():
        if key not in found and key not in ("default", "trays"):
            continue
        if not isinstance(found.get(key), kind):
            seen = "it is missing" if key not in found else repr(found[key])[:60]
            raise _fault(name, _line_of_key(lines, key), f"{key} must be {what}", seen)
    for tray, plant in found.get("plants", {}).items():
        if not isinstance(plant, str):
            raise _fault(name, _line_of_key(lines, tray), "a plant must be a text", repr(plant))


Placed = tuple[Range, str, int]
"""A range, its tray and its line."""


def _ranges(trays: dict[str, Any], lines: list[str], name: str) -> list[Placed]:
    found: list[Placed] = []
    at = _line_of_key(lines, "trays")
    for tray, entries in trays.items():
        at = _line_of_key(lines, tray, after=at) or at
        try:
            check_name(tray)
        except UsageError as error:
            raise _fault(name, at, error.wanted, error.seen) from error
        if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
            raise _fault(
                name,
                at,
                f"the tray {tray} must have a list of ranges in quotes",
                repr(entries)[:60],
                'numbers lose their leading zeros: write ["021"]',
            )
        line = at
        for entry in entries:
            line = _line_of_text(lines, entry, line) or line
            try:
                found.append((Range.parse(entry), tray, line))
            except UsageError as error:
                raise _fault(name, line, error.wanted, error.seen, error.try_) from error
    return found


def _check_overlap(placed: list[Placed], name: str) -> None:
    rising = sorted(placed, key=lambda each: (each[0].low, each[0].high))
    for (one, tray, line), (two, other, later) in pairwise(rising):
        if one.high >= two.low:
            raise _fault(
                name,
                max(line, later),
                "ranges of a plan must not overlap",
                f"{one} -> {tray} (line {line}) and {two} -> {other} (line {later})",
            )


def _fault(
    name: str, line: int, wanted: str, seen: str | None = None, try_: str | None = None
) -> DataError:
    where = f"{name}, line {line}" if line else name
    return DataError(f"{where}: {wanted}", seen=seen, try_=try_)


def _line_of_key(lines: list[str], key: str, after: int = 0) -> int:
    """Return in which line, from 1, `key` is given a value or a table; 0 where it is not."""
    for at, line in enumerate(lines[max(after - 1, 0) :], max(after, 1)):
        bare = line.strip().strip("[]").split("=")[0].strip().strip("\"'")
        if bare == key or bare.split(".")[0].strip() == key:
            return at
    return 0


def _line_of_text(lines: list[str], text: str, start: int) -> int:
    """Return the first line, from `start` on, that holds `text` in quotes; 0 where none."""
    for at in range(max(start, 1), len(lines) + 1):
        for match in _STRINGS.finditer(lines[at - 1]):
            if text in match.groups():
                return at
    return 0


def write_plan(plan: Plan) -> str:
    """Return the plan as TOML; `parse_plan` gives the same plan back.

    Examples
    --------
    >>> print(write_plan(Plan({"boston": (Range("02100", "02299"),)}, "other")))
    default = "other"
    <BLANKLINE>
    [trays]
    boston = ["021-022"]
    <BLANKLINE>
    """
    rows = [f"# {plan.source}"] if plan.source else []
    rows.append(f"default = {_quoted(plan.default)}")
    if plan.source:
        rows.append(f"source = {_quoted(plan.source)}")
    if plan.effective:
        rows.append(f"effective = {plan.effective.isoformat()}")
    rows += ["", "[trays]"]
    for tray, ranges in plan.trays.items():
        rows += _listed(_key(tray), [_quoted(str(each)) for each in sorted(ranges)])
    if plan.plants:
        rows += ["", "[plants]"]
        rows += [f"{_key(tray)} = {_quoted(plant)}" for tray, plant in plan.plants.items()]
    return "\n".join([*rows, ""])


def _listed(key: str, entries: list[str]) -> list[str]:
    whole = f"{key} = [{', '.join(entries)}]"
    if len(whole) <= _WIDTH:
        return [whole]
    rows, row = [f"{key} = ["], "   "
    for entry in entries:
        if len(row) + len(entry) + 2 > _WIDTH:
            rows.append(row)
            row = "   "
        row += f" {entry},"
    return [*rows, row, "]"]


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _quoted(text: str) -> str:
    # TOML's strings are JSON's, but for the sign DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
