"""digitlens serve: the lab and its HTTP service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from digitlens.cli.console import StoreOption, announce, find_store, needs_extra, option
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.server.review_desk import ReviewDesk


def serve(
    host: Annotated[
        str, option("HOST", "Where to listen; others want a --token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, option("N", "The port; 0 lets the system choose.", max=65535, min=0)
    ] = 8000,
    token: Annotated[
        str | None, option("TEXT", "What every request must show; 16 characters or more.")
    ] = None,
    trays: Annotated[
        Path | None, option("DIR", "Sorted mail to review: --out of digitlens route.")
    ] = None,
    plan: Annotated[Path | None, option("FILE", "The sort plan of these trays.")] = None,
    store: StoreOption = None,
    scans: Annotated[
        Path | None, option("DIR", "Where pieces are kept that scanners send.")
    ] = None,
    export: Annotated[
        Path | None, option("DIR", "Write the lab as files for any web host, and end.")
    ] = None,
) -> None:
    """Open the lab: draw digits, look inside networks, train them.

    It answers on this machine alone, unless --host says otherwise; then --token is needed
    (or DIGITLENS_TOKEN, which no list of processes shows). Runs are kept in runs/train and
    digits of your own in runs/own of this folder. docs/api.md tells what programs may ask,
    and so does the address /docs. Ctrl-C ends it, with running requests finished and training
    saved.

    With --trays and --plan people review there what was not read surely: each piece is lent
    to one person at a time, and goes on to its tray. With --scans too, scanners send
    pieces to /v1/mail/pieces.

    With --export the lab is written into a folder as files that answer by themselves, in the
    browser: drawing, looking inside and mistakes of the small published networks. Photos,
    mail and training need the server."""
    import os

    if export is not None:
        _export(export)
        return
    from digitlens.server.settings import ServerSettings, check_token

    # A wrong token is reported before the web framework is loaded.
    token = check_token(host, token if token is not None else os.environ.get("DIGITLENS_TOKEN"))
    with needs_extra("lab"):
        from digitlens.server.serve import serve as run_server
    desk = _open_desk(trays, plan, store, scans)
    settings = ServerSettings(folder=Path.cwd(), host=host, port=port, token=token)

    def on_ready(address: str) -> None:
        announce(f"the lab is open at {address}    Ctrl-C closes it")
        announce(f"runs and digits of your own are kept in {settings.folder / 'runs'}")
        if desk is not None:
            announce(f"{desk.status()['waiting']:,} pieces wait at {address}#review")
        if token:
            announce(f"open {address}?token=TOKEN once in each browser")

    run_server(settings, on_ready, desk)
    announce("the lab is closed")


def _export(folder: Path) -> None:
    with needs_extra("lab"):
        from digitlens.server.export import export_lab
    files = export_lab(folder)
    size = sum(path.stat().st_size for path in files)
    announce(f"the lab is in {folder}: {len(files)} files, {size / 1e6:.1f} MB")
    announce(f"python -m http.server --directory {folder}    shows it; any web host serves it")


def _open_desk(
    trays: Path | None, plan: Path | None, store: str | None, scans: Path | None
) -> ReviewDesk | None:
    """Open the review queue; what is wrong with it is reported before anything starts."""
    if trays is None and plan is None and scans is None:
        return None
    if trays is None or plan is None:
        raise UsageError(
            "mail is reviewed with --trays and --plan",
            seen="--plan or --scans alone" if trays is None else "--trays alone",
            try_="digitlens serve --trays trays --plan plan.toml",
        )
    from digitlens.server.review_desk import open_desk

    return open_desk(trays, plan, find_store(store), scans)
