"""What `dl.train` prints as it goes, where nothing else was asked for."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from digitlens.metrics.history import Epoch
from digitlens.training.config import default_callback


@pytest.mark.parametrize("notebook", [True, False])
def test_a_notebook_gets_a_line_an_epoch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, notebook: bool
) -> None:
    """In a notebook a line for each epoch is printed and stays; a program gets none."""
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    callback = default_callback()
    callback.start(8, 2, 100, "dense on a few digits")
    for number in (1, 2):
        callback.epoch(Epoch(number, 0.5, 0.9, 0.4, 0.95, 0.01, 2.0, 30.0))
    callback.finish()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:13] for line in lines] == (
        ["dense on a fe", "epoch  1 of 2", "epoch  2 of 2"] if notebook else []
    )
