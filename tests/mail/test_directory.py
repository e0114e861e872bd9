"""ZIPs as text, and the directory of them."""

from __future__ import annotations

import re
import sys

import pytest

from digitlens.errors import MissingExtraError, UsageError
from digitlens.mail.directory import (
    STATES,
    Directory,
    ZipCode,
    load_directory,
    parse_places,
    state_code,
)


@pytest.mark.parametrize(
    ("text", "five", "four"),
    [
        ("00501", "00501", ""),
        (" 02134 ", "02134", ""),
        ("02134-0001", "02134", "0001"),
        ("021340001", "02134", "0001"),
    ],
)
def test_a_zip_is_text(text: str, five: str, four: str) -> None:
    """ZIP and ZIP+4 keep their leading zeros, with a dash or without."""
    result = ZipCode.parse(text)
    assert (result.five, result.plus4, result.digits) == (five, four, five + four)
    assert str(result) == (f"{five}-{four}" if four else five)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (501, "a ZIP must be text\n  seen    int 501\n  likely  a number loses"),
        ("501", "a spreadsheet removed the leading zeros"),
        ("", "a ZIP is 12345, 12345-6789 or 123456789\n  seen    ''"),
        ("1234a", "seen    '1234a'"),
        ("12345-67", "seen    '12345-67'"),
        ("١٢٣٤٥", "a ZIP is 12345"),
    ],
)
def test_what_is_no_zip_is_refused(text: str, said: str) -> None:
    """Numbers, short texts, letters and digits of other scripts are told."""
    with pytest.raises(UsageError, match=re.escape(said)):
        ZipCode.parse(text)


def test_a_zip_made_of_wrong_parts_is_refused() -> None:
    """Parts of other lengths are wrong usage."""
    with pytest.raises(UsageError, match="a ZIP has five digits"):
        ZipCode("12345", "6")


@pytest.mark.parametrize(
    ("city", "state", "zips"),
    [
        ("Boston", "MA", {"02108", "02134", "02135"}),
        ("st. paul", "Minnesota", {"55101"}),
        ("ST PAUL", None, {"55101"}),
        (None, "ny", {"00501", "06390", "10001", "10007"}),
        ("Beverly  Hills", " ca.", {"90210", "90211"}),
    ],
)
def test_a_city_has_its_zips(
    directory: Directory, city: str | None, state: str | None, zips: set[str]
) -> None:
    """A city is found by any of its names, however it is spelled."""
    assert directory.find_zips(city, state) == zips


def test_nothing_given_is_everything(directory: Directory) -> None:
    """Without city and state every ZIP may be meant."""
    assert directory.find_zips() == set(directory.zips)


@pytest.mark.parametrize(
    ("city", "state", "said"),
    [
        ("Bostn", "MA", "no city of that name in MA\n  seen    'Bostn'\n  try     Boston"),
        ("Boston", "CA", "no city of that name in CA\n  seen    'Boston'\n  try     leave the"),
        ("Zzz", None, "no city of that name\n  seen    'Zzz'"),
        (None, "Masachusetts", "two letters such as NY, or its name"),
    ],
)
def test_an_unknown_place_is_told(
    directory: Directory, city: str | None, state: str | None, said: str
) -> None:
    """An unknown city or state is wrong usage, and the nearest name is offered."""
    with pytest.raises(UsageError, match=re.escape(said)):
        directory.find_zips(city, state)


def test_a_place_says_where_it_is(directory: Directory) -> None:
    """A ZIP has a place, a ZIP that is not in use has none."""
    place = directory.place("02134")
    assert place is not None
    assert (str(place), place.county) == ("02134 Allston MA", "Allston County")
    assert directory.place("99999") is None
    assert "2134" not in directory
    assert list(directory.with_prefix("021")) == ["02108", "02134", "02135"]
    assert list(directory.with_prefix("")) == list(directory.zips)


def test_states_by_name_and_by_letters() -> None:
    """Each state is known by both."""
    for code, name in STATES.items():
        assert state_code(code.lower()) == state_code(name.upper()) == code


def test_zips_out_of_use_are_left_out() -> None:
    """A record that is not active is no place."""
    record = {
        "zip_code": "00501", "active": True, "city": "Holtsville", "acceptable_cities": ["H"],
        "unacceptable_cities": ["IRS"], "state": "NY", "county": "Suffolk County",
        "zip_code_type": "UNIQUE",
    }  # fmt: skip
    (place,) = parse_places([record, {**record, "active": False}])
    assert place.names == ("Holtsville", "H", "IRS")


def test_the_whole_directory_is_there() -> None:
    """The package zipcodes knows every state; ZIPs with leading zeros are text."""
    zipcodes = pytest.importorskip("zipcodes")
    whole = load_directory()
    assert len(whole) == len(parse_places(zipcodes.list_all())) > 40_000
    assert "00501" in whole
    assert "02134" in whole.find_zips("Boston", "MA")
    places = [whole.place(text) for text in whole.zips]
    assert {place.state for place in places if place is not None} == set(STATES)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without zipcodes the error says how to get it."""
    monkeypatch.setitem(sys.modules, "zipcodes", None)
    load_directory.cache_clear()
    with pytest.raises(MissingExtraError, match=re.escape('pip install "digitlens[mail]"')):
        load_directory()
