"""The one list of digit networks, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass

from digitlens.errors import UsageError, suggest
from digitlens.metrics.formatting import WIDTH, hang
from digitlens.models.recipe import READERS

CONVOLUTIONAL = "digitlens.models.architectures.convolutional"
FULLY_CONNECTED = "digitlens.models.architectures.fully_connected"
LENET5 = "digitlens.models.architectures.lenet5"

DEFAULT_NETWORK = "universal"  # the published network that answers where none is named


@dataclass(frozen=True)
class ModelSpec:
    """What there is to know of a network before torch is loaded.

    `module` is where `ARCHITECTURES` holds it. Of an ensemble `members` networks are trained,
    with seeds of their own, and answer together. Of a cascade `second` names the published
    network that answers where this one is unsure. `source` is what it is trained on, for
    `load_digits`.
    """

    name: str
    module: str
    about: str
    members: int = 1
    second: str = ""
    source: str = "mnist"


# The order in which messages and help list them.
NETWORKS: dict[str, ModelSpec] = {
    entry.name: entry
    for entry in (
        ModelSpec("dense", FULLY_CONNECTED, "fully connected, 784-512-256-128-10"),
        ModelSpec("course-cnn", CONVOLUTIONAL, "the course's: convolution, pooling, dense"),
        ModelSpec("lenet5", LENET5, "LeCun's network of 1998"),
        ModelSpec("quick", CONVOLUTIONAL, "convolutional, trained in seconds"),
        ModelSpec("convnet", CONVOLUTIONAL, "convolutional, taught by labels alone"),
        ModelSpec("cnn", CONVOLUTIONAL, "for MNIST: convnet taught by best"),
        ModelSpec("best", CONVOLUTIONAL, "ten convolutional networks together", members=10),
        ModelSpec("tiny", CONVOLUTIONAL, "as few weights as possible"),
        ModelSpec("dense-deformed", FULLY_CONNECTED, "fully connected, taught by cnn"),
        ModelSpec(
            "universal",
            CONVOLUTIONAL,
            "the one to use: written, printed and shown digits",
            source="world",
        ),
        ModelSpec("fast", FULLY_CONNECTED, "a small one, cnn where it is unsure", second="cnn"),
    )
}


# A list of layers, or a torch module: it has no layers until they are given.
CUSTOM = ModelSpec("custom", "digitlens.models.own", "layers of your own: --layers")


def find_network(name: str) -> ModelSpec:
    """Return the entry of `name`; UsageError, with the nearest name, if there is none.

    >>> find_network("dense").about
    'fully connected, 784-512-256-128-10'
    """
    entry = CUSTOM if name == CUSTOM.name else NETWORKS.get(name)
    if entry is not None:
        return entry
    near = suggest(name, [*NETWORKS, *READERS])
    known = f"known: {', '.join(NETWORKS)}; readers of lines: {', '.join(READERS)}"
    raise UsageError(
        f"{name!r} is no network",
        seen=hang("", known, WIDTH - 10),  # ten columns stand before it
        try_=f"did you mean {near!r}?" if near else None,
    )
