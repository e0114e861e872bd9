"""digitlens mail: sort plans, sample mail, corrections, barcodes; `digitlens route` sorts."""

from __future__ import annotations

import typer

from digitlens.cli.group import Group
from digitlens.cli.helptext import Command
from digitlens.cli.mail.barcode import barcode
from digitlens.cli.mail.corrections import corrections
from digitlens.cli.mail.measure import measure
from digitlens.cli.mail.plan import plan
from digitlens.cli.mail.sample import sample

app = typer.Typer(
    cls=Group,
    help="Make sort plans, sample mail, barcodes; learn from mail.",
    rich_markup_mode=None,
    no_args_is_help=False,
)

for command in (plan, sample, corrections, barcode, measure):
    app.command(cls=Command)(command)
