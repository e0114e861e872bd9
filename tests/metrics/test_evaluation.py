"""Evaluations of made-up models: what they answer is known, so every figure is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from digitlens.digits import Digits, Images, Labels
from digitlens.errors import DataError, ModelError, UsageError
from digitlens.metrics.comparison import compare
from digitlens.metrics.evaluation import Evaluation, Mistake, evaluate


@dataclass(frozen=True)
class Said:
    """What a made-up model says."""

    labels: Labels
    probabilities: NDArray[np.float32]
    refused: NDArray[np.bool_] | None = None
    unsure: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Fake:
    """A model that gives the answers it was told, whatever the pictures show."""

    name: str
    answers: Labels
    sure: NDArray[np.float64]
    refused: NDArray[np.bool_] | None = None
    unsure: NDArray[np.bool_] | None = None

    def predict(self, images: Images) -> Said:
        """Give each answer its confidence; the other nine digits share what is left."""
        assert len(images) == len(self.answers)
        rows = np.repeat((1 - self.sure[:, None]) / 9, 10, axis=1)
        rows[np.arange(len(rows)), self.answers] = self.sure
        return Said(self.answers, rows.astype(np.float32), self.refused, self.unsure)


def sheet(labels: list[int], source: str = "mnist test") -> Digits:
    """Blank pictures with these labels."""
    return Digits(np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.uint8), source)


def fake(answers: list[int], sure: list[float] | float = 0.9, name: str = "fake") -> Fake:
    """A model that gives these answers."""
    values = np.broadcast_to(np.asarray(sure, float), len(answers))
    return Fake(name, np.array(answers, np.uint8), values)


def ticking() -> Iterator[float]:
    """A clock that goes on by half a second at each look."""
    now = 0.0
    while True:
        yield now
        now += 0.5


TRUTH = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
ANSWERS = [0, 1, 2, 3, 9, 5, 6, 1, 8, 9]  # 4 read as 9, 7 read as 1
SURE = [0.99, 0.98, 0.97, 0.96, 0.6, 0.95, 0.94, 0.8, 0.93, 0.92]


@pytest.fixture
def result() -> Evaluation:
    """Ten digits of which two are read wrongly."""
    clock = ticking()
    return evaluate(fake(ANSWERS, SURE), sheet(TRUTH), clock=lambda: next(clock))


def test_misses_are_counted_whole(result: Evaluation) -> None:
    """Two of ten wrong: misses are integers and accuracy is worked out from them."""
    assert (result.misses, result.count, result.accuracy) == (2, 10, 0.8)
    assert result.interval == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert result.confusion[4, 9] == result.confusion[7, 1] == 1
    assert [item.misses for item in result.per_class] == [0, 0, 0, 0, 1, 0, 0, 1, 0, 0]
    assert (result.model, result.source) == ("fake", "mnist test")


def test_the_worst_mistakes_come_first(result: Evaluation) -> None:
    """The mistake that was surest leads, with its truth, answer and confidence."""
    first, second = result.worst()
    assert (first.index, first.label, first.predicted) == (7, 7, 1)
    assert first.confidence == pytest.approx(0.8)
    assert second == Mistake(4, 4, 4, 9, second.confidence, second.truth_probability)
    assert second.truth_probability == pytest.approx(0.4 / 9)
    assert result.worst(1) == [first]


def test_coverage_stops_before_the_first_mistake(result: Evaluation) -> None:
    """Eight of ten can be answered without an error, at every rate asked for."""
    assert list(result.coverage) == [0.01, 0.005, 0.001]
    assert {item.answered for item in result.coverage.values()} == {8}


def test_time_is_taken_from_the_clock_given(result: Evaluation) -> None:
    """The clock is read once before and once after predict."""
    assert (result.seconds, result.digits_per_second) == (0.5, 20.0)


def test_positions_follow_a_slice_and_disputed_labels_with_them() -> None:
    """Digits 940 to 949 of the test set: the miss at 947 is disputed, the one at 949 is not."""
    whole = sheet([3] * 1000)
    result = evaluate(fake([3, 3, 3, 3, 3, 3, 3, 5, 3, 8]), whole[940:950])
    assert [mistake.position for mistake in result.worst()] == [947, 949]
    assert (result.misses, result.count) == (2, 10)
    assert result.undisputed is not None
    assert (result.undisputed.misses, result.undisputed.count) == (1, 9)
    assert "undisputed   1 of 9, 88.89 %, without the 1 disputed label\n" in result.summary()


def test_only_the_mnist_test_set_has_disputed_labels() -> None:
    """Elsewhere there is no second figure, nor where nothing but disputed labels is left."""
    assert evaluate(fake(ANSWERS), sheet(TRUTH, "uci test")).undisputed is None
    assert evaluate(fake([1]), sheet([1] * 1000)[947:948]).undisputed is None


def test_no_digits_are_refused() -> None:
    """An empty set has no accuracy."""
    with pytest.raises(DataError, match="at least one digit"):
        evaluate(fake([]), sheet([]))


@pytest.mark.parametrize("labels", [(9,), (10, 1)])
def test_answers_of_another_shape_are_refused(labels: tuple[int, ...]) -> None:
    """A model that answers too few digits is not scored on the rest."""

    class Odd:
        name = "odd"

        def predict(self, images: Images) -> Said:
            assert len(images) == 10
            return Said(np.zeros(labels, np.uint8), np.full((10, 10), 0.1, np.float32))

    with pytest.raises(ModelError, match="odd must give a label and 10 probabilities"):
        evaluate(Odd(), sheet(TRUTH))


def test_answers_that_are_no_numbers_are_refused() -> None:
    """NaN is not compared with anything; it is refused."""
    with pytest.raises(ModelError, match="probabilities that are numbers") as caught:
        evaluate(fake(ANSWERS, float("nan")), sheet(TRUTH))
    assert caught.value.seen == "10 of 10 digits with NaN or infinity"


def test_as_dict_is_json_with_fixed_keys(result: Evaluation) -> None:
    """The keys are these and no others, and JSON holds them unchanged."""
    values = result.as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert list(values) == [
        *("format", "model", "source", "count", "misses", "accuracy", "interval"),
        *("undisputed", "decisions", "nll", "brier", "calibration", "coverage"),
        *("per_class", "confusion", "wrong", "seconds", "digits_per_second"),
    ]
    assert values["format"] == 1
    assert values["undisputed"] == {"misses": 2, "count": 10, "accuracy": 0.8}
    assert list(values["wrong"][0]) == [
        *("index", "position", "label", "predicted", "confidence", "truth_probability")
    ]
    assert values["per_class"][4] == {
        "digit": 4,
        "count": 1,
        "misses": 1,
        "answered": 0,
        "wrong": None,
        "unsure": None,
        "refused": None,
        "recall": 0.0,
        "precision": None,
    }
    assert set(values["coverage"][0]) == {
        *("error_rate", "answered", "misses", "share", "threshold")
    }


def test_summary_is_plain_aligned_text(result: Evaluation) -> None:
    """The summary is exactly this."""
    assert result.summary().splitlines()[:11] == [
        "fake on mnist test",
        "  misses       2 of 10",
        "  accuracy     80.00 %; 95 % interval 49.02 % to 94.33 %",
        f"  log loss     {result.nll:.4f} nats; Brier score {result.brier:.4f}",
        "  calibration  confidence and accuracy differ by 17.60 points in the mean",
        "  coverage     at most 1 % wrong: 80.00 % answered (confidence 0.920 or more)",
        "               at most 0.5 % wrong: 80.00 % answered (confidence 0.920 or more)",
        "               at most 0.1 % wrong: 80.00 % answered (confidence 0.920 or more)",
        "  confused     4 read as 9: 1; 7 read as 1: 1",
        "  speed        20 digits/s",
        "",
    ]
    assert "  4          1       1    0.00 %          -" in result.summary()


def test_wrong_unsure_and_refused_are_counted_apart() -> None:
    """Each digit counts once: as refused, else as unsure, else as wrong, or not at all."""
    model = replace(
        fake([4, 9, 9, 9, 4], name="careful"),
        refused=np.array([True, True, False, False, False]),
        unsure=np.array([False, False, True, False, False]),
    )
    digits = sheet([4, 4, 4, 4, 4])
    careful = evaluate(model, digits)
    assert careful.misses == 3
    assert careful.as_dict()["decisions"] == {"wrong": 1, "unsure": 1, "refused": 2}
    assert careful.as_dict()["per_class"][4]["refused"] == 2
    assert "1 answered and wrong, 1 unsure (check these), 2 refused" in careful.summary()
    head, one, other = compare([model, fake([4] * 5)], digits).summary(120).splitlines()[1:4]
    assert head.split()[-4:] == ["answered", "wrong", "unsure", "refused"]
    assert (one.split()[-3:], other.split()[-3:]) == (["1", "1", "2"], ["-", "-", "-"])


def test_a_perfect_score_has_words_too() -> None:
    """Nothing is confused, everything can be answered."""
    said = evaluate(fake(TRUTH), sheet(TRUTH)).summary()
    assert "accuracy     100.00 %" in said
    assert "confused     none" in said
    assert "at most 0.1 % wrong: 100.00 % answered\n" in said


def test_a_hopeless_score_has_words_too() -> None:
    """Where every answer is wrong none can be given at any rate."""
    assert "none can be answered" in evaluate(fake([5] * 3), sheet([1] * 3)).summary()


def test_compare_counts_what_each_alone_gets_right() -> None:
    """Each pair is tested on the digits that only one of the two gets right."""
    truth = [1] * 40
    good, poor = fake([1] * 40, name="good"), fake([1] * 28 + [7] * 12, name="poor")
    result = compare([good, poor], sheet(truth))
    (pair,) = result.pairs
    assert (pair.discordance.only_first, pair.discordance.only_second) == (12, 0)
    assert pair.p == 2 / 2**12
    assert result.differs(pair)
    assert "good misses 12 digits fewer than poor." in result.summary()
    assert "Chance does not explain that." in result.summary()


def test_compare_says_when_it_is_chance() -> None:
    """Three digits against one prove nothing."""
    one = fake([1] * 37 + [7] * 3, name="one")
    two = fake([7] + [1] * 39, name="two")
    said = compare([one, two], sheet([1] * 40)).summary()
    assert "two misses 2 digits fewer than one." in said
    assert "p = 0.62" in said
    assert "cannot be told from chance" in said


def test_compare_says_when_they_miss_equally_many() -> None:
    """Equal misses name no better model, even where they are not the same digits."""
    said = compare([fake([1, 7]), fake([7, 1])], sheet([1, 1])).summary()
    assert "fake and fake (2) miss equally many." in said


def test_the_bar_is_shared_among_the_pairs() -> None:
    """Of three models each of the three pairs has to pass 0.05 / 3."""
    result = compare([fake([1]), fake([1]), fake([1])], sheet([1]))
    assert [(pair.first, pair.second) for pair in result.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert result.bar == pytest.approx(0.05 / 3)
    assert "With 3 pairs, p below 0.017" in result.summary()


def test_comparison_as_dict_is_json_with_fixed_keys() -> None:
    """The keys are these, and JSON holds them unchanged."""
    values = compare([fake([1, 7]), fake([1, 1])], sheet([1, 1])).as_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert list(values) == ["format", "source", "count", "models", "bar", "pairs"]
    assert [item["model"] for item in values["models"]] == ["fake", "fake (2)"]
    assert values["pairs"] == [
        {
            "first": 0,
            "second": 1,
            "only_first": 0,
            "only_second": 1,
            "both_wrong": 0,
            "p": 1.0,
            "differs": False,
        }
    ]


def test_one_model_cannot_be_compared() -> None:
    """Comparing wants two models."""
    with pytest.raises(UsageError, match="two or more models"):
        compare([fake([1])], sheet([1]))
