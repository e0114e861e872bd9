"""Several views of one line -> the strings that suit them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import UsageError
from digitlens.reading.decode import BEST, Candidate, Decoded, best_of_each, decode
from digitlens.reading.forward import string_probabilities
from digitlens.reading.frames import frames_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

LEAST = 1e-12
"""The least probability that a view gives a string: none alone rules one out for good."""


def decode_together(
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
    >>> decode(views[0]).best.text, decode_together(views).best.text
    ('1', '7')
    """
    if not views:
        raise UsageError("at least one view of a line must be given", seen="none")
    found = [first or decode(views[0], lengths=lengths, best=best)]
    if len(views) == 1:
        return found[0]
    found += [decode(view, lengths=lengths, best=best) for view in views[1:]]
    texts = sorted({each.text for decoded in found for each in decoded.candidates})
    if not texts:
        return found[0]
    each_view = [string_probabilities(frames_of(view), texts) for view in views]
    # Places are looked up in the first view: what it cannot hold has none.
    possible = each_view[0] > 0
    if not possible.any():
        return found[0]
    texts = [text for text, held in zip(texts, possible, strict=True) if held]
    means = _mean(np.array(each_view)[:, possible])
    length = 1.0
    if found[0].lengths is not None:
        length = float(_mean(np.array([[decoded.length_probability] for decoded in found]))[0])
        length = min(1.0, max(length, float(means.sum())))
    weight = dict(zip(texts, means.tolist(), strict=True))
    kept = sorted(texts, key=lambda text: -weight[text])
    kept = kept[:best] if found[0].lengths is None else best_of_each(kept, best)
    return Decoded(
        tuple(
            Candidate(text, weight[text], weight[text] / length if length else 0.0)
            for text in kept
        ),
        found[0].lengths,
        length,
    )


def _mean(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the geometric mean over the first axis."""
    return np.asarray(np.exp(np.log(np.maximum(shares, LEAST)).mean(axis=0)), np.float64)
