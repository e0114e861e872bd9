"""From a line's probabilities to the strings it may hold, by one view of it or several."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from digitlens.ctc.beam_search import BeamOptions, beam_search, beam_search_lengths
from digitlens.ctc.forward import string_probabilities
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Lengths, Probs


BEST = 5  # strings that are returned

# Times as many are rescored, as the search's own sums may put them in another order.
RESCORE_FACTOR = 2

# Time steps in which no digit has more than this count as blank when strings are rescored.
RESCORE_FLOOR = 1e-5

# The least probability that a view gives a string: none alone rules one out for good.
MIN_VIEW_SHARE = 1e-12


@dataclass(frozen=True)
class Hypothesis:
    """A string that a line may hold."""

    text: str  # the digits; may be empty
    probability: float  # 0..1: summed over all alignments
    # 0..1: the probability given that the string has one of the allowed lengths; the same as
    # `probability` where every length is allowed.
    among_lengths: float


@dataclass(frozen=True)
class Decoded:
    """The likeliest strings of a line."""

    # The likeliest first; their probabilities sum to at most 1. Empty where no string of an
    # allowed length can be: more digits are wanted than there are time steps.
    candidates: tuple[Hypothesis, ...]
    lengths: Lengths  # the allowed lengths; None for every length
    length_probability: float  # 0..1: how likely it is that the string has an allowed length

    @property
    def best(self) -> Hypothesis | None:
        """The likeliest string, where there is any."""
        return self.candidates[0] if self.candidates else None


def decode(
    probs: Probs, *, lengths: Lengths = None, best: int = BEST, beam: BeamOptions | None = None
) -> Decoded:
    """Find the likeliest strings of a line, each with its probability.

    A prefix beam search finds them; then each is rescored by a forward pass of its own, so
    that its probability does not depend on what the search pruned. Time steps in which no
    digit has more than 1e-5 count as blank there: probabilities are never too high, and for
    the strings that count too low by parts in 10,000 at most.

    probs: float64 (T, 11), from `to_probs`
    lengths: how many digits the line may have. With lengths, only strings of these come back,
        and the best of each length that is not far less likely than the best of all is among
        them.
    best: how many strings to return, at least 1; more where there are more allowed lengths
    beam: how far to look

    Raises UsageError: `best` below 1.

    >>> probs = np.full((9, 11), 1e-3)
    >>> probs[[0, 2, 3, 5, 6, 8], 10] = probs[1, 4] = probs[4, 7] = 0.99
    >>> probs[7, [1, 7]] = 0.6, 0.391
    >>> probs /= probs.sum(axis=1, keepdims=True)
    >>> [(item.text, round(item.probability, 2)) for item in decode(probs).candidates[:2]]
    [('471', 0.56), ('477', 0.36)]
    >>> decode(probs, lengths={2, 4}).best.text
    '47'
    """
    if best < 1:
        raise UsageError("best must be at least 1", seen=str(best))
    beam = beam or BeamOptions()
    # Any length: the search's order is near enough to choose what is rescored.
    if lengths is None:
        scores = beam_search(probs, beam)
        texts = sorted(scores, key=scores.__getitem__, reverse=True)[: RESCORE_FACTOR * best]
        pairs = _rescore(probs, texts)[:best]
        return Decoded(
            tuple(Hypothesis(text, value, value) for text, value in pairs), None, 1.0
        )
    # Some lengths: the best of each stays in, however likely the others are.
    scores, share = beam_search_lengths(probs, beam, lengths)
    texts = sorted(scores, key=scores.__getitem__, reverse=True)
    pairs = _rescore(probs, keep_best_by_length(texts, RESCORE_FACTOR * best))
    # The search prunes: what it found may sum to more than it counted.
    length_probability = min(1.0, max(share, sum([value for _, value in pairs])))
    return _among_lengths(dict(pairs), lengths, length_probability, best)


def _rescore(probs: Probs, texts: list[str]) -> list[tuple[str, float]]:
    """Return strings and probabilities, the likeliest first; equals keep their order."""
    if not texts:
        return []
    values = string_probabilities(probs, texts, floor=RESCORE_FLOOR)
    # So unlikely that they rest on the steps that were left out: sum over all steps.
    if not values.any():
        values = string_probabilities(probs, texts)
    pairs = list(zip(texts, values.tolist(), strict=True))
    pairs.sort(key=itemgetter(1), reverse=True)
    return pairs


def _among_lengths(
    shares: dict[str, float], lengths: Lengths, length_probability: float, best: int
) -> Decoded:
    """Return strings of allowed lengths, ranked, with their shares among such strings."""
    whole = length_probability or np.inf
    candidates = [
        Hypothesis(text, shares[text], shares[text] / whole)
        for text in keep_best_by_length(list(shares), best)
    ]
    return Decoded(tuple(candidates), lengths, length_probability)


def keep_best_by_length(texts: list[str], best: int) -> list[str]:
    """Keep the first `best`, and after them the first of each length, in their order."""
    kept, lengths = texts[:best], {len(text) for text in texts[:best]}
    for text in texts[best:]:
        if len(text) not in lengths:
            kept.append(text)
            lengths.add(len(text))
    return kept


def decode_ensemble(
    views: Sequence[Probs],
    *,
    lengths: Lengths = None,
    best: int = BEST,
    first: Decoded | None = None,
) -> Decoded:
    """Find the strings that several views of one line hold.

    Each string that is among the likeliest of any view is rescored in every view; its
    probability is the geometric mean of these. So a string counts that every view finds
    likely, and where the digits stand in each view does not matter. Views that disagree leave
    every string less likely than one view would. Strings that the first view cannot hold, as
    it has too few time steps for them, are left out.

    views: at least one array as `decode` takes it: of different pictures of the line, or by
        different networks
    lengths, best: as for `decode`
    first: what `decode` gave for the first view with the same `lengths`, where it is known

    Returns as `decode` gives it; the probabilities sum to at most 1, as geometric means are
    never above arithmetic ones.

    Raises UsageError: no view, or `best` below 1.

    >>> one, two = np.full((2, 3, 11), 1e-3)
    >>> one[[0, 2], 10] = two[[0, 2], 10] = 0.99
    >>> one[1, [1, 7]], two[1, [4, 7]] = (0.6, 0.391), (0.6, 0.391)
    >>> views = [item / item.sum(axis=1, keepdims=True) for item in (one, two)]
    >>> decode(views[0]).best.text, decode_ensemble(views).best.text
    ('1', '7')
    """
    if not views:
        raise UsageError("at least one view of a line must be given", seen="none")
    decoded = [first or decode(views[0], lengths=lengths, best=best)]
    if len(views) == 1:
        return decoded[0]
    decoded += [decode(view, lengths=lengths, best=best) for view in views[1:]]

    # Rescore every view's strings in all views.
    texts = sorted({item.text for one in decoded for item in one.candidates})
    if not texts:
        return decoded[0]
    shares = np.array([string_probabilities(view, texts) for view in views])
    # Digits are placed in the first view: what it cannot hold has no place.
    possible = shares[0] > 0
    if not possible.any():
        return decoded[0]
    texts = [text for text, holds in zip(texts, possible, strict=True) if holds]
    shares = shares[:, possible]

    # Rank them. Strings that no view finds likely all have the least share: what the views
    # said before it was raised to that orders them.
    means = _floored_mean(shares)
    with np.errstate(divide="ignore"):
        order = np.lexsort((-np.log(shares).mean(axis=0), -means)).tolist()
    ranked = {texts[index]: float(means[index]) for index in order}
    if lengths is None:
        pairs = list(ranked.items())[:best]
        return Decoded(
            tuple(Hypothesis(text, value, value) for text, value in pairs), None, 1.0
        )
    said = np.array([[one.length_probability] for one in decoded])
    length_probability = min(1.0, max(float(_floored_mean(said)[0]), float(means.sum())))
    return _among_lengths(ranked, lengths, length_probability, best)


def _floored_mean(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geometric mean over the first axis, no share below `MIN_VIEW_SHARE`."""
    logarithms = np.log(np.maximum(shares, MIN_VIEW_SHARE))
    return np.asarray(np.exp(logarithms.mean(axis=0)), np.float64)
