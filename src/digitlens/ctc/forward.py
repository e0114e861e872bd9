"""The probability of a string: the sum over all its alignments, for many strings at once.

Connectionist temporal classification (CTC) reads a line as one class a frame, digit or
blank; an alignment becomes a string when runs of one class are made one and blanks are left
out. The states of a string "47" are blank 4 blank 7 blank; a step stays, goes on by one, or
skips a blank between unlike digits. (A. Graves, S. Fernández, F. Gomez, J. Schmidhuber,
"Connectionist temporal classification", ICML 2006, section 4.1.)

Sums are of plain float64 probabilities, not of logarithms: no term is greater than 1, and no
term that matters is smaller than the string's own probability, so that nothing overflows,
and what underflows is a string of less than 1e-300.

* How likely a line has so many digits, whichever they are: a sum, without a search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.probs import BLANK, COLUMNS, check_probs
from digitlens.digits import CLASSES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Probs
    from digitlens.digits import Indices


ONLY_BLANK = np.array([[0.0] * BLANK + [1.0]])
"""A frame that is blank for sure."""

PAD = 2
"""Rows of zeros before the first state, so that a step can look back by two."""


def string_probabilities(
    frames: Probs, texts: Sequence[str], *, floor: float = 0.0
) -> NDArray[np.float64]:
    """Return the probability of each of `texts`, summed over its alignments.

    From both ends at once, to meet in the middle: half as many steps, each for all strings.

    Parameters
    ----------
    frames
        float64 (T, 11), rows sum to 1, as `frames_of` makes them.
    texts
        Strings of the digits 0 to 9; the empty one is allowed. At least one.
    floor
        Frames in which no digit has more than this are taken for blank. With 0.0 the sum is
        exact; with more it lacks the alignments that put a digit there, so that it is never
        too high.

    Returns
    -------
    float64 (N,), 0..1.

    Examples
    --------
    >>> found = string_probabilities(np.full((2, 11), 1 / 11), ["", "7", "77", "78"])
    >>> (121 * found).round(6).tolist()
    [1.0, 3.0, 0.0, 1.0]
    """
    kept, _, rest = without_blanks(frames, floor)
    if len(kept) % 2:
        kept = np.concatenate([kept, ONLY_BLANK])
    half = len(kept) // 2
    count = len(texts)
    classes, skip = state_table([*texts, *[text[::-1] for text in texts]])
    emitted = np.empty((half, *classes.shape))
    emitted[..., :count] = kept[:half].take(classes[:, :count], axis=1)
    emitted[..., count:] = kept[: half - 1 : -1].take(classes[:, count:], axis=1)
    walked = forward_pass(emitted, skip)[-1]
    # What goes on from the first half, and what came from the end into the same state.
    reached = one_step(walked[:, :count], skip[:, :count])
    ends = np.array([2 * len(text) for text in texts])
    mirrored = ends - np.arange(len(classes))[:, None]
    back = walked[PAD:, count:][mirrored, np.arange(count)]
    result: NDArray[np.float64] = (reached * back * (mirrored >= 0)).sum(axis=0)
    return np.minimum(result * rest, 1.0)


def without_blanks(frames: Probs, floor: float) -> tuple[Probs, Indices, float]:
    """Make one frame of each run of frames in which no digit has more than `floor`.

    That frame is blank for sure. One must stay, as it parts the twins of "44".

    Returns
    -------
    The frames that are left, at least one; int64, where each stood; and the probability that
    all frames of such runs are blank.
    """
    held = frames[:, :BLANK].max(axis=1) > floor
    kept = held.copy()
    kept[0] = True
    kept[1:] |= held[:-1]
    index = kept.nonzero()[0]
    left = frames[index]
    blank = ~held
    left[blank[index]] = ONLY_BLANK
    return left, index, float(frames[blank, BLANK].prod())


def state_table(texts: Sequence[str]) -> tuple[Indices, NDArray[np.float64]]:
    """Return the class of each state, and 1.0 where a step of two may end.

    States come first, so that a step of the walk works on whole blocks of memory.

    Parameters
    ----------
    texts
        N strings of digits; S is twice the longest length, and one. Those that are shorter
        are filled up with blanks, which changes nothing in the states before.

    Returns
    -------
    int64 (S, N) and float64 (S, N).

    Examples
    --------
    >>> classes, skip = state_table(["47", "5"])
    >>> classes.T.tolist()
    [[10, 4, 10, 7, 10], [10, 5, 10, 10, 10]]
    """
    longest = max(map(len, texts))
    filler = chr(ord("0") + BLANK)
    joined = "".join([text.ljust(longest, filler) for text in texts])
    codes = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(len(texts), longest)
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
    """Walk through the frames and return every step.

    Parameters
    ----------
    emitted
        float64 (T, S, N): the probability of each state's class in each frame.
    skip
        float64 (S, N), from `state_table`.

    Returns
    -------
    float64 (T + 1, 2 + S, N): behind two rows of zeros, the probability of all beginnings of
    alignments that are in this state after so many frames. The first of the T + 1 is the
    start, which stands in the second of those rows.
    """
    steps, states, count = emitted.shape
    walked = np.zeros((steps + 1, PAD + states, count))
    walked[0, PAD - 1] = 1.0
    before, after = walked[:-1], walked[1:]
    passed = np.empty((states, count))
    add, multiply = np.add, np.multiply
    for stay, one, two, seen, out in zip(
        before[:, 2:], before[:, 1:-1], before[:, :-2], emitted, after[:, 2:], strict=True
    ):
        multiply(two, skip, passed)
        add(passed, one, passed)
        add(passed, stay, passed)
        multiply(passed, seen, out)
    return walked


def one_step(walked: NDArray[np.float64], skip: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what reaches each state in the next frame, before that frame is looked at.

    Parameters
    ----------
    walked
        float64 (..., 2 + S, N), as `forward_pass` returns them.
    skip
        float64 (S, N).
    """
    stay, one, two = walked[..., 2:, :], walked[..., 1:-1, :], walked[..., :-2, :]
    reached: NDArray[np.float64] = two * skip + one + stay
    return reached


FAINT = 1e-7
"""Frames in which no digit has more than this are taken for blank: in 1,000 of them a digit
comes in with a probability of 0.001 at most."""


def length_posterior(
    log_probs: NDArray[np.floating[Any]], lengths: Collection[int], *, floor: float = FAINT
) -> float:
    """Return how likely it is that a line has one of these numbers of digits.

    It is the sum over all strings of these lengths of all their alignments. `decode` weighs
    single strings and says it too, but for words, in which every frame may be anything, takes
    50 times as long.

    Parameters
    ----------
    log_probs
        float (T, 11), as for `digitlens.ctc.decode`.
    lengths
        Numbers of digits, each at least 0.
    floor
        Frames in which no digit has more than this are taken for blank; 0.0 is exact.

    Returns
    -------
    0..1.

    Raises
    ------
    ShapeError, DataError
        As `decode` says.

    Notes
    -----
    Beginnings of alignments are kept apart by how many digits they spell and by the class of
    their last frame. The next frame adds a digit where its class is a digit and another than
    that.

    Examples
    --------
    >>> frames = np.log(np.full((2, 11), 1 / 11))
    >>> [round(121 * length_posterior(frames, [count])) for count in range(4)]
    [1, 30, 90, 0]
    """
    frames = check_probs(log_probs)
    open_ = frames[:, :BLANK].max(axis=1) > floor
    settled = frames.copy()
    settled[~open_] = 0.0
    settled[~open_, BLANK] = 1.0
    # Of neighbouring frames that are blank one is enough.
    kept = settled[open_ | np.append(True, open_[:-1])]
    # Digits, class: beginnings; before column 0, so that a digit can be added to none.
    held = np.zeros((COLUMNS, max(lengths) + 2))
    held[BLANK, 1] = 1.0
    grown = np.empty((CLASSES, held.shape[1] - 1))
    for frame in kept[:, :, None]:
        total = np.add.reduce(held, axis=0)
        np.subtract(held[:BLANK, 1:], held[:BLANK, :-1], grown)
        np.add(grown, total[:-1], grown)
        np.multiply(grown, frame[:BLANK], held[:BLANK, 1:])
        np.multiply(total, frame[BLANK], held[BLANK])
    ends = held.sum(axis=0)
    return min(1.0, float(sum(ends[length + 1] for length in set(lengths))))
