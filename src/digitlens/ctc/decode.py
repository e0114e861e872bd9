"""From a network's log-probabilities to the likeliest strings of a line.

* Several views of one line -> the strings that suit them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.beam_search import Beam, beam_search, beam_search_lengths
from digitlens.ctc.forward import string_probabilities
from digitlens.ctc.probs import check_lengths, check_probs
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Probs


BEST = 5
"""Strings that are returned."""

MORE = 2
"""Times as many are weighed, as the search's own sums may put them in another order."""

FAINT = 1e-5
"""Frames in which no digit has more than this are taken for blank when strings are weighed."""


@dataclass(frozen=True)
class Hypothesis:
    """A string that a line may hold.

    Parameters
    ----------
    text
        The digits; may be empty.
    probability
        0..1: summed over all alignments.
    among_lengths
        0..1: the probability given that the string has one of the allowed lengths; the same
        as `probability` where every length is allowed.
    """

    text: str
    probability: float
    among_lengths: float


@dataclass(frozen=True)
class Decoded:
    """The likeliest strings of a line.

    Parameters
    ----------
    candidates
        The likeliest first; their probabilities sum to at most 1. Empty where no string of
        an allowed length can be: more digits are wanted than there are frames.
    lengths
        The allowed lengths; None for every length.
    length_probability
        0..1: how likely it is that the string has an allowed length.
    """

    candidates: tuple[Hypothesis, ...]
    lengths: frozenset[int] | None
    length_probability: float

    @property
    def best(self) -> Hypothesis | None:
        """The likeliest string, where there is any."""
        return self.candidates[0] if self.candidates else None

    def best_of(self, length: int) -> Hypothesis | None:
        """Return the likeliest string of this length among the candidates, if there is one."""
        return next((item for item in self.candidates if len(item.text) == length), None)


def decode(
    log_probs: NDArray[np.floating[Any]],
    *,
    lengths: int | Collection[int] | None = None,
    best: int = BEST,
    beam: Beam | None = None,
) -> Decoded:
    """Find the likeliest strings of a line, each with its probability.

    A prefix beam search finds them; then each is weighed by a forward pass of its own, so
    that its probability does not depend on what the search gave up. Frames in which no digit
    has more than 1e-5 are taken for blank there: probabilities are never too high, and for
    the strings that count too low by parts in 10,000 at most.

    Parameters
    ----------
    log_probs
        float (T, 11), T at least 1: natural logarithms; columns 0..9 are the digits,
        column 10 is blank; each frame's probabilities sum to 1.
    lengths
        How many digits the line has: one number, several that are allowed, or None where
        that is not known. With lengths, only strings of these come back, and the best of
        each length that is not far less likely than the best of all is among them.
    best
        How many strings to return, at least 1; more where there are more allowed lengths.
    beam
        How far to look; `Beam`'s own figures by default.

    Raises
    ------
    ShapeError
        Log-probabilities of another shape or kind.
    DataError
        NaN, or frames that do not sum to 1.
    UsageError
        No allowed length, a length below 1, or `best` below 1.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.full((9, 11), 1e-3)
    >>> frames[[0, 2, 3, 5, 6, 8], 10] = frames[1, 4] = frames[4, 7] = 0.99
    >>> frames[7, [1, 7]] = 0.6, 0.391
    >>> decoded = decode(np.log(frames / frames.sum(1, keepdims=True)))
    >>> [(each.text, round(each.probability, 2)) for each in decoded.candidates[:2]]
    [('471', 0.56), ('477', 0.36)]
    >>> decode(np.log(frames / frames.sum(1, keepdims=True)), lengths={2, 4}).best.text
    '47'
    """
    if best < 1:
        raise UsageError("best must be at least 1", seen=str(best))
    allowed = check_lengths(lengths)
    frames = check_probs(log_probs)
    beam = beam or Beam()
    if allowed is None:
        result = beam_search(frames, beam)
        texts = sorted(result, key=result.__getitem__, reverse=True)[: MORE * best]
        pairs = _rescore(frames, texts)[:best]
        same = tuple(Hypothesis(text, value, value) for value, text in pairs)
        return Decoded(same, None, 1.0)
    result, share = beam_search_lengths(frames, beam, allowed)
    texts = best_of_each(sorted(result, key=result.__getitem__, reverse=True), MORE * best)
    pairs = _rescore(frames, texts)
    length = min(1.0, max(share, sum([value for value, _ in pairs])))
    weight = {text: value for value, text in pairs}
    return Decoded(
        tuple(
            Hypothesis(text, weight[text], weight[text] / length if length else 0.0)
            for text in best_of_each(list(weight), best)
        ),
        allowed,
        length,
    )


def best_of_each(texts: list[str], best: int) -> list[str]:
    """Keep the first `best`, and after them the first of each length, in their order."""
    kept, lengths = texts[:best], {len(text) for text in texts[:best]}
    for text in texts[best:]:
        if len(text) not in lengths:
            kept.append(text)
            lengths.add(len(text))
    return kept


def _rescore(frames: Probs, texts: list[str]) -> list[tuple[float, str]]:
    """Return probabilities and strings, the likeliest first; equals keep their order."""
    if not texts:
        return []
    values = string_probabilities(frames, texts, floor=FAINT)
    if not values.any():
        values = string_probabilities(frames, texts)
    pairs = list(zip(values.tolist(), texts, strict=True))
    pairs.sort(key=_probability, reverse=True)
    return pairs


def _probability(pair: tuple[float, str]) -> float:
    return pair[0]


MIN_SHARE = 1e-12
"""The least probability that a view gives a string: none alone rules one out for good."""


def decode_ensemble(
    views: Sequence[NDArray[np.floating[Any]]],
    *,
    lengths: int | Collection[int] | None = None,
    best: int = BEST,
    first: Decoded | None = None,
) -> Decoded:
    """Find the strings that several views of one line hold.

    Each string that is among the likeliest of any view is weighed in every view, by all of
    its alignments; its probability is the geometric mean of these. So a string counts that
    every view finds likely, and where the frames of the views stand does not matter. Views
    that disagree leave every string less likely than one view would. Strings that the first
    view cannot hold, as it has too few frames for them, are left out.

    Parameters
    ----------
    views
        At least one array as `decode` takes it: of different pictures of the line, or by
        different networks.
    lengths, best
        As for `decode`.
    first
        What `decode` gave for the first view with the same `lengths`, where it was asked.

    Returns
    -------
    As `decode` gives it; the probabilities sum to at most 1, as geometric means are never
    above arithmetic ones.

    Raises
    ------
    ShapeError, DataError, UsageError
        As `decode` says; or no view at all.

    Examples
    --------
    >>> one, two = np.full((2, 3, 11), 1e-3)
    >>> one[[0, 2], 10] = two[[0, 2], 10] = 0.99
    >>> one[1, [1, 7]], two[1, [4, 7]] = (0.6, 0.391), (0.6, 0.391)
    >>> views = [np.log(each / each.sum(1, keepdims=True)) for each in (one, two)]
    >>> decode(views[0]).best.text, decode_ensemble(views).best.text
    ('1', '7')
    """
    if not views:
        raise UsageError("at least one view of a line must be given", seen="none")
    result = [first or decode(views[0], lengths=lengths, best=best)]
    if len(views) == 1:
        return result[0]
    result += [decode(view, lengths=lengths, best=best) for view in views[1:]]
    texts = sorted({item.text for decoded in result for item in decoded.candidates})
    if not texts:
        return result[0]
    each_view = [string_probabilities(check_probs(view), texts) for view in views]
    # Places are looked up in the first view: what it cannot hold has none.
    possible = each_view[0] > 0
    if not possible.any():
        return result[0]
    texts = [text for text, held in zip(texts, possible, strict=True) if held]
    shares = np.array(each_view)[:, possible]
    means = _floored_mean(shares)
    length = 1.0
    if result[0].lengths is not None:
        said = np.array([[decoded.length_probability] for decoded in result])
        length = float(_floored_mean(said)[0])
        length = min(1.0, max(length, float(means.sum())))
    weight = dict(zip(texts, means.tolist(), strict=True))
    # Strings that no view finds likely all have the floor: the views' own figures order them.
    with np.errstate(divide="ignore"):
        ranks = np.lexsort((-np.log(shares).mean(axis=0), -means))
    kept = [texts[index] for index in ranks]
    kept = kept[:best] if result[0].lengths is None else best_of_each(kept, best)
    return Decoded(
        tuple(
            Hypothesis(text, weight[text], weight[text] / length if length else 0.0)
            for text in kept
        ),
        result[0].lengths,
        length,
    )


def _floored_mean(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geometric mean over the first axis, no share less than `MIN_SHARE`."""
    return np.asarray(np.exp(np.log(np.maximum(shares, MIN_SHARE)).mean(axis=0)), np.float64)
