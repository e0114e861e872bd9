"""ZIPs written by writers held back from training, and read: what bars are measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import UsageError
from digitlens.mail.deciding.readings import Reading
from digitlens.mail.deciding.simulate import Piece
from digitlens.writing import STYLES, ready, write_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from digitlens.digits import Digits
    from digitlens.mail.directory import Directory
    from digitlens.reading import Line
    from digitlens.writing import Glyphs, Written

LINES, SEED = 24_000, 61
"""Lines that the bars of the published reader were measured on, and what they were drawn from.
Seeds below 20 were used in training, and in fitting the reader's confidence."""

MIXTURE = dict.fromkeys(STYLES, 1) | {"training": 10, "cheque": 4}
"""How often which style is written: the mixture that the reader's confidence was fitted on."""

PLUS = 0.125
"""The share of ZIP+4."""


def write_zips(
    glyphs: Digits | Glyphs, directory: Directory, count: int, *, seed: int = SEED
) -> Iterator[tuple[str, Written]]:
    """Write ZIPs of the directory, any as often as any other, each as a picture of a line.

    The first ones of many are those of few.

    Parameters
    ----------
    glyphs
        Digits to write with; for bars those of writers that the reader has not seen.
    """
    prepared = ready(glyphs)
    order = [name for name, times in MIXTURE.items() for _ in range(times)]
    for at in range(count):
        chance = np.random.default_rng([seed, at])
        five = directory.zips[int(chance.integers(len(directory)))]
        four = f"{chance.integers(10_000):04d}" if chance.random() < PLUS else ""
        style = order[int(chance.integers(len(order)))]
        yield five, write_line(prepared, chance, text=five + four, style=style)


def read_zips(
    read: Callable[[NDArray[np.uint8]], Line],
    glyphs: Digits | Glyphs,
    directory: Directory,
    *,
    count: int = LINES,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> list[Piece]:
    """Write ZIPs, read them, and return the pieces of mail that they stand for.

    Parameters
    ----------
    read
        From a picture, uint8 (H, W), to its line, told that it has five or nine digits.
    progress
        Called with the lines that are read, and all.

    Raises
    ------
    UsageError
        A count below 1.
    """
    if count < 1:
        raise UsageError("at least one line must be read", seen=str(count))
    pieces = []
    for at, (five, written) in enumerate(write_zips(glyphs, directory, count, seed=seed), 1):
        place = directory.place(five)
        assert place is not None, "it was drawn from the directory"
        pieces.append(Piece(place, Reading.of(written.text, read(written.image))))
        if progress is not None:
            progress(at, count)
    return pieces
