"""All that was found on a picture, read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from digitlens.reader.choose import (
    Found,
    likeliest_first,
    numbers,
    without_doubles,
    without_specks,
)
from digitlens.reader.page import Page, within
from digitlens.reader.strips import read_strip
from digitlens.reader.tables import read_table, row_lines
from digitlens.reading.places import upright

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitlens.layout.found import Layout
    from digitlens.reader.network import LineNetwork
    from digitlens.reader.page import Table, Where
    from digitlens.reading.line import Line

    Pixels: TypeAlias = "NDArray[np.uint8]"

UPRIGHT = 0.8
"""The least worth of a digit, on average, on a page that stands upright. 0, 1, 6, 8 and 9 are
sure the other way up, too, so that one sure line says little."""

ONE_WAY = frozenset("347")
"""Digits that are none on their heads: a sure number with one of them stands upright."""

CERTAIN, LONG = 0.9, 3
"""Confidence and digits of such a number, at least."""

CREDIBLE = 0.8
"""Less sure lines are worth nothing: words give doubtful digits either way up."""

CLEARLY = 1.1
"""A page is turned over when it is worth so many times more the other way up."""


@dataclass(frozen=True)
class Reading:
    """What stands on a picture, one way up.

    Parameters
    ----------
    layout
        What was found.
    lines
        Numbers among its strips.
    tables
        Its tables.
    found
        All strips that were read, and what on them; whether it is a number or not.
    """

    layout: Layout
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    found: tuple[Found, ...] = ()

    @property
    def _all(self) -> list[Line]:
        return [*self.lines, *(cell for table in self.tables for cell in table.cells if cell)]

    @property
    def worth(self) -> float:
        """How many digits were read with some confidence, surely read ones counting most."""
        credible = (line for line in self._all if line.confidence >= CREDIBLE)
        return sum(len(line.text) * line.confidence**2 for line in credible)

    @property
    def certain(self) -> bool:
        """Whether there is a sure number that is none on its head."""
        return any(
            line.confidence >= CERTAIN and len(line.text) >= LONG and ONE_WAY & set(line.text)
            for line in self.lines
        )

    @property
    def sure(self) -> bool:
        """Whether the digits are so sure that the page cannot stand on its head."""
        return self.certain or self.worth > UPRIGHT * sum(len(line.text) for line in self._all)

    def beats(self, other: Reading) -> bool:
        """Say whether this way up is clearly the right one."""
        return self.worth > CLEARLY * other.worth

    def of(self, where: Where | None) -> Reading:
        """Return the same without the lines that are not wanted."""
        if where is None:
            return self
        size, turn = self.layout.size, self.layout.turn
        wanted = tuple(line for line in self.lines if where(*upright(line.box, size, turn)))
        return replace(self, lines=wanted)

    def page(self, lengths: frozenset[int] | None) -> Page:
        """Return the result; rows of tables are lines where they have an allowed length.

        Boxes around what slopes may leave the picture a little: they end at its edges here.
        """
        size = self.layout.size
        lines = tuple(_within(line, size) for line in self.lines)
        tables = tuple(
            replace(table, cells=tuple(cell and _within(cell, size) for cell in table.cells))
            for table in self.tables
        )
        rows = [line for table in tables for line in row_lines(table)]
        if lengths is not None:
            rows = [line for line in rows if len(line.text) in lengths]
        layout = self.layout
        return Page(
            (*lines, *rows),
            tables,
            size,
            layout.turn,
            layout.stages,
            layout.about,
        )


def _within(line: Line, size: tuple[int, int]) -> Line:
    digits = tuple(replace(each, box=within(each.box, size)) for each in line.digits)
    return replace(line, box=within(line.box, size), digits=digits)


def read_layout(
    network: LineNetwork,
    layout: Layout,
    pixels: Pixels,
    lengths: frozenset[int] | None,
    where: Where | None = None,
    known: Reading | None = None,
) -> Reading:
    """Read every strip and table of a picture.

    Parameters
    ----------
    network
        That reads them.
    layout
        As `digitlens.layout.find_lines` found it.
    pixels
        uint8 (H, W) or (H, W, 3): the picture.
    lengths
        Allowed numbers of digits; then the likeliest numbers come first.
    where
        As for `digitlens.reader.Reader.page`.
    known
        What was read of the same layout; it is not read again.
    """
    read = {each.strip: each for each in known.found} if known else {}
    found = [
        read.get(strip)
        or Found(strip, read_strip(network, strip, lengths=lengths, pixels=pixels))
        for strip in layout.strips
        if where is None or where(*upright(strip.box, layout.size, layout.turn))
    ]
    tables = (
        known.tables if known else tuple(read_table(network, grid) for grid in layout.grids)
    )
    cells = [cell for table in tables for cell in table.cells if cell]
    kept = numbers(without_doubles(found) if lengths is None else found)
    kept = likeliest_first(kept) if lengths is not None else without_specks(kept, cells)
    lines = tuple(each.line for each in kept)
    return Reading(layout, lines, tables, tuple(found))
