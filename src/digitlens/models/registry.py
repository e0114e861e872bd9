"""The one list of networks, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from digitlens.errors import UsageError
from digitlens.suggest import suggest

HERE = "digitlens.models.architectures"


@dataclass(frozen=True)
class ModelSpec:
    """One line of the table.

    Parameters
    ----------
    name, module, about
        The network's name, the module that holds it, and what it is.
    members
        So many networks are trained, with seeds of their own, and answer together.
    second
        The published network that answers where this one is unsure; empty for none.
    """

    name: str
    module: str
    about: str
    members: int = 1
    second: str = ""


NETWORKS: dict[str, ModelSpec] = {
    entry.name: entry
    for entry in (
        ModelSpec("dense", f"{HERE}.dense", "fully connected, 784-512-256-128-10"),
        ModelSpec("lenet5", f"{HERE}.lenet5", "LeCun's network of 1998"),
        ModelSpec("quick", f"{HERE}.quick", "convolutional, trained in seconds"),
        ModelSpec("convnet", f"{HERE}.convnet", "convolutional, taught by labels alone"),
        ModelSpec("cnn", f"{HERE}.cnn", "the one to use: convnet taught by best"),
        ModelSpec("best", f"{HERE}.best", "ten convolutional networks together", members=10),
        ModelSpec("tiny", f"{HERE}.tiny", "as few weights as possible"),
        ModelSpec("dense-deformed", f"{HERE}.dense_deformed", "fully connected, taught by cnn"),
        ModelSpec("fast", f"{HERE}.fast", "a small one, cnn where it is unsure", second="cnn"),
    )
}


def find_network(name: str) -> ModelSpec:
    """Return the entry of `name`.

    Raises
    ------
    UsageError
        There is no such network; the nearest name is offered.

    Examples
    --------
    >>> find_network("dense").about
    'fully connected, 784-512-256-128-10'
    """
    entry = NETWORKS.get(name)
    if entry is not None:
        return entry
    near = suggest(name, NETWORKS, cutoff=0.5)
    raise UsageError(
        f"{name!r} is no network",
        seen=f"known: {', '.join(NETWORKS)}",
        try_=f"did you mean {near!r}?" if near else None,
    )
