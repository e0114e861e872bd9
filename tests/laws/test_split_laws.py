"""What holds for every split, whoever wrote the digits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitlens.data.split import RawDataset, split_by_class, split_by_writer, split_data
from digitlens.digits import Digits
from digitlens.errors import DataError, UsageError

labels = arrays(np.uint8, st.integers(1, 200), elements=st.integers(0, 9))
seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 1, exclude_max=True)


def rng(seed: int) -> np.random.Generator:
    """Return a generator."""
    return np.random.default_rng(seed)


@given(labels, st.data(), seeds)
def test_every_class_keeps_its_share(
    classes: np.ndarray, data: st.DataObject, seed: int
) -> None:
    """Exactly `count` digits are picked, and each class is within one digit of its share."""
    count = data.draw(st.integers(0, len(classes)))
    held = split_by_class(classes, count, rng(seed))
    assert held.sum() == count
    for label in range(10):
        exact = Fraction(int((classes == label).sum()) * count, len(classes))
        assert abs(int(held[classes == label].sum()) - exact) < 1


@given(labels, seeds)
def test_the_same_chance_picks_the_same_digits(classes: np.ndarray, seed: int) -> None:
    """A split by class depends on its generator and nothing else."""
    half = len(classes) // 2
    first, again = (split_by_class(classes, half, rng(seed)) for _ in range(2))
    assert np.array_equal(first, again)


@st.composite
def written(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Return writers and partitions of some digits; a writer may be in two partitions."""
    count = draw(st.integers(1, 200))
    writers = draw(arrays(np.int64, count, elements=st.integers(0, 30)))
    partitions = draw(arrays(np.int64, count, elements=st.sampled_from([0, 1, 4])))
    return writers, np.where(draw(st.booleans()), partitions, writers % 3)


@given(written(), shares, seeds)
def test_no_writer_is_on_both_sides(
    who: tuple[np.ndarray, np.ndarray], share: float, seed: int
) -> None:
    """A writer is held back with every digit or with none."""
    writers, partitions = who
    held = split_by_writer(writers, partitions, share, rng(seed))
    assert not set(writers[held]) & set(writers[~held])
    assert np.array_equal(held, split_by_writer(writers, partitions, share, rng(seed)))


@given(st.integers(1, 60), st.integers(1, 60), shares, seeds)
def test_every_partition_keeps_its_share(
    employees: int, pupils: int, share: float, seed: int
) -> None:
    """Of each partition's writers the share is held back, to the nearest writer."""
    writers = np.repeat(np.arange(employees + pupils), 3)
    partitions = np.where(writers < employees, 0, 4)
    held = split_by_writer(writers, partitions, share, rng(seed))
    for partition, size in ((0, employees), (4, pupils)):
        people = set(writers[held & (partitions == partition)])
        assert abs(len(people) - share * size) <= 0.5 + 1e-9


@given(
    labels,
    shares,
    st.none() | st.integers(10, 250),
    st.booleans(),
    st.booleans(),
)
def test_the_parts_are_disjoint_and_complete(
    classes: np.ndarray, share: float, limit: int | None, known: bool, tested: bool
) -> None:
    """Every digit is in exactly one part, or left out because of the limit."""
    count = len(classes)
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count)  # at most 200 of them: each has a value of its own
    writers = np.arange(count, dtype=np.int64) // 3
    train = Digits(images, classes, writers=writers if known else None)
    parts = RawDataset(
        "made up",
        train,
        {},
        test=Digits(images[:1], classes[:1]) if tested else None,
        partitions=writers % 2 if known else None,
    )
    try:
        data = split_data(parts, validation=share, limit=limit)
        again = split_data(parts, validation=share, limit=limit)
    except (DataError, UsageError):
        return  # too few digits for such a share; the errors have tests of their own
    used = [data.train, data.validation] + ([] if tested else [data.test])
    positions = np.concatenate([part.positions for part in used])
    assert len(set(positions)) == len(positions)
    for part in used:
        assert np.array_equal(part.images[:, 0, 0], part.positions)
        assert np.array_equal(part.labels, classes[part.positions])
    if limit is None:
        assert len(positions) == count
    else:
        assert max(len(data.train), len(data.validation)) <= limit
    if known:
        assert not set(data.train.writers) & set(data.validation.writers)
        assert tested or not set(data.train.writers) & set(data.test.writers)
    assert np.array_equal(data.train.positions, again.train.positions)
    assert data.split == again.split
