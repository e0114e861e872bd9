"""digitlens mail plan: which ZIP goes to which tray."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.output import give, tell
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.mail.plan import Plan


def plan(
    by: Annotated[
        str | None, typer.Option(metavar="WAY", help="state, zip3 or first-digit.")
    ] = None,
    l002: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The Postal Service's list L002, as a CSV file."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan there; else print it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
) -> None:
    """Make a sort plan: which ZIP goes to which tray, as TOML.

    By state, by the first three digits or by the first one; or by the plants of the Postal
    Service's labeling list L002, whose effective date is told.
    """
    if (by is None) == (l002 is None):
        raise UsageError(
            "a plan is made by --by or from --l002", try_="digitlens mail plan --by state"
        )
    if out is not None and out.exists() and not force:
        raise UsageError(f"{out} is there already", try_="another name, or --force")
    from digitlens.mail.plan import write_plan

    made = _from_list(l002) if l002 is not None else _made(by or "")
    text = write_plan(made)
    if out is None:
        give(text)
    else:
        from digitlens.atomic import write_text

        write_text(out, text)
        give(str(out))
        tell(f"{len(made.trays)} trays; all other ZIPs go to {made.default}")


def _made(by: str) -> Plan:
    from digitlens.mail.plan import WAYS, make_plan

    if by not in WAYS:
        from digitlens.cli.options import one_of

        one_of("--by", by, WAYS)
    from digitlens.mail.directory import load_directory

    return make_plan(load_directory(), by)


def _from_list(path: Path) -> Plan:
    from datetime import UTC, datetime

    from digitlens.mail.plan import read_l002

    found = read_l002(path)
    grace = f", grace period until {found.grace}" if found.grace else ""
    tell(f"L002, effective {found.effective}{grace}: {len(found.plants)} prefixes")
    stale = found.staleness(datetime.now(UTC).date())
    if stale:
        tell(f"warning: {stale}")
    return found.plan()
