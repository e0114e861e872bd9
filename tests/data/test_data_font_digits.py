"""Digits of fonts: those that matplotlib brings along stand for a folder of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from digitlens.data import load_digits
from digitlens.data.font_digits import REPEATS, find_folder, print_signs, read_faces
from digitlens.errors import DataError, MissingDataError
from digitlens.synth.fonts import Print, draw_text, has_digits, open_font, print_glyph

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
FAMILIES = {
    "sans": ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"],
    "serif": ["DejaVuSerif.ttf"],
    "mono": ["DejaVuSansMono.ttf"],
    "stix": ["STIXGeneral.ttf"],
    "cm": ["cmr10.ttf"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of five families that DIGITLENS_DATA names."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path))
    for family, names in FAMILIES.items():
        target = tmp_path / "fonts" / "printed" / family
        target.mkdir(parents=True)
        for name in names:
            shutil.copyfile(FONTS / name, target / name)
    return tmp_path / "fonts"


def test_each_digit_of_each_face_is_printed(folder: Path) -> None:
    """Six faces of ten digits, each printed several times; families go to one part."""
    data = load_digits("fonts", validation=0.25)
    parts = (data.train, data.validation, data.test)
    assert sum(len(part) for part in parts) == 6 * 10 * REPEATS
    families = [set(np.unique(part.writers).tolist()) for part in parts]
    assert [len(item) for item in families] == [3, 1, 1]
    assert len(set.union(*families)) == len(FAMILIES)
    assert list(data.hashes) == ["fonts"]
    assert (data.train.images.max(axis=(1, 2)) > 200).all()


def test_the_same_folder_gives_the_same_digits(folder: Path) -> None:
    """Prints differ from each other, and are the same at the next call."""
    one, two = (load_digits("fonts", validation=0) for _ in range(2))
    assert (one.train.images == two.train.images).all()
    zeros = one.train.images[one.train.labels == 0]
    assert (zeros[0] != zeros[1]).any()


def test_a_changed_font_changes_the_hash(folder: Path) -> None:
    """The hash is of all files and their names."""
    _, before = read_faces()
    (folder / "printed" / "cm" / "cmr10.ttf").rename(folder / "printed" / "cm" / "other.ttf")
    _, after = read_faces()
    assert before != after


def test_the_folder_itself_may_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts are found below the named folder and in it, four folders down."""
    assert find_folder() == folder
    monkeypatch.setenv("DIGITLENS_DATA", str(folder / "printed"))
    assert find_folder() == folder / "printed"


def test_no_fonts_are_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where it looked and how to get fonts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DIGITLENS_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match="must be a folder of fonts") as caught:
        load_digits("fonts")
    assert str(tmp_path) in str(caught.value.seen)
    assert "fetch_fonts.py" in str(caught.value.try_)


def test_a_file_that_is_no_font_is_named(folder: Path) -> None:
    """It is not passed over in silence."""
    (folder / "printed" / "cm" / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(DataError, match=r"bad\.ttf must be a font that") as caught:
        load_digits("fonts")
    assert caught.value.try_ == "take it out of the folder"


def test_a_font_without_digits_is_passed_over(folder: Path) -> None:
    """A font of signs draws the same box for all digits, or nothing."""
    name = "STIXSizOneSymReg.ttf"
    assert not has_digits(FONTS / name)
    shutil.copyfile(FONTS / name, folder / "printed" / "cm" / name)
    assert len(read_faces()[0]) == 6


def test_signs_are_no_digits(folder: Path) -> None:
    """Letters and signs are printed as digits are; a sign that is lacking is left out."""
    faces, _ = read_faces()
    signs = print_signs(faces * 5, np.random.default_rng(0))
    assert signs.shape == (30, 28, 28)
    assert (signs.max(axis=(1, 2)) > 100).all()


def test_prints_differ_in_weight_slant_and_ghost() -> None:
    """Ink spreads or wears off, type leans, unlit segments show."""
    font = open_font(FONTS / "DejaVuSans.ttf")
    seven, eight = draw_text(font, "7"), draw_text(font, "8")
    thin, plain, bold = (
        int(print_glyph(seven, Print(weight=weight)).astype(np.int64).sum())
        for weight in (-3, 0, 5)
    )
    assert thin < plain < bold
    leaning = print_glyph(draw_text(font, "1"), Print(slant=0.4))
    top, bottom = (np.flatnonzero(leaning[row]).mean() for row in (6, 20))
    assert top > bottom + 2
    ghost = print_glyph(seven, Print(ghost=0.2), unlit=eight)
    faint = (ghost > 20) & (ghost < 80)
    assert faint.sum() > 20
    assert ghost.max() == 255
