"""digitlens mail and digitlens route."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import digitlens as digitlens_package
from digitlens.cli.reference import output_keys
from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.mail.directory import load_directory
from digitlens.mail.plan_files import read_plan
from digitlens.mail.sorting import Review
from digitlens.mail.sorting.imports import parse_line, read_addresses
from digitlens.mail.thresholds import KNOWN

pytest.importorskip("zipcodes")

Cli = Callable[..., Any]

LIST = """\
"Effective Date: 2024-08-01"
"Grace Date: 2024-09-30"

"3-Digit ZIP Code Prefix","","Column A","","Column B","","Column C SCF Destinations"
"\t021","\t","\tBOSTON MA 021","\t","\tBOSTON MA 021","\t","\tSCF BOSTON MA 021"
"""

BARS = "DTTAFADDTTFTDTFTFDTDDADADAFADFATDDFTAAAFDTTADFAAATDFDTDFADDDTDFFT"


def line(text: str, confidence: float, others: tuple[Alternative, ...] = ()) -> dict[str, Any]:
    """Return a line as JSON has it."""
    digits = tuple(LineDigit(item, confidence, (0, 0, 9, 9)) for item in text)
    return Line(text, confidence, (0, 0, 45, 9), digits, others).as_dict()


@pytest.fixture
def mail(in_tmp: Path) -> Path:
    """Return a folder of three pieces; readings.jsonl and plan.toml lie beside it."""
    folder = in_tmp / "mail"
    folder.mkdir()
    readings = {
        "a.png": [line("02134", 0.9995)],
        "b.png": [line("00501", 0.6, (Alternative("00507", 0.3),))],
        "c.png": [],
    }
    rows = [json.dumps({"piece": name, "lines": lines}) for name, lines in readings.items()]
    (in_tmp / "readings.jsonl").write_text("\n".join(rows))
    (in_tmp / "plan.toml").write_text('default = "rest"\n[trays]\nboston = ["021"]\n')
    for name in readings:
        (folder / name).write_text(name)
    return folder


ROUTE = ("--readings", "readings.jsonl", "--plan", "plan.toml")


def test_a_folder_is_sorted(digitlens: Cli, mail: Path) -> None:
    """Pieces go to trays; the summary is on stdout; code 3 says that a person must look."""
    ended = digitlens("route", mail, *ROUTE, "--out", "trays")
    assert ended.code == 3
    assert ended.out.startswith("3 pieces, 3 new\n1 read (33.3 %), of which")
    assert "2 wait for a person: no-digits 1, unsure 1\n1 tray: boston 1\n" in ended.out
    assert ended.err.splitlines() == [
        f"listed in {Path('trays/pieces.csv')}",
        "warning: no thresholds were measured for lines read elsewhere: accepted is what is "
        "99 % sure by its own confidence",
    ]
    assert Path("trays/boston/a.png").is_file()
    rows = list(csv.DictReader(Path("trays/pieces.csv").read_text().splitlines()))
    title = "pieces.csv of digitlens route, and the pieces of pieces.json"
    assert list(rows[0]) == list(output_keys()[title])
    again = digitlens("route", mail, *ROUTE, "--out", "trays", "--json")
    result = json.loads(again.out)
    assert list(result) == list(output_keys()["digitlens route FOLDER --json"])
    assert (result["pieces"], result["new"]) == (3, 0)


def test_one_picture_is_decided_on(digitlens: Cli, mail: Path) -> None:
    """Of a file the ZIP, its place and its tray are printed, or why a person must look."""
    ended = digitlens("route", mail / "a.png", *ROUTE)
    assert (ended.code, ended.out) == (0, "02134 Allston MA, 99.97 % sure -> boston\n")
    ended = digitlens("route", mail / "b.png", *ROUTE, "--json")
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens route FILE --json"])
    assert (ended.code, result["reason"], result["tray"]) == (3, "unsure", "review")
    ended = digitlens("route", mail / "b.png", *ROUTE, "--city", "Holtsville", "--state", "NY")
    assert ended.out.startswith("00501 Holtsville NY, 99.")
    ended = digitlens("route", mail / "c.png", *ROUTE)
    assert ended.out == "a person must look: no line of digits was found -> review\n"


def test_addresses_come_from_a_table(digitlens: Cli, mail: Path) -> None:
    """City and state of each piece help it, and are taken from a table such as truth.csv."""
    Path("known.csv").write_text("piece,zip,city,state\nb.png,?,Holtsville,NY\n")
    assert read_addresses(Path("known.csv")) == {"b.png": ("Holtsville", "NY")}
    options = (*ROUTE, "--out", "trays", "--addresses", "known.csv")
    assert "2 read (66.7 %)" in digitlens("route", mail, *options).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mail"], "a folder is sorted with --plan and --out"),
        (["mail", *ROUTE, "--out", "t", "--max-error", "0"], "--max-error is above 0"),
        (["mail", *ROUTE, "--out", "t", "--workers", "0"], "--workers must be 1 or more"),
        (["mail", *ROUTE, "--out", "t", "--city", "Qwxyz"], "the directory of ZIPs has no"),
        (["none", *ROUTE, "--out", "t"], "there is no file or folder none"),
        (["mail/a.png", "--plan", "mail/a.png"], "mail/a.png is not TOML"),
        (["mail", *ROUTE[2:], "--out", "t", "--reader", "none"], "none is no line network"),
        (["mail", *ROUTE[2:], "--out", "t", "--readings", "plan.toml"], "plan.toml, line 1: "),
        (["mail", *ROUTE, "--out", "t", "--addresses", "plan.toml"], "must have the columns"),
    ],
)
def test_wrong_usage_is_told(
    digitlens: Cli, mail: Path, arguments: list[str], said: str
) -> None:
    """What is wrong is told before anything is sorted."""
    ended = digitlens("route", *arguments)
    assert ended.code in (1, 2)
    assert said in ended.err.splitlines()[0]
    assert not list(Path.cwd().glob("t/*/*"))


def test_a_line_survives_json() -> None:
    """A line that was written as JSON is the same line again."""
    values = line("00501", 0.5, (Alternative("00507", 0.25),))
    assert parse_line(json.loads(json.dumps(values))).as_dict() == values


def test_a_plan_is_made(digitlens: Cli, in_tmp: Path) -> None:
    """A plan by state is written, and not over another one."""
    ended = digitlens("mail", "plan", "--by", "state", "--out", "plan.toml")
    assert (ended.code, ended.out) == (0, "plan.toml\n")
    assert read_plan(Path("plan.toml")).find_tray("02134") == "MA"
    assert digitlens("mail", "plan", "--by", "state", "--out", "plan.toml").code == 1
    assert digitlens("mail", "plan", "--by", "zip3").out.startswith("# made from ")


def test_a_plan_from_the_labeling_list_says_its_date(digitlens: Cli, in_tmp: Path) -> None:
    """The list's effective date is told, and a warning when it is old."""
    Path("l002.csv").write_text(LIST)
    ended = digitlens("mail", "plan", "--l002", "l002.csv", "--out", "plan.toml")
    assert ended.code == 0
    assert ended.err.startswith(
        "L002, effective 2024-08-01, grace period until 2024-09-30: 1 prefixes\n"
        "warning: this edition of L002 is "
    )
    plan = read_plan(Path("plan.toml"))
    assert plan.find_plant(plan.find_tray("02134")) == "SCF BOSTON MA 021"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "a plan is made by --by or from --l002"),
        (["--by", "states"], "--by must be one of: state, zip3, first-digit"),
    ],
)
def test_a_plan_needs_a_way(
    digitlens: Cli, in_tmp: Path, options: list[str], said: str
) -> None:
    """Without a way, or with an unknown one, the ways are told."""
    ended = digitlens("mail", "plan", *options)
    assert ended.code == 2
    assert ended.err.startswith(f"error: {said}\n")


def test_sample_mail_is_made(digitlens: Cli, in_tmp: Path) -> None:
    """Pictures and their truth lie in the folder; once there, they are not replaced."""
    arguments = ("mail", "sample", 2, "--out", "mail", "--digits", "drawn")
    ended = digitlens(*arguments)
    assert (ended.code, ended.out) == (0, f"{Path('mail/truth.csv')}\n")
    assert ended.err == "2 envelopes in mail; digits: drawn\n"
    assert len(list(Path("mail").glob("*.jpg"))) == 2
    assert digitlens(*arguments).code == 1
    assert digitlens(*arguments, "--force").code == 0


@pytest.mark.skipif(
    not os.environ.get("DIGITLENS_DATA"),
    reason="DIGITLENS_DATA is not set: it must name a folder with MNIST's files",
)
def test_a_reader_of_ones_own_is_measured(digitlens: Cli, mail: Path) -> None:
    """Thresholds go beside its network; measured on a few lines, they promise nothing."""
    published = Path(digitlens_package.__file__).parent / "published" / "lines" / "reader.onnx"
    own = Path("own")
    own.mkdir()
    (own / "model.onnx").write_bytes(published.read_bytes())
    ended = digitlens("mail", "measure", "own", "--lines", 12, "--seed", 3)
    assert ended.code == 0
    assert [row[:15].strip() for row in ended.out.splitlines()] == list(KNOWN)
    assert ended.out.splitlines()[0].endswith("0.0 % read at 1 % error: no threshold")
    assert ended.err.endswith(f"thresholds in {Path('own/mail.json')}\n")
    about = json.loads(Path("own/mail.json").read_text())["about"]
    assert (about["lines"], about["seed"]) == (12, 3)


def test_a_barcode_is_made_and_read(digitlens: Cli, in_tmp: Path) -> None:
    """Digits become bars, bars digits; a picture is written; damage is an error."""
    ended = digitlens("mail", "barcode", "01234", "--tracking", "01234567094987654321")
    assert ended.out == BARS + "\n"
    ended = digitlens("mail", "barcode", BARS)
    assert ended.out.splitlines()[0] == "routing    01234"
    assert digitlens("mail", "barcode", "F" + BARS[1:]).code == 1
    ended = digitlens("mail", "barcode", "12345-6789", "--postnet", "--out", "bars.svg")
    assert len(ended.out.strip()) == 52
    assert Path("bars.svg").read_text().startswith("<svg")
    assert digitlens("mail", "barcode", ended.out.strip()).out == "123456789\n"
    assert digitlens("mail", "barcode", "12345", "--out", "bars.png").code == 0
    assert Path("bars.png").read_bytes().startswith(b"\x89PNG")
    assert digitlens("mail", "barcode", "bars.png").out.splitlines()[0] == "routing    12345"
    assert digitlens("mail", "barcode", "1" * 300).code == 2
    assert digitlens("mail", "barcode", "12345", "--out", "bars.gif").code == 2


def test_a_barcodes_file_is_kept_unless_it_is_told(digitlens: Cli, in_tmp: Path) -> None:
    """A file that is there is replaced with --force only; one that is not there is told."""
    Path("bars.svg").write_text("mine")
    ended = digitlens("mail", "barcode", "12345", "--out", "bars.svg")
    assert (ended.code, Path("bars.svg").read_text()) == (1, "mine")
    assert "bars.svg" in ended.err
    assert digitlens("mail", "barcode", "12345", "--out", "bars.svg", "--force").code == 0
    assert Path("bars.svg").read_text().startswith("<svg")
    ended = digitlens("mail", "barcode", "nothere.png")
    assert (ended.code, ended.err.splitlines()[0]) == (1, "error: there is no file nothere.png")


def test_corrections_are_saved(digitlens: Cli, mail: Path) -> None:
    """What people said becomes lines and digits; what is left out is told, with the reason."""
    digitlens("route", mail, *ROUTE, "--out", "trays")
    plan = read_plan(Path("plan.toml"))
    review = Review(Path("trays"), plan, load_directory())
    for zip_ in ("00501", None):
        task = review.claim("ann")
        assert task is not None
        review.settle(task, zip_)
    ended = digitlens("mail", "corrections", "--trays", "trays", "--out", "learn")
    assert (ended.code, ended.out) == (0, "2 corrections: 0 lines, 0 digits\n")
    assert "left out: 1 that have no picture any more\n" in ended.err
    assert "left out: 1 that a person could not read either\n" in ended.err
    ended = digitlens("mail", "corrections", "--trays", "trays", "--out", "learn", "--json")
    assert list(json.loads(ended.out)) == list(
        output_keys()["digitlens mail corrections --json"]
    )
    ended = digitlens("mail", "corrections", "--trays", "mail", "--out", "learn")
    assert ended.err.startswith("error: nothing was sorted into mail\n")


def test_a_lost_state_is_repaired(digitlens: Cli, mail: Path) -> None:
    """The error of an emptied mail.sqlite names the command that makes it anew."""
    digitlens("route", mail, *ROUTE, "--out", "trays")
    listed = json.loads(Path("trays/pieces.json").read_text())["pieces"]
    Path("trays/mail.sqlite").write_bytes(b"")
    ended = digitlens("route", mail, *ROUTE, "--out", "trays")
    assert ended.code == 1
    assert "digitlens mail repair FOLDER --trays DIR" in ended.err
    ended = digitlens("mail", "repair", mail, "--trays", "trays", "--json")
    result = json.loads(ended.out)
    assert list(result) == list(output_keys()["digitlens mail repair --json"])
    assert result["listed"] == len(listed)
    Path("trays/mail.sqlite").unlink()
    ended = digitlens("mail", "repair", mail, "--trays", "trays")
    assert ended.out.startswith(f"{len(listed)} pieces: 0 from the damaged file")
    digitlens("route", mail, *ROUTE, "--out", "trays")
    again = json.loads(Path("trays/pieces.json").read_text())["pieces"]
    assert [row["file"] for row in again] == [row["file"] for row in listed]
