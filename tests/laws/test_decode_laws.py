"""Laws of decoding, against every alignment counted one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlens.ctc import BeamOptions, align, decode
from digitlens.ctc.beam_search import _search_digits, _search_one_digit
from digitlens.ctc.forward import string_probabilities
from digitlens.ctc.probs import to_probs

BLANK = 10
MANY = 10**6
WIDEST = BeamOptions(0.0, 0.0, MANY, 0.0, MANY, MANY)


@st.composite
def few_classes(draw: st.DrawFn) -> tuple[np.ndarray, list[int]]:
    """Draw probabilities (T, 11), T up to 6, of two digits and blank."""
    count = draw(st.integers(1, 6))
    digits = draw(st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True))
    classes = [*sorted(digits), BLANK]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = np.full((count, 11), -np.inf)
    logits[:, classes] = rng.normal(0, draw(st.floats(0.1, 4)), (count, 3))
    return to_probs(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))), classes


@st.composite
def peaked(draw: st.DrawFn) -> np.ndarray:
    """Draw probabilities (T, 11), T up to 60, mostly blank with doubtful peaks."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(8, 60))
    logits = rng.normal(0, 1, (count, 11))
    logits[:, BLANK] += draw(st.sampled_from([6, 9, 13]))
    for index in range(3, count - 2, draw(st.integers(3, 9))):
        spread = draw(st.integers(1, 3))
        rows = slice(index, index + spread)
        logits[rows, BLANK] -= rng.uniform(4, 16)
        for digit in rng.integers(0, 10, draw(st.integers(1, 3))):
            logits[rows, digit] += rng.uniform(2, 12)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return to_probs(logits.astype(np.float32))


def spelled(path: tuple[int, ...]) -> str:
    """Return what an alignment spells: runs made one, blanks left out."""
    return "".join(str(item) for item, _ in itertools.groupby(path) if item != BLANK)


def counted(
    probs: np.ndarray, classes: list[int]
) -> dict[str, list[tuple[tuple[int, ...], float]]]:
    """Return every alignment with its probability, by the string that it spells."""
    result: dict[str, list[tuple[tuple[int, ...], float]]] = {}
    for path in itertools.product(classes, repeat=len(probs)):
        value = float(np.prod([probs[index, item] for index, item in enumerate(path)]))
        result.setdefault(spelled(path), []).append((path, value))
    return result


def sums(probs: np.ndarray, classes: list[int]) -> dict[str, float]:
    """Return the probability of every string."""
    every = counted(probs, classes)
    return {text: sum(value for _, value in paths) for text, paths in every.items()}


@given(few_classes())
def test_a_string_is_the_sum_of_its_alignments(made: tuple[np.ndarray, list[int]]) -> None:
    """The forward pass gives each string what counting its alignments gives; all sum to 1."""
    truth = sums(*made)
    result = string_probabilities(made[0], list(truth))
    np.testing.assert_allclose(result, list(truth.values()), rtol=1e-9)
    assert result.sum() == pytest.approx(1)


@given(few_classes())
def test_the_best_strings_are_found(made: tuple[np.ndarray, list[int]]) -> None:
    """A beam that gives nothing up finds the best strings, with their probabilities."""
    truth = sorted(sums(*made).values(), reverse=True)
    decoded = decode(made[0], beam=WIDEST, best=4)
    result = [item.probability for item in decoded.candidates]
    np.testing.assert_allclose(result, truth[: len(result)], rtol=1e-3, atol=1e-9)
    assert len(result) == min(4, len(truth))


@given(few_classes(), st.integers(1, 4))
def test_the_best_of_a_length_is_found(made: tuple[np.ndarray, list[int]], length: int) -> None:
    """With a length, the best string of it is found, and how likely such strings are."""
    of_length = [value for text, value in sums(*made).items() if len(text) == length]
    decoded = decode(made[0], beam=WIDEST, lengths={length})
    if not of_length:
        assert decoded.best is None
        return
    assert decoded.best is not None
    assert decoded.best.probability == pytest.approx(max(of_length), rel=1e-3, abs=1e-9)
    assert decoded.length_probability == pytest.approx(sum(of_length), rel=1e-3, abs=1e-9)


@given(few_classes())
def test_places_are_those_of_the_alignments(made: tuple[np.ndarray, list[int]]) -> None:
    """Centres are means over all alignments; confidences compare strings that differ once."""
    every, truth = counted(*made), sums(*made)
    best = decode(made[0]).best
    assert best is not None
    text = best.text
    for place, span in enumerate(align(made[0], text, floor=0.0)):
        shown = np.zeros(len(made[0]))
        for path, value in every[text]:
            starts = np.diff([BLANK, *path]) != 0
            number = np.cumsum(starts & (np.array(path) != BLANK)) - 1
            shown[(number == place) & (np.array(path) != BLANK)] += value
        centre = (shown * np.arange(len(shown))).sum() / shown.sum()
        assert span.center == pytest.approx(centre)
        others = {text[:place] + item + text[place + 1 :] for item in ["", *"0123456789"]}
        total = sum(truth.get(other, 0.0) for other in others)
        assert span.confidence == pytest.approx(truth[text] / total)
        for other, value in span.alternatives:
            rival = text[:place] + other + text[place + 1 :]
            assert value == pytest.approx(truth[rival] / total)


@given(few_classes())
def test_the_short_way_of_a_stretch_is_the_long_way(made: tuple[np.ndarray, list[int]]) -> None:
    """A stretch of one digit, summed without tables, holds what it holds with them."""
    digit = made[1][0]
    stretch = [(float(row[BLANK]), [(str(digit), float(row[digit]))]) for row in made[0]]
    short = _search_one_digit(stretch, str(digit))
    long, unit = _search_digits(stretch, WIDEST, 0.0, None)
    assert set(long) <= set(short)
    for text, mass in short.items():
        assert mass == pytest.approx(long.get(text, 0.0) * unit, rel=1e-9)


@settings(max_examples=30)
@given(peaked())
def test_the_quick_search_finds_what_a_wide_one_finds(probs: np.ndarray) -> None:
    """On peaked lines the best string is as likely as that of a search that sees all."""
    quick = decode(probs).best
    wider = decode(
        probs, beam=BeamOptions(floor=1e-6, ratio=1e-7, width=150, max_digits=10**6)
    ).best
    assert quick is not None
    assert wider is not None
    assert quick.probability >= 0.9 * wider.probability
    exact = string_probabilities(probs, [quick.text])[0]
    assert quick.probability <= exact * (1 + 1e-9)
    assert quick.probability >= 0.995 * exact


@settings(max_examples=30)
@given(peaked(), st.sets(st.integers(1, 9), min_size=1, max_size=3))
def test_probabilities_sum_to_one_at_most(probs: np.ndarray, lengths: set[int]) -> None:
    """Strings are all different, the likeliest first, and never sum to more than 1."""
    for allowed in (None, lengths):
        decoded = decode(probs, lengths=allowed, best=8)
        texts = [item.text for item in decoded.candidates]
        values = [item.probability for item in decoded.candidates]
        assert len(set(texts)) == len(texts)
        assert values[:8] == sorted(values[:8], reverse=True)
        assert sum(values) <= 1 + 1e-9
        assert sum(item.among_lengths for item in decoded.candidates) <= 1 + 1e-9
        assert allowed is None or {len(text) for text in texts} <= allowed


@settings(max_examples=20)
@given(peaked())
def test_the_length_it_has_changes_nothing(probs: np.ndarray) -> None:
    """Given the length of the best string, the same string is best, and no less sure."""
    free = decode(probs).best
    assert free is not None
    if free.text:
        given_length = decode(probs, lengths={len(free.text)}).best
        assert given_length is not None
        assert given_length.probability >= free.probability * (1 - 1e-9)
        assert given_length.among_lengths >= free.probability * (1 - 1e-9)


@settings(max_examples=20)
@given(peaked())
def test_read_from_the_other_end(probs: np.ndarray) -> None:
    """A line turned end to end holds the string backwards, with the same probability."""
    forwards, backwards = decode(probs).best, decode(probs[::-1].copy()).best
    assert forwards is not None
    assert backwards is not None
    assert backwards.probability == pytest.approx(forwards.probability, rel=0.05)
