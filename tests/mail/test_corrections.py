"""Corrections as data: only what is sure to be what it is called."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from digitlens import load_digits
from digitlens.ctc import Line
from digitlens.geometry import rotate_upright
from digitlens.mail.candidates import ZipCandidate, rank_zip_lines
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review, Sorting, sort_folder
from digitlens.mail.sorting.corrections import (
    SavedCorrections,
    edit_distance,
    is_in_place,
    save_corrections,
)
from digitlens.mail.sorting.review import Correction, read_corrections

TEXTS = st.text("0123", max_size=9)
BOX = (40.0, 30.0, 190.0, 60.0)
READ = "02134"

SAID = {
    "a.png": "02184",  # one digit read wrongly
    "b.png": READ,  # all right, and not sure
    "c.png": "21345",  # shifted: which box holds which digit?
    "d.png": "90210",  # another line of the envelope
    "e.png": "02134-1234",  # nine digits, and five boxes
    "f.png": None,
    "g.png": "02135",  # its picture is gone by the time it is saved
    "h.png": "02135",  # no line was found on it
    "j.png": READ,  # a box is too wide for one digit
    "i.png": "90210",  # the end of what was read: letters before it were read as digits
}


def draw(path: Path) -> None:
    """Draw five strokes, one in each box."""
    picture = Image.new("L", (240, 90), 235)
    pen = ImageDraw.Draw(picture)
    for index in range(5):
        left = BOX[0] + 30 * index
        pen.line([(left + 8, 33), (left + 18, 33), (left + 12, 57)], fill=30, width=4)
    picture.save(path)


@pytest.fixture
def trays(tmp_path: Path, directory: Directory, line: Callable[..., Line]) -> Path:
    """Return trays of which people settled every piece as `SAID` has it."""
    mail, out = tmp_path / "mail", tmp_path / "trays"
    mail.mkdir()
    for name in SAID:
        draw(mail / name)

    def read(path: Path) -> Sequence[ZipCandidate]:
        if path.name == "i.png":
            return rank_zip_lines(
                [line("1490210", 0.6, box=(BOX[0] - 60, BOX[1], BOX[2], BOX[3]))]
            )
        if path.name == "j.png":
            return rank_zip_lines([line(READ, 0.6, box=(0.0, 30.0, 240.0, 60.0))])
        return rank_zip_lines([] if path.name == "h.png" else [line(READ, 0.6, box=BOX)])

    plan = make_plan(directory, "state")
    sort_folder(mail, out, Sorting(read, RoutingPolicy(directory), plan))
    review = Review(out, plan, directory)
    for _ in SAID:
        task = review.claim("ann")
        assert task is not None
        review.settle(task, SAID[task.name], unlisted=True)
    for path in (mail / "g.png", out / "MA" / "g.png"):
        path.unlink()
    return out


def test_what_is_sure_is_saved(trays: Path, tmp_path: Path) -> None:
    """Lines are saved where nearly that was read that was said, digits in their place."""
    out = tmp_path / "learn"
    saved = save_corrections(read_corrections(trays), out)
    assert saved == SavedCorrections(
        corrections=10, lines=4, digits=15, unread=1, other=4, unseen=1
    )
    rows = list(csv.DictReader((out / "lines/truth.csv").read_text().splitlines()))
    assert [row["truth"] for row in rows] == ["02184", "02134", "21345", "90210"]
    assert rows[0] | {"at": ""} == {
        "file": "000001.png",
        "truth": "02184",
        "n_digits": "5",
        "read": "02134",
        "piece": "1",
        "person": "ann",
        "at": "",
    }
    assert {path.name for path in (out / "lines").iterdir()} == {
        "truth.csv",
        *(row["file"] for row in rows),
    }
    for row in (rows[0], rows[-1]):
        with Image.open(out / "lines" / row["file"]) as line:
            assert line.size == (166, 46)


@pytest.mark.filterwarnings("ignore:.* has one picture")
def test_digits_are_learnt_from(trays: Path, tmp_path: Path) -> None:
    """The folder of digits is one that training reads: labels as said, not as read."""
    save_corrections(read_corrections(trays), tmp_path / "learn")
    names = sorted(path.parent.name for path in (tmp_path / "learn/digits").rglob("*.png"))
    assert "".join(names) == "000011122234489"
    assert (tmp_path / "learn/digits/8/000001-4.png").is_file()
    data = load_digits(tmp_path / "learn/digits", validation=0.0)
    assert set(data.train.labels) <= {0, 1, 2, 3, 4, 8, 9}
    assert data.train.images.max() > 200


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_pieces_on_their_side_are_saved_upright(
    trays: Path, tmp_path: Path, quarters: int
) -> None:
    """A piece that was read on its head gives the line and digits it gives upright."""
    told = next(item for item in read_corrections(trays) if item.zip == "02184")
    with Image.open(told.picture) as picture:
        size, pixels = picture.size, np.asarray(picture)
    Image.fromarray(np.rot90(pixels, quarters)).save(tmp_path / "rotated.png")
    assert told.box is not None
    box, *boxes = (
        rotate_upright(item, size, 90 * quarters)[0] for item in (told.box, *told.boxes)
    )
    rotated = replace(told, picture=tmp_path / "rotated.png", box=box, boxes=tuple(boxes))

    def content(item: Correction, out: Path) -> dict[str, bytes]:
        assert save_corrections([item], out).digits == 5
        return {path.name: path.read_bytes() for path in out.rglob("*.png")}

    assert content(told, tmp_path / "one") == content(rotated, tmp_path / "two")


def test_saving_again_changes_nothing(trays: Path, tmp_path: Path) -> None:
    """The same corrections have the same names and the same bytes."""
    out = tmp_path / "learn"

    def content() -> dict[str, bytes]:
        save_corrections(read_corrections(trays), out)
        files = (path for path in out.rglob("*") if path.is_file())
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}

    assert content() == content()


def test_no_corrections_are_no_folder(tmp_path: Path) -> None:
    """Where nobody corrected anything, nothing is made."""
    assert save_corrections([], tmp_path / "learn") == SavedCorrections()
    assert not (tmp_path / "learn").exists()


@given(TEXTS, TEXTS, TEXTS)
def test_edits_are_a_distance(one: str, other: str, third: str) -> None:
    """Edits are 0 for the same alone, the same both ways, and no longer by way of a third."""
    assert (edit_distance(one, other) == 0) == (one == other)
    assert edit_distance(one, other) == edit_distance(other, one)
    assert edit_distance(one, third) <= edit_distance(one, other) + edit_distance(other, third)
    assert abs(len(one) - len(other)) <= edit_distance(one, other) <= max(len(one), len(other))


@given(
    st.text("0123456789", min_size=5, max_size=5), st.integers(0, 4), st.sampled_from("0123")
)
def test_one_wrong_digit_is_in_its_place(said: str, index: int, digit: str) -> None:
    """A digit that was read wrongly leaves all digits in their boxes."""
    assert is_in_place(said[:index] + digit + said[index + 1 :], said)
