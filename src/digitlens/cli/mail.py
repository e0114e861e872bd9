"""digitlens mail: sort plans, sample mail, corrections, barcodes, measured thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.command import Command, Group
from digitlens.cli.console import JsonOption, announce, check_choice, echo, echo_json
from digitlens.cli.progress import count_progress
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.mail.plan import SortPlan
    from digitlens.metrics.risk_coverage import ThresholdResult


IN_HOUSE = "0" * 20


def barcode(
    text: Annotated[
        str,
        typer.Argument(
            metavar="ZIP|BARS",
            help="A ZIP of 5, 9 or 11 digits; or bars (T A D F, or | and .) to decode.",
        ),
    ],
    tracking: Annotated[
        str,
        typer.Option(metavar="DIGITS", help="20 digits: who sent what; zeros are no one."),
    ] = IN_HOUSE,
    postnet: Annotated[
        bool, typer.Option("--postnet", help="The older barcode, of the ZIP alone.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it as .svg or .png, in the specified sizes."),
    ] = None,
    dots: Annotated[int, typer.Option(metavar="N", help="Dots per inch of a .png.")] = 600,
) -> None:
    """Make a ZIP's Intelligent Mail barcode, or decode one's bars.

    Bars are letters: T short, A up, D down, F full. A damaged barcode is refused.
    """
    if text and set(text.upper()) <= set("TADF|. "):
        _decode(text)
        return
    from digitlens.mail.barcodes import IntelligentMail, encode_imb, encode_postnet

    digits = text.replace("-", "")
    bars = encode_postnet(digits) if postnet else encode_imb(IntelligentMail(tracking, digits))
    if out is not None:
        from digitlens.mail.barcode_images import render_png, render_svg
        from digitlens.storage import write_bytes

        kind = out.suffix.lower()
        if kind not in (".svg", ".png"):
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
    result = decode_imb(bars)
    for name, value in (
        ("routing", result.routing or "none"),
        ("identifier", result.identifier),
        ("service", result.service),
        ("mailer", result.mailer),
        ("serial", result.serial),
    ):
        echo(f"{name:<11}{value}")


def corrections(
    trays: Annotated[Path, typer.Option(metavar="DIR", help="Where the trays are.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where lines and digits go.")],
    as_json: JsonOption = False,
) -> None:
    """Save what people said in review, as data to learn from.

    DIR/lines gets each line that a person read, cut out, with truth.csv; DIR/digits single
    digits in MNIST's frame, from which digitlens train cnn --from cnn --data DIR/digits
    learns. Only what is surely labeled right is saved: docs/mail.md has the rules.
    """
    from dataclasses import asdict

    from digitlens.mail.sorting.corrections import DIGITS, read_corrections, save_corrections

    saved = save_corrections(read_corrections(trays), out)
    if as_json:
        echo_json(asdict(saved))
    else:
        echo(
            f"{saved.corrections:,} corrections: {saved.lines:,} lines, {saved.digits:,} digits"
        )
    for count, why in (
        (saved.unread, "a person could not read either"),
        (saved.other, "the program had read another line, or none"),
        (saved.unseen, "have no picture any more"),
    ):
        if count:
            announce(f"left out: {count:,} that {why}")
    if saved.digits:
        announce(f"learn from them: digitlens train cnn --from cnn --data {out / DIGITS}")


def measure(
    reader: Annotated[
        str, typer.Argument(metavar="NETWORK", help="A line network: a run folder, a file.")
    ],
    lines: Annotated[
        int, typer.Option(metavar="N", help="How many ZIPs are written and read.")
    ] = 24_000,
    seed: Annotated[int, typer.Option(metavar="N", help="Decides what is written.")] = 61,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the thresholds go; else beside the network."),
    ] = None,
) -> None:
    """Measure how sure a reader of your own must be of a ZIP.

    ZIPs are written with digits of MNIST's validation writers and read; what is accepted and
    wrong is counted for the reading alone, and with directory, state and city known. route
    finds the thresholds beside the network. It takes minutes.
    """
    from importlib.metadata import version

    from digitlens.data import load_digits
    from digitlens.mail.directory import load_directory
    from digitlens.mail.measure import measure_thresholds, read_zips
    from digitlens.mail.thresholds import MEASURED_NAME, model_fingerprint, write_measured
    from digitlens.mail.zipcode import ZIP_LENGTHS
    from digitlens.metrics.risk_coverage import threshold_for_risk
    from digitlens.ocr import Reader

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
    path = out or chosen.network.path.with_name(MEASURED_NAME)
    write_measured(path, measured)
    for name, curve in measured.curves.items():
        result = threshold_for_risk(0.01, curve)
        echo(f"{name:15}  {_describe_threshold(result)}")
    announce(f"thresholds in {path}")


def _describe_threshold(result: ThresholdResult) -> str:
    shown = (
        "no threshold" if result.confidence is None else f"{100 * result.confidence:.1f} % sure"
    )
    return f"{100 * result.read_rate:5.1f} % read at 1 % error: {shown}"


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
    Service's labeling list L002, whose effective date is printed.
    """
    if (by is None) == (l002 is None):
        raise UsageError(
            "a plan is made by --by or from --l002", try_="digitlens mail plan --by state"
        )
    if out is not None and out.exists() and not force:
        raise UsageError(f"{out} is there already", try_="another name, or --force")
    from digitlens.mail.plan_files import write_plan

    made = _read_list(l002) if l002 is not None else _make_plan(by or "")
    text = write_plan(made)
    if out is None:
        echo(text)
    else:
        from digitlens.storage import write_text

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
    count: Annotated[int, typer.Argument(metavar="N", help="How many envelopes.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where they go.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Decides everything on them.")] = 0,
    digits: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="mnist: its test digits; drawn: by the program; auto: mnist where at hand.",
        ),
    ] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Draw envelopes, and truth.csv that says what they bear.

    Addresses are made up, in ZIPs that exist; digits are handwritten by MNIST's writers where
    MNIST is at hand. The same N and SEED draw the same mail.
    """

    from digitlens.mail.directory import load_directory
    from digitlens.mail.sample import make_sample

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
    announce(f"{made.pieces:,} envelopes in {made.folder}; digits: {made.digits}")


app = typer.Typer(
    cls=Group,
    help="Make sort plans, sample mail, barcodes; learn from mail.",
    rich_markup_mode=None,
    no_args_is_help=False,
)

for command in (plan, sample, corrections, barcode, measure):
    app.command(cls=Command)(command)
