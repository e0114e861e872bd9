"""The report folder of an evaluation: one page, and its two pictures beside it."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from digitlens.cli.output import tell
from digitlens.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.card import Card
    from digitlens.evaluation import Evaluation

PAGE = "report.html"
CONFUSION = "confusion.png"
ERRORS = "errors.png"


def write_report(found: Evaluation, folder: Path, *, card: Card) -> Path:
    """Write the report of `found` into `folder`, over an older one, and return its page.

    The page holds everything. The pictures beside it, for slides, want matplotlib and are
    left out, with a word on stderr, where that is not installed.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    from digitlens.report import render
    from digitlens.atomic import make_folder, write_bytes, write_text

    make_folder(folder)
    for name, picture in _pictures(found).items():
        write_bytes(folder / name, picture)
    write_text(folder / PAGE, render(found, card=asdict(card), measured=_measured()))
    return folder / PAGE


def _pictures(found: Evaluation) -> dict[str, bytes]:
    title = f"{found.model}, {found.source}"
    try:
        from digitlens import plots

        return {
            CONFUSION: plots.confusion(found.confusion, title=title),
            ERRORS: plots.mistakes(found),
        }
    except MissingExtraError as error:
        tell(f"without {CONFUSION} and {ERRORS}: {error.wanted}")
        return {}


def _measured() -> dict[str, object]:
    """Return on what and when: a figure without its machine says little."""
    packages = ("digitlens", "numpy", "onnxruntime")
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in packages},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
