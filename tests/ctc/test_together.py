"""Several views of one line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import align, decode, decode_ensemble
from digitlens.ctc.forward import string_probabilities
from digitlens.errors import UsageError

Lines = Callable[..., np.ndarray]


def test_what_every_view_finds_likely_counts(line: Lines) -> None:
    """A string that both views find likely beats one that only one of them does."""
    one = line("41", rivals={1: ("7", 0.39)})
    two = line("44", rivals={1: ("7", 0.39)})
    assert [decode(view).best.text for view in (one, two)] == ["41", "44"]
    assert decode_ensemble([one, two]).best.text == "47"


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
