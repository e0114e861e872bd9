"""The one list of networks, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from digitlens.errors import UsageError
from digitlens.nearest import nearest


@dataclass(frozen=True)
class Entry:
    """One line of the table: a network's name, the module that holds it, and what it is."""

    name: str
    module: str
    about: str


NETWORKS: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("dense", "digitlens.networks.dense", "fully connected, 784-512-256-128-10"),
        Entry("lenet5", "digitlens.networks.lenet5", "LeCun's network of 1998"),
        Entry("quick", "digitlens.networks.quick", "convolutional, trained in seconds"),
        Entry("cnn", "digitlens.networks.cnn", "convolutional, the one to use"),
    )
}


def find(name: str) -> Entry:
    """Return the entry of `name`.

    Raises
    ------
    UsageError
        There is no such network; the nearest name is offered.

    Examples
    --------
    >>> find("dense").about
    'fully connected, 784-512-256-128-10'
    """
    entry = NETWORKS.get(name)
    if entry is not None:
        return entry
    near = nearest(name, NETWORKS, cutoff=0.5)
    raise UsageError(
        f"{name!r} is no network",
        seen=f"known: {', '.join(NETWORKS)}",
        try_=f"did you mean {near!r}?" if near else None,
    )
