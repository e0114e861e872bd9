"""Which digits are on this machine: told beforehand, and never fetched by a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.data.load import PUBLISHED_NAMES
from digitlens.errors import MissingDataError, UsageError
from digitlens.server.networks import check_source, list_sources

Check = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the user's folder of data be an empty one, and return it."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("DIGITLENS_DATA", str(folder))
    return folder


def test_a_collection_is_here_when_all_its_files_are(bare: Path, tmp_path: Path) -> None:
    """UCI always is; MNIST once its four files lie in the user's folder, packed or not."""
    own = tmp_path / "own"
    nothing = {"mnist": False, "uci": True, "fashion": False, "own": False}
    assert list_sources(own) == nothing
    *most, last = PUBLISHED_NAMES["mnist"].files
    for file in most:
        (bare / file.name).touch()
    assert list_sources(own) == nothing
    (bare / last.unpacked_name).touch()
    assert list_sources(own) == nothing | {"mnist": True}
    check_source("mnist", own)


def test_own_digits_are_here_once_one_is_saved(tmp_path: Path) -> None:
    """An empty folder of own digits is none."""
    own = tmp_path / "own"
    (own / "7").mkdir(parents=True)
    with pytest.raises(MissingDataError, match="no digits of your own"):
        check_source("own", own)
    (own / "7" / "a.png").touch()
    check_source("own", own)


def test_an_unknown_source_is_a_wrong_use(tmp_path: Path) -> None:
    """A name that no source has is refused, with those that there are."""
    with pytest.raises(UsageError, match="mnist, uci, fashion, own"):
        check_source("nmist", tmp_path)


def test_what_is_not_here_is_told_and_how_it_is_had(lab: Any, problem: Check) -> None:
    """Measuring on MNIST, and training with it, name the command that fetches it."""
    for asked in (
        lab.get("/v1/mistakes", params={"data": "mnist"}),
        lab.post("/v1/train", json={"network": "quick", "data": "mnist"}),
    ):
        result = problem(asked, 503)
        assert result["detail"] == "MNIST is not on this machine"
        assert "digitlens data fetch mnist" in result["try"]
    assert lab.get("/v1/train").json()["run"] is None
    assert lab.get("/v1/networks").json()["data"]["mnist"] is False
