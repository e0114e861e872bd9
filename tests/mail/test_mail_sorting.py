"""From a folder of pictures to trays."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from digitlens.ctc import Line
from digitlens.errors import UsageError
from digitlens.mail.barcodes import decode_imb
from digitlens.mail.plan import make_plan
from digitlens.mail.plan_files import parse_plan
from digitlens.mail.sorting import Sorting, SortSummary, sort_folder

Where = Callable[[Path], dict[str, list[str]]]


def listed(out: Path) -> list[dict[str, str]]:
    """Return the rows of pieces.csv."""
    return list(csv.DictReader((out / "pieces.csv").read_text(encoding="utf-8").splitlines()))


def test_pieces_go_to_their_trays(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Each piece is in the tray of its state, or in the review folder; pictures stay."""
    summary = sort_folder(folder, tmp_path / "out", sorting)
    assert where(tmp_path / "out") == right_places
    assert (summary.pieces, summary.new, summary.accepted, summary.waiting) == (6, 6, 4, 2)
    assert summary.reasons == {"unknown-zip": 1, "unreadable": 1}
    assert summary.trays == {"CA": 1, "MA": 1, "NY": 2}
    assert 0 < summary.expected_errors < 0.01
    assert summary.warnings() == []
    assert (folder / "a.png").read_text() == "02134"
    assert (tmp_path / "out/MA/a.png").samefile(folder / "a.png")


def test_the_listing_says_it_all(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """pieces.csv and pieces.json hold the ZIP as text, reason, place, tray and barcode."""
    out = tmp_path / "out"
    plan = parse_plan(
        'default = "rest"\n[trays]\nny = ["005", "1"]\n[plants]\nny = "SCF MID-ISLAND NY 117"\n'
    )
    summary = sort_folder(folder, out, replace(sorting, plan=plan))
    rows = {row["name"]: row for row in listed(out)}
    row = rows["b.png"]
    assert (row["zip"], row["tray"], row["plant"]) == ("00501", "ny", "SCF MID-ISLAND NY 117")
    assert (row["city"], row["state"], row["decision"]) == ("Holtsville", "NY", "accepted")
    assert row["digits"] == " ".join(["0.9995"] * 5)
    mail = decode_imb(row["barcode"])
    assert (mail.routing, mail.serial, mail.mailer) == ("00501", "000000002", "000000")
    assert rows["c.jpg"]["reason"] == "unknown-zip"
    assert rows["e.tif"]["why"] == "the picture cannot be decoded; 7 bytes"
    assert rows["e.tif"]["barcode"] == ""
    whole = json.loads((out / "pieces.json").read_text(encoding="utf-8"))
    assert whole["summary"] == summary.as_dict()
    assert [piece["zip"] for piece in whole["pieces"]][:2] == ["02134", "00501"]
    assert list(whole["pieces"][0]) == list(rows["b.png"])


def test_copies_are_copies(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """With copies the trays hold files of their own."""
    summary = sort_folder(folder, tmp_path / "out", replace(sorting, copy=True))
    assert not (tmp_path / "out/MA/a.png").samefile(folder / "a.png")
    assert where(tmp_path / "out") == right_places
    assert summary.copies == 0


def test_a_second_run_does_only_what_is_new(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Pieces that were sorted are not read again; a new one is."""
    read: list[str] = []

    def reading(path: Path) -> Sequence[Line]:
        read.append(path.name)
        return sorting.read(path)

    noting = replace(sorting, read=reading)
    out = folder / "trays"  # within the folder: what is in the trays is not mail
    sort_folder(folder, out, noting)
    assert len(read) == 6
    assert sort_folder(folder, out, noting).new == 0
    (folder / "f.png").write_text("96799")
    summary = sort_folder(folder, out, noting)
    assert (read[6:], summary.new, summary.pieces) == (["f.png"], 1, 7)
    assert where(out) == right_places | {"f.png": ["AS"]}


def test_progress_is_told(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """Progress counts the pieces that are put away."""
    told: list[tuple[int, int]] = []
    sort_folder(
        folder, tmp_path / "out", sorting, progress=lambda done, all_: told.append((done, all_))
    )
    assert told[-1] == (6, 6)


def test_the_address_of_a_piece_is_used(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """A known city sends what contradicts it to a person; an unknown one is left out."""
    addresses = {"d.png": ("Boston", "MA"), "b.png": ("Nowhere", "NY"), "a.png": ("X", "YY")}
    sort_folder(
        folder,
        tmp_path / "out",
        replace(sorting, policy=replace(sorting.policy, addresses=addresses)),
    )
    assert where(tmp_path / "out") == right_places | {"d.png": ["review"]}


def test_an_unknown_city_for_all_stops_before_the_first_piece(
    folder: Path, tmp_path: Path, sorting: Sorting
) -> None:
    """A mistyped --city is told before anything is written."""
    with pytest.raises(UsageError, match="no city of that name"):
        sort_folder(
            folder,
            tmp_path / "out",
            replace(sorting, policy=replace(sorting.policy, city="Bostn")),
        )
    assert not (tmp_path / "out").exists()


def test_a_changed_plan_moves_nothing_silently(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Sorted pieces stay and are counted; on request they are moved, each into one tray."""
    out = tmp_path / "out"
    sort_folder(folder, out, sorting)
    other = replace(sorting, plan=make_plan(sorting.policy.directory, "first-digit"))
    (folder / "f.png").write_text("10007")
    summary = sort_folder(folder, out, other)
    assert (summary.would_move, summary.moved) == (4, 0)
    assert "4 sorted pieces would now go to another tray" in summary.warnings()[0]
    assert where(out) == right_places | {"f.png": ["1"]}
    summary = sort_folder(folder, out, replace(other, move=True))
    assert (summary.would_move, summary.moved) == (0, 4)
    moved = {"a.png": ["0"], "b.png": ["0"], "b~2.png": ["9"], "d.png": ["1"], "f.png": ["1"]}
    assert where(out) == right_places | moved


def test_a_tray_that_vanished_is_told(
    folder: Path,
    tmp_path: Path,
    sorting: Sorting,
    where: Where,
    right_places: dict[str, list[str]],
) -> None:
    """Pieces taken out are counted, and put back only on request."""
    out = tmp_path / "out"
    sort_folder(folder, out, sorting)
    for path in (out / "NY").iterdir():
        path.unlink()
    (out / "NY").rmdir()
    summary = sort_folder(folder, out, sorting)
    assert summary.missing == {"NY": 2}
    assert "2 pieces no longer in the tray: NY 2" in summary.warnings()[0]
    assert not (out / "NY").exists()
    assert sort_folder(folder, out, replace(sorting, restore=True)).missing == {}
    assert where(out) == right_places


def test_a_picture_that_changed_is_told(folder: Path, tmp_path: Path, sorting: Sorting) -> None:
    """A picture written anew after it was sorted is counted, not read again."""
    sort_folder(folder, tmp_path / "out", replace(sorting, copy=True))
    (folder / "a.png").write_text("90210 ")
    assert sort_folder(folder, tmp_path / "out", sorting).changed == 1


def test_a_summary_is_words() -> None:
    """The summary reads as sentences; one of a thing is not called several."""
    summary = SortSummary(
        1200, 3, 1000, 5, 190, 5, {"unsure": 195}, {"a": 5, "b": 1000}, 3.21, 0.5, moved=1
    )
    assert summary.lines() == [
        "1,200 pieces, 3 new",
        "1,000 read (83.3 %), of which 3.2 are expected to be wrong",
        "5 settled by a person",
        "190 wait for a person: unsure 195",
        "5 unsortable",
        "2 trays: b 1,000, a 5",
        "6.0 pieces/s",
    ]
    empty = SortSummary(0, 0, 0, 0, 0, 0, {}, {}, 0.0, 0.0)
    assert empty.lines()[0] == "0 pieces, 0 new"
    assert re.search("no trays", empty.lines()[-1])
