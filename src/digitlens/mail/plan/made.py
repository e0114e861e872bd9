"""Sort plans made from the directory of ZIPs: by state, by three digits, by the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import UsageError
from digitlens.mail.plan.rules import Plan, Range
from digitlens.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.mail.directory import Directory

WAYS = ("state", "zip3", "first-digit")
DEFAULT = "other"


def make_plan(directory: Directory, by: str) -> Plan:
    """Return a plan with a tray for each state, each prefix of three digits, or each first one.

    ZIPs that are not in use go to the tray ``other``.

    Raises
    ------
    UsageError
        Another way than "state", "zip3" or "first-digit".
    """
    if by not in WAYS:
        meant = nearest(by, WAYS)
        raise UsageError(
            f"a plan is made by one of: {', '.join(WAYS)}",
            seen=by,
            try_=f"--by {meant}" if meant else None,
        )
    if by == "state":
        trays = _by_state(directory)
    else:
        length = 3 if by == "zip3" else 1
        prefixes = sorted({text[:length] for text in directory.zips})
        trays = {prefix: (Range.parse(prefix),) for prefix in prefixes}
    return Plan(trays, DEFAULT, source=f"made from {len(directory):,} ZIPs in use, by {by}")


def _by_state(directory: Directory) -> dict[str, tuple[Range, ...]]:
    def state_of(text: str) -> str:
        place = directory.place(text)
        assert place is not None, "the directory's own ZIPs have a place"
        return place.state

    states: dict[str, dict[str, None]] = {}
    for text in directory.zips:
        states.setdefault(text[:3], {})[state_of(text)] = None
    # Whole prefixes where one state has all of it; where several share one, ZIP by ZIP.
    whole = [prefix for prefix, found in states.items() if len(found) == 1]
    trays: dict[str, list[Range]] = {}
    for first, last in _runs(whole, lambda prefix: next(iter(states[prefix]))):
        state = next(iter(states[first]))
        trays.setdefault(state, []).append(Range.parse(f"{first}-{last}"))
    for prefix in states.keys() - set(whole):
        zips = list(directory.with_prefix(prefix))
        for first, last in _runs(zips, state_of, gaps=True):
            trays.setdefault(state_of(first), []).append(Range(first, last))
    return {state: tuple(sorted(trays[state])) for state in sorted(trays)}


def _runs(
    texts: list[str], kind: Callable[[str], str], *, gaps: bool = False
) -> list[tuple[str, str]]:
    """Return first and last of each run of one kind; without `gaps` no number is missing."""
    found: list[tuple[str, str]] = []
    for text in texts:
        if found:
            first, last = found[-1]
            if kind(last) == kind(text) and (gaps or int(text) == int(last) + 1):
                found[-1] = first, text
                continue
        found.append((text, text))
    return found
