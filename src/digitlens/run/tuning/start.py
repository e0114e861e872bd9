"""The network that fine-tuning begins with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitlens.errors import UsageError
from digitlens.export.rebuild import rebuild
from digitlens.export.unfold import unfold
from digitlens.model import load_model
from digitlens.networks.table import NETWORKS, find

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from digitlens.model import Model
    from digitlens.ops import Op


@dataclass(frozen=True, eq=False)
class Start:
    """A model of one network, as it was before.

    Parameters
    ----------
    source
        What the user called it.
    model
        The model, which answers.
    ops
        Its network.
    sha256
        Hash of its file in hex.
    """

    source: str
    model: Model
    ops: list[Op]
    sha256: str

    def network(self) -> nn.Sequential:
        """Return its network anew, in torch."""
        return rebuild(self.ops)


def begin(source: str | Path, network: str) -> Start:
    """Load the model `source` to go on training it as a `network`.

    Raises
    ------
    UsageError
        `network` is several networks together, or the model is of another architecture.
    ModelError
        There is no such model, or its layers are not trained again.
    """
    check_single(network)
    model = load_model(source)
    found = model.card.network
    if found != network:
        alone = model.card.members == 1 and found in NETWORKS and not find(found).second
        raise UsageError(
            f"--from must name a {network}, to go on with",
            seen=f"{source} is a {found}",
            try_=f"digitlens train {found} --from {source}" if alone else None,
        )
    content = model.path.read_bytes()
    ops = unfold(content, name=str(source))
    return Start(str(source), model, ops, hashlib.sha256(content).hexdigest())


def check_single(network: str) -> None:
    """Refuse a `network` that is several networks together.

    Raises
    ------
    UsageError
        An ensemble or a cascade.
    """
    entry = find(network)
    if entry.members > 1 or entry.second:
        raise UsageError(
            f"{network} is not fine-tuned: it is several networks that answer together",
            try_="digitlens train cnn --from cnn",
        )
