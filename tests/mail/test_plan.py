"""Sort plans: ranges, files, plans that are made, and the labeling list."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path

import pytest

from digitlens.errors import DataError, MissingDataError, UsageError
from digitlens.mail.directory import Directory
from digitlens.mail.plan import Range, SortPlan, make_plan
from digitlens.mail.plan_files import parse_l002, parse_plan, read_plan, write_plan

GOOD = """\
# For the mail room.
default = "other"

[trays]
boston = ["021-022", '02445']  # and Brookline
"new york" = [
    "100-102",
    "005",
]
"""


def test_a_plan_says_the_tray_of_a_zip() -> None:
    """Prefixes, ranges and single ZIPs lead to their tray, all else to the default."""
    plan = parse_plan(GOOD)
    result = [plan.find_tray(text) for text in ("02100", "02299", "02445", "00501", "10300")]
    assert result == ["boston", "boston", "boston", "new york", "other"]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0", "00000", "09999"),
        ("021", "02100", "02199"),
        ("010-027", "01000", "02799"),
        ("02134 - 02139", "02134", "02139"),
    ],
)
def test_ranges_are_text(text: str, low: str, high: str) -> None:
    """A prefix and a range keep their leading zeros, and are written shortly again."""
    result = Range.parse(text)
    assert (result.low, result.high) == (low, high)
    assert str(result) == text.replace(" ", "")


FAULTS = [
    (
        'default = "x"\n[trays]\na = ["021"]\nb = [\n  "100",\n  "02134",\n]\n',
        "plan.toml, line 6: ranges of a plan must not overlap\n"
        "  seen    021 -> a (line 3) and 02134 -> b (line 6)",
    ),
    ('default = "x"\ntrais = 1\n[trays]\n', "line 2: a plan has no key trais\n  try     trays"),
    ("[trays]\n", 'plan.toml: default must be the name of a tray, such as default = "other"'),
    ('default = "x"\n', "trays must be a table [trays]"),
    ('default = "x"\n[trays]\na = [21]\n', "line 3: the tray a must have a list of ranges"),
    ('default = "x"\n[trays]\na = "021"\n', "line 3: the tray a must have a list of ranges"),
    ('default = "x"\n[trays]\na = ["02l"]\n', "line 3: a range is a prefix"),
    ('default = "x"\n[trays]\na = ["27-10"]\n', "line 3: a range must rise"),
    ('default = "x"\n[trays]\na = ["1-23"]\n', "line 3: a range is a prefix"),
    ('default = "x"\n[trays]\n"a/b" = ["1"]\n', "line 3: a tray is named as a folder can be"),
    ('default = "x"\n[trays]\nreview = ["1"]\n', "line 3: no tray can be called review"),
    (
        'default = "x"\n[trays]\n"mail.sqlite-wal" = ["1"]\n',
        "no tray can be called mail.sqlite-wal",
    ),
    ('default = "x"\n[trays]\na = ["1"]\nA = ["2"]\n', "differ in more than the case"),
    (
        'default = "x"\n[trays]\na = ["1"]\n[plants]\nb = "SCF B"\n',
        "line 5: there is a plant for the tray b, but no such tray",
    ),
    ('default = "x"\neffective = "soon"\n[trays]\n', "line 2: effective must be a date"),
    ('default = "x\n', "plan.toml is not TOML\n  seen    Illegal character"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS)
def test_a_fault_is_named_with_its_line(text: str, said: str) -> None:
    """What is wrong with a plan is told, together with the line where it can be seen."""
    with pytest.raises(DataError, match=re.escape(said)):
        parse_plan(text, "plan.toml")


def test_a_plan_is_written_and_read_again(tmp_path: Path) -> None:
    """A plan with plants, dates, long lists and names in quotes comes back the same."""
    plan = SortPlan(
        {
            "long": tuple(Range.parse(f"{first}5") for first in range(10, 60)),
            "São Tomé, 'x'.y": (Range.parse("00501"),),
        },
        "other",
        {"long": 'SCF LÖNG "MA" 021'},
        "a test",
        date(2024, 8, 1),
    )
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(plan), encoding="utf-8")
    assert read_plan(path) == plan
    assert max(map(len, write_plan(plan).splitlines())) <= 88


def test_a_plan_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    """A missing file and a picture instead of a plan are no tracebacks."""
    with pytest.raises(MissingDataError, match="there is no file"):
        read_plan(tmp_path / "plan.toml")
    (tmp_path / "plan.toml").write_bytes(b"\x89PNG\xff")
    with pytest.raises(DataError, match="is not a text file"):
        read_plan(tmp_path / "plan.toml")


def test_overlap_is_refused_in_python_too() -> None:
    """A plan made in Python is checked as one from a file."""
    with pytest.raises(UsageError, match="must not overlap"):
        SortPlan({"a": (Range.parse("1"),), "b": (Range.parse("12"),)}, "o")


@pytest.mark.parametrize("by", ["state", "zip3", "first-digit"])
def test_a_made_plan_leads_every_zip_right(directory: Directory, by: str) -> None:
    """Each ZIP goes to the tray of its state, its three digits or its first."""
    plan = make_plan(directory, by)
    for text in directory.zips:
        place = directory.place(text)
        assert place is not None
        wanted = {"state": place.state, "zip3": text[:3], "first-digit": text[0]}[by]
        assert plan.find_tray(text) == wanted
    again = parse_plan(write_plan(plan))
    assert (again.trays, again.default) == (plan.trays, plan.default)


def test_an_unknown_way_is_told(directory: Directory) -> None:
    """Another way to make a plan is wrong usage."""
    with pytest.raises(UsageError, match="--by state"):
        make_plan(directory, "states")


def labeling_list(rows: list[list[str]], head: str = '"Effective Date: 2024-08-01"\n') -> str:
    """Return a list as the Postal Service writes it, tabs in its cells."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(
        ["3-Digit ZIP Code Prefix", "", "Column A 3-Digit Destinations Label To", "",
         "Column B 3-Digit/Scheme Destinations Label To", "",
         "Column C SCF Destinations Label To"]
    )  # fmt: skip
    writer.writerows([[f"\t{cell}" for cell in row] for row in rows])
    return f'{head}\n"L002 3-Digit ZIP Code Prefix Matrix"\n\n{text.getvalue()}'


BOSTON = ["021", "", "BOSTON MA 021", "U", "BOSTON MA 021 ", "S", "SCF BOSTON MA 021"]
NEXT = ["022", "", "BOSTON MA 022", "U", "BOSTON MA 021 ", "S", "SCF BOSTON MA 021"]
ARMY = ["090", "", "APO   AE 090", "", "APO  AE 090 "]
NONE = ["269", "X"]


def test_the_labeling_list_becomes_a_plan() -> None:
    """Prefixes of a plant become ranges; military ones go by column B; X is left out."""
    head = '"Effective Date: 2024-08-01"\n"Grace Date: 2024-09-30"\n'
    result = parse_l002(labeling_list([BOSTON, NEXT, ARMY, NONE], head))
    assert (result.effective, result.grace) == (date(2024, 8, 1), date(2024, 9, 30))
    plan = result.make_plan()
    assert plan.trays == {
        "021-boston-ma": (Range("02100", "02299"),),
        "090-apo-ae": (Range("09000", "09099"),),
    }
    assert plan.find_plant("021-boston-ma") == "SCF BOSTON MA 021"
    assert parse_plan(write_plan(plan)) == plan


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2024, 8, 2), None),
        (date(2024, 11, 1), None),
        (date(2026, 11, 21), "is 842 days old (effective 2024-08-01)"),
        (date(2024, 7, 1), "is not in force before 2024-08-01"),
    ],
)
def test_an_old_list_is_told(today: date, said: str | None) -> None:
    """A list is fresh for three months; later, and before its day, a warning says so."""
    result = parse_l002(labeling_list([BOSTON])).staleness(today)
    assert (result is None) if said is None else (result is not None and said in result)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "does not say since when it is in force"),
        (labeling_list([BOSTON], '"Effective Date: 2024-13-01"\n'), "has no such date"),
        (labeling_list([]), "holds no table of prefixes"),
        (labeling_list([BOSTON, BOSTON]), "line 7: the prefix 021 stands there twice"),
        (labeling_list([["2l"]]), "line 6: a prefix has three digits"),
        (labeling_list([BOSTON]) + "1\r2\n", "must be a CSV file"),
        (labeling_list([["0" * 200_000]]), "must be a CSV file"),
        (labeling_list([[*BOSTON[:-1], "BOSTON"]]), "line 6: a plant is written as"),
    ],
)
def test_what_is_no_labeling_list_is_told(text: str, said: str) -> None:
    """A file of another kind, or a damaged one, is named with its line."""
    with pytest.raises(DataError, match=said):
        parse_l002(text)
