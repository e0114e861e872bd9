"""The benchmark of words counts what it says."""

from __future__ import annotations

from digitlens.ctc import Line
from words import Tally


def line(text: str, confidence: float) -> Line:
    """Return a line without places."""
    from digitlens.ctc.line import LineDigit

    box = (0.0, 0.0, 1.0, 1.0)
    return Line(text, confidence, box, tuple(LineDigit(char, 1.0, box) for char in text))


def test_a_number_counts_as_often_as_it_stands_there() -> None:
    """Found, sure and false ones are told apart, at both thresholds."""
    tally = Tally()
    lines = [line("12", 0.99), line("12", 0.95), line("7", 0.5), line("3", 0.92)]
    tally.add(lines, ["12", "7", "44"], strict=0.94, seconds=0.01)
    assert (tally.seen, tally.sure, tally.truth) == (2, 1, 3)
    assert (tally.false, tally.false_strict) == ([2], [1])
    assert "| 2 on 1 | 1 on 1 | 2 and 1 of 3 |" in tally.row("pages")


def test_an_empty_page_has_none() -> None:
    """Text without digits has no share of found numbers."""
    tally = Tally()
    tally.add([], [], strict=0.9, seconds=0.01)
    assert "| 0 on 0 | 0 on 0 | – |" in tally.row("text")
