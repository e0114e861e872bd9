"""The bounds of a network of many sources: the worst source decides."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlens.data.world import FONTS, PEN, RULE

TOOL = Path(__file__).parents[2] / "tools" / "thresholds.py"
SHARES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30)


def load_tool() -> ModuleType:
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location("thresholds", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


def test_the_writers_number_tells_the_source() -> None:
    """Numbers below the pen digits' are MNIST's; a source without digits is left out."""
    scores = np.arange(5, dtype=np.float32)
    parts = tool.by_source(scores, np.array([0, PEN - 1, PEN, RULE, RULE + 99]))
    assert {name: part.tolist() for name, part in parts.items()} == {
        "MNIST": [0, 1],
        "pen digits": [2],
        "forms by rule": [3, 4],
    }
    assert FONTS > PEN


@given(st.dictionaries(st.sampled_from("abcd"), SHARES, min_size=1), st.floats(0.5, 1))
def test_every_source_keeps_its_share(lists: dict[str, list[float]], kept: float) -> None:
    """No source has more digits above the bound than it may, and a lower bound would."""
    scores = {name: np.array(values, np.float32) for name, values in lists.items()}
    bound = tool.choose_threshold(scores, kept)
    assert all((part <= bound).mean() >= kept - 1e-9 for part in scores.values())
    assert any((part < bound).mean() < kept for part in scores.values())


def test_a_source_that_is_left_out_has_no_say() -> None:
    """The bound of the others is what counts it."""
    scores = {"low": np.linspace(0, 0.1, 11), "high": np.linspace(0, 1, 11)}
    shares = tool.refused_when_left_out(scores, 1.0)
    assert shares["low"] == 0
    assert shares["high"] == pytest.approx(9 / 11)
