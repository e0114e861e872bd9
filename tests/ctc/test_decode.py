"""Decoding: the likeliest strings of a line, by one view or several, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import BeamOptions, align, decode, decode_ensemble
from digitlens.ctc.forward import string_probabilities
from digitlens.ctc.probs import check_lengths, to_probs
from digitlens.errors import DataError, ShapeError, UsageError

Lines = Callable[..., np.ndarray]


def test_a_clear_line_is_read(line: Lines) -> None:
    """Peaks become their digits, zeros in front and twins included, with their probability."""
    decoded = decode(line("0044907", peak=0.99))
    assert decoded.best is not None
    assert decoded.best.text == "0044907"
    assert decoded.best.probability == pytest.approx(0.99**7, rel=1e-3)
    assert decoded.best.among_lengths == decoded.best.probability
    assert decoded.lengths is None
    assert decoded.length_probability == 1.0


def test_a_line_of_blanks_is_empty(line: Lines) -> None:
    """Where nothing but blank is likely the string is empty, and nearly sure."""
    decoded = decode(line(""))
    assert [item.text for item in decoded.candidates] == [""]
    assert decoded.candidates[0].probability > 0.999


def test_rivals_come_second(line: Lines) -> None:
    """A second digit at a place gives the second string, in proportion."""
    decoded = decode(line("123", rivals={1: ("7", 0.33)}))
    first, second = decoded.candidates[:2]
    assert (first.text, second.text) == ("123", "173")
    assert second.probability / first.probability == pytest.approx(0.5, rel=1e-3)


def test_the_number_of_strings_is_asked_for(line: Lines) -> None:
    """No more strings come back than were asked for, the likeliest first."""
    probs = line("123", peak=0.7, rivals={0: ("4", 0.4), 2: ("8", 0.3)})
    for best in (1, 3, 8):
        values = [item.probability for item in decode(probs, best=best).candidates]
        assert len(values) == best
        assert values == sorted(values, reverse=True)


def test_alignments_are_summed() -> None:
    """The string of many alignments wins over the one with the likeliest alignment.

    Two frames, blank 0.6 and a digit 0.4 in each: all blank has 0.36, the digit 0.64.
    """
    frames = np.full((2, 11), 1e-12)
    frames[:, 10], frames[:, 3] = 0.6, 0.4
    best = decode(frames).best
    assert best is not None
    assert best.text == "3"
    assert best.probability == pytest.approx(0.64)


def test_a_length_is_kept(line: Lines) -> None:
    """With a length the best string of that length comes back, however unlikely it is."""
    probs = line("1234", peak=0.98, rivals={2: ("9", 0.001)})
    for length in (1, 2, 3, 4, 5, 9):
        decoded = decode(probs, lengths={length})
        assert decoded.best is not None
        assert len(decoded.best.text) == length
        assert 0 <= decoded.best.probability <= decoded.length_probability <= 1
    four = decode(probs, lengths={4})
    assert four.best is not None
    assert four.best.text == "1234"
    assert four.best.among_lengths > 0.99 > four.best.probability


def test_a_likely_wrong_length_does_not_push_out_a_right_one(line: Lines) -> None:
    """Digits that are probably not there are read where the length wants them."""
    probs = line("12345", peak=0.02)
    free, given = decode(probs), decode(probs, lengths={5})
    assert free.best is not None
    assert given.best is not None
    assert free.best.text == ""
    assert given.best.text == "12345"
    assert given.best.probability == pytest.approx(0.02**5, rel=0.01)
    assert given.best.among_lengths == pytest.approx(1.0, abs=0.02)


def test_the_best_of_each_allowed_length_is_there(line: Lines) -> None:
    """Several lengths give the best string of each, among them or after them."""
    decoded = decode(line("12345", peak=0.9), lengths={4, 5}, best=2)
    assert decoded.best is not None
    assert len(decoded.best.text) == 5
    assert {len(item.text) for item in decoded.candidates} == {4, 5}
    assert sum(item.among_lengths for item in decoded.candidates) <= 1


def test_the_length_is_as_likely_as_it_is(line: Lines) -> None:
    """Five peaks of 0.9 have five digits in 0.9 ** 5 of all cases."""
    decoded = decode(line("12345", peak=0.9), lengths={5})
    assert decoded.length_probability == pytest.approx(0.9**5, rel=1e-3)


def test_many_faint_digits_count_together() -> None:
    """Digits too faint to be searched for count in how likely a length is, taken together."""
    frames = np.full((121, 11), 1e-9)
    frames[3, 1] = 0.99
    faint = np.arange(10, 110, 2)
    frames[faint, faint // 2 % 10] = 8e-4
    frames[:, 10] = 1 - frames[:, :10].sum(axis=1)
    clear = (1 - 8e-4) ** 50
    likely = 0.99 * clear * (1 + 50 * 8e-4)
    decoded = decode(frames, lengths={1, 2})
    assert decoded.length_probability == pytest.approx(likely, rel=0.002)


def test_far_too_unlikely_strings_are_still_weighed(line: Lines) -> None:
    """Where a length is all but impossible its best string has a probability above 0."""
    best = decode(line("", noise=1e-8), lengths={3}).best
    assert best is not None
    assert 0 < best.probability < 1e-18


def test_more_digits_than_frames_give_nothing() -> None:
    """Where no alignment of the wanted length can be, no string comes back."""
    probs = np.full((3, 11), 1 / 11)
    decoded = decode(probs, lengths={4})
    assert decoded.candidates == ()
    assert decoded.best is None
    three = decode(probs, lengths={3}).best
    assert three is not None
    assert len(three.text) == 3


def test_an_impossible_digit_is_never_read() -> None:
    """Minus infinity is a probability of 0, whatever length is wanted."""
    frames = np.zeros((6, 11))
    frames[:, 10], frames[:, 1] = 0.5, 0.5
    with np.errstate(divide="ignore"):
        probs = to_probs(np.log(frames))
    best = decode(probs, lengths={3}).best
    assert best is not None
    assert best.text == "111"
    assert decode(probs, lengths={4}).candidates == ()


def test_long_flat_lines_do_not_underflow() -> None:
    """A line of 600 frames of which nothing is known still gives a string, and no NaN."""
    probs = np.full((600, 11), 1 / 11)
    for lengths in (None, {5}):
        decoded = decode(probs, lengths=lengths, beam=BeamOptions(width=3, length_width=2))
        assert decoded.best is not None
        assert all(0 <= item.probability <= 1 for item in decoded.candidates)
        assert all(0 <= item.among_lengths <= 1 for item in decoded.candidates)


def test_float32_and_float64_read_alike(line: Lines) -> None:
    """The kind of float that a network gives does not matter."""
    large = np.log(line("31415", peak=0.8))
    one, two = (decode(to_probs(large.astype(kind))).best for kind in ("f4", "f8"))
    assert one is not None
    assert two is not None
    assert one.text == two.text == "31415"
    assert one.probability == pytest.approx(two.probability, rel=1e-5)


def test_weighing_by_hand() -> None:
    """Two flat frames of eleven classes: one alignment of nothing, three of a digit."""
    result = string_probabilities(np.full((2, 11), 1 / 11), ["", "7", "77", "78", "781"])
    assert (result * 121).round(9).tolist() == [1, 3, 0, 1, 0]


@pytest.mark.parametrize(
    ("log_probs", "seen", "likely"),
    [
        (np.zeros((3, 10), np.float32), "float32 (3, 10)", None),
        (np.zeros((2, 3, 11), np.float32), "float32 (2, 3, 11)", "a batch of lines"),
        (np.zeros((11, 40), np.float32), "float32 (11, 40)", "time on the second axis"),
        (np.zeros((0, 11), np.float32), "float32 (0, 11)", None),
        (np.zeros((3, 11), np.int64), "int64 (3, 11)", None),
        ([[0.0] * 11], "list", None),
    ],
)
def test_other_shapes_are_refused(log_probs: object, seen: str, likely: str | None) -> None:
    """What is no float (T, 11) is refused with its own shape, and the cause where it shows."""
    with pytest.raises(ShapeError) as caught:
        to_probs(log_probs)  # type: ignore[arg-type]
    assert caught.value.seen == seen
    assert caught.value.likely == likely


@pytest.mark.parametrize(
    ("frame", "seen", "likely"),
    [
        ([np.nan] * 11, "NaN in 1 of 4 time steps; the first is step 2", "diverged"),
        ([50.0] + [0.0] * 10, "time step 2 sums to 5.18471e+21", "logits"),
        ([-9.0] * 11, "time step 2 sums to 0.00135751", "logits"),
        ([1e6] * 11, "time step 2 sums to inf", "logits"),
    ],
)
def test_other_numbers_are_refused(frame: list[float], seen: str, likely: str) -> None:
    """NaN and logits are refused, and the first bad time step is named."""
    log_probs = np.log(np.full((4, 11), 1 / 11))
    log_probs[2] = frame
    with pytest.raises(DataError) as caught:
        to_probs(log_probs)
    assert caught.value.seen == seen
    assert likely in str(caught.value.likely)


def test_probabilities_are_told_from_their_logarithms() -> None:
    """Plain probabilities are refused with the way to mend it."""
    with pytest.raises(DataError, match="probabilities, not their logarithms"):
        to_probs(np.full((4, 11), 1 / 11))


@pytest.mark.parametrize("lengths", [0, -1, [], {5, 0}, True, 2.5, "5", [3, "4"]])
def test_other_lengths_are_refused(lengths: object) -> None:
    """A length is a whole number of at least 1, and at least one is allowed."""
    with pytest.raises(UsageError, match="length"):
        check_lengths(lengths)  # type: ignore[arg-type]


def test_lengths_of_all_kinds_are_taken() -> None:
    """A number, numpy's numbers, and any collection of them say the same."""
    assert check_lengths(np.int64(5)) == check_lengths([5]) == check_lengths((5, 5)) == {5}
    assert check_lengths(range(3, 5)) == {3, 4}


def test_no_strings_cannot_be_asked_for(line: Lines) -> None:
    """At least one string is returned."""
    with pytest.raises(UsageError, match="best must be at least 1"):
        decode(line("1"), best=0)


def test_frames_sum_to_one_again() -> None:
    """The rounding of float32 is taken out, so that no probability is above 1."""
    frames = np.zeros((5, 11), np.float32)
    frames[:, 10], frames[:, :10] = 1.0, 1e-5
    tidy = to_probs(np.log(frames))
    assert tidy.dtype == np.float64
    np.testing.assert_allclose(tidy.sum(axis=1), 1, rtol=1e-15)


def test_what_every_view_finds_likely_counts(line: Lines) -> None:
    """A string that both views find likely beats one that only one of them does."""
    one = line("41", rivals={1: ("7", 0.39)})
    two = line("44", rivals={1: ("7", 0.39)})
    assert [decode(view).best.text for view in (one, two)] == ["41", "44"]
    both = decode_ensemble([one, two])
    assert (both.best.text, both.lengths, both.length_probability) == ("47", None, 1.0)


def test_a_probability_is_the_geometric_mean(line: Lines) -> None:
    """Each string has the geometric mean of what the views give it, over all alignments."""
    views = [line("412", rivals={1: ("7", 0.3)}), line("412", rivals={2: ("3", 0.4)}, step=5)]
    for item in decode_ensemble(views).candidates:
        shares = [string_probabilities(view, [item.text])[0] for view in views]
        assert item.probability == pytest.approx(np.sqrt(np.prod(shares)), rel=1e-6)


def test_views_may_have_other_frames(line: Lines) -> None:
    """Where and how far apart the digits stand in each view does not matter."""
    decoded = decode_ensemble([line("4071", step=3), line("4071", step=12), line("4071")])
    assert decoded.best.text == "4071"
    assert decoded.best.probability == pytest.approx(0.97**4, rel=1e-3)


def test_views_that_disagree_leave_less(line: Lines) -> None:
    """Two sure views of different strings make neither of them likely."""
    decoded = decode_ensemble([line("41"), line("47")])
    assert decoded.best.probability < 0.1


def test_strings_that_no_view_finds_likely_keep_their_order(line: Lines) -> None:
    """Strings below the floor come in the order of the views' own probabilities."""
    rng = np.random.default_rng(0)
    frames = rng.dirichlet(np.full(11, 0.2), 12) * 1e-3
    frames[::2, 10] += 1
    frames[1::2][np.arange(6), [1, 2, 3, 4, 5, 6]] += 1
    view = frames / frames.sum(axis=1, keepdims=True)
    for lengths in ({1}, {1, 2}):
        once, again = (decode_ensemble([view] * times, lengths=lengths) for times in (1, 2))
        assert once.best.probability < 1e-12
        assert [item.text for item in again.candidates] == [
            item.text for item in once.candidates
        ]


def test_no_view_rules_a_string_out(line: Lines) -> None:
    """What one view gives no chance at all may still be read."""
    blank = np.zeros((20, 11))
    blank[:, 10] = 1.0
    decoded = decode_ensemble([line("41"), line("41"), blank])
    share = {item.text: item.probability for item in decoded.candidates}
    assert 1e-5 < share["41"] < 1e-3


def test_lengths_hold(line: Lines) -> None:
    """With lengths only strings of these come back, as sure as they are among these."""
    views = [line("412", rivals={1: ("7", 0.3)}), line("412", rivals={2: ("3", 0.4)})]
    decoded = decode_ensemble(views, lengths={3, 5})
    assert decoded.lengths == {3, 5}
    assert {len(item.text) for item in decoded.candidates} <= {3, 5}
    assert decoded.best.text == "412"
    shares = sum(item.among_lengths for item in decoded.candidates)
    assert decoded.best.among_lengths >= decoded.best.probability
    assert 0 < shares <= 1 + 1e-9


def test_the_best_of_each_length_is_among_them(line: Lines) -> None:
    """As for one view, the best string of each allowed length comes back beyond `best`."""
    views = [line("412"), line("412", step=6)]
    for lengths in ({1, 2, 3}, {2, 3}):
        one = decode(views[0], lengths=lengths, best=1)
        decoded = decode_ensemble(views, lengths=lengths, best=1)
        assert {len(item.text) for item in one.candidates} == lengths
        assert {len(item.text) for item in decoded.candidates} == lengths
    assert len(decode_ensemble(views, best=1).candidates) == 1


def test_one_view_is_enough(line: Lines) -> None:
    """One view gives what `decode` gives."""
    view = line("007", rivals={2: ("1", 0.3)})
    assert decode_ensemble([view]) == decode(view)
    assert decode_ensemble([view], lengths={2}, best=2) == decode(view, lengths={2}, best=2)


def test_what_is_known_of_the_first_view_is_taken(line: Lines) -> None:
    """A first view that was decoded before gives the same strings, and is not decoded again."""
    views = [line("412", rivals={1: ("7", 0.3)}), line("412", rivals={2: ("3", 0.4)})]
    for lengths in (None, {3}, {2, 3}):
        first = decode(views[0], lengths=lengths)
        assert decode_ensemble(views, lengths=lengths, first=first) == decode_ensemble(
            views, lengths=lengths
        )
    other = decode(line("999"))
    result = decode_ensemble(views, first=other, best=50)
    assert "999" in [item.text for item in result.candidates]
    assert decode_ensemble(views[:1], first=other) is other


def test_a_length_that_cannot_be_gives_nothing(line: Lines) -> None:
    """More digits than the first view has frames: no string; with room there, there is one."""
    short, long = line("4", step=2), line("4", step=20)
    assert decode_ensemble([short, short], lengths={30}).candidates == ()
    result = decode_ensemble([long, short], lengths={30})
    assert all(len(item.text) == 30 for item in result.candidates)
    assert result.best is not None


def test_no_view_is_refused() -> None:
    """Without any view there is nothing to decode."""
    with pytest.raises(UsageError) as caught:
        decode_ensemble([])
    assert str(caught.value) == "at least one view of a line must be given\n  seen    none"


def test_what_decode_refuses_is_refused_of_several_views(line: Lines) -> None:
    """At least one string is returned."""
    with pytest.raises(UsageError):
        decode_ensemble([line("41"), line("41")], best=0)


def test_a_string_must_fit_the_first_view(line: Lines) -> None:
    """Digits are placed in the first view: a string with more digits than its frames is out."""
    short, long = line("4", step=1)[:3], line("407123")
    decoded = decode_ensemble([short, long])
    assert all(len(item.text) <= 3 for item in decoded.candidates)
    assert align(short, decoded.best.text) is not None
    assert decode_ensemble([short, long], lengths={6}).best is None
