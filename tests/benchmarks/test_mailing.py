"""The benchmark of mail counts what it says it counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digitlens.ctc import Alternative
from digitlens.mail.directory import Directory, Place
from digitlens.mail.measure import SimulatedPiece, SimulatedReading
from digitlens.mail.plan import SortPlan, make_plan
from digitlens.mail.posterior import DEFAULT_PRIORS
from digitlens.mail.thresholds import KNOWN
from mailing import alone, simulated, table, whole
from mailing.envelopes import Codes, count_codes
from mailing.parts import Part, keep_part, kept_part, page
from readers.pictures import Task

CITIES = {"0": "Adams", "1": "Butte", "9": "Chico"}


@pytest.fixture(scope="module")
def country() -> Directory:
    """Return a country of 300 ZIPs in three cities of three states."""
    states = {"0": "MA", "1": "NY", "9": "CA"}
    return Directory(
        Place(f"{first}00{index:02d}", city, (city,), states[first], "", "STANDARD")
        for first, city in CITIES.items()
        for index in range(100)
    )


@pytest.fixture(scope="module")
def plan(country: Directory) -> SortPlan:
    """Return a plan with a tray for each first digit."""
    return make_plan(country, "first-digit")


def listed(**pieces: tuple[str, str | None, float]) -> dict[str, Any]:
    """Return pieces.json: for each piece its decision, ZIP and probability."""
    rows = [
        {"name": name, "decision": decision, "zip": text, "probability": share}
        for name, (decision, text, share) in pieces.items()
    ]
    return {"pieces": rows, "summary": {"reasons": {"unsure": 1}}}


TRUTH = {"a": "00001", "b": "00002", "c": "10001", "d": "90001"}


def test_accepted_wrong_and_astray_are_counted(plan: SortPlan) -> None:
    """A wrong ZIP is in the wrong tray only where the tray is another; the rest wait."""
    result = listed(
        a=("accepted", "00001", 0.99),
        b=("accepted", "00003", 0.9),
        c=("accepted", "90001", 0.95),
        d=("review", None, 0.4),
    )
    assert whole.count_sorted(result, TRUTH, plan, 2.0) == whole.Sorted(
        4, 3, 2, 1, pytest.approx(0.16), 2.0, {"unsure": 1}
    )


def test_a_lost_piece_ends_the_benchmark(plan: SortPlan) -> None:
    """No figure is given where a piece is missing."""
    with pytest.raises(SystemExit, match="1 pieces were sorted of 4"):
        whole.count_sorted(listed(a=("accepted", "00001", 0.99)), TRUTH, plan, 1.0)


def test_a_command_that_fails_ends_the_benchmark() -> None:
    """An exit code that is not allowed is no result."""
    with pytest.raises(SystemExit, match="exit code 2"):
        whole.digitlens("route", "nothing", "--max-error", "7")
    assert whole.digitlens("--version")


def test_the_last_list_of_a_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L002 is the one given, or the last by name in DIGITLENS_MAIL; there may be none."""
    monkeypatch.delenv("DIGITLENS_MAIL", raising=False)
    assert whole.find_list(None) is None
    for name in ("DMM_L002_202402.csv", "DMM_L002_202408.csv", "L005.csv"):
        (tmp_path / name).touch()
    monkeypatch.setenv("DIGITLENS_MAIL", str(tmp_path))
    assert whole.find_list(None) == tmp_path / "DMM_L002_202408.csv"
    assert whole.find_list(tmp_path / "L005.csv") == tmp_path / "L005.csv"


def test_a_zip_is_cut_out_with_paper_around(tmp_path: Path) -> None:
    """A quarter of its height is left around, as far as the picture reaches."""
    cv2 = pytest.importorskip("cv2")
    picture = np.arange(100 * 200 * 3, dtype=np.uint32).reshape(100, 200, 3).astype(np.uint8)
    assert alone.cut_out(picture, (50, 40, 90, 60)).shape == (30, 50, 3)
    assert alone.cut_out(picture, (0, 0, 40, 20)).shape == (25, 45, 3)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    head = "piece,zip,zip4,left,top,right,bottom\n"
    rows = "a.png,02134,02134-0001,0,0,40,20\na.png,10001,,50,40,90,60\n"
    (tmp_path / "truth.csv").write_text(head + rows)
    (task,) = alone.cut_lines(tmp_path, 5, tmp_path / "cut")
    assert (task.truth, task.length, task.page) == (("10001",), 5, False)
    assert cv2.imread(str(task.path)).shape == (30, 50, 3)


def test_codes_are_found_accepted_and_wrong() -> None:
    """The first line is the answer, accepted from the reader's own bar on."""
    answers = {
        "right": [("4028", 0.99)],
        "unsure": [("4028", 0.5)],
        "wrong": [("4029", 0.99), ("4028", 0.9)],
        "nothing": [],
    }

    def read(path: Path, length: int) -> list[SimpleNamespace]:
        assert length == 4
        return [
            SimpleNamespace(text=text, confidence=sure) for text, sure in answers[path.name]
        ]

    reader: Any = SimpleNamespace(
        read=read,
        bar=lambda error, length: SimpleNamespace(confidence=0.9 + 0 * error * length),
    )
    tasks = [Task("envelopes", name, Path(name), ("4028",), page=True) for name in answers]
    assert count_codes(reader, tasks) == Codes(4, 2, 2, 1)
    assert "| 4 | 2 | 2, 1 of them wrong | 2 |" in table.codes_table(Codes(4, 2, 2, 1))


def pieces_of(
    country: Directory, *readings: tuple[str, str, float]
) -> list[list[SimulatedPiece]]:
    """Return pieces, each a group of its own: truth, text and confidence."""
    result = []
    for truth, text, sure in readings:
        place = country.place(truth)
        assert place is not None
        result.append([SimulatedPiece(place, SimulatedReading(truth, text, sure))])
    return result


def test_a_simulation_counts_by_what_is_known(country: Directory, plan: SortPlan) -> None:
    """A misreading into another city is caught by the city, and else goes to another tray."""
    groups = pieces_of(
        country, ("00001", "00001", 0.99), ("00001", "90001", 0.99), ("10001", "10009", 0.99)
    )
    thresholds = dict.fromkeys(KNOWN, 0.9)
    rows = simulated.count_rows(groups, country, plan, thresholds, DEFAULT_PRIORS)
    assert [(row.accepted, row.wrong, row.misrouted) for row in rows] == [
        (3, 2, 1),
        (3, 2, 1),
        (2, 1, 0),
        (2, 1, 0),
    ]
    assert rows[0].read == 1
    assert (rows[0].low, rows[0].high) == (1, 1)
    assert rows[3].low < 2 / 3 < rows[3].high
    nothing = simulated.count_rows(
        groups, country, plan, dict.fromkeys(KNOWN, None), DEFAULT_PRIORS
    )
    assert all(row.accepted == 0 for row in nothing)


MISREAD = SimulatedReading(
    "00012", "90012", 0.6, (Alternative("00012", 0.3), Alternative("0001", 0.1))
)


def test_a_reading_is_carried_over() -> None:
    """A 4 taken for a 9 is taken for a 9 in another ZIP, where there is a 4 in its place."""
    result = simulated.carry_over(MISREAD, "00501")
    assert (result.truth, result.text) == ("00501", "90501")
    assert [item.text for item in result.alternatives] == ["00501", "0001"]
    assert (result.confidence, result.right) == (0.6, False)
    assert simulated.doubtful_places(MISREAD) == (0,)


def test_pieces_have_zips_that_fit_the_mistake(country: Directory) -> None:
    """A piece's ZIP exists, and its reading is wrong exactly where the real one was."""
    pieces = simulated.draw_pieces(MISREAD, country, 300, np.random.default_rng(1))
    assert len(pieces) == 300
    assert {piece.place.zip[0] for piece in pieces} == {"0"}
    assert len({piece.place.zip for piece in pieces}) > 50
    assert all(piece.place.zip in country for piece in pieces)
    assert all(piece.reading.text == "9" + piece.place.zip[1:] for piece in pieces)
    again = simulated.draw_pieces(MISREAD, country, 300, np.random.default_rng(1))
    assert again == pieces


def test_intervals_know_which_pieces_belong_together() -> None:
    """Ten pieces of one reading say less than ten readings."""
    taken = np.tile([True, False], 50)
    every = np.ones(100, np.bool_)
    alone_ = simulated.bootstrap_interval(taken, every, np.arange(100))
    grouped = simulated.bootstrap_interval(np.sort(taken), every, np.arange(100) // 10)
    assert grouped[1] - grouped[0] > 2 * (alone_[1] - alone_[0])
    assert simulated.bootstrap_interval(taken & False, taken & False, np.arange(100)) == (0, 0)


def test_writers_who_err_are_simulated(country: Directory, plan: SortPlan) -> None:
    """Some cities are a neighbour's: such pieces are not sorted by an unlikely ZIP."""
    place = country.place("00099")
    assert place is not None
    assert simulated.find_neighbor(place, country).city == "Butte"
    groups = pieces_of(country, *[("00001", "00001", 0.99)] * 200)
    thresholds = dict.fromkeys(KNOWN, 0.9)
    row = simulated.count_mistaken(
        [item for (item,) in groups], country, plan, thresholds, DEFAULT_PRIORS
    )
    assert row.known == "city and state, 2 % of them a neighbour's"
    assert 185 < row.accepted < 200
    assert row.wrong == 0


def test_figures_are_shown_with_their_intervals() -> None:
    """What was read of all, what is wrong among that, the wrong plants, and the speed."""
    shown = table.whole_table({"city known": whole.Sorted(1000, 900, 3, 1, 4.25, 40.0)})
    assert shown.splitlines()[-1] == (
        "| city known | 90.0 % (88.0 to 91.8) | 3 of 900: 0.33 % (0.07 to 0.97) | 4.2 | 1 "
        "| 25.0 | 90,000 |"
    )
    rows = [simulated.Row("state", 100, 80, 2, 1, 0.7, 0.9, 0.0, 0.05)]
    assert table.simulated_table({"lines": rows}).splitlines()[-1] == (
        "| lines | state | 80.0 % (70.0 to 90.0) | 2 of 80: 2.50 % (0.00 to 5.00) "
        "| 1 of 80: 1.25 % |"
    )
    other = [simulated.Row("state", 100, 79, 3, 1, 0.7, 0.9, 0.0, 0.05)]
    assert table.compare_priors(rows, {"unknown 9": other, "same": rows}) == (
        "unknown 9: state -1.0 points, +1 wrong; same: no change"
    )


def test_lines_are_accepted_as_route_accepts_them(tmp_path: Path) -> None:
    """Five or nine digits, as sure as the bar for a reading alone; nothing without a bar."""
    answers = {
        "right": ("02134", 0.99),
        "wrong": ("02139", 0.99),
        "unsure": ("02134", 0.5),
        "short": ("0213", 0.99),
    }

    def read_line(path: Path, lengths: tuple[int, ...]) -> SimpleNamespace:
        assert lengths == (5, 9)
        text, sure = answers[path.name]
        return SimpleNamespace(text=text, confidence=sure)

    reader: Any = SimpleNamespace(read_line=read_line)
    tasks = [Task("lines", name, Path(name), ("02134",), length=5) for name in answers]
    thresholds = dict.fromkeys(KNOWN, 0.9)
    assert alone.as_mail(reader, tasks, thresholds) == alone.Counted(4, 2, 1)
    nothing = dict.fromkeys(KNOWN, None)
    assert alone.as_mail(reader, tasks, nothing) == alone.Counted(4, 0, 0)


def test_parts_are_kept_and_make_a_page(tmp_path: Path) -> None:
    """What was measured on different days is shown together; what is missing is said first."""
    assert kept_part(tmp_path, "whole") is None
    whole_ = Part("| a |", ["One."], date="2026-01-02")
    keep_part(tmp_path, "whole", whole_)
    assert kept_part(tmp_path, "whole") == whole_
    other = Part("", ["Two."], "real pictures: none", date="2026-01-01")
    assert page([whole_, other], "a machine") == (
        "**NOT MEASURED: real pictures: none**\n\n| a |\n\n- One.\n- Two.\n"
        "- a machine; 2026-01-01 to 2026-01-02.\n"
    )
    assert page([whole_], "a machine").endswith("- a machine; 2026-01-02.\n")
