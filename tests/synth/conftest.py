"""Glyphs to write with: made-up digits by made-up writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.synth import Glyphs, prepare_glyphs


@pytest.fixture(scope="session")
def hands(make_digits: Callable[..., Digits]) -> Digits:
    """Return 300 digits by five writers, who wrote 60 each."""
    digits = make_digits(300, seed=1)
    return replace(digits, writers=np.repeat(np.arange(5), 60))


@pytest.fixture(scope="session")
def glyphs(hands: Digits) -> Glyphs:
    """Return these digits, ready."""
    return prepare_glyphs(hands)
