"""From a network's log-probabilities to the likeliest strings of a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitlens.errors import UsageError
from digitlens.reading.forward import string_probabilities
from digitlens.reading.frames import frames_of, wanted_lengths
from digitlens.reading.lengths import search_lengths
from digitlens.reading.search import Beam, search

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.reading.frames import Frames

BEST = 5
"""Strings that are returned."""

MORE = 2
"""Times as many are weighed, as the search's own sums may put them in another order."""

FAINT = 1e-5
"""Frames in which no digit has more than this are taken for blank when strings are weighed."""


@dataclass(frozen=True)
class Candidate:
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

    candidates: tuple[Candidate, ...]
    lengths: frozenset[int] | None
    length_probability: float

    @property
    def best(self) -> Candidate | None:
        """The likeliest string, where there is any."""
        return self.candidates[0] if self.candidates else None

    def best_of(self, length: int) -> Candidate | None:
        """Return the likeliest string of this length among the candidates, if there is one."""
        return next((each for each in self.candidates if len(each.text) == length), None)


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
    allowed = wanted_lengths(lengths)
    frames = frames_of(log_probs)
    beam = beam or Beam()
    if allowed is None:
        found = search(frames, beam)
        texts = sorted(found, key=found.__getitem__, reverse=True)[: MORE * best]
        pairs = _weighed(frames, texts)[:best]
        same = tuple(Candidate(text, value, value) for value, text in pairs)
        return Decoded(same, None, 1.0)
    found, share = search_lengths(frames, beam, allowed)
    texts = best_of_each(sorted(found, key=found.__getitem__, reverse=True), MORE * best)
    pairs = _weighed(frames, texts)
    length = min(1.0, max(share, sum([value for value, _ in pairs])))
    weight = {text: value for value, text in pairs}
    return Decoded(
        tuple(
            Candidate(text, weight[text], weight[text] / length if length else 0.0)
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


def _weighed(frames: Frames, texts: list[str]) -> list[tuple[float, str]]:
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
