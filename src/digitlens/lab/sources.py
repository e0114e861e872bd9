"""The digits that a lab trains with and measures on, and which of them are on this machine.

The lab fetches nothing by itself: a request must not wait for a mirror that may not answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.data.load import NAMES, PUBLISHED
from digitlens.data.places import is_here
from digitlens.errors import MissingDataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

OWN = "own"
"""What the lab's own digits are called where a source is named."""


def sources(own: Path) -> dict[str, bool]:
    """Return every source by its name, and whether it is on this machine.

    Parameters
    ----------
    own
        The folder of the lab's own digits; they are there once one is saved.
    """
    here = {name: name not in PUBLISHED or is_here(PUBLISHED[name]) for name in NAMES}
    return here | {OWN: any(own.glob("*/*.png"))}


def check_source(name: str, own: Path) -> None:
    """See that a source has that name, and that its digits are on this machine.

    Raises
    ------
    UsageError
        There is no such source.
    MissingDataError
        Its digits are not here.
    """
    if name not in (*NAMES, OWN):
        raise UsageError(f"data must be one of: {', '.join((*NAMES, OWN))}", seen=name[:100])
    if sources(own)[name]:
        return
    if name == OWN:
        raise MissingDataError(
            "no digits of your own are saved yet", try_="draw some and save them"
        )
    raise MissingDataError(
        f"{PUBLISHED[name].title} is not on this machine",
        try_=f"digitlens data fetch {name}    downloads it, once\nuci    comes with digitlens",
    )
