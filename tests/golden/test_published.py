"""The published networks: their cards, their sizes, and their misses to the digit."""

from __future__ import annotations

import os

import numpy as np
import pytest

from digitlens import load_digits, load_model
from digitlens.digits import SIDE
from digitlens.models import NETWORKS
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.inference import published_names

GOLDEN = {
    "best": 24,
    "cnn": 36,
    "dense-deformed": 45,
    "fast": 35,
    "quick": 77,
    "tiny": 86,
    "universal": 35,
}
"""Misses among the 10,000 test digits of MNIST. Another processor adds in another order and
may move a digit that lies on the edge, hence `EDGE`."""

TRAINED_ON = {"universal": ("world", 122_637)}
"""Source and digits of the networks that have seen more than MNIST."""

EDGE = 1
LARGEST = 25_000_000


def test_every_published_network_is_pinned() -> None:
    """The list of golden misses is the list of published networks, and all can be trained."""
    assert set(published_names()) == set(GOLDEN)
    assert set(published_names()) <= set(NETWORKS)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_misses_are_those_of_the_card(name: str) -> None:
    """Counted again, the misses are the pinned ones, and the card says the same."""
    if not os.environ.get("DIGITLENS_DATA"):
        pytest.skip("DIGITLENS_DATA is not set: it must name a folder with MNIST's files")
    model = load_model(name)
    assert model.card.test == {"misses": GOLDEN[name], "count": 10_000}
    test = load_digits("mnist").test
    misses = int((model.predict(test.images).labels != test.labels).sum())
    assert abs(misses - GOLDEN[name]) <= EDGE


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_card_says_what_its_network_is(name: str) -> None:
    """Name, data, count, seed and limits stand in the card, which prints."""
    card = load_model(name).card
    assert card.name == card.network == name
    assert (card.data, card.trained_on) == TRAINED_ON.get(name, ("mnist", 60_000))
    assert len(card.notes) > 3
    assert f"{card.test['misses']:,} misses in 10,000" in card.markdown()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_published_network_answers_without_any_data(name: str) -> None:
    """Blank paper gets ten shares that sum to 1."""
    given = load_model(name).predict(np.zeros((2, SIDE, SIDE), np.uint8))
    np.testing.assert_allclose(given.probabilities.sum(1), 1, atol=1e-5)


def test_all_of_them_fit_into_the_wheel() -> None:
    """Together the published files stay far enough under 25 MB."""
    sizes = [path.stat().st_size for path in PUBLISHED_FOLDER.glob("*.onnx")]
    assert sizes
    assert sum(sizes) < LARGEST
