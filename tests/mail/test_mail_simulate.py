"""Simulations: a reader's mistakes on the ZIPs of a directory."""

from __future__ import annotations

import re

import numpy as np
import pytest

from digitlens.ctc import Alternative
from digitlens.errors import DataError
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.posterior import Priors
from digitlens.mail.simulate import (
    SimulatedReading,
    as_table,
    draw_pieces,
    parse_readings,
    readings_from_digits,
    simulate,
    unlisted_rate,
    write_readings,
)
from digitlens.mail.thresholds import KNOWN

MISREAD = SimulatedReading(
    "42137", "92137", 0.6, (Alternative("42137", 0.3), Alternative("4213", 0.1))
)


@pytest.fixture(scope="module")
def country() -> Directory:
    """Return a made-up country: half of all ZIPs, ten cities to a state."""
    rng = np.random.default_rng(3)
    zips = sorted(rng.choice(100_000, 20_000, replace=False).tolist())
    return Directory(
        Place(
            f"{index:05d}",
            f"City {index // 200}",
            (f"City {index // 200}",),
            state,
            "",
            "STANDARD",
        )
        for index in zips
        for state in [("CA", "NY", "TX", "MA", "OH")[index // 20_000]]
    )


@pytest.fixture(scope="module")
def readings() -> list[SimulatedReading]:
    """Return 1,500 made-up readings, about nine of ten of them right."""
    rng = np.random.default_rng(5)
    shares = 0.97 * np.eye(10) + 0.03 / 10
    truths = ["".join(map(str, rng.integers(0, 10, 5))) for _ in range(1500)]
    return readings_from_digits(shares, truths, rng, sharpness=1.5)


def test_a_reading_is_carried_over() -> None:
    """A 4 taken for a 9 is taken for a 9 in another ZIP, where there is a 4 in its place."""
    result = MISREAD.carried_to("40501")
    assert (result.truth, result.text) == ("40501", "90501")
    assert [item.text for item in result.alternatives] == ["40501", "4213"]
    assert (result.confidence, result.right) == (0.6, False)
    assert MISREAD.touched() == (0,)


def test_a_reading_is_a_line() -> None:
    """A reading becomes a line that can be decided on."""
    line = MISREAD.line()
    assert (line.text, line.confidence, len(line.digits)) == ("92137", 0.6, 5)
    assert SimulatedReading.of("42137", line) == MISREAD


def test_a_table_is_written_and_read_again() -> None:
    """Readings survive the table, leading zeros included."""
    table = write_readings([MISREAD, SimulatedReading("00501", "00501", 0.99)])
    assert parse_readings(table) == [MISREAD, SimulatedReading("00501", "00501", 0.99)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table holds no readings"),
        ("\n{}\n", "the table, line 2: a reading has the keys truth, text, confidence"),
        ("nothing", "line 1: a reading has the keys"),
        ('{"truth": "1", "text": "1", "confidence": "x", "alternatives": []}', "ValueError"),
    ],
)
def test_what_is_no_table_is_told(text: str, said: str) -> None:
    """An empty table and a damaged line are errors with the line's number."""
    with pytest.raises(DataError, match=re.escape(said)):
        parse_readings(text)


def test_made_up_readings_are_calibrated(readings: list[SimulatedReading]) -> None:
    """Their confidence is how often they are right, and the truth is nearly always listed."""
    right = np.mean([reading.right for reading in readings])
    assert 0.8 < right < 0.95
    assert np.mean([reading.confidence for reading in readings]) == pytest.approx(
        right, abs=0.03
    )
    assert 0 < unlisted_rate(readings) < 0.3
    assert unlisted_rate([]) == 0.5


def test_pieces_have_zips_that_fit_the_mistakes(
    readings: list[SimulatedReading], country: Directory
) -> None:
    """A piece's ZIP exists, and its reading is wrong exactly where the real one was."""
    pieces = draw_pieces(readings, country, 3000, np.random.default_rng(1))
    assert len(pieces) == 3000
    assert all(piece.place.zip in country for piece in pieces)
    wrong = np.mean([not piece.reading.right for piece in pieces])
    assert wrong == pytest.approx(np.mean([not item.right for item in readings]), abs=1e-9)
    again = draw_pieces(readings, country, 3000, np.random.default_rng(1))
    assert again == pieces


def test_a_simulation_needs_strings_of_five(country: Directory) -> None:
    """Readings of other lengths are no ZIPs."""
    with pytest.raises(DataError, match="strings of five digits"):
        draw_pieces([SimulatedReading("12", "12", 0.9)], country, 10, np.random.default_rng(1))


def test_the_more_is_known_the_more_is_read(
    readings: list[SimulatedReading], country: Directory
) -> None:
    """Directory, state and city each raise the read rate; errors stay about what was wanted."""
    pieces = draw_pieces(readings, country, 3000, np.random.default_rng(2))
    beliefs = Priors(elsewhere=unlisted_rate(readings))
    outcomes = simulate(
        pieces, country, make_plan(country, "zip3"), error=0.02, beliefs=beliefs
    )
    assert tuple(outcome.known for outcome in outcomes) == KNOWN
    rates = [outcome.read_rate for outcome in outcomes]
    assert rates == sorted(rates)
    assert rates[-1] > rates[0] + 0.1
    for outcome in outcomes:
        assert outcome.pieces == 1500
        assert outcome.astray <= outcome.wrong <= 0.04 * outcome.accepted
    table = as_table(outcomes)
    assert table.splitlines()[0] == "| known | read | wrong ZIP | wrong tray |"
    assert f"{100 * rates[-1]:.1f} % (" in table
    assert outcomes[0].as_dict()["known"] == "reading alone"


def test_when_nothing_can_be_promised_nothing_is_read(country: Directory) -> None:
    """A reader that is always wrong and always sure gets no bar, and no division by zero."""
    rng = np.random.default_rng(0)
    pieces = draw_pieces([SimulatedReading("12345", "12346", 0.9)], country, 40, rng)
    (first, *_) = simulate(pieces, country, make_plan(country, "state"))
    assert (first.bar, first.accepted) == (None, 0)
    assert as_table([first]).endswith("| 0 | 0 |")
