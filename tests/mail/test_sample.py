"""Sample mail: what is on it is what the table says."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.errors import StorageError, UsageError
from digitlens.mail.directory import Directory, ZipCode
from digitlens.mail.sample import batch, draw_digits, draw_mail, make_sample
from digitlens.mail.sample.address import (
    FIRMS,
    FIRST_NAMES,
    LAST_NAMES,
    STREET_KINDS,
    STREETS,
    find_strokes,
    round_stroke,
)
from digitlens.mail.sample.batch import load_local_mnist


@pytest.fixture(scope="module")
def drawn() -> Digits:
    """Return digits by four hands."""
    return draw_digits(4)


def test_envelopes_bear_real_zips(directory: Directory, drawn: Digits) -> None:
    """The receiver's ZIP exists, and its box lies inside and holds ink darker than paper."""
    for envelope in draw_mail(12, directory, digits=drawn, seed=1):
        picture = envelope.picture
        assert picture.dtype == np.uint8
        assert envelope.to.place.zip in directory
        left, top, right, bottom = envelope.box
        assert 0 <= left < right <= picture.shape[1]
        assert 0 <= top < bottom <= picture.shape[0]
        assert right - left > 1.5 * (bottom - top)
        inside = picture[top:bottom, left:right].mean(axis=2)
        assert inside.min() < np.median(inside) - 50


def test_the_same_seed_draws_the_same_mail(directory: Directory, drawn: Digits) -> None:
    """The first envelopes of many are those of few; another seed draws others."""
    few = list(draw_mail(2, directory, digits=drawn, seed=3))
    many = list(draw_mail(3, directory, digits=drawn, seed=3))
    for one, two in zip(few, many, strict=False):
        assert np.array_equal(one.picture, two.picture)
        assert (one.to, one.box) == (two.to, two.box)
    (other,) = draw_mail(1, directory, digits=drawn, seed=4)
    assert other.to != few[0].to


def test_a_folder_of_mail_has_its_truth(directory: Directory, tmp_path: Path) -> None:
    """truth.csv names each picture, its ZIP as text, its town and the box of the ZIP."""
    told: list[tuple[int, int]] = []
    made = make_sample(
        3, tmp_path / "mail", directory, digits="drawn",
        progress=lambda done, all_: told.append((done, all_)),
    )  # fmt: skip
    assert (made.pieces, made.digits) == (3, "drawn")
    assert told == [(1, 3), (2, 3), (3, 3)]
    rows = list(csv.DictReader((tmp_path / "mail/truth.csv").read_text().splitlines()))
    assert tuple(rows[0]) == batch.COLUMNS
    for row in rows:
        assert (tmp_path / "mail" / row["piece"]).read_bytes().startswith(b"\xff\xd8")
        place = directory.place(row["zip"])
        assert place is not None
        assert (place.city, place.state) == (row["city"], row["state"])
        assert not row["zip4"] or ZipCode.parse(row["zip4"]).five == row["zip"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"count": 0}, "pieces of sample mail are 1 to"),
        ({"count": 1, "seed": -1}, "a seed is 0 or more"),
        ({"count": 1, "digits": "mine"}, "digits are auto, mnist or drawn"),
    ],
)
def test_wrong_wishes_are_refused(
    directory: Directory, tmp_path: Path, arguments: dict, said: str
) -> None:
    """No pieces, a negative seed and unknown digits are wrong usage."""
    with pytest.raises(UsageError, match=said):
        make_sample(out=tmp_path / "mail", directory=directory, **arguments)
    assert not (tmp_path / "mail").exists()


def test_pieces_that_are_there_are_not_replaced(directory: Directory, tmp_path: Path) -> None:
    """A picture of a piece's name stays, with truth.csv beside it or not, unless forced."""
    mine = tmp_path / "piece-00001.jpg"
    mine.write_bytes(b"mine")
    with pytest.raises(StorageError, match="holds pieces of mail already") as caught:
        make_sample(1, tmp_path, directory, digits="drawn")
    assert caught.value.seen == "piece-00001.jpg"
    assert mine.read_bytes() == b"mine"
    make_sample(1, tmp_path, directory, digits="drawn", force=True)
    assert mine.read_bytes() != b"mine"


def test_without_mnist_the_program_draws(
    directory: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where MNIST is not at hand nothing is fetched: digits are drawn, or it is said."""
    monkeypatch.delenv("DIGITLENS_DATA", raising=False)
    assert load_local_mnist() is None
    assert make_sample(1, tmp_path / "mail", directory).digits == "drawn"
    with pytest.raises(UsageError, match="digitlens data fetch mnist"):
        make_sample(1, tmp_path / "other", directory, digits="mnist")


def test_drawn_digits_stand_in_mnists_frame(drawn: Digits) -> None:
    """Three of each class by each hand: 20 pixels on the longer side, mass in the middle."""
    assert drawn.counts.tolist() == [12] * 10
    assert drawn.writers is not None
    assert len(set(drawn.writers.tolist())) == 4
    rows, columns = np.mgrid[0:28, 0:28] + 0.5
    for image in drawn.images:
        ink = image.astype(float)
        inked = np.argwhere(image > 60)
        size = inked.max(axis=0) - inked.min(axis=0) + 1
        assert 17 <= size.max() <= 20
        middle = (ink * rows).sum() / ink.sum(), (ink * columns).sum() / ink.sum()
        assert np.abs(np.array(middle) - 14).max() < 1.01


def test_every_letter_that_is_needed_has_strokes(directory: Directory) -> None:
    """Each letter of names, streets and towns is written with a stroke, in both cases."""
    towns = [directory.place(item).city for item in directory.zips]  # type: ignore[union-attr]
    for word in [
        *FIRST_NAMES,
        *LAST_NAMES,
        *STREETS,
        *STREET_KINDS,
        *FIRMS,
        *towns,
        "PO Box 0123456789",
    ]:
        for letter in word.replace(" ", ""):
            assert find_strokes(letter), letter
            assert find_strokes(letter.upper()), letter


def test_curves_go_through_their_points() -> None:
    """A rounded stroke passes each of its points, and keeps its corners."""
    points = [(0.0, 0.0, False), (10.0, 0.0, True), (10.0, 10.0, False), (0.0, 10.0, False)]
    curve = round_stroke(points)
    for x, y, _ in points:
        assert min(abs(x - a) + abs(y - b) for a, b in curve) < 1e-9
    assert max(a for a, _ in curve) < 11.5
    assert round_stroke(points[:2]) == [(0.0, 0.0), (10.0, 0.0)]
