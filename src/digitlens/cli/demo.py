"""digitlens demo: the whole story, from pixels to an honest figure, in under a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.errors import UsageError


def demo(
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A new folder for it all; else demo, demo-2, ..."),
    ] = None,
    data: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="Other digits than MNIST's, such as uci."),
    ] = "mnist",
) -> None:
    """Tell the whole story in under a minute: start here.

    The digits, one of them as numbers, a fully connected network and its history, a
    convolutional one, both compared on the test digits, and a picture read.
    """
    from digitlens.cli import demo_steps
    from digitlens.cli.console import check_train

    check_train()
    folder = _folder(out)
    loaded = demo_steps.the_data(data, folder)
    demo_steps.one_digit(loaded)
    dense = demo_steps.fully_connected(loaded, folder)
    cnn = demo_steps.convolutional(loaded, folder)
    best = demo_steps.the_test(loaded, dense, cnn, folder)
    demo_steps.a_picture(loaded, best, folder)
    demo_steps.the_end(loaded, folder)


def _folder(out: Path | None) -> Path:
    """Return the folder of this demo, empty or not there yet."""
    if out is None:
        number, out = 1, Path("demo")
        while out.exists():
            number += 1
            out = Path(f"demo-{number}")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} must be empty or not there yet", try_="another --out")
    from digitlens.storage import make_folder

    make_folder(out)
    return out
