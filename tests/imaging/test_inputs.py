"""Files that were named: listed without holding all of their names."""

from __future__ import annotations

import os
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


def test_the_names_of_a_large_folder_are_not_all_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are sorted in runs, which are packed and merged: the order is that of all names."""
    monkeypatch.setattr("digitlens.imaging.inputs.PACK", 100)
    monkeypatch.setattr("digitlens.imaging.inputs.RUN", 1000)
    names = [f"{index * 7919 % 6000:04d}{'-' * 150}.png" for index in range(6000)]
    for name in [*names, os.fsdecode(b"0500\xff.png")]:
        (tmp_path / name).touch()
    (tmp_path / "Thumbs.db").write_bytes(b"\0")
    wanted = sorted(os.listdir(tmp_path))[:-1]  # noqa: PTH208
    tracemalloc.start()
    try:
        listed = list_inputs([str(tmp_path)], stems=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [item.path.name for item in listed] == wanted
    assert len(listed) == 6001
    assert peak < 800_000, "all names are 1.2 MB"
