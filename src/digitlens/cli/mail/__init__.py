"""digitlens mail: sort plans, sample mail and barcodes; `digitlens route` sorts."""

from __future__ import annotations

import typer

from digitlens.cli.group import Group
from digitlens.cli.helptext import Command
from digitlens.cli.mail.barcode import barcode
from digitlens.cli.mail.plan import plan
from digitlens.cli.mail.sample import sample

app = typer.Typer(
    cls=Group,
    help="Make a sort plan, sample mail or a barcode.",
    rich_markup_mode=None,
    no_args_is_help=False,
)

for command in (plan, sample, barcode):
    app.command(cls=Command)(command)
