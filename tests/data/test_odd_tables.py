"""Tables that are no CSV: a return inside a field, or a field without end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.data.line_folder import read_line_folder
from digitlens.errors import DataError
from digitlens.mail.sorting.imports import read_addresses
from digitlens.metrics.history_sources import read_history


def _read_lines(path: Path) -> Any:
    return read_line_folder(path.rename(path.with_name("truth.csv")).parent)


@pytest.mark.parametrize("content", ["a\rb,c\n", "piece,city\n" + "x" * 200_000, "x" * 200_000])
@pytest.mark.parametrize("read", [_read_lines, read_addresses, read_history])
def test_a_table_that_is_none_is_told(
    read: Callable[[Path], Any], content: str, tmp_path: Path
) -> None:
    """Whoever reads it says so in words."""
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode())
    with pytest.raises(DataError, match=r"table\.csv|truth\.csv"):
        read(path)
