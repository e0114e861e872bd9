"""What holds for every IDX file."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitlens.data.idx import decompress, read_images, read_labels, write_images, write_labels
from digitlens.errors import CorruptFileError, DigitlensError

counts = st.integers(0, 4)
images = counts.flatmap(lambda count: arrays(np.uint8, (count, 28, 28)))
labels = counts.flatmap(lambda count: arrays(np.uint8, (count,), elements=st.integers(0, 9)))


@given(images)
def test_images_come_back(pictures: np.ndarray) -> None:
    """Writing and reading, packed or not, gives the same pictures."""
    content = write_images(pictures)
    assert np.array_equal(read_images(content), pictures)
    assert np.array_equal(read_images(decompress(gzip.compress(content, 1))), pictures)


@given(labels)
def test_labels_come_back(classes: np.ndarray) -> None:
    """Writing and reading gives the same labels."""
    assert np.array_equal(read_labels(write_labels(classes)), classes)


@given(labels, st.integers(-8, 8).filter(bool))
def test_another_length_never_passes(classes: np.ndarray, change: int) -> None:
    """A file with bytes missing or added is refused."""
    content = write_labels(classes)
    wrong = content + bytes(change) if change > 0 else content[:change]
    with pytest.raises(CorruptFileError):
        read_labels(wrong)


@given(st.binary(max_size=64))
def test_any_bytes_give_an_array_or_our_error(content: bytes) -> None:
    """No bytes at all make the reader fail with a traceback."""
    for read in (read_images, read_labels, decompress):
        try:
            read(content)
        except DigitlensError as error:
            assert error.wanted
