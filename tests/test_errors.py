"""The error object: its text, its codes, its way between processes."""

from __future__ import annotations

import inspect
import pickle

import pytest

from digitlens import errors
from digitlens.errors import DigitlensError

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DigitlensError)
]


def test_there_are_errors_to_check() -> None:
    """The tests below run over every error of the module, and there are some."""
    assert len(KINDS) >= 12


def test_all_rows_are_shown_in_order() -> None:
    """An error prints what was wanted, seen, is likely and may be tried, each on its row."""
    error = DigitlensError("a ZIP has 5 digits", try_="scan again", seen="4", likely="a cut")
    assert str(error) == (
        "a ZIP has 5 digits\n  seen    4\n  likely  a cut\n  try     scan again"
    )


def test_rows_that_were_not_given_are_left_out() -> None:
    """An error with nothing but its first line is that line."""
    assert str(DigitlensError("no")) == "no"


def test_a_row_of_several_lines_stays_in_its_column() -> None:
    """Later lines of a row are set in below its first."""
    error = DigitlensError("three places", seen="one\ntwo")
    assert str(error).splitlines() == ["three places", "  seen    one", "          two"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickle(kind: type[DigitlensError]) -> None:
    """An error sent from another process is the same error here."""
    error = kind("wanted", seen="seen", likely="likely", try_="try")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert (again.wanted, again.seen, again.likely, again.try_) == (
        "wanted",
        "seen",
        "likely",
        "try",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_tree_in_the_docstring_is_true(kind: type[DigitlensError]) -> None:
    """The docstring lists each error with its exit code and HTTP status."""
    rows = [line.strip("│├└─ ").split() for line in (errors.__doc__ or "").splitlines()]
    wanted = [kind.__name__, str(kind.exit_code), str(kind.http_status)]
    assert wanted in [row[:3] for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_exits_with_success(kind: type[DigitlensError]) -> None:
    """Usage exits with 2, a run that was stopped as after Ctrl-C, every other error with 1."""
    wanted = {errors.UsageError: 2, errors.StoppedError: 130}
    assert kind.exit_code == wanted.get(kind, 1)
