"""The sort plan: which ZIP goes to which tray; made by state, by three digits or by one."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from digitlens.errors import UsageError, suggest
from digitlens.mail.directory import ZIP5, is_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from digitlens.mail.directory import Directory


# Names next to the trays: what waits for a person, what nobody could read, and our files.
RESERVED_NAMES = ("review", "unsortable", "mail.sqlite", "pieces.csv", "pieces.json")

MAX_NAME_LENGTH = 80
_FORBIDDEN_LETTERS = re.compile(r'[\x00-\x1f\\/:*?"<>|]')
_DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Range:
    """ZIPs from `low` to `high`, both included; five digits each, compared as text.

    >>> Range.parse("021"), str(Range.parse("010-027")), str(Range.parse("02134"))
    (Range(low='02100', high='02199'), '010-027', '02134')
    """

    low: str
    high: str

    @classmethod
    def parse(cls, text: str) -> Range:
        """Return the range in `text`: a prefix, a ZIP, or two of these with a dash."""
        first, dash, last = (part.strip() for part in text.partition("-"))
        last = last if dash else first
        is_pair = 1 <= len(first) <= ZIP5 and len(first) == len(last)
        if not (is_pair and is_digits(first, len(first)) and is_digits(last, len(last))):
            raise UsageError(
                'a range is a prefix ("021"), a ZIP ("02134") or two of a length ("010-027")',
                seen=repr(text),
            )
        if first > last:
            raise UsageError("a range must rise", seen=text, try_=f"{last}-{first}")
        return cls(first.ljust(ZIP5, "0"), last.ljust(ZIP5, "9"))

    def __str__(self) -> str:
        # 02100 to 02199 is the prefix 021: drop digits that say nothing.
        low, high = self.low, self.high
        while len(low) > 1 and low[-1] == "0" and high[-1] == "9":
            low, high = low[:-1], high[:-1]
        return low if low == high else f"{low}-{high}"

    def __contains__(self, text: str) -> bool:
        return self.low <= text <= self.high


@dataclass(frozen=True)
class SortPlan:
    """Trays, and the ranges of ZIPs that go to each; no two overlap.

    All other ZIPs go to the tray `default`. `plants` names the plant that a tray goes to, where
    one is known; `source` and `effective` tell a person where the ranges come from, and since
    when they are in force.

    >>> plan = SortPlan({"boston": (Range.parse("021-022"),)}, default="other")
    >>> plan.find_tray("02134"), plan.find_tray("90210")
    ('boston', 'other')
    """

    trays: Mapping[str, tuple[Range, ...]]
    default: str
    plants: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    effective: date | None = None

    def __post_init__(self) -> None:
        for name in (self.default, *self.trays):
            check_name(name)
        seen: dict[str, str] = {}
        for name in {self.default, *self.trays}:
            if seen.setdefault(name.casefold(), name) != name:
                raise UsageError(
                    "trays must differ in more than the case of letters",
                    seen=f"{seen[name.casefold()]} and {name}",
                )
        # In rising order only neighbors can overlap.
        for (low, tray), (high, other) in pairwise(self._sorted):
            if low.high >= high.low:
                raise UsageError(
                    "ranges of a plan must not overlap",
                    seen=f"{low} -> {tray} and {high} -> {other}",
                )

    @cached_property
    def _sorted(self) -> list[tuple[Range, str]]:
        return sorted(
            (range_, tray) for tray, ranges in self.trays.items() for range_ in ranges
        )

    def find_tray(self, five: str) -> str:
        """Return the tray of the ZIP `five`, five digits."""
        # The only range that can hold it is the last one that begins at or before it.
        index = bisect_right(self._sorted, five, key=lambda item: item[0].low) - 1
        if index >= 0 and five in self._sorted[index][0]:
            return self._sorted[index][1]
        return self.default

    def find_plant(self, tray: str) -> str:
        """Return the plant that `tray` goes to, or ``""`` where none is known."""
        return self.plants.get(tray, "")


def check_name(name: str) -> None:
    """Raise `UsageError` unless a folder can have the name `name` on every system."""
    is_bad = not name or name != name.strip() or name.startswith(".") or name.endswith(".")
    if (
        is_bad
        or len(name) > MAX_NAME_LENGTH
        or _FORBIDDEN_LETTERS.search(name)
        or _DEVICE_NAMES.match(name)
    ):
        raise UsageError(
            f"a tray is named as a folder can be: at most {MAX_NAME_LENGTH} letters, no / and "
            "the like",
            seen=repr(name),
        )
    if name.casefold().startswith("mail.sqlite") or name.casefold() in RESERVED_NAMES:
        raise UsageError(
            f"no tray can be called {name}",
            likely=f"{', '.join(RESERVED_NAMES)} have a meaning of their own",
        )


PLAN_KINDS = ("state", "zip3", "first-digit")
DEFAULT_TRAY = "other"


def make_plan(directory: Directory, by: str) -> SortPlan:
    """Return a plan with a tray for each state, each prefix of three digits, or each first one.

    ZIPs that are not in use go to the tray ``other``.
    """
    if by not in PLAN_KINDS:
        meant = suggest(by, PLAN_KINDS)
        raise UsageError(
            f"a plan is made by one of: {', '.join(PLAN_KINDS)}",
            seen=by,
            try_=f"--by {meant}" if meant else None,
        )
    if by == "state":
        trays = _divide_by_state(directory)
    else:
        length = 3 if by == "zip3" else 1
        prefixes = sorted({text[:length] for text in directory.zips})
        trays = {prefix: (Range.parse(prefix),) for prefix in prefixes}
    return SortPlan(
        trays, DEFAULT_TRAY, source=f"made from {len(directory):,} ZIPs in use, by {by}"
    )


def _divide_by_state(directory: Directory) -> dict[str, tuple[Range, ...]]:
    def find_state(text: str) -> str:
        place = directory.place(text)
        assert place is not None, "the directory's own ZIPs have a place"
        return place.state

    states: dict[str, dict[str, None]] = {}
    for text in directory.zips:
        states.setdefault(text[:3], {})[find_state(text)] = None
    # A prefix that one state has alone becomes part of a range of prefixes.
    unshared = [prefix for prefix, names in states.items() if len(names) == 1]
    trays: dict[str, list[Range]] = {}
    for first, last in _group_runs(unshared, lambda prefix: next(iter(states[prefix]))):
        state = next(iter(states[first]))
        trays.setdefault(state, []).append(Range.parse(f"{first}-{last}"))
    # A prefix that several states share is divided ZIP by ZIP.
    for prefix in states.keys() - set(unshared):
        zips = list(directory.with_prefix(prefix))
        for first, last in _group_runs(zips, find_state, gaps=True):
            trays.setdefault(find_state(first), []).append(Range(first, last))
    return {state: tuple(sorted(trays[state])) for state in sorted(trays)}


def _group_runs(
    texts: list[str], kind: Callable[[str], str], *, gaps: bool = False
) -> list[tuple[str, str]]:
    """Return first and last of each run of one kind; without `gaps` no number is missing."""
    result: list[tuple[str, str]] = []
    for text in texts:
        if result:
            first, last = result[-1]
            if kind(last) == kind(text) and (gaps or int(text) == int(last) + 1):
                result[-1] = first, text
                continue
        result.append((text, text))
    return result
