"""Did you mean: the name that was probably wanted."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from digitlens.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `name` is nearest to, or None when none is near.

    Examples
    --------
    >>> nearest("trian", ["demo", "train"])
    'train'
    >>> nearest("fly", ["demo", "train"])
    """
    known = list(names)
    folded = {each.lower(): each for each in known}
    matches = get_close_matches(name.lower(), folded, n=1)
    return folded[matches[0]] if matches else None


def one_of(option: str, value: str, allowed: Iterable[str]) -> str:
    """Return `value` when it is among the `allowed` values of `option`.

    Raises
    ------
    UsageError
        It is not; the nearest is offered.

    Examples
    --------
    >>> one_of("--part", "test", ["test", "train"])
    'test'
    """
    known = list(allowed)
    if value in known:
        return value
    meant = nearest(value, known)
    raise UsageError(
        f"{option} must be one of: {', '.join(known)}",
        seen=f"{option} {value}",
        try_=f"{option} {meant}" if meant else None,
    )
