"""digitlens serve: the lab and its HTTP service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.extras import wants_lab
from digitlens.cli.output import tell


def serve(
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where to listen; others want a --token.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(metavar="N", help="The port; 0 lets the system choose.", max=65535, min=0),
    ] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What every request must show; 16 characters or more."
        ),
    ] = None,
) -> None:
    """Open the lab: draw digits, look inside networks, train them.

    It answers on this machine alone, unless --host says otherwise; then --token is needed
    (or DIGITLENS_TOKEN, which no list of processes shows). Runs are kept in runs/train and
    digits of your own in runs/own of this folder. docs/api.md tells what programs may ask,
    and so does the address /docs. Ctrl-C ends it, with running requests finished and training
    saved."""
    import os

    from digitlens.lab.settings import Settings, check_token

    token = check_token(host, token if token is not None else os.environ.get("DIGITLENS_TOKEN"))
    with wants_lab():
        from digitlens.lab.server import serve as run
    settings = Settings(folder=Path.cwd(), host=host, port=port, token=token)

    def ready(address: str) -> None:
        tell(f"the lab is open at {address}    Ctrl-C closes it")
        tell(f"runs and digits of your own are kept in {settings.folder / 'runs'}")
        if token:
            tell(f"open {address}?token=TOKEN once in each browser")

    run(settings, ready)
    tell("the lab is closed")
