"""Hands for lines: who is learnt from, who is held back, who is never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlens.data import line_hands
from digitlens.data.font_digits import Face
from digitlens.data.line_hands import read_line_hands
from digitlens.data.pen_digits import PenDigits
from digitlens.data.split import RawDataset, split_data
from digitlens.digits import Digits


@pytest.fixture
def strokes(monkeypatch: pytest.MonkeyPatch) -> PenDigits:
    """Let twenty writers of ten digits each stand for the pen digits."""
    stroke = [np.array([[0, 0], [5, 9]], np.float32)]
    labels = np.tile(np.arange(10, dtype=np.uint8), 20)
    digits = PenDigits([stroke] * 200, labels, np.repeat(np.arange(20), 10))
    monkeypatch.setattr(line_hands, "read_strokes", lambda: (digits, {"pen": "aa"}))
    return digits


def test_glyphs_need_no_file() -> None:
    """A recipe without hands asks nobody for data."""
    assert read_line_hands(("glyphs",)).hashes == {}


def test_each_writer_is_in_one_part(strokes: PenDigits) -> None:
    """Training, validation and test writers are those of the digits' own split."""
    hands = read_line_hands(("glyphs", "pen"), 0.1)
    counts = [len(part.writers) for part in hands[:3]]
    assert sum(counts) == 20
    assert min(counts) >= 2
    blank = Digits(np.zeros((200, 28, 28), np.uint8), strokes.labels, writers=strokes.writers)
    parts = RawDataset("", blank, {}, partitions=np.zeros(200, np.int64))
    split = split_data(parts, validation=0.1, limit=None)
    assert split.test.writers is not None
    assert counts[2] == len(np.unique(split.test.writers))
    assert hands.hashes == {"pen": "aa"}


def test_fonts_are_parted_by_family_and_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder names the kind, else it is of print; kinds that nobody asked for stay out."""
    faces = [
        Face(Path(f"/f/{kind}/{kind}-{i}/a.ttf"), f"{kind}-{i}", 10 * index + i)
        for index, kind in enumerate(("school", "segment", "mine"))
        for i in range(10)
    ]
    monkeypatch.setattr(line_hands, "read_faces", lambda: (faces, {"fonts": "bb"}))
    hands = read_line_hands(("school", "segment", "printed"), 0.1)
    paths = [
        path for part in hands[:3] for kind in part.faces.values() for f in kind for path in f
    ]
    assert sorted(paths) == sorted(face.path for face in faces)
    assert set(hands.train.faces) == {"school", "segment", "printed"}
    assert all("mine" in str(f[0]) for f in hands.train.faces["printed"])
    assert set(read_line_hands(("school",), 0.1).train.faces) == {"school"}


def test_smiling_heads_are_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no meter shows neither teaches nor measures the reading of displays."""
    names = [*(f"DSEG7-{index}" for index in range(9)), "DSEG7SEGGCHAN"]
    faces = [
        Face(Path(f"/f/segment/{name}/a.ttf"), name, index) for index, name in enumerate(names)
    ]
    monkeypatch.setattr(line_hands, "read_faces", lambda: (faces, {"fonts": "bb"}))
    hands = read_line_hands(("segment",), 0.1)
    families = [f for part in hands[:3] for f in part.faces.get("segment", [])]
    assert sorted(families) == [[face.path] for face in faces[:-1]]
