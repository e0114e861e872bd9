"""digitlens mail measure: bars for a reader of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.output import give, is_live, tell


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
        typer.Option(metavar="FILE", help="Where the bars go; else beside the network."),
    ] = None,
) -> None:
    """Measure how sure a reader of your own must be of a ZIP.

    ZIPs are written with digits of MNIST's validation writers and read; what is accepted and
    wrong is counted for the reading alone, and with directory, state and city known. route
    finds the bars beside the network. It takes minutes.
    """
    import sys
    from importlib.metadata import version

    from digitlens.data import load_digits
    from digitlens.mail.deciding.simulate import measure as count
    from digitlens.mail.directory import load_directory
    from digitlens.mail.measuring import read_zips
    from digitlens.mail.reading import LENGTHS
    from digitlens.mail.trust import NAME, mark_of, write_measured
    from digitlens.reader import Reader
    from digitlens.reading import bar_for

    live = is_live(sys.stderr)

    def progress(done: int, all_: int) -> None:
        if live and (done % 100 == 0 or done == all_):
            sys.stderr.write(f"\r{done:,} of {all_:,} lines" + "\n" * (done == all_))
            sys.stderr.flush()

    chosen = Reader(reader)
    digits, directory = load_digits("mnist"), load_directory()
    pieces = read_zips(
        lambda picture: chosen.read_line(picture, LENGTHS),
        digits.validation,
        directory,
        count=lines,
        seed=seed,
        progress=progress,
    )
    about: dict[str, str | int] = {
        "reader": chosen.network.card.name,
        "lines": lines,
        "seed": seed,
        "digits": f"{digits.validation.source}: {digits.split}",
        "digitlens": version("digitlens"),
    }
    measured = count(pieces, directory, mark_of(chosen.network), about)
    path = out or chosen.network.path.with_name(NAME)
    write_measured(path, measured)
    for name, curve in measured.curves.items():
        bar = bar_for(0.01, curve)
        least = "no bar" if bar.confidence is None else f"{100 * bar.confidence:.1f} % sure"
        give(f"{name:15}  {100 * bar.read_rate:5.1f} % read at 1 % error: {least}")
    tell(f"bars in {path}")
