"""summary: networks layer by layer, models by their card."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys

Cli = Callable[..., Any]


@pytest.mark.parametrize(("network", "weights"), [("dense", 567_434), ("lenet5", 60_000)])
def test_a_network_is_summed_up(digitlens: Cli, network: str, weights: int) -> None:
    """A network's layers are listed, with the published number of weights in the last line."""
    ended = digitlens("summary", network)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == network
    assert f"{weights:,}" in ended.out.splitlines()[-1]


def test_json_lists_the_layers(digitlens: Cli) -> None:
    """--json gives name, totals and layers; the layers add up to the totals."""
    result = json.loads(digitlens("summary", "dense", "--json").out)
    assert list(result) == list(output_keys()["digitlens summary NETWORK --json"])
    assert sum(layer["weights"] for layer in result["layers"]) == result["weights"] == 567_434


def test_a_model_shows_its_card(digitlens: Cli) -> None:
    """A model file is summed up by its card."""
    assert digitlens("summary", GOLDEN).out.startswith("# golden\n")
    assert json.loads(digitlens("summary", GOLDEN, "--json").out)["name"] == "golden"


def test_a_model_of_the_hub_is_no_unknown_network(
    digitlens: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hf://OWNER/NAME is a model here as it is everywhere."""
    hub = SimpleNamespace(hf_hub_download=lambda *_: str(GOLDEN))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert digitlens("summary", "hf://somebody/digits").out.startswith("# golden\n")


def test_an_unknown_network_is_guessed(digitlens: Cli, in_tmp: Path) -> None:
    """A name that is neither a network nor a file names the network that was meant."""
    ended = digitlens("summary", "lenet")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: 'lenet' is no network\n"
        "  seen    known: dense, course-cnn, lenet5, quick, convnet, cnn, best, tiny,\n"
        "          dense-deformed, universal, fast; readers of lines: reader,\n"
        "          reader-wide, reader-world, signs, rescorer\n"
        "  try     did you mean 'lenet5'?\n"
    )


def test_a_recipe_is_shown(digitlens: Cli) -> None:
    """`recipe show` gives each number of a network's, a reader's and one's own recipe."""
    ended = digitlens("recipe", "show", "convnet")
    assert ended.code == 0
    assert "learning_rate     0.012" in ended.out
    for name in ("custom", "reader", "best"):
        assert max(map(len, digitlens("recipe", "show", name).out.splitlines())) <= 80
    assert json.loads(digitlens("recipe", "show", "dense", "--json").out)["epochs"] == 3
    assert digitlens("recipe", "show", "nosuch").code == 2
