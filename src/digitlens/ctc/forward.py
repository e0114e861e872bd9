"""The forward algorithm of CTC: the probability of a string, and that of a length.

Connectionist temporal classification (CTC) reads a line as one class a time step, digit or
blank; an alignment becomes a string when runs of one class are made one and blanks are left
out. The states of a string "47" are blank 4 blank 7 blank; a step stays, goes on by one, or
skips a blank between unlike digits. (A. Graves, S. Fernández, F. Gomez, J. Schmidhuber,
"Connectionist temporal classification", ICML 2006, section 4.1.)

Sums are of plain float64 probabilities, not of logarithms: no term is greater than 1, and no
term that matters is smaller than the string's own probability. So nothing overflows, and only
strings of less than 1e-300 underflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.ctc.probs import BLANK, COLUMNS
from digitlens.digits import CLASSES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Probs
    from digitlens.digits import Indices


SURE_BLANK = np.array([[0.0] * BLANK + [1.0]])  # a time step that is blank for sure
PAD = 2  # rows of zeros before the first state, so that a step can look back by two


def string_probabilities(
    probs: Probs, texts: Sequence[str], *, floor: float = 0.0
) -> NDArray[np.float64]:
    """Return the probability of each of `texts`, summed over its alignments: float64 (N,).

    Time steps in which no digit has more than `floor` count as blank. With 0.0 the sum is
    exact; with more it lacks the alignments that put a digit there, and is never too high.

    >>> result = string_probabilities(np.full((2, 11), 1 / 11), ["", "7", "77", "78"])
    >>> (121 * result).round(6).tolist()
    [1.0, 3.0, 0.0, 1.0]
    """
    kept, _, all_blank = collapse_blanks(probs, floor)
    if len(kept) % 2:
        kept = np.concatenate([kept, SURE_BLANK])
    # From both ends at once, to meet in the middle: half as many steps, each for all strings.
    half = len(kept) // 2
    count = len(texts)
    classes, skip = build_states([*texts, *[text[::-1] for text in texts]])
    emitted = np.empty((half, *classes.shape))
    emitted[..., :count] = kept[:half].take(classes[:, :count], axis=1)
    emitted[..., count:] = kept[: half - 1 : -1].take(classes[:, count:], axis=1)
    last = forward_pass(emitted, skip)[-1]
    # What goes on from the first half, and what came from the end into the same state.
    reached = step_states(last[:, :count], skip[:, :count])
    ends = np.array([2 * len(text) for text in texts])
    # State s of a string is state 2 L - s of the reversed one.
    mirrored = ends - np.arange(len(classes))[:, None]
    back = last[PAD:, count:][mirrored, np.arange(count)]
    result: NDArray[np.float64] = (reached * back * (mirrored >= 0)).sum(axis=0)
    return np.minimum(result * all_blank, 1.0)


def collapse_blanks(probs: Probs, floor: float) -> tuple[Probs, Indices, float]:
    """Collapse each run of time steps in which no digit has more than `floor` to one blank.

    One must stay, as it parts the twins of "44". Returns the time steps that are left, at
    least one; where each stood; and the probability that all steps of such runs are blank.
    """
    is_open = probs[:, :BLANK].max(axis=1) > floor
    # The first of each run of blank steps stays.
    keep = is_open.copy()
    keep[0] = True
    keep[1:] |= is_open[:-1]
    index = keep.nonzero()[0]
    kept = probs[index]
    is_blank = ~is_open
    kept[is_blank[index]] = SURE_BLANK
    return kept, index, float(probs[is_blank, BLANK].prod())


def build_states(texts: Sequence[str]) -> tuple[Indices, NDArray[np.float64]]:
    """Return the class of each state, int64 (S, N), and 1.0 where a step of two may end.

    States come first, so that a step works on whole blocks of memory. S is twice the longest
    length, and one; shorter strings are filled up with blanks, which changes nothing in the
    states before.

    >>> classes, skip = build_states(["47", "5"])
    >>> classes.T.tolist()
    [[10, 4, 10, 7, 10], [10, 5, 10, 10, 10]]
    """
    longest = max(map(len, texts))
    filler = chr(ord("0") + BLANK)
    padded = "".join([text.ljust(longest, filler) for text in texts])
    codes = np.frombuffer(padded.encode("ascii"), np.uint8).reshape(len(texts), longest)
    labels = codes.T.astype(np.int64) - ord("0")
    classes = np.full((2 * longest + 1, len(texts)), BLANK, np.int64)
    classes[1::2] = labels
    skip = np.zeros(classes.shape)
    skip[1:2] = 1.0  # the start counts as a state before the first, left by a step of two
    skip[3::2] = labels[1:] != labels[:-1]
    return classes, skip


def forward_pass(
    emitted: NDArray[np.float64], skip: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the forward variables of all strings, float64 (T + 1, 2 + S, N).

    `emitted` (T, S, N) is the probability of each state's class in each time step, `skip` is
    from `build_states`. Behind two rows of zeros stands the probability of all beginnings of
    alignments that are in this state after so many time steps. The first of the T + 1 is the
    start, which stands in the second of those rows.
    """
    steps, states, count = emitted.shape
    forward = np.zeros((steps + 1, PAD + states, count))
    forward[0, PAD - 1] = 1.0
    before, after = forward[:-1], forward[1:]
    reached = np.empty((states, count))
    add, multiply = np.add, np.multiply
    # Written into one buffer: allocating anew takes longer than the sums.
    for stay, one, two, seen, out in zip(
        before[:, 2:], before[:, 1:-1], before[:, :-2], emitted, after[:, 2:], strict=True
    ):
        multiply(two, skip, reached)
        add(reached, one, reached)
        add(reached, stay, reached)
        multiply(reached, seen, out)
    return forward


def step_states(forward: NDArray[np.float64], skip: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what reaches each state in the next time step, whatever its class."""
    stay, one, two = forward[..., 2:, :], forward[..., 1:-1, :], forward[..., :-2, :]
    reached: NDArray[np.float64] = two * skip + one + stay
    return reached


# Time steps in which no digit has more than this count as blank: in 1,000 of them a digit comes
# in with a probability of 0.001 at most.
POSTERIOR_FLOOR = 1e-7


def length_posterior(
    probs: Probs, lengths: Collection[int], *, floor: float = POSTERIOR_FLOOR
) -> float:
    """Return how likely it is that a line has one of these numbers of digits.

    The sum over all strings of these lengths of all their alignments. `decode` says it too,
    but takes 50 times as long for words, in which every time step may be anything. `floor` is
    as for `string_probabilities`.

    Beginnings of alignments are kept apart by how many digits they spell and by the class of
    their last time step. The next step adds a digit where its class is a digit and another
    than that.

    >>> flat = np.full((2, 11), 1 / 11)
    >>> [round(121 * length_posterior(flat, [count])) for count in range(4)]
    [1, 30, 90, 0]
    """
    kept = collapse_blanks(probs, floor)[0]
    # (last class, number of digits + 1); column 0 is empty, so that every shift has a source.
    begun = np.zeros((COLUMNS, max(lengths) + 2))
    begun[BLANK, 1] = 1.0
    longer = np.empty((CLASSES, begun.shape[1] - 1))
    for step in kept[:, :, None]:
        # A digit goes on, or is added to all beginnings that do not end with it ...
        total = np.add.reduce(begun, axis=0)
        np.subtract(begun[:BLANK, 1:], begun[:BLANK, :-1], longer)
        np.add(longer, total[:-1], longer)
        np.multiply(longer, step[:BLANK], begun[:BLANK, 1:])
        # ... or a blank follows any of them.
        np.multiply(total, step[BLANK], begun[BLANK])
    ends = begun.sum(axis=0)
    return min(1.0, float(sum(ends[length + 1] for length in set(lengths))))
