"""Did you mean: the name that was probably wanted."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggest(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the one of `names` that `name` is nearest to, or None when none is near.

    name, names: compared without regard to case
    cutoff: how alike they must be, 0..1, in `difflib`'s measure

    Examples
    --------
    >>> suggest("trian", ["demo", "train"])
    'train'
    >>> suggest("fly", ["demo", "train"])
    """
    folded = {item.lower(): item for item in names}
    matches = get_close_matches(name.lower(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None
