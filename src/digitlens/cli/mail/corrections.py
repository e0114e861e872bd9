"""digitlens mail corrections: what people said of mail, as data to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.options import JsonOption
from digitlens.cli.output import give, give_json, tell


def corrections(
    trays: Annotated[Path, typer.Option(metavar="DIR", help="Where the trays are.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where lines and digits go.")],
    as_json: JsonOption = False,
) -> None:
    """Save what people said in review, as data to learn from.

    DIR/lines gets each line that a person read, cut out, with truth.csv; DIR/digits single
    digits in MNIST's frame, from which digitlens train cnn --from cnn --data DIR/digits
    learns. Taken is only what is sure to be what it is called: docs/mail.md tells the rules.
    """
    from dataclasses import asdict

    from digitlens.mail.sorting.corrected import corrections_in
    from digitlens.mail.sorting.learn import DIGITS, save_corrections

    saved = save_corrections(corrections_in(trays), out)
    if as_json:
        give_json(asdict(saved))
    else:
        give(
            f"{saved.corrections:,} corrections: {saved.lines:,} lines, {saved.digits:,} digits"
        )
    for count, why in (
        (saved.unread, "a person could not read either"),
        (saved.other, "the program had read another line, or none"),
        (saved.unseen, "have no picture any more"),
    ):
        if count:
            tell(f"left out: {count:,} that {why}")
    if saved.digits:
        tell(f"learn from them: digitlens train cnn --from cnn --data {out / DIGITS}")
