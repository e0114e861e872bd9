"""Laws of mail: barcodes, ranges, plans and decisions."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import DataError, UsageError
from digitlens.mail.barcodes import (
    IntelligentMail,
    decode_imb,
    decode_postnet,
    encode_imb,
    encode_postnet,
)
from digitlens.mail.candidates import rank_zip_lines
from digitlens.mail.decision import decide
from digitlens.mail.directory import Directory, Place, ZipCode
from digitlens.mail.plan import Range, SortPlan
from digitlens.mail.plan_files import parse_plan, write_plan
from digitlens.mail.thresholds import KNOWN, MeasuredThresholds
from digitlens.metrics.risk_coverage import risk_coverage_curve

DIGITS = "0123456789"


def digits(*lengths: int) -> st.SearchStrategy[str]:
    """Return texts of digits of one of these lengths."""
    return st.one_of([st.text(DIGITS, min_size=n, max_size=n) for n in lengths])


TRACKING = st.builds(
    lambda first, second, rest: first + second + rest,
    digits(1), st.sampled_from("01234"), digits(18),
)  # fmt: skip
FIVES = digits(5)
DIRECTORY = Directory(
    Place(text, "C" + text[0], ("C" + text[0],), "NY" if text < "5" else "CA", "", "STANDARD")
    for text in [f"{index:05d}" for index in range(0, 100_000, 3)]
)


@given(tracking=TRACKING, routing=digits(0, 5, 9, 11))
def test_every_mail_barcode_comes_back(tracking: str, routing: str) -> None:
    """Whatever its digits, 65 bars say them again."""
    content = IntelligentMail(tracking, routing)
    bars = encode_imb(content)
    assert len(bars) == 65
    assert decode_imb(bars) == content


@given(
    tracking=TRACKING,
    routing=digits(0, 5, 9, 11),
    index=st.integers(0, 64),
    to=st.integers(1, 3),
)
def test_one_damaged_bar_is_always_noticed(
    tracking: str, routing: str, index: int, to: int
) -> None:
    """One bar read as another is refused, in any barcode."""
    bars = encode_imb(IntelligentMail(tracking, routing))
    other = "TADF"[("TADF".index(bars[index]) + to) % 4]
    with pytest.raises(DataError):
        decode_imb(bars[:index] + other + bars[index + 1 :])


@given(bars=st.text("TADF", min_size=65, max_size=65))
def test_any_bars_are_decoded_or_refused(bars: str) -> None:
    """Bars of chance raise our error, or say what encodes to them."""
    with contextlib.suppress(DataError):
        assert encode_imb(decode_imb(bars)) == bars


@given(text=digits(5, 9, 11))
def test_every_postnet_comes_back(text: str) -> None:
    """Whatever its digits, the bars say them again."""
    assert decode_postnet(encode_postnet(text)) == text


@given(text=digits(5, 9))
def test_a_zip_keeps_its_zeros(text: str) -> None:
    """What is parsed and written is parsed to the same ZIP."""
    result = ZipCode.parse(text)
    assert result.digits == text
    assert ZipCode.parse(str(result)) == result


@given(one=digits(1, 2, 3, 4, 5), two=digits(1, 2, 3, 4, 5))
def test_a_range_is_written_as_it_is_meant(one: str, two: str) -> None:
    """A range that is written and read again covers the same ZIPs."""
    try:
        result = Range.parse(f"{one}-{two}")
    except UsageError:
        assert len(one) != len(two) or one > two
        return
    assert Range.parse(str(result)) == result
    assert one.ljust(5, "0") in result
    assert two.ljust(5, "9") in result


@given(cuts=st.lists(FIVES, min_size=2, max_size=12, unique=True), text=FIVES)
def test_a_plan_has_one_tray_for_each_zip(cuts: list[str], text: str) -> None:
    """Ranges that do not overlap make a plan, which survives its file."""
    cuts.sort()
    ranges = [Range(low, high) for low, high in zip(cuts[::2], cuts[1::2], strict=False)]
    plan = SortPlan({f"tray {index}": (item,) for index, item in enumerate(ranges)}, "other")
    inside = [f"tray {index}" for index, item in enumerate(ranges) if text in item]
    assert [plan.find_tray(text)] == (inside or ["other"])
    assert parse_plan(write_plan(plan)).find_tray(text) == plan.find_tray(text)


LINES = st.builds(
    lambda text, sure, others: Line(
        text, sure, (0, 0, 9, 9), tuple(LineDigit(item, sure, (0, 0, 1, 1)) for item in text),
        tuple(Alternative(*other) for other in others),
    ),
    digits(0, 4, 5, 9), st.floats(0, 1), st.lists(st.tuples(digits(4, 5, 9), st.floats(0, 1))),
)  # fmt: skip


@given(
    line=LINES, low=st.floats(0, 1), high=st.floats(0, 1), state=st.sampled_from([None, "NY"])
)
def test_a_higher_bar_never_accepts_more(
    line: Line, low: float, high: float, state: str | None
) -> None:
    """What a high bar accepts a low one accepts too, as the same ZIP, which exists."""
    low, high = sorted((low, high))
    easy = decide(line, DIRECTORY, state=state, threshold=low)
    hard = decide(line, DIRECTORY, state=state, threshold=high)
    assert (easy.zip is None) == (easy.reason is not None)
    assert sum(guess.probability for guess in easy.guesses) <= 1 + 1e-9
    if hard.zip is not None:
        assert easy.zip == hard.zip
        assert hard.zip in DIRECTORY.find_zips(state=state)
        assert hard.probability >= high


@given(lines=st.lists(LINES, max_size=5))
def test_the_ranked_lines_are_among_them(lines: list[Line]) -> None:
    """A line is ranked where there is one, and none is made up; shares leave room for none."""
    ranked = rank_zip_lines(lines)
    assert bool(ranked) == bool(lines)
    assert all(item.line in lines for item in ranked)
    shares = [item.share for item in ranked]
    assert shares == sorted(shares, reverse=True)
    assert all(share >= 0 for share in shares)
    assert sum(shares) < 1


@given(
    lines=st.lists(LINES, max_size=4),
    state=st.sampled_from([None, "NY"]),
    threshold=st.floats(0, 1),
)
def test_many_lines_make_one_decision(
    lines: list[Line], state: str | None, threshold: float
) -> None:
    """However lines are shared out, probabilities sum to one at most, and a ZIP exists."""
    result = decide(rank_zip_lines(lines), DIRECTORY, state=state, threshold=threshold)
    assert sum(guess.probability for guess in result.guesses) <= 1 + 1e-9
    assert (result.zip is None) == (result.reason is not None)
    assert result.zip is None or result.zip in DIRECTORY.find_zips(state=state)
    assert not lines or any(line.text.endswith(result.text) for line in lines)


@given(
    readings=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=400),
    errors=st.lists(st.floats(0.001, 1), min_size=2, max_size=2).map(sorted),
)
def test_a_lower_error_never_reads_more(
    readings: list[tuple[float, bool]], errors: list[float]
) -> None:
    """The bar for a stricter promise is as high or higher, for each amount of knowledge."""
    sure, right = (np.array(column) for column in zip(*readings, strict=True))
    measured = MeasuredThresholds(
        "", {}, 0.2, dict.fromkeys(KNOWN, risk_coverage_curve(sure, right))
    )
    strict, loose = (measured.thresholds(error) for error in errors)
    for name in KNOWN:
        if strict[name] is not None:
            assert loose[name] is not None
            assert strict[name] >= loose[name]
