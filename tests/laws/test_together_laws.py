"""Laws of decoding several views of a line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from digitlens.ctc import Decoded, decode, decode_ensemble
from digitlens.ctc.forward import string_probabilities
from digitlens.ctc.probs import to_probs

BLANK = 10
TIE = 1e-3
"""Strings this near to each other may come in any order."""

ALL = 1000
"""More strings than the views of one line have together."""


def of(seed: int, digits: str, *, doubt: float, step: int) -> np.ndarray:
    """Return the probabilities (T, 11) of a view that shows these digits."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (step * (len(digits) + 1), BLANK + 1))
    logits[:, BLANK] += 9
    for index, digit in enumerate(digits):
        row = logits[step * (index + 1) - 1]
        row[BLANK] -= rng.uniform(4, 16)
        row[int(digit)] += 12
        row[rng.integers(0, 10)] += 12 * doubt * rng.random()
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return to_probs(logits.astype(np.float32))


@st.composite
def view(draw: st.DrawFn, digits: str | None = None) -> np.ndarray:
    """Draw one view, of these digits or of any."""
    shown = draw(st.text("0123456789", max_size=6)) if digits is None else digits
    seed, doubt = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.3, 1, 1.2]))
    return of(seed, shown, doubt=doubt, step=draw(st.integers(3, 7)))


@st.composite
def views(draw: st.DrawFn) -> list[np.ndarray]:
    """Draw one to three views, mostly of one line, sometimes of several."""
    digits = draw(st.none() | st.text("0123456789", min_size=1, max_size=6))
    return draw(st.lists(view(digits), min_size=1, max_size=3))


LENGTHS = st.none() | st.sets(st.integers(1, 8), min_size=1, max_size=3)


def held(decoded: Decoded) -> dict[str, float]:
    """Return the strings with their probabilities."""
    return {item.text: item.probability for item in decoded.candidates}


def can_hold(one: np.ndarray, text: str) -> bool:
    """Say whether a view has any alignment of this string: it may have too few frames."""
    return bool(string_probabilities(one, [text])[0] > 0)


@settings(max_examples=60)
@given(views(), LENGTHS)
def test_probabilities_sum_to_one_at_most(
    several: list[np.ndarray], lengths: set[int] | None
) -> None:
    """Strings differ, the likeliest comes first, and all together are at most sure."""
    decoded = decode_ensemble(several, lengths=lengths, best=8)
    texts = [item.text for item in decoded.candidates]
    values = [item.probability for item in decoded.candidates]
    assert len(set(texts)) == len(texts)
    assert values == sorted(values, reverse=True)
    assert sum(values) <= 1 + 1e-9
    assert sum(item.among_lengths for item in decoded.candidates) <= 1 + 1e-9
    assert all(
        item.among_lengths >= item.probability * (1 - 1e-9) for item in decoded.candidates
    )
    assert 0 <= decoded.length_probability <= 1


@settings(max_examples=60)
@given(views(), LENGTHS)
def test_only_allowed_lengths_come_back(
    several: list[np.ndarray], lengths: set[int] | None
) -> None:
    """With lengths every string has one of them, and each view's strings are weighed."""
    decoded = decode_ensemble(several, lengths=lengths, best=ALL)
    if lengths is None:
        assert decoded.lengths is None
        assert decoded.length_probability == 1.0
    else:
        assert decoded.lengths == lengths
        assert {len(item.text) for item in decoded.candidates} <= lengths
    texts = {text for item in several for text in held(decode(item, lengths=lengths))}
    assert {text for text in texts if can_hold(several[0], text)} <= held(decoded).keys()


@settings(max_examples=40)
@given(view(), LENGTHS, st.integers(1, 6))
def test_one_view_is_decode(one: np.ndarray, lengths: set[int] | None, best: int) -> None:
    """A single view gives exactly what `decode` gives."""
    assert decode_ensemble([one], lengths=lengths, best=best) == decode(
        one, lengths=lengths, best=best
    )


@settings(max_examples=40)
@given(view(), LENGTHS, st.integers(2, 3))
def test_the_same_view_again_says_nothing_new(
    one: np.ndarray, lengths: set[int] | None, times: int
) -> None:
    """The same view several times leaves order and probabilities as they are."""
    once, again = decode(one, lengths=lengths), decode_ensemble([one] * times, lengths=lengths)
    exact = {text: string_probabilities(one, [text])[0] for text in held(once)}
    assert held(again).keys() == held(once).keys()
    for item in again.candidates:
        assert item.probability == pytest.approx(max(exact[item.text], 1e-12), rel=1e-6)
    for first, second in zip(once.candidates, again.candidates, strict=True):
        near = exact[first.text] == pytest.approx(exact[second.text], rel=TIE, abs=1e-12)
        assert first.text == second.text or near
    assert again.length_probability == pytest.approx(
        once.length_probability, rel=1e-3, abs=1e-9
    )


@settings(max_examples=40)
@given(views(), LENGTHS, st.randoms(use_true_random=False))
def test_the_order_of_views_does_not_matter(
    several: list[np.ndarray], lengths: set[int] | None, rng: object
) -> None:
    """Views given in another order give the same strings and probabilities.

    Where a view has too few frames for a string, the order does matter: digits are placed in
    the first view.
    """
    texts = {text for item in several for text in held(decode(item, lengths=lengths, best=ALL))}
    assume(all(can_hold(item, text) for item in several for text in texts))
    mixed = list(several)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    one = decode_ensemble(several, lengths=lengths, best=ALL)
    two = decode_ensemble(mixed, lengths=lengths, best=ALL)
    assert held(two) == pytest.approx(held(one), rel=1e-9)
    assert two.length_probability == pytest.approx(one.length_probability, rel=1e-9)


@settings(max_examples=40)
@given(st.text("0123456789", max_size=4), st.integers(1, 4), st.data())
def test_zeros_in_front_survive(rest: str, zeros: int, data: st.DataObject) -> None:
    """A number that begins with zeros keeps all of them."""
    text = "0" * zeros + rest
    several = [data.draw(view(text)) for _ in range(2)]
    bests = {decode(item).best.text for item in several}  # type: ignore[union-attr]
    assume(bests == {text})
    result = decode_ensemble(several).best
    assert result is not None
    assert result.text == text


@settings(max_examples=40)
@given(views())
def test_no_string_is_likelier_than_in_its_likeliest_view(several: list[np.ndarray]) -> None:
    """A string's probability lies between those that the views give it."""
    for item in decode_ensemble(several).candidates:
        shares = [string_probabilities(one, [item.text])[0] for one in several]
        assert item.probability <= max(*shares, 1e-12) * (1 + 1e-6)
        assert item.probability >= min(shares) * (1 - 1e-6)
