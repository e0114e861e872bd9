"""digitlens route and digitlens mail: mail to trays, and what that takes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.command import Command, Group
from digitlens.cli.console import (
    SOME_REJECTED,
    ForceOption,
    JsonOption,
    StoreOption,
    announce,
    argument,
    check_choice,
    check_positive,
    echo,
    echo_either,
    find_store,
    flag,
    option,
)
from digitlens.cli.progress import count_progress
from digitlens.errors import DataError, MissingDataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digitlens.mail.barcodes import IntelligentMail
    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.decision import Routing
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting import Sorting
    from digitlens.mail.thresholds import ReaderThresholds

    Read = Callable[[Path], Sequence[ZipCandidate]]


IN_HOUSE = "0" * 20
MAX_NAME = 256  # what is longer is no file's name


def barcode(
    text: Annotated[
        str,
        argument(
            "ZIP|BARS|FILE",
            "A ZIP of 5, 9 or 11 digits; bars to decode: T A D F, or | and .; or a picture.",
        ),
    ],
    tracking: Annotated[
        str, option("DIGITS", "20 digits: who sent what; zeros are no one.")
    ] = IN_HOUSE,
    postnet: Annotated[bool, flag("--postnet", "The older barcode, of the ZIP alone.")] = False,
    out: Annotated[
        Path | None, option("FILE", "Draw it as .svg or .png, in the specified sizes.")
    ] = None,
    dots: Annotated[int, option("N", "Dots per inch of a .png.")] = 600,
    force: ForceOption = False,
) -> None:
    """Make a ZIP's Intelligent Mail barcode, or decode one.

    Bars are letters: T short, A up, D down, F full. A damaged barcode is refused; in a picture,
    where it may lie at any angle, a few half bars that were misread are mended.
    """
    # Bars, or a picture of them, are decoded ...
    is_bars = bool(text) and set(text.upper()) <= set("TADF|. ")
    if is_bars or (len(text) < MAX_NAME and Path(text).is_file()):
        (_decode if is_bars else _search)(text)
        return
    from digitlens.mail.barcodes import IntelligentMail, encode_imb, encode_postnet

    # ... and anything else is a ZIP, of which bars are made.
    digits = text.replace("-", "")
    if {*digits} & {*"./\\"}:  # meant as a file
        raise MissingDataError(f"there is no file {text[:MAX_NAME]}")
    bars = encode_postnet(digits) if postnet else encode_imb(IntelligentMail(tracking, digits))
    if out is not None:
        from digitlens.mail.barcode_images import render_png, render_svg
        from digitlens.storage import check_free, write_bytes

        if not force:
            check_free(out)
        if (kind := out.suffix.lower()) not in (".svg", ".png"):
            raise UsageError("a barcode is drawn as .svg or .png", seen=out.name)
        image = render_svg(bars).encode() if kind == ".svg" else render_png(bars, dots=dots)
        write_bytes(out, image)
        announce(f"written: {out}")
    echo(bars)


def _decode(bars: str) -> None:
    from digitlens.mail.barcodes import decode_imb, decode_postnet

    if set(bars) & set("|."):
        echo(decode_postnet(bars))
        return
    _tell(decode_imb(bars))


def _search(picture: str) -> None:
    from digitlens.mail.barcode_search import find_barcodes

    if not (several := find_barcodes(picture)):
        raise DataError(
            "there is no Intelligent Mail barcode that can be decoded",
            seen=picture,
            likely="it is damaged or blurred, or its bars are less than four pixels apart",
        )
    for item in several:
        _tell(item.content)


def _tell(result: IntelligentMail) -> None:
    for name, value in (
        ("routing", result.routing or "none"),
        ("identifier", result.identifier),
        ("service", result.service),
        ("mailer", result.mailer),
        ("serial", result.serial),
    ):
        echo(f"{name:<11}{value}")


def corrections(
    trays: Annotated[Path, option("DIR", "Where the trays are.")],
    out: Annotated[Path, option("DIR", "Where lines and digits go.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save what people said in review, as data to learn from.

    DIR/lines gets each line that a person read, cut out, with truth.csv; DIR/digits single
    digits in MNIST's frame, from which digitlens train universal --from universal --data
    DIR/digits learns. Only what is surely labeled right is saved: docs/mail.md has the rules.
    """
    from dataclasses import asdict

    from digitlens.mail.sorting.corrections import DIGITS, save_corrections
    from digitlens.mail.sorting.review import read_corrections

    saved = save_corrections(read_corrections(trays, find_store(store)), out)
    text = f"{saved.corrections:,} corrections: {saved.lines:,} lines, {saved.digits:,} digits"
    echo_either(as_json, lambda: asdict(saved), lambda: text)
    for count, why in (
        (saved.unread, "a person could not read either"),
        (saved.other, "the program had read another line, or none"),
        (saved.unseen, "have no picture any more"),
    ):
        if count:
            announce(f"left out: {count:,} that {why}")
    if saved.digits:
        announce(
            f"learn from them: digitlens train universal --from universal --data {out / DIGITS}"
        )


def measure(
    reader: Annotated[str, argument("NETWORK", "A line network: a run folder, a file.")],
    lines: Annotated[int, option("N", "How many ZIPs are written and read.")] = 24_000,
    seed: Annotated[int, option("N", "Decides what is written.")] = 61,
    out: Annotated[
        Path | None, option("FILE", "Where the thresholds go; else beside the network.")
    ] = None,
) -> None:
    """Measure how sure a reader of your own must be of a ZIP.

    ZIPs are written with digits of MNIST's validation writers and read; what is accepted and
    wrong is counted for the reading alone, and with directory, state and city known. route
    finds the thresholds beside the network. It takes minutes.
    """
    from importlib.metadata import version

    from digitlens.data import load_digits
    from digitlens.mail.directory import ZIP_LENGTHS, load_directory
    from digitlens.mail.measure import measure_thresholds, read_zips
    from digitlens.mail.thresholds import MEASURED_NAME, model_fingerprint, write_measured
    from digitlens.metrics.risk_coverage import threshold_for_risk
    from digitlens.ocr import Reader

    # Write ZIPs, read them, and count what each threshold accepts and how much of it is wrong.
    chosen = Reader(reader)
    digits, directory = load_digits("mnist"), load_directory()
    pieces = read_zips(
        lambda picture: chosen.read_line(picture, ZIP_LENGTHS),
        digits.validation,
        directory,
        count=lines,
        seed=seed,
        progress=count_progress("lines", every=100),
    )
    about: dict[str, str | int] = {
        "reader": chosen.network.card.name,
        "lines": lines,
        "seed": seed,
        "digits": f"{digits.validation.source}: {digits.split}",
        "digitlens": version("digitlens"),
    }
    measured = measure_thresholds(pieces, directory, model_fingerprint(chosen.network), about)
    # Beside the network route finds them by itself.
    path = out or chosen.network.path.with_name(MEASURED_NAME)
    write_measured(path, measured)
    for name, curve in measured.curves.items():
        result = threshold_for_risk(0.01, curve)
        sure = result.confidence
        shown = "no threshold" if sure is None else f"{100 * sure:.1f} % sure"
        echo(f"{name:15}  {100 * result.read_rate:5.1f} % read at 1 % error: {shown}")
    announce(f"thresholds in {path}")


def plan(
    by: Annotated[str | None, option("WAY", "state, zip3 or first-digit.")] = None,
    l002: Annotated[
        Path | None, option("FILE", "The Postal Service's list L002, as a CSV file.")
    ] = None,
    out: Annotated[Path | None, option("FILE", "Write the plan there; else print it.")] = None,
    force: ForceOption = False,
) -> None:
    """Make a sort plan: which ZIP goes to which tray, as TOML.

    By state, by the first three digits or by the first one; or by the plants of the Postal
    Service's labeling list L002, whose effective date is printed.
    """
    if (by is None) == (l002 is None):
        raise UsageError(
            "a plan is made by --by or from --l002", try_="digitlens mail plan --by state"
        )
    from digitlens.mail.plan_files import write_plan
    from digitlens.storage import check_free, write_text

    if out is not None and not force:
        check_free(out)

    made = _read_list(l002) if l002 is not None else _make_plan(by or "")
    text = write_plan(made)
    if out is None:
        echo(text)
    else:
        write_text(out, text)
        echo(str(out))
        announce(f"{len(made.trays)} trays; all other ZIPs go to {made.default}")


def _make_plan(by: str) -> SortPlan:
    from digitlens.mail.plan import PLAN_KINDS, make_plan

    check_choice("--by", by, PLAN_KINDS)
    from digitlens.mail.directory import load_directory

    return make_plan(load_directory(), by)


def _read_list(path: Path) -> SortPlan:
    from datetime import UTC, datetime

    from digitlens.mail.plan_files import read_l002

    result = read_l002(path)
    grace = f", grace period until {result.grace}" if result.grace else ""
    announce(f"L002, effective {result.effective}{grace}: {len(result.plants)} prefixes")
    stale = result.staleness(datetime.now(UTC).date())
    if stale:
        announce(f"warning: {stale}")
    return result.make_plan()


def sample(
    count: Annotated[int, argument("N", "How many envelopes.")],
    out: Annotated[Path, option("DIR", "Where they go.")],
    seed: Annotated[int, option("N", "Decides everything on them.")] = 0,
    digits: Annotated[
        str,
        option(
            "KIND", "mnist: its test digits; drawn: by the program; auto: mnist where at hand."
        ),
    ] = "auto",
    force: Annotated[bool, flag("--force", "Replace what is there.")] = False,
) -> None:
    """Draw envelopes, and truth.csv that says what they bear.

    Addresses are made up, in ZIPs that exist; digits are handwritten by MNIST's writers where
    MNIST is at hand. The same N and SEED draw the same mail.
    """
    from digitlens.mail.directory import load_directory
    from digitlens.mail.sample import make_sample
    from digitlens.metrics.formatting import plural

    made = make_sample(
        count,
        out,
        load_directory(),
        seed=seed,
        digits=digits,
        force=force,
        progress=count_progress("envelopes"),
    )
    echo(str(made.folder / "truth.csv"))
    announce(f"{plural(made.pieces, 'envelope')} in {made.folder}; digits: {made.digits}")


def route(
    mail: Annotated[Path, argument("FILE|FOLDER", "One picture, or a folder of them.")],
    plan: Annotated[Path | None, option("FILE", "The sort plan: digitlens mail plan.")] = None,
    out: Annotated[Path | None, option("DIR", "Where the trays are, for a folder.")] = None,
    city: Annotated[str | None, option("CITY", "Where all of it goes, where known.")] = None,
    state: Annotated[str | None, option("STATE", "The same; two letters or a name.")] = None,
    addresses: Annotated[
        Path | None, option("CSV", "City and state of each piece: piece,city,state.")
    ] = None,
    max_error: Annotated[
        float, option("P", "Of what is accepted, how much may be wrong.")
    ] = 0.01,
    reader: Annotated[
        str, option("NETWORK", "A line network: published, or a file.")
    ] = "reader",
    readings: Annotated[
        Path | None, option("FILE", "Lines that were read already, as JSON Lines.")
    ] = None,
    workers: Annotated[int | None, option("N", "Processes at most; else one a core.")] = None,
    store: StoreOption = None,
    copy: Annotated[bool, flag("--copy", "Copy pictures; else link.")] = False,
    move: Annotated[bool, flag("--move", "Move what an earlier plan put elsewhere.")] = False,
    restore: Annotated[bool, flag("--restore", "Put back what is missing in trays.")] = False,
    watch: Annotated[bool, flag("--watch", "Go on with what comes, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sort pictures of mail into trays by ZIP, so that none is lost.

    What is unsure waits for a person. Of a file the decision is printed. A folder is sorted
    into trays below DIR, with pieces.csv and pieces.json; run again, it does only what is
    new, and it may be killed at any time. The exit code is 3 while pieces wait for a person.
    """
    _check_options(mail, plan, out, max_error, workers, watch=watch)
    from digitlens.mail.decision import RoutingPolicy
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.plan_files import read_plan
    from digitlens.mail.sorting import Sorting
    from digitlens.mail.sorting.imports import read_addresses
    from digitlens.workers import available_cpus

    # The plan, what is known of addresses, who reads, and from when on a ZIP is trusted.
    chosen = read_plan(plan) if plan is not None else SortPlan({}, "all")
    known = read_addresses(addresses) if addresses is not None else {}
    folder = mail if mail.is_dir() else mail.parent
    read, trust = _choose_reader(reader, readings, folder, max_error)
    policy = RoutingPolicy(load_directory(), trust.thresholds, trust.priors, city, state, known)
    processes = 1 if readings is not None else workers or available_cpus()
    where, address = (copy, move, restore), find_store(store)
    sorting = Sorting(read, policy, chosen, *where, store=address, workers=processes)
    if out is not None and mail.is_dir():
        code = (_watch_folder if watch else _route_folder)(mail, out, sorting, as_json)
    else:
        code = _route_file(mail, sorting, plan is not None, as_json)
    if trust.caveat:
        announce(f"warning: {trust.caveat}")
    raise typer.Exit(code)


def _check_options(
    mail: Path,
    plan: Path | None,
    out: Path | None,
    max_error: float,
    workers: int | None,
    *,
    watch: bool,
) -> None:
    if not 0 < max_error <= 1:
        raise UsageError("--max-error is above 0 and at most 1", seen=f"{max_error:g}")
    check_positive("--workers", workers)
    if not mail.exists():
        raise MissingDataError(f"there is no file or folder {mail}")
    if watch and not mail.is_dir():
        raise UsageError("--watch watches a folder", seen=f"{mail} is a file")
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
    from digitlens.storage import readable_name
    from digitlens.workers import attempt

    outcome = attempt(sorting.read, picture.resolve())
    routing, _ = route_piece(outcome, readable_name(picture.name), sorting.policy)
    tray = choose_tray(routing, sorting.plan) if has_plan else None
    echo_either(
        as_json,
        lambda: {"file": str(picture), **routing.as_dict(), "tray": tray},
        lambda: _describe(routing) + (f" -> {tray}" if tray else ""),
    )
    return 0 if routing.zip else SOME_REJECTED


def _describe(routing: Routing) -> str:
    if routing.place is not None:
        return f"{routing.place}, {100 * min(routing.probability, 0.9999):.2f} % sure"
    guesses = ", ".join(
        f"{guess.zip} {100 * guess.probability:.1f} %" for guess in routing.guesses
    )
    return f"a person must look: {routing.why}" + (f"; perhaps {guesses}" if guesses else "")


def _watch_folder(folder: Path, out: Path, sorting: Sorting, as_json: bool) -> int:
    """Sort what comes until Ctrl-C; each run that had something to do prints its summary."""
    import json

    from digitlens.mail.sorting.sort import watch_folder

    summary = None
    told: set[str] = set()
    announce(f"watching {folder}    Ctrl-C ends it")
    try:
        for summary in watch_folder(folder, out, sorting):
            if summary.new or not told:
                echo(json.dumps(summary.as_dict()) if as_json else summary.lines()[0])
            for warning in {*summary.warnings()} - told:
                announce(f"warning: {warning}")
            told |= {"", *summary.warnings()}
    except KeyboardInterrupt:
        announce(f"ended; listed in {out / 'pieces.csv'}")
    return SOME_REJECTED if summary is not None and summary.waiting else 0


def _route_folder(folder: Path, out: Path, sorting: Sorting, as_json: bool) -> int:
    from digitlens.mail.sorting import sort_folder

    summary = sort_folder(folder, out, sorting, progress=count_progress("new pieces"))
    echo_either(as_json, summary.as_dict, lambda: "\n".join(summary.lines()))
    for warning in summary.warnings():
        announce(f"warning: {warning}")
    announce(f"listed in {out / 'pieces.csv'}")
    return SOME_REJECTED if summary.waiting else 0


def repair(
    mail: Annotated[Path, argument("FOLDER", "The pictures that were sorted.")],
    trays: Annotated[Path, option("DIR", "Where the trays are.")],
    corrections: Annotated[
        Path | None, option("DIR", "What mail corrections saved, if it did.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a damaged, emptied or lost mail.sqlite anew, from the trays.

    What can be read of the old file, pieces.json, the trays and saved corrections say what was
    sorted and settled. No piece is moved, lost or doubled; the old file stays as
    mail.sqlite.damaged. digitlens route goes on afterwards.
    """
    from digitlens.mail.sorting.repair import repair_state

    made = repair_state(mail, trays, corrections)
    echo_either(as_json, made.as_dict, lambda: "\n".join(made.lines()))


app = typer.Typer(
    cls=Group,
    help="Make sort plans, sample mail, barcodes; learn from mail.",
    rich_markup_mode=None,
    no_args_is_help=False,
)

for command in (plan, sample, corrections, repair, barcode, measure):
    app.command(cls=Command)(command)
