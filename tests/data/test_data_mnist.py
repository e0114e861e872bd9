"""The real MNIST, where DIGITLENS_DATA has it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from digitlens.data import DataSplits, load_digits

pytestmark = pytest.mark.skipif(
    not os.environ.get("DIGITLENS_DATA"),
    reason="DIGITLENS_DATA is not set: it must name a folder with MNIST's files",
)


@pytest.fixture(scope="module")
def mnist() -> DataSplits:
    """Return MNIST with a tenth of the writers held back."""
    return load_digits("mnist")


def writers(mnist: DataSplits, part: str) -> set[int]:
    """Return who wrote the digits of a part."""
    known = mnist.part(part).writers
    assert known is not None, "the tables of writers must lie beside MNIST's files"
    return set(known.tolist())


def test_counts_are_the_published_ones(mnist: DataSplits) -> None:
    """60,000 training digits, of which some are held back, and 10,000 test digits."""
    assert len(mnist.train) + len(mnist.validation) == 60_000
    assert len(mnist.test) == 10_000
    assert (mnist.train.counts + mnist.validation.counts).tolist() == [
        *[5923, 6742, 5958, 6131, 5842],
        *[5421, 5918, 6265, 5851, 5949],
    ]
    assert mnist.test.counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_first_digits_are_the_known_ones() -> None:
    """Training begins 5 0 4 1 9, the test part 7 2 1 0 4, and pixels are where they belong."""
    whole = load_digits("mnist", validation=0)
    assert whole.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert whole.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert whole.train.images[0, 5, 12:16].tolist() == [3, 18, 18, 18]
    assert whole.validation.images.shape == (0, 28, 28)
    assert whole.split == "nothing is held back for validation"


def test_a_tenth_of_the_writers_is_held_back(mnist: DataSplits) -> None:
    """54 of 539, a tenth of either partition; the words say so."""
    count = len(mnist.validation)
    assert mnist.split == f"by writer: 54 of the 539 writers, {count:,} digits, are held back"
    assert 5_500 < count < 6_500
    held, rest = writers(mnist, "validation"), writers(mnist, "train")
    assert (len(held), len(rest)) == (54, 485)
    assert sum(writer >= 2100 for writer in held) == 25  # NIST numbers pupils from 2100 on


def test_no_writer_is_in_two_parts(mnist: DataSplits) -> None:
    """Training, validation and test digits were written by different people."""
    parts = [writers(mnist, part) for part in ("train", "validation", "test")]
    assert [len(item & other) for item in parts for other in parts] == [
        *[485, 0, 0],
        *[0, 54, 0],
        *[0, 0, len(parts[2])],
    ]


def test_the_split_is_the_same_every_time(mnist: DataSplits) -> None:
    """The digits that are held back are pinned: published figures depend on them."""
    assert len(mnist.validation) == 6071
    assert mnist.validation.positions[:5].tolist() == [10, 40, 62, 84, 100]
    assert np.array_equal(load_digits("mnist").validation.positions, mnist.validation.positions)


def test_parts_name_their_file(mnist: DataSplits) -> None:
    """Positions lead back to the published files."""
    assert [mnist.train.source, mnist.test.source] == ["mnist train", "mnist test"]
    assert mnist.validation.source == "mnist train"
    whole = load_digits("mnist", validation=0).train
    index = mnist.validation.positions
    assert np.array_equal(whole.images[index], mnist.validation.images)
    assert np.array_equal(mnist.test.positions, np.arange(10_000))


def test_a_limit_keeps_the_test_part() -> None:
    """A thousand training digits, and all of the test part."""
    data = load_digits("mnist", limit=1000)
    assert (len(data.train), len(data.validation), len(data.test)) == (1000, 1000, 10_000)
    assert data.split.endswith("limited to 1,000 training and 1,000 validation digits")


def test_hashes_are_those_of_the_files(mnist: DataSplits) -> None:
    """Each file that was read has its SHA-256; the first is the published one."""
    assert len(mnist.hashes) in (5, 6)
    assert all(len(item) == 64 for item in mnist.hashes.values())
