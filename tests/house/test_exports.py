"""The public names, pinned."""

from __future__ import annotations

import pytest

import digitlens

PUBLIC = [
    "DigitClassifier",
    "DigitlensError",
    "Digits",
    "Model",
    "Reader",
    "compare",
    "diagnose",
    "evaluate",
    "frame_digit",
    "list_models",
    "load_digits",
    "load_model",
    "one_hot",
    "predict",
    "read",
    "rescale",
    "route",
    "show",
    "train",
    "unroll",
]


def test_the_public_names_are_these() -> None:
    """The public names are pinned, sorted and at most 20."""
    assert digitlens.__all__ == PUBLIC == sorted(PUBLIC)
    assert len(PUBLIC) <= 20


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there(name: str) -> None:
    """Each public name loads, has a docstring and shows in dir()."""
    assert getattr(digitlens, name).__doc__
    assert name in dir(digitlens)


def test_the_version_is_that_of_the_package() -> None:
    """The version is the installed one."""
    assert digitlens.__version__.count(".") == 2


def test_other_names_are_not_there() -> None:
    """A name that is not public raises as any module does."""
    with pytest.raises(AttributeError, match="module 'digitlens' has no attribute 'fly'"):
        _ = digitlens.fly
