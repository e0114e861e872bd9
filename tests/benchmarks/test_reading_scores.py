"""What the benchmark of readers counts as right, as accepted and as found."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitlens.metrics.intervals import clopper_pearson_upper
from readers.pictures import Task
from readers.protocol import Answer, Piece
from readers.score_lines import (
    LEAST,
    OWN,
    PRODUCT,
    Read,
    Threshold,
    choose_threshold,
    interval,
    line_text,
    read_at_best,
    read_by,
    read_by_own,
    right,
    sureness,
)
from readers.score_pages import all_lines, cells, edit_distance, ranked_first, wanted_found

NOWHERE = Path("nowhere.png")


def piece(text: str, confidence: float = 0.9, *, index: tuple[int, int] = (0, 0)) -> Piece:
    """Return a piece 20 pixels high whose upper left corner is at (x, y)."""
    x, y = map(float, index)
    box = [x, y, x + 10 * len(text), y + 20]
    return Piece(text=text, confidence=confidence, box=box, parts=[])


def answer(*pieces: Piece, bar: float | None = None) -> Answer:
    """Return an answer that took no time."""
    return Answer(pieces=list(pieces), bar=bar, cpu=0.0, wall=0.0, error="")


def line(truth: str, length: int | None = None) -> Task:
    """Return the task to read a line."""
    return Task("clean", truth, NOWHERE, (truth,), length=length)


@pytest.mark.parametrize(
    ("texts", "truth", "good"),
    [
        (["19.133.-"], "19133", True),
        (["19", "133"], "19133", True),
        (["0150"], "150", False),
        (["1S000="], "15000", False),
        ([], "7", False),
    ],
)
def test_a_line_is_right_when_its_digits_are(texts: list[str], truth: str, good: bool) -> None:
    """All but digits is left out, pieces are joined, leading zeros and missing digits count."""
    given = answer(*map(piece, texts))
    assert right([line(truth)], [given]).tolist() == [good]
    assert line_text(given) == "".join(c for text in texts for c in text if c.isdigit())


@pytest.mark.parametrize("text", ["", "=-", "1S000"])
def test_no_digit_or_a_letter_is_never_accepted(text: str) -> None:
    """However sure a reader is, such a reading goes to a person."""
    assert sureness(line("1000"), answer(piece(text, 1.0)), OWN) == -1


def test_a_told_length_must_be_kept_to_be_accepted() -> None:
    """A reading with another number of digits is not accepted where the length is told."""
    four = answer(piece("1234"))
    assert sureness(line("12345", 5), four, OWN) == -1
    assert sureness(line("12345"), four, OWN) == 0.9


def test_signs_of_sureness_are_the_readers_the_least_and_the_product() -> None:
    """Characters' own figures are used where there are any, else that of the piece."""
    given = piece("123", 0.9)
    given["parts"] = [0.9, 0.5, 1.0]
    signs = [sureness(line("123"), answer(given), sign) for sign in (OWN, LEAST, PRODUCT)]
    assert signs == pytest.approx([0.9, 0.5, 0.45])
    assert sureness(line("12"), answer(piece("1", 0.8), piece("2", 0.6)), LEAST) == 0.6


def test_a_bar_from_validation_is_laid_on_other_lines() -> None:
    """The bar accepts most at 1 % error where it is chosen; elsewhere it errs as it may."""
    known = [line("1")] * 4
    answers = [answer(piece(text, sure)) for text, sure in (("1", 0.9), ("1", 0.8), ("7", 0.7))]
    bar = choose_threshold(known, [*answers, answer(piece("1", 0.6))])
    assert bar == Threshold(OWN, 0.8)
    others = [answer(piece("7", 0.85)), answer(piece("1", 0.8)), answer(piece("1", 0.5))]
    assert read_by(bar, known[:3], others) == Read(accepted=2, wrong=1, count=3)
    assert read_at_best(known[:3], others) == Read(accepted=0, wrong=0, count=3)


def test_where_no_bar_keeps_the_rate_nothing_is_accepted() -> None:
    """A reader that is always wrong, or reads nothing, has no bar."""
    for given in (answer(piece("7")), answer()):
        bar = choose_threshold([line("1")], [given])
        assert bar.least is None
        assert read_by(bar, [line("1")], [given]) == Read(0, 0, 1)


def test_a_reader_with_a_bar_of_its_own_is_judged_by_it() -> None:
    """What lies at or above the bar is accepted, the rest is not; without one nothing is."""
    tasks = [line("1")] * 4
    given = [
        answer(piece("1", 0.9), bar=0.9),
        answer(piece("7", 0.95), bar=0.9),
        answer(piece("1", 0.8), bar=0.9),
        answer(piece("1", 1.0)),
    ]
    assert read_by_own(tasks, given) == Read(accepted=2, wrong=1, count=4)


def test_intervals_are_clopper_and_pearsons() -> None:
    """Published values for 82 of 100; both ends mirror each other."""
    assert interval(82, 100) == pytest.approx((0.7305, 0.8897), abs=5e-5)
    assert interval(18, 100)[0] == pytest.approx(1 - interval(82, 100)[1])
    assert interval(100, 100) == (1 - clopper_pearson_upper(0, 100, 0.975), 1.0)


def test_a_wanted_string_is_found_among_lines() -> None:
    """It must be a line; of a peer also a part of one, or pieces side by side."""
    lines = [piece("4028"), piece("1")]
    assert wanted_found(lines, ["4028"], joined=False)
    assert not wanted_found(lines, ["4028", "4028"], joined=False)
    assert not wanted_found([piece("H-1015 4028")], ["4028"], joined=False)
    assert wanted_found([piece("H-1015 4028")], ["4028"], joined=True)
    parted = [piece("28", index=(60, 2)), piece("40"), piece("7", index=(0, 50))]
    assert wanted_found(parted, ["4028"], joined=True)
    assert not wanted_found(parted, ["4028"], joined=False)


def test_the_wanted_come_first_when_their_length_is_told() -> None:
    """As many strings as have that length must be the first ones, in any order."""
    assert ranked_first({4: [piece("4028"), piece("1015")]}, ["4028"])
    assert not ranked_first({4: [piece("1015"), piece("4028")]}, ["4028"])
    assert not ranked_first({4: []}, ["4028"])
    both = {2: [piece("42"), piece("17")], 1: [piece("5")]}
    assert ranked_first(both, ["17", "5", "42"])
    assert not ranked_first({**both, 1: [piece("6")]}, ["17", "5", "42"])


def test_all_lines_means_no_other_lines() -> None:
    """Order does not count, pieces without a digit neither; one line too many does."""
    two = [piece("4567", index=(0, 40)), piece("abc"), piece("0123")]
    assert all_lines(two, ["0123", "4567"], joined=False)
    assert not all_lines([*two, piece("6")], ["0123", "4567"], joined=False)
    assert not all_lines(two[:1], ["0123", "4567"], joined=False)
    parted = [piece("67", index=(50, 3)), piece("45")]
    assert all_lines(parted, ["4567"], joined=True)
    assert not all_lines(parted, ["4567"], joined=False)


def test_cells_are_counted_without_the_empty_ones() -> None:
    """A wrong, a missing and an additional digit each cost one; rows go by their places."""
    rows = ["120", "003"]
    right_way = [piece("3", index=(40, 30)), piece("12")]
    assert cells(right_way, rows) == (3, 3)
    assert cells([piece("12"), piece("8", index=(40, 30))], rows) == (2, 3)
    assert cells([piece("1")], rows) == (1, 3)
    assert cells([piece("99999999")], rows) == (0, 3)


def test_edit_distance_is_symmetric_and_counts_each_step() -> None:
    """Changing, adding and taking away cost one each, whichever string is first."""
    for one, other, steps in (("kitten", "sitting", 3), ("", "abc", 3), ("12", "12", 0)):
        assert edit_distance(one, other) == edit_distance(other, one) == steps
