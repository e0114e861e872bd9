"""A line reader from the run folder that training left: its torch network and its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import ModelError
from digitlens.export.convert import read_weights
from digitlens.export.line_file import card_in
from digitlens.networks.reader import LineNetwork
from digitlens.training.folder import MODEL, WEIGHTS, read_config

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.line_card import LineCard

    Widths = tuple[int, int, int, int]


def load_weights(folder: Path, widths: Widths) -> LineNetwork:
    """Return the network of these widths with the weights of the run in `folder`.

    Raises
    ------
    ModelError
        The weights are missing, damaged, or of another network.
    """
    network = LineNetwork(widths)
    with read_weights(folder / WEIGHTS, "a line reader of these widths") as weights:
        network.load_state_dict(weights)
    return network.eval()


def load_reader(folder: Path) -> tuple[LineNetwork, LineCard]:
    """Return the network and the card of the finished run in `folder`.

    Raises
    ------
    RunError
        It is no run folder.
    ModelError
        The run is unfinished, or not one of a line reader.
    """
    config = read_config(folder)
    try:
        widths = tuple(config["recipe"]["widths"])
        content = (folder / MODEL).read_bytes()
    except (KeyError, OSError) as error:
        raise ModelError(
            f"{folder} must be the finished run of a line reader",
            seen=f"a run of {config.get('run', {}).get('network')}"
            if isinstance(error, KeyError)
            else f"no {MODEL}",
            try_="digitlens train reader makes one",
        ) from error
    return load_weights(folder, widths), card_in(content)
