"""From a source's digits to three parts: the rule, its words, and shares that make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digitlens.data.split import DataSplits, RawDataset, check_options, split_data
from digitlens.digits import Digits
from digitlens.errors import DataError, UsageError


def digits(count: int, first: int = 0, writers: np.ndarray | None = None) -> Digits:
    """Return `count` digits whose first pixel counts up from `first`."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = first + np.arange(count)
    return Digits(images, (np.arange(count) % 10).astype(np.uint8), writers=writers)


def made(validation: float = 0.1, limit: int | None = None, **parts: Any) -> DataSplits:
    """Arrange 100 digits and, unless told otherwise, 20 test digits."""
    given = {"train": digits(100), "test": digits(20, first=200)} | parts
    return split_data(
        RawDataset("made up", hashes={"a": "b"}, **given), validation=validation, limit=limit
    )


def values(part: Digits) -> list[int]:
    """Return the first pixel of each digit."""
    return [int(value) for value in part.images[:, 0, 0]]


def test_a_tenth_of_each_class_is_held_back() -> None:
    """Without writers, validation is by class, and the words say how many."""
    data = made()
    assert (len(data.train), len(data.validation), len(data.test)) == (90, 10, 20)
    assert data.validation.counts.tolist() == [1] * 10
    assert data.split == "by class: 10 of 100 digits are held back"
    assert (data.source, data.hashes) == ("made up", {"a": "b"})


def test_the_parts_say_where_they_come_from() -> None:
    """Validation digits are training digits of the source, with their places in it."""
    data = made()
    sources = [part.source for part in (data.train, data.validation, data.test)]
    assert sources == ["made up train", "made up train", "made up test"]
    assert values(data.train) == data.train.positions.tolist()
    assert values(data.validation) == data.validation.positions.tolist()
    assert sorted(values(data.train) + values(data.validation)) == list(range(100))


def test_whole_writers_are_held_back() -> None:
    """With writers known, a fifth of each partition's writers is held back."""
    writers = np.repeat(np.arange(20), 5)
    train = digits(100, writers=writers)
    data = made(0.2, train=train, partitions=np.where(writers < 10, 0, 4))
    assert data.split == "by writer: 4 of the 20 writers, 20 digits, are held back"
    assert data.validation.writers is not None
    assert data.train.writers is not None
    held = set(data.validation.writers)
    assert not held & set(data.train.writers)
    assert sum(writer < 10 for writer in held) == 2


def test_the_words_say_why_it_is_not_by_writer() -> None:
    """A missing table is named."""
    data = made(no_writers="no table lies beside the files")
    assert data.split == (
        "by class: 10 of 100 digits are held back; not by writer, because no table lies "
        "beside the files"
    )


def test_nothing_is_held_back_with_a_share_of_zero() -> None:
    """Validation is then an empty set of digits, and training is the source itself."""
    train = digits(100)
    data = made(0, train=train)
    assert data.validation.images.shape == (0, 28, 28)
    assert data.train.images is train.images
    assert data.split == "nothing is held back for validation"


def test_a_source_of_one_part_gives_a_fifth_to_the_test_part() -> None:
    """The test part is the same whatever is held back from the rest."""
    one, other = made(0.1, test=None), made(0.5, test=None)
    assert (len(one.train), len(one.validation), len(one.test)) == (72, 8, 20)
    assert one.test.counts.tolist() == [2] * 10
    assert values(one.test) == values(other.test)
    assert one.split == (
        "by class: 8 of 80 digits are held back; the test part is 20 digits, "
        "a fifth of each class"
    )


def test_the_test_part_is_by_writer_where_writers_are_known() -> None:
    """No writer of the test part wrote a training or validation digit."""
    writers = np.repeat(np.arange(20), 5)
    train = digits(100, writers=writers)
    data = made(test=None, train=train, partitions=np.zeros(100, np.int64))
    parts = [data.train, data.validation, data.test]
    known = [set(part.writers) for part in parts if part.writers is not None]
    assert [len(item) for item in known] == [14, 2, 4]
    assert not known[0] & known[2]
    assert not known[1] & known[2]
    assert data.split.endswith("the test part is 20 digits, those of a fifth of the writers")


def own_validation(share: float) -> DataSplits:
    """Arrange 100 training digits and 30 validation digits that the source names."""
    parts = RawDataset("made up", digits(100), {}, digits(30, first=100), digits(20, first=200))
    return split_data(parts, validation=share, limit=None)


def test_a_validation_part_of_its_own_is_kept() -> None:
    """What a source calls validation is used, whatever the share."""
    data = own_validation(0.3)
    assert values(data.validation) == list(range(100, 130))
    assert len(data.train) == 100
    assert data.validation.source == "made up validation"
    assert data.split == "the source's own validation part: 30 digits"


def test_a_validation_part_of_its_own_is_trained_on_when_nothing_is_held_back() -> None:
    """A share of 0 trains on everything but the test part."""
    data = own_validation(0)
    assert values(data.train) == list(range(130))
    assert len(data.validation) == 0


def test_a_limit_keeps_class_shares() -> None:
    """Training has just so many digits, validation at most as many, the test part all."""
    data = made(0.3, limit=20)
    assert data.train.counts.tolist() == [2] * 10
    assert data.validation.counts.tolist() == [2] * 10
    assert len(data.test) == 20
    assert data.split == (
        "by class: 30 of 100 digits are held back; "
        "limited to 20 training and 20 validation digits"
    )


def test_a_limit_takes_from_the_same_split() -> None:
    """Digits that are held back without a limit are not trained on with one."""
    assert set(values(made(0.3, limit=20).train)) < set(values(made(0.3).train))


def test_a_limit_above_what_there_is_changes_nothing() -> None:
    """Nothing is said of a limit that was not needed."""
    assert made(limit=1000).split == made().split


@pytest.mark.parametrize("share", [1, 1.5, -0.1, float("nan"), True, "0.1", None])
def test_a_share_is_at_least_0_and_below_1(share: Any) -> None:
    """Anything else is a usage error that shows what was given."""
    with pytest.raises(UsageError, match="at least 0 and below 1") as caught:
        check_options(share, None)
    assert caught.value.seen == repr(share)


@pytest.mark.parametrize("limit", [0, 9, -5, 20.0, True, "100"])
def test_a_limit_is_a_whole_number_of_at_least_ten(limit: Any) -> None:
    """With fewer than ten digits a class would have none."""
    with pytest.raises(UsageError, match="at least 10") as caught:
        check_options(0.1, limit)
    assert caught.value.seen == repr(limit)


def test_wishes_that_make_sense_pass() -> None:
    """The ends of the ranges, and numpy's numbers."""
    for share, limit in ((0, None), (0.999, 10), (np.float32(0.5), np.int64(60))):
        check_options(share, limit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.001, "validation 0.001 holds back less than one digit of 100 of made up"),
        (0.999, "validation 0.999 leaves nothing to train on of made up"),
    ],
)
def test_a_share_without_digits_is_refused(share: float, words: str) -> None:
    """Less than one digit cannot be held back, nor all of them."""
    with pytest.raises(UsageError) as caught:
        made(share)
    assert caught.value.wanted == words


def test_a_share_of_less_than_a_writer_is_refused() -> None:
    """With writers, one writer is the least that can be held back."""
    writers = np.repeat(np.arange(4), 25)
    train = digits(100, writers=writers)
    with pytest.raises(UsageError, match="less than one writer of 4"):
        made(0.1, train=train, partitions=np.zeros(100, np.int64))


def test_too_few_digits_for_a_test_part_are_refused() -> None:
    """Of two digits, a fifth is none."""
    with pytest.raises(DataError, match="too few digits") as caught:
        made(train=digits(2), test=None)
    assert caught.value.seen == "2 digits"


def test_parts_are_called_by_name() -> None:
    """All is training, validation and test joined, positions counted anew."""
    data = made()
    assert data.part("train") is data.train
    assert data.part("validation") is data.validation
    assert data.part("test") is data.test
    whole = data.part("all")
    assert values(whole) == values(data.train) + values(data.validation) + values(data.test)
    assert whole.source == "made up"
    assert whole.positions.tolist() == list(range(120))
    assert len(made(0).part("all")) == 120


def test_writers_are_joined_where_all_are_known() -> None:
    """All has writers when each part that is not empty has them."""
    train, test = digits(100, writers=np.arange(100)), digits(20, writers=np.arange(20))
    both = made(train=train, test=test).part("all").writers
    assert both is not None
    assert len(both) == 120
    assert made(train=train).part("all").writers is None


def test_a_part_of_another_name_is_refused() -> None:
    """The message lists the names."""
    with pytest.raises(UsageError, match="train, validation, test or all") as caught:
        made().part("dev")
    assert caught.value.seen == "'dev'"
