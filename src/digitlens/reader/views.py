"""One look at a line, and a second one where the first leaves a doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from digitlens.reading.count import length_probability
from digitlens.reading.decode import Decoded, decode
from digitlens.reading.frames import wanted_lengths
from digitlens.reading.together import decode_together

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.reader.network import LineNetwork

    Grey: TypeAlias = "NDArray[np.uint8]"

SURE = 0.98
"""A string of this probability is taken at the first look: of such strings hardly any changes
at a second one, and most lines are done in half the time."""

WORD = 0.5
"""Writing that holds no digit with this probability is not looked at twice."""


def look_at(
    network: LineNetwork,
    grey: Grey,
    *,
    lengths: int | Collection[int] | None = None,
    second: Callable[[], Grey | None] | None = None,
    least: float = 0.0,
) -> tuple[NDArray[np.float32], Decoded]:
    """Say which strings a line may hold.

    Parameters
    ----------
    network
        That reads it.
    grey
        uint8 (h, w): the line, 0 = black, 255 = white.
    lengths
        Allowed numbers of digits.
    second
        Makes another picture of the same line, or None where there is no other; called only
        when the first leaves a doubt.
    least
        Where an allowed length is less likely than this, no string is looked for.

    Returns
    -------
    What the network says of the frames of `grey`, and the strings.
    """
    frames = network.log_probs(grey)
    allowed = wanted_lengths(lengths)
    if least and allowed and (share := length_probability(frames, allowed)) < least:
        return frames, Decoded((), allowed, share)
    decoded = decode(frames, lengths=lengths)
    if second is None or not _is_doubtful(decoded):
        return frames, decoded
    other = second()
    if other is None:
        return frames, decoded
    views = [frames, network.log_probs(other)]
    return frames, decode_together(views, lengths=lengths, first=decoded)


def _is_doubtful(decoded: Decoded) -> bool:
    """Say whether a second look may change what is read, and be worth its time."""
    best = decoded.best
    if best is None or best.among_lengths >= SURE:
        return False
    # Most words are told from numbers at once: the rest of a page is then read twice as fast.
    return bool(best.text) or best.probability < WORD
