"""A small data set, and a finished run on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digitlens import networks
from digitlens.data import Data
from digitlens.run import Run, train

MakeData = Callable[..., Data]


@pytest.fixture(scope="session")
def small(make_data: MakeData) -> Data:
    """Return a small data set of made-up digits."""
    return make_data(train=300, validation=60, test=60)


@pytest.fixture(scope="session")
def tiny() -> Callable[[str], Any]:
    """Return a function: a network's recipe with batches that fit a small data set."""
    return lambda name: replace(networks.recipe_of(name), batch=50)


@pytest.fixture(scope="session")
def weights() -> Callable[[Path], bytes]:
    """Return a function: a run's best weights as bytes."""
    return lambda folder: (folder / "weights.safetensors").read_bytes()


@pytest.fixture(scope="session")
def finished(small: Data, tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of quick."""
    out = tmp_path_factory.mktemp("runs") / "quick-1"
    return train("quick", small, epochs=3, seed=1, out=out, recipe=tiny("quick"))
