"""Tables whose lines have no end."""

from __future__ import annotations

import pytest

from digitlens.data.arrays import parse_csv
from digitlens.errors import DataError


@pytest.mark.parametrize("rows", [0, 1])
def test_a_line_without_end_is_refused_unread(rows: int) -> None:
    """Nobody looks at a gigabyte of it: what is ten times too long is no row."""
    text = (b"7" + 784 * b",0" + b"\n") * rows + bytes(3 << 20)
    with pytest.raises(DataError, match=f"line {rows + 1}: a row must have 785") as caught:
        parse_csv(text, name="a.csv")
    assert caught.value.seen == "a line of more than 65,536 bytes"
