"""Thresholds: measured after directory and place, found again for the reader they belong to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import digitlens as dl
from digitlens.ctc import Alternative, Line
from digitlens.errors import DataError, UsageError
from digitlens.mail import thresholds
from digitlens.mail.directory import Directory, Place
from digitlens.mail.measure import (
    SimulatedPiece,
    SimulatedReading,
    measure_thresholds,
    read_zips,
    unlisted_rate,
    write_zips,
)
from digitlens.mail.posterior import DEFAULT_PRIORS
from digitlens.mail.sample import draw_digits
from digitlens.mail.thresholds import (
    CITY,
    DIRECTORY,
    KNOWN,
    MeasuredThresholds,
    ReaderThresholds,
    card_fingerprint,
    model_fingerprint,
    read_measured,
    thresholds_for,
    write_measured,
)
from digitlens.metrics.risk_coverage import RiskCoverageCurve, threshold_for_risk
from digitlens.models.card import LineModelCard
from digitlens.ocr.network import load_line_recognizer

CURVE = RiskCoverageCurve(1000, (0.99, 0.9, 0.5), (400, 800, 1000), (0, 2, 40))
OWN = MeasuredThresholds("0" * 16, {"lines": 1000}, 0.25, dict.fromkeys(KNOWN, CURVE))


def network(folder: Path, **about: Any) -> Any:
    """Return what is asked of a line network: a path, a card, and no calibration."""
    card = LineModelCard(
        "mine", "reader", "mnist", "", "training", 64, 1, 1, 9, 9, "2026-01-01"
    )
    return SimpleNamespace(
        **{
            "path": folder / "model.onnx",
            "card": card,
            "calibrations": None,
            "graph_digest": "5eed",
            "has_checksum": True,
            **about,
        }
    )


def test_thresholds_are_the_lowest_that_keep_the_promise() -> None:
    """As with any curve, the upper limit of the error rate decides."""
    assert OWN.thresholds(0.01) == dict.fromkeys(KNOWN, 0.9)
    assert OWN.thresholds(0.0075) == dict.fromkeys(KNOWN, 0.99)
    assert OWN.thresholds(0.001) == dict.fromkeys(KNOWN, None)
    assert OWN.thresholds(1.0) == dict.fromkeys(KNOWN, 0.5)


def test_thresholds_survive_their_file(tmp_path: Path) -> None:
    """What was measured is the same after writing and reading."""
    write_measured(tmp_path / "mail.json", OWN)
    assert read_measured(tmp_path / "mail.json") == OWN


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nothing", "cannot be read"),
        ("{}", "KeyError: 'format'"),
        ('{"format": 2}', "must be of format 1"),
        (json.dumps(OWN.as_dict() | {"curves": {}}), "KeyError: 'reading alone'"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: str, said: str) -> None:
    """A file that holds something else is an error that names it."""
    (tmp_path / "mail.json").write_text(content)
    with pytest.raises(DataError, match=r"mail\.json") as caught:
        read_measured(tmp_path / "mail.json")
    assert said in f"{caught.value} {caught.value.seen}"


def test_thresholds_are_counted_after_directory_and_place(directory: Directory) -> None:
    """What the directory rules out is not accepted; truths that were not listed are counted."""
    wrong = SimulatedReading("02134", "02139", 0.9, (Alternative("02134", 0.1),))
    lost = SimulatedReading("02134", "55101", 0.8, (Alternative("55102", 0.1),))
    place = directory.place("02134")
    assert place is not None
    pieces = [SimulatedPiece(place, wrong)] * 400 + [SimulatedPiece(place, lost)] * 100
    result = measure_thresholds(pieces, directory, "mark", {"lines": 500})
    assert result.unlisted_rate == pytest.approx(101 / 502)
    alone, known, city = (result.curves[name] for name in (KNOWN[0], DIRECTORY, CITY))
    assert (alone.accepted, alone.misses) == ((400, 500), (400, 500))
    assert known.misses[-1] == city.misses[-1] == 100
    assert result.thresholds(0.01)[KNOWN[0]] is None
    assert city.accepted[0] == 400, "another city's is never accepted, and sure by 0"
    with pytest.raises(DataError, match="measured on pieces"):
        measure_thresholds([], directory, "mark", {})


def test_zips_are_written_and_read(directory: Directory) -> None:
    """Pictures bear ZIPs of the directory, some of them nine digits; few begin as many do."""
    glyphs = draw_digits(4)
    texts = [written.text for _, written in write_zips(glyphs, directory, 40, seed=3)]
    assert {len(text) for text in texts} == {5, 9}
    assert all(text[:5] in directory for text in texts)
    said: list[tuple[int, int]] = []
    pieces = read_zips(
        _blank,
        glyphs,
        directory,
        count=3,
        seed=3,
        progress=lambda *item: said.append(item),
    )
    assert [piece.reading.truth for piece in pieces] == texts[:3]
    assert [piece.place.zip for piece in pieces] == [text[:5] for text in texts[:3]]
    assert said == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(UsageError, match="at least one line"):
        read_zips(_blank, glyphs, directory, count=0)


def _blank(picture: np.ndarray) -> Line:
    assert picture.dtype == np.uint8
    return Line("", 0.9, (0.0, 0.0, 1.0, 1.0))


def test_the_published_reader_has_its_thresholds() -> None:
    """They were measured on this very reader: else `digitlens mail measure` is due."""
    reader = load_line_recognizer("reader")
    measured = read_measured(thresholds.PUBLISHED)
    assert measured.reader == model_fingerprint(reader)
    assert measured.unlisted_rate == pytest.approx(DEFAULT_PRIORS.unlisted_rate, abs=0.01)
    result = thresholds_for(reader, 0.01)
    assert result.caveat == ""
    assert thresholds.published_thresholds(0.01) == result
    assert result.thresholds == measured.thresholds(0.01)
    assert isinstance(result.thresholds, dict)
    rates = [
        next(
            taken / curve.count
            for bar, taken in zip(curve.thresholds, curve.accepted, strict=True)
            if bar <= result.thresholds[name]
        )
        for name, curve in measured.curves.items()
    ]
    assert rates == sorted(rates), "the more is known, the more is read"
    assert rates[-1] > 0.95


def test_the_fast_reader_has_thresholds_of_its_own() -> None:
    """It is the same network, but other readings of it are sure."""
    fast = load_line_recognizer("reader-fast")
    measured = read_measured(thresholds.FAST)
    assert measured.reader == model_fingerprint(fast)
    result = thresholds_for(fast, 0.01)
    assert (result.caveat, result.thresholds) == ("", measured.thresholds(0.01))
    assert result.thresholds != thresholds.published_thresholds(0.01).thresholds


def test_a_reader_of_ones_own_has_thresholds_beside_it(tmp_path: Path) -> None:
    """mail.json beside the network counts for the reader that it was measured on, no other."""
    mine = network(tmp_path)
    unknown = thresholds_for(mine, 0.02)
    assert unknown.thresholds == 0.98
    assert unknown.caveat.startswith("no thresholds were measured for this reader: accepted is")
    assert "98 % sure" in unknown.caveat
    assert unknown.caveat.endswith("the promise may well not hold"), "nor was it calibrated"
    write_measured(
        tmp_path / "mail.json",
        MeasuredThresholds(model_fingerprint(mine), {}, 0.25, OWN.curves),
    )
    known = thresholds_for(mine, 0.01)
    assert (known.thresholds, known.caveat) == (OWN.thresholds(0.01), "")
    assert known.priors.unlisted_rate == 0.25
    with pytest.raises(UsageError, match="cannot promise"):
        thresholds_for(mine, 0.001)
    write_measured(tmp_path / "mail.json", OWN)
    assert thresholds_for(mine, 0.01) == ReaderThresholds(
        0.99, caveat=thresholds_for(mine, 0.01).caveat
    )


def test_thresholds_belong_to_weights(tmp_path: Path) -> None:
    """Other weights under the same card are another reader; another note is not."""
    mine = network(tmp_path)
    noted = network(tmp_path, card=LineModelCard(**(vars(mine.card) | {"notes": ["new"]})))
    other = network(tmp_path, graph_digest="f1a9")
    assert model_fingerprint(noted) == model_fingerprint(mine) != model_fingerprint(other)


def test_thresholds_of_an_older_version_count_for_its_reader(tmp_path: Path) -> None:
    """A file without a checksum is known by its card, as it was; one with it is not."""
    old = network(tmp_path, has_checksum=False)
    write_measured(
        tmp_path / "mail.json",
        MeasuredThresholds(card_fingerprint(old), {}, 0.25, OWN.curves),
    )
    assert thresholds_for(old, 0.01).caveat == ""
    assert thresholds_for(network(tmp_path), 0.01).caveat


def test_route_takes_the_measured_thresholds(
    directory: Directory, line: Callable[..., Line]
) -> None:
    """What is less sure than 99 %, but surer than the threshold of the city, is accepted."""
    read = line("02134", 0.9, (("02135", 0.1),))
    assert 0.7 < dl.route(read, "Boston", "MA", directory=directory).probability < 0.99
    assert dl.route(read, "Boston", "MA", directory=directory).zip == "02134"
    assert dl.route(read, "Boston", "MA", directory=directory, threshold=0.99).zip is None


def draw_reading(truth: str, rng: np.random.Generator) -> SimulatedReading:
    """Make a calibrated reading up: what is right is a draw from what was thought possible."""
    rows = []
    for digit in truth:
        row = rng.dirichlet(1.5 * (0.97 * np.eye(10)[int(digit)] + 0.003) + 1e-4)
        right = rng.choice(10, p=row)
        row[[right, int(digit)]] = row[[int(digit), right]]
        rows.append(row)
    strings = [("", 1.0)]
    for row in rows:
        longer = [
            (text + str(digit), share * float(row[digit]))
            for text, share in strings
            for digit in np.argsort(-row)[:8]
        ]
        strings = sorted(longer, key=lambda item: -item[1])[:8]
    (text, confidence), *others = strings
    return SimulatedReading(truth, text, confidence, tuple(Alternative(*o) for o in others))


def test_the_more_is_known_the_more_is_read() -> None:
    """Directory, state and city each raise the read rate at the same promise."""
    rng = np.random.default_rng(3)
    zips = sorted(rng.choice(100_000, 20_000, replace=False).tolist())
    country = Directory(
        Place(f"{number:05d}", city, (city,), state, "", "STANDARD")
        for number in zips
        for city in [f"City {number // 200}"]
        for state in [("CA", "NY", "TX", "MA", "OH")[number // 20_000]]
    )
    pieces = []
    for _ in range(1500):
        place = country.place(country.zips[int(rng.integers(len(country)))])
        assert place is not None
        pieces.append(SimulatedPiece(place, draw_reading(place.zip, rng)))
    readings = [piece.reading for piece in pieces]
    right = np.mean([reading.right for reading in readings])
    assert 0.8 < right < 0.95
    assert np.mean([item.confidence for item in readings]) == pytest.approx(right, abs=0.03)
    assert 0 < unlisted_rate(readings) < 0.3
    assert unlisted_rate([]) == 0.5
    measured = measure_thresholds(pieces, country, "mark", {})
    rates = [
        threshold_for_risk(0.02, curve).read_rate
        for curve in (measured.curves[name] for name in KNOWN)
    ]
    assert rates == sorted(rates)
    assert rates[-1] > rates[0] + 0.1


def test_a_reading_is_a_line() -> None:
    """A reading becomes a line that can be decided on."""
    reading = SimulatedReading("42137", "92137", 0.6, (Alternative("42137", 0.3),))
    line = reading.line()
    assert (line.text, line.confidence, len(line.digits)) == ("92137", 0.6, 5)
    assert SimulatedReading.of("42137", line) == reading
