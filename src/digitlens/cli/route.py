"""digitlens route: mail to trays."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.console import (
    SOME_REJECTED,
    JsonOption,
    announce,
    check_positive,
    echo,
    echo_json,
)
from digitlens.cli.progress import count_progress
from digitlens.errors import MissingDataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.decision import Routing
    from digitlens.mail.sorting import Sorting
    from digitlens.mail.thresholds import ReaderThresholds

    Read = Callable[[Path], Sequence[ZipCandidate]]


MailArgument = Annotated[
    Path, typer.Argument(metavar="FILE|FOLDER", help="One picture, or a folder of them.")
]
PlanOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The sort plan: digitlens mail plan.")
]
OutOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where the trays are, for a folder.")
]
CityOption = Annotated[
    str | None, typer.Option(metavar="CITY", help="Where all of it goes, where known.")
]
StateOption = Annotated[
    str | None, typer.Option(metavar="STATE", help="The same; two letters or a name.")
]
AddressesOption = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="City and state of each piece: piece,city,state."),
]
ErrorOption = Annotated[
    float, typer.Option(metavar="P", help="Of what is accepted, how much may be wrong.")
]
ReaderOption = Annotated[
    str, typer.Option(metavar="NETWORK", help="A line network: published, or a file.")
]
ReadingsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Lines that were read already, as JSON Lines."),
]
WorkersOption = Annotated[
    int | None, typer.Option(metavar="N", help="Processes at most; else one a core.")
]


def route(
    mail: MailArgument,
    plan: PlanOption = None,
    out: OutOption = None,
    city: CityOption = None,
    state: StateOption = None,
    addresses: AddressesOption = None,
    max_error: ErrorOption = 0.01,
    reader: ReaderOption = "reader",
    readings: ReadingsOption = None,
    workers: WorkersOption = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy pictures; else link.")] = False,
    move: Annotated[
        bool, typer.Option("--move", help="Move what an earlier plan put elsewhere.")
    ] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="Put back what is missing in trays.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Sort pictures of mail into trays by ZIP, so that none is lost.

    What is unsure waits for a person. Of a file the decision is printed. A folder is sorted
    into trays below DIR, with pieces.csv and pieces.json; run again, it does only what is
    new, and it may be killed at any time. The exit code is 3 while pieces wait for a person.
    """
    _check_options(mail, plan, out, max_error, workers)
    from digitlens.mail.decision import RoutingPolicy
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.plan_files import read_plan
    from digitlens.mail.sorting import Sorting
    from digitlens.mail.sorting.imports import read_addresses
    from digitlens.workers import available_cpus

    chosen = read_plan(plan) if plan is not None else SortPlan({}, "all")
    known = read_addresses(addresses) if addresses is not None else {}
    folder = mail if mail.is_dir() else mail.parent
    read, trust = _choose_reader(reader, readings, folder, max_error)
    policy = RoutingPolicy(load_directory(), trust.thresholds, trust.priors, city, state, known)
    sorting = Sorting(
        read,
        policy,
        chosen,
        copy=copy,
        move=move,
        restore=restore,
        workers=1 if readings is not None else workers or available_cpus(),
    )
    if mail.is_dir():
        assert out is not None, "it was checked"
        code = _route_folder(mail, out, sorting, as_json)
    else:
        code = _route_file(mail, sorting, plan is not None, as_json)
    if trust.caveat:
        announce(f"warning: {trust.caveat}")
    raise typer.Exit(code)


def _check_options(
    mail: Path, plan: Path | None, out: Path | None, max_error: float, workers: int | None
) -> None:
    if not 0 < max_error <= 1:
        raise UsageError("--max-error is above 0 and at most 1", seen=f"{max_error:g}")
    check_positive("--workers", workers)
    if not mail.exists():
        raise MissingDataError(f"there is no file or folder {mail}")
    if mail.is_dir() and (plan is None or out is None):
        raise UsageError(
            "a folder is sorted with --plan and --out",
            try_="digitlens mail plan --by state --out plan.toml\n"
            f"digitlens route {mail} --plan plan.toml --out trays",
        )


def _choose_reader(
    network: str, readings: Path | None, folder: Path, max_error: float
) -> tuple[Read, ReaderThresholds]:
    """Return what reads a picture, and how far it is trusted."""
    from digitlens.mail.thresholds import (
        ReaderThresholds,
        describe_unmeasured,
        thresholds_for,
    )

    if readings is not None:
        from digitlens.mail.sorting.imports import read_lines

        caveat = describe_unmeasured("lines read elsewhere", max_error)
        return read_lines(readings, folder), ReaderThresholds(1 - max_error, caveat=caveat)
    from digitlens.mail.candidates import read_mail
    from digitlens.ocr import Reader

    reader = Reader(network)
    trust = thresholds_for(reader.network, max_error)
    if trust.caveat:
        trust = replace(trust, caveat=f"{trust.caveat}; try digitlens mail measure {network}")
    return partial(read_mail, reader), trust


def _route_file(picture: Path, sorting: Sorting, has_plan: bool, as_json: bool) -> int:
    from digitlens.mail.sorting.sort import choose_tray, route_piece

    routing, _ = route_piece(picture.resolve(), picture.name, sorting.read, sorting.policy)
    tray = choose_tray(routing, sorting.plan) if has_plan else None
    if as_json:
        echo_json({"file": str(picture), **routing.as_dict(), "tray": tray})
    else:
        echo(_describe(routing) + (f" -> {tray}" if tray else ""))
    return 0 if routing.zip else SOME_REJECTED


def _describe(routing: Routing) -> str:
    if routing.place is not None:
        return f"{routing.place}, {100 * min(routing.probability, 0.9999):.2f} % sure"
    guesses = ", ".join(
        f"{guess.zip} {100 * guess.probability:.1f} %" for guess in routing.guesses
    )
    return f"a person must look: {routing.why}" + (f"; perhaps {guesses}" if guesses else "")


def _route_folder(folder: Path, out: Path, sorting: Sorting, as_json: bool) -> int:
    from digitlens.mail.sorting import sort_folder

    summary = sort_folder(folder, out, sorting, progress=count_progress("new pieces"))
    if as_json:
        echo_json(summary.as_dict())
    else:
        echo("\n".join(summary.lines()))
    for warning in summary.warnings():
        announce(f"warning: {warning}")
    announce(f"listed in {out / 'pieces.csv'}")
    return SOME_REJECTED if summary.waiting else 0
