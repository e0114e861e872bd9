"""Files that were named: listed without holding all of their names."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from digitlens.imaging.inputs import InputList, list_inputs


def test_names_are_held_packed() -> None:
    """Ten thousand files take less than twenty bytes each, and come as they were listed."""
    names = [f"scans/2026/night/{index:08d}.png" for index in range(10_000)]
    tracemalloc.start()
    sources = InputList(((name, True) for name in names), None, stems=False)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 200_000
    assert [item.name for item in sources] == names
    assert len(sources) == len(names)
    assert sources[9_999].path == Path(names[-1])
    assert [item.listed for item in sources[:2]] == [True, True]


@pytest.mark.parametrize("name", ["a\udcff.png", 'a"b\\.png', "zwei\nzeilen.png"])
def test_every_name_comes_back(name: str) -> None:
    """Bytes that are no text, quotes and line breaks in a name are kept."""
    (source,) = list_inputs([name])
    assert (source.name, source.stem, source.listed) == (name, Path(name).stem, False)
