"""Mail from a picture to a tray: a table of docs/benchmarks.md.

    make bench-mail

whole
    Sample mail, written with MNIST's test digits, is sorted by `digitlens route`, as a user
    types it, with no address known and with city and state of each piece known. The tray is
    the plant of the Postal Service's labeling list L002, where ``--l002`` or the folder that
    DIGITLENS_MAIL names has one; else the first three digits of the ZIP.
lines
    ZIPs cut out of that mail, and the cheque amounts of five digits in the folder that
    DIGITLENS_REAL names, are read by digitlens and RapidOCR in turn, the number of digits told
    and no directory asked; see reading.py for how. And once more as `route` reads them: told
    that there are five or nine digits, and with its threshold for a reading alone.
codes
    The real envelopes of DIGITLENS_REAL.
simulated
    Real mistakes carried over to ZIPs of the whole country: those on ZIPs composed of MNIST's
    test digits, in all styles of `digitlens.synth`, and those on the cheque amounts.

All thresholds are the program's own, measured on other lines by other writers: nothing is
chosen on what is counted here. Each part is kept in .bench/mail; with ``--part`` only some
are measured again. Prints Markdown; with ``--write`` also to benchmarks/results/mail.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mailing import alone, envelopes, simulated, table, whole
from mailing.parts import Part, keep_part, kept_part, page
from peer import keep, machine
from readers.installs import BENCH
from readers.pictures import FIVES

if TYPE_CHECKING:
    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan

HOME = BENCH / "mail"
PIECES, SEED = 2000, 2027
CUTS = 300
LINES, LINES_SEED = 6000, 62
"""Lines of a simulation; no threshold was measured on that seed or with these writers."""

ERROR = 0.01
NO_PICTURES = "real pictures: DIGITLENS_REAL is not set"


def sort_plan(given: Path | None, directory: Directory) -> SortPlan:
    """Return a plan by the plants of L002; by three digits, saying so loudly, without one."""
    from digitlens.mail.plan import make_plan
    from digitlens.mail.plan_files import read_l002

    path = whole.find_list(given)
    if path is not None:
        return read_l002(path).make_plan()
    print("NO LIST L002: trays are prefixes (--l002, or DIGITLENS_MAIL)", file=sys.stderr)
    return make_plan(directory, "zip3")


def measure_whole(options: argparse.Namespace, directory: Directory) -> Part:
    """Sort the sample twice: without addresses, and with city and state of each piece."""
    from digitlens.mail.plan_files import write_plan
    from digitlens.storage import write_text

    plan = sort_plan(options.l002, directory)
    folder = whole.make_sample(options.pieces, options.seed, HOME)
    plan_file, truth = HOME / "plan.toml", whole.read_truth(folder)
    write_text(plan_file, write_plan(plan))
    result = {}
    for known, more in (
        ("no address known", ()),
        ("city and state known", ("--addresses", folder / "truth.csv")),
    ):
        print(f"sorting {options.pieces:,} pieces, {known} ...", file=sys.stderr)
        listed, seconds = whole.route(folder, plan_file, HOME / "trays", *more)
        result[known] = whole.count_sorted(listed, truth, plan, seconds)
    waiting = result["no address known"].reasons or {}
    reasons = ", ".join(f"{name} {count}" for name, count in waiting.items())
    return Part(
        table.whole_table(result),
        [
            "Read: accepted by the program's threshold for at most 1 % wrong. Expected: wrong "
            "ones, as the probabilities have it. Clopper and Pearson's 95 % intervals.",
            f"{options.pieces:,} pieces of sample mail, seed {options.seed}, by MNIST's test "
            f"writers; plants by {plan.source}. Pieces/s of the whole command, start and "
            f"listing included. To a person, no address known: {reasons}.",
        ],
    )


def measure_lines(options: argparse.Namespace, directory: Directory) -> Part:
    """Let digitlens and RapidOCR read lines in turn."""
    from digitlens import Reader, load_digits

    real = os.environ.get("DIGITLENS_REAL")
    folder = whole.make_sample(options.pieces, options.seed, HOME)
    tasks = {alone.CUT: alone.cut_lines(folder, options.cuts, HOME / "cut")}
    writers = load_digits("mnist").validation
    known = {alone.CUT: alone.cut_validation(writers, directory, options.cuts, HOME / "cut")}
    if real:
        tasks[FIVES] = alone.five_digit_cheques(Path(real))
        known[FIVES] = alone.cheque_validation(HOME)
    readers = alone.side_by_side(tasks, known, HOME)
    thresholds, _ = simulated.our_thresholds(Reader(), ERROR)
    counted = {
        group: alone.as_mail(Reader(), some, thresholds) for group, some in tasks.items()
    }
    versions = [
        f"{name} {number}"
        for item in readers
        for name, number in item.kept.about.get("versions", {}).items()
    ]
    problems = [f"{item.kind.name}: {item.problem}" for item in readers if item.problem]
    return Part(
        table.lines_table(readers, tasks, counted),
        [
            "Lines: no directory. RapidOCR's threshold was chosen on generated lines of the "
            'kind, and its network was searched for so many digits; "at best" by the threshold '
            "that suits these very lines, which nobody has. "
            f"{', '.join(dict.fromkeys(versions))}."
        ],
        "; ".join(problems if real else [*problems, NO_PICTURES]),
    )


def measure_codes(_: argparse.Namespace, __: Directory) -> Part:
    """Read the codes on real envelopes."""
    from digitlens import Reader

    real = os.environ.get("DIGITLENS_REAL")
    if real is None:
        return Part("", problem=NO_PICTURES)
    result = envelopes.count_codes(Reader(), envelopes.envelopes(Path(real)))
    return Part(
        table.codes_table(result),
        ["Envelopes: the number of digits told; their codes are no ZIPs, so no directory."],
    )


def measure_simulated(options: argparse.Namespace, directory: Directory) -> Part:
    """Carry real mistakes over to ZIPs of the country."""
    from digitlens import Reader, load_digits

    real, reader = os.environ.get("DIGITLENS_REAL"), Reader()
    known = (
        directory,
        sort_plan(options.l002, directory),
        *simulated.our_thresholds(reader, ERROR),
    )
    print(f"reading {options.lines:,} lines ...", file=sys.stderr)
    pieces = simulated.read_composed(
        reader, load_digits("mnist").test, directory, options.lines, LINES_SEED
    )
    groups = [[piece] for piece in pieces]
    rows = simulated.count_rows(groups, *known)
    parts = {"composed lines": [*rows, simulated.count_mistaken(pieces, *known)]}
    if real:
        cheques = alone.five_digit_cheques(Path(real))
        mistakes = simulated.cheque_groups(reader, cheques, directory)
        parts["cheque amounts"] = simulated.count_rows(mistakes, *known)
    return Part(
        table.simulated_table(parts),
        [
            f"Composed lines: {options.lines:,} ZIPs of the directory, an eighth with four "
            f"more digits, in all styles, seed {LINES_SEED}, MNIST's test digits. Cheque "
            f"amounts: each carried over to {simulated.ZIPS_PER_CHEQUE} ZIPs. Intervals by "
            f"drawing lines or cheques {simulated.RESAMPLES:,} times anew.",
            "Other priors, composed lines: "
            f"{table.compare_priors(rows, simulated.vary_priors(groups, *known))}.",
        ],
        "" if real else NO_PICTURES,
    )


PARTS = {
    "whole": measure_whole,
    "lines": measure_lines,
    "codes": measure_codes,
    "simulated": measure_simulated,
}


def parse_options() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--part", choices=PARTS, action="append", help="repeatable")
    parser.add_argument("--pieces", type=int, default=PIECES, help="of sample mail")
    parser.add_argument("--seed", type=int, default=SEED, help="of sample mail")
    parser.add_argument("--cuts", type=int, default=CUTS, help="ZIPs cut out of it")
    parser.add_argument("--lines", type=int, default=LINES, help="of the simulation")
    parser.add_argument("--l002", type=Path, metavar="FILE", help="the labeling list, CSV")
    parser.add_argument("--write", action="store_true", help="also to results/mail.md")
    options = parser.parse_args()
    if "DIGITLENS_DATA" not in os.environ:
        parser.error("set DIGITLENS_DATA to the folder with MNIST's files")
    return options


def main() -> None:
    """Run the benchmark."""
    from digitlens.mail.directory import load_directory

    options = parse_options()
    for name in options.part or PARTS:
        keep_part(HOME, name, PARTS[name](options, load_directory()))
    parts = [part for part in (kept_part(HOME, name) for name in PARTS) if part is not None]
    keep("mail", page(parts, machine()), write=options.write)
    if any(part.problem for part in parts):
        sys.exit(1)


if __name__ == "__main__":
    main()
