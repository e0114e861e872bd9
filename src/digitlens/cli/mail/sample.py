"""digitlens mail sample: envelopes to try the whole way with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.output import give, is_live, tell


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
    import sys

    from digitlens.mail.directory import load_directory
    from digitlens.mail.sample import make_sample

    live = is_live(sys.stderr)

    def progress(done: int, all_: int) -> None:
        if live:
            sys.stderr.write(f"\r{done:,} of {all_:,} envelopes" + "\n" * (done == all_))
            sys.stderr.flush()

    made = make_sample(
        count,
        out,
        load_directory(),
        seed=seed,
        digits=digits,
        force=force,
        progress=progress,
    )
    give(str(made.folder / "truth.csv"))
    tell(f"{made.pieces:,} envelopes in {made.folder}; digits: {made.digits}")
