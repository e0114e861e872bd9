"""What a lab reviews mail with: pictures made fit for a page, and trays that can be opened."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import CorruptFileError, DataError, MissingDataError, UsageError
from digitlens.geometry import rotate_upright
from digitlens.mail.sorting.store import FILE
from digitlens.server import review_desk as desks
from digitlens.server.http_errors import TooLargeError
from digitlens.server.review_desk import MAX_SIDE, ReviewDesk, Scan, load_scan, open_desk


def test_a_large_scan_is_made_smaller(tmp_path: Path) -> None:
    """A large picture is brought to the page's size; its line is cut from the full one."""
    path = tmp_path / "large.png"
    Image.fromarray(np.full((2000, 5000), 200, np.uint8)).save(path)
    scan = load_scan(path, "large", (4000.0, 1000.0, 4400.0, 1100.0), max_pixels=10_000_000)
    assert (scan.width, scan.height) == (5000, 2000)
    with Image.open(io.BytesIO(scan.whole)) as whole:
        assert whole.size == (MAX_SIDE, 640)
    assert scan.close is not None
    with Image.open(io.BytesIO(scan.close)) as close:
        assert close.size == (821, 261)
    with pytest.raises(TooLargeError, match="may have 9,999,999 pixels"):
        load_scan(path, "large", None, max_pixels=9_999_999)
    assert (
        load_scan(path, "large", (9000.0, 0.0, 9100.0, 9.0), max_pixels=10_000_000).close
        is None
    )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_piece_on_its_head_is_shown_upright(tmp_path: Path, quarters: int) -> None:
    """The whole of it and its line are turned, and so is the line's box."""
    page = np.full((200, 500), 200, np.uint8)
    page[100:120, 300:400] = np.linspace(0, 120, 100, dtype=np.uint8)
    Image.fromarray(page).save(tmp_path / "page.png")
    Image.fromarray(np.rot90(page, quarters)).save(tmp_path / "laid.png")
    box = (300.0, 100.0, 400.0, 120.0)
    there, _ = rotate_upright(box, (500, 200), 90 * quarters)
    scan = load_scan(tmp_path / "page.png", "a", box, max_pixels=100_000)
    laid = load_scan(
        tmp_path / "laid.png", "a", there, max_pixels=100_000, rotation=360 - 90 * quarters
    )
    assert scan == laid
    assert laid.box == box


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe, a folder and a file of many bytes are refused, and nothing is read of them."""
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("pipe.png", "none.png", "."):
        with pytest.raises(DataError, match="is gone"):
            load_scan(tmp_path / name, "it", None, max_pixels=1000)
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(TooLargeError, match="too large a file"):
        load_scan(tmp_path / "long.png", "it", None, max_pixels=1000)


def test_scans_are_made_once_and_anew_for_a_new_file(
    small_mail: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks several times; a file that changed is another picture."""
    path, made = tmp_path / "a.png", []

    def count(*args: Any, **options: Any) -> Scan:
        made.append(args)
        return load_scan(*args, **options)

    monkeypatch.setattr(desks, "load_scan", count)
    desk = ReviewDesk(tmp_path, SimpleNamespace(), small_mail.plan, small_mail.directory)
    task = SimpleNamespace(picture=path, name="a", box=None, boxes=())
    Image.new("L", (50, 40)).save(path)
    assert desk._load_scan(task) is desk._load_scan(task)
    path.write_bytes(b"no picture")
    for _ in range(2):
        with pytest.raises(CorruptFileError):
            desk._load_scan(task)
    assert len(made) == 2


def test_a_desk_is_opened_or_says_why_not(
    sort_mail: Any, small_mail: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trays, a damaged state, no plan and a damaged plan are told before a lab starts."""
    pytest.importorskip("zipcodes")
    monkeypatch.setattr("digitlens.mail.directory.load_directory", lambda: small_mail.directory)
    plan, mail = tmp_path / "plan.toml", tmp_path / "mail"
    mail.mkdir()
    Image.new("L", (50, 40)).save(mail / "a.png")
    trays = sort_mail(mail, tmp_path / "trays")
    with pytest.raises(MissingDataError, match=r"there is no file .*plan\.toml"):
        open_desk(trays, plan)
    plan.write_text("trays = 3")
    with pytest.raises(DataError, match=r"plan\.toml"):
        open_desk(trays, plan)
    plan.write_text('default = "rest"\n[trays]\n')
    assert open_desk(trays, plan).status()["waiting"] == 1
    with pytest.raises(MissingDataError, match="nothing was sorted into"):
        open_desk(tmp_path, plan)
    (tmp_path / FILE).write_bytes(b"no state" * 500)
    with pytest.raises(CorruptFileError):
        open_desk(tmp_path, plan)
    with pytest.raises(UsageError):
        open_desk(trays, plan).claim("\ud800", "", 0)
    assert desks.HOW_TO_START[-1].startswith("digitlens serve --trays")
