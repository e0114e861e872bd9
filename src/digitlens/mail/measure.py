"""ZIPs written by writers held back from training, and read: what bars are measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import UsageError
from digitlens.mail.simulate import SimulatedPiece, SimulatedReading
from digitlens.synth import STYLES, prepare_glyphs, synthesize_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from digitlens.ctc import Line
    from digitlens.digits import Digits
    from digitlens.mail.directory import Directory
    from digitlens.synth import Glyphs, LineSample


LINES, SEED = 24_000, 61
"""Lines that the bars of the published reader were measured on, and what they were drawn from.
Seeds below 20 were used in training, and in fitting the reader's confidence."""

MIXTURE = dict.fromkeys(STYLES, 1) | {"training": 10, "cheque": 4}
"""How often which style is written: the mixture that the reader's confidence was fitted on."""

PLUS = 0.125
"""The share of ZIP+4."""


def write_zips(
    glyphs: Digits | Glyphs, directory: Directory, count: int, *, seed: int = SEED
) -> Iterator[tuple[str, LineSample]]:
    """Write ZIPs of the directory, any as often as any other, each as a picture of a line.

    The first ones of many are those of few.

    Parameters
    ----------
    glyphs
        Digits to write with; for bars those of writers that the reader has not seen.
    """
    prepared = prepare_glyphs(glyphs)
    order = [name for name, times in MIXTURE.items() for _ in range(times)]
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        five = directory.zips[int(rng.integers(len(directory)))]
        four = f"{rng.integers(10_000):04d}" if rng.random() < PLUS else ""
        style = order[int(rng.integers(len(order)))]
        yield five, synthesize_line(prepared, rng, text=five + four, style=style)


def read_zips(
    read: Callable[[NDArray[np.uint8]], Line],
    glyphs: Digits | Glyphs,
    directory: Directory,
    *,
    count: int = LINES,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> list[SimulatedPiece]:
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
    for index, (five, written) in enumerate(write_zips(glyphs, directory, count, seed=seed), 1):
        place = directory.place(five)
        assert place is not None, "it was drawn from the directory"
        pieces.append(
            SimulatedPiece(place, SimulatedReading.of(written.text, read(written.image)))
        )
        if progress is not None:
            progress(index, count)
    return pieces
