"""All sources in one: whoever wrote or drew a digit is in one part only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlens.data import load, load_digits, world
from digitlens.data.font_digits import Face
from digitlens.data.pen_digits import PenDigits
from digitlens.data.split import RawDataset
from digitlens.data.world import FONTS, PEN, RULE
from digitlens.digits import Digits

WRITERS = 20


def digits(count: int, writers: int) -> Digits:
    """Return blank digits that so many people wrote."""
    numbers = np.arange(count)
    images = np.zeros((count, 28, 28), np.uint8)
    return Digits(images, (numbers % 10).astype(np.uint8), writers=numbers % writers)


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put small made-up collections in the place of the real ones."""
    mnist = digits(200, WRITERS)
    pen, fonts = digits(200, WRITERS), digits(100, 10)
    assert mnist.writers is not None
    assert pen.writers is not None
    strokes = [[np.array([[0, 0], [5, 90], [40, 90]], np.float32)]] * len(pen)
    faces = [Face(Path(f"{i}.ttf"), str(i), i) for i in range(10)]
    group = np.zeros(200, np.int64)
    parts = RawDataset("mnist", mnist, {"m": "1"}, test=digits(30, 5), partitions=group)
    unknown = PenDigits(strokes, pen.labels, pen.writers)
    for name, value in {
        "read_pen": lambda: RawDataset("pen", pen, {}, partitions=group),
        "read_strokes": lambda: (unknown, {"p": "2"}),
        "read_fonts": lambda: RawDataset("fonts", fonts, {}, partitions=group[:100]),
        "read_faces": lambda: (faces, {"f": "3"}),
        "print_digits": lambda kept, rng: np.ones((len(kept) * 10, 28, 28), np.uint8),
        "print_signs": lambda kept, rng: np.ones((len(kept), 28, 28), np.uint8),
        "FORMS": 300,
        "HANDS": 10,
        "PENS": 3,
        "PRINTS": 2,
        "MORE_PENS": 2,
        "OPEN_FOURS": 20,
        "PATTERNS": 50,
    }.items():
        monkeypatch.setattr(world, name, value)
    monkeypatch.setattr(load, "read_published", lambda _: parts)


def test_all_sources_are_joined(sources: None) -> None:
    """MNIST once, pens (4s and 9s more often), fonts, forms and open 4s; and what is none."""
    data = load_digits("world", validation=0)
    assert data.train.writers is not None
    pen = (data.train.writers >= PEN) & (data.train.writers < FONTS)
    counts = np.bincount(data.train.labels[pen], minlength=10)
    assert counts[9] == 5 * counts[8] / 3
    assert len(data.train) == 200 + counts.sum() + 2 * 80 + 300 + 20
    assert world.find_mnist(data.train).sum() == 200
    assert len(data.test) == 30 + 40 + 20
    assert data.hashes == {"m": "1", "p": "2", "f": "3"}
    assert data.negatives is not None
    assert len(data.negatives) == 8 * world.SIGNS + 50


def test_nobody_is_in_two_parts(sources: None) -> None:
    """The writers and families of the test part and of validation are never trained on."""
    data = load_digits("world", validation=0.2)
    parts = [part.writers for part in (data.train, data.validation)]
    assert parts[0] is not None
    assert parts[1] is not None
    train, held = (set(part.tolist()) for part in parts)
    assert not train & held
    for low, share in ((0, 4), (PEN, 3), (FONTS, 2), (RULE, 2)):
        assert sum(low <= writer < low + 1_000_000 for writer in held) == share, low
    alone = load_digits("world", validation=0)
    assert alone.train.writers is not None
    pen = {w - PEN for w in alone.train.writers.tolist() if PEN <= w < FONTS}
    assert len(pen) == 16


def test_without_tables_of_writers_each_digit_is_its_own(
    sources: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MNIST without QMNIST's tables is still divided."""
    bare = Digits(np.zeros((200, 28, 28), np.uint8), np.zeros(200, np.uint8))
    parts = RawDataset("mnist", bare, {}, test=digits(30, 5), no_writers="no tables")
    monkeypatch.setattr(load, "read_published", lambda _: parts)
    data = load_digits("world", validation=0.1)
    assert data.validation.writers is not None
    assert sum(writer < PEN for writer in data.validation.writers.tolist()) == 20


def test_the_same_call_gives_the_same_digits(sources: None) -> None:
    """Pens and forms are drawn from a fixed seed."""
    one, two = load_digits("world"), load_digits("world")
    assert (one.train.images == two.train.images).all()
    assert one.split == two.split
