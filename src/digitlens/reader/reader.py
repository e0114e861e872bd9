"""`Reader`: pictures of lines and whole pages -> numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens.errors import ModelError, ShapeError
from digitlens.ink.opening import Opened, open_picture
from digitlens.layout import find_lines
from digitlens.reader.choose import as_one_line, is_one_line, may_be_one_line
from digitlens.reader.network import load_line_network
from digitlens.reader.page import Page, within
from digitlens.reader.single import line_of
from digitlens.reader.whole import read_layout
from digitlens.reading.bar import Bar, bar_for
from digitlens.reading.frames import wanted_lengths
from digitlens.reading.line import Line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from digitlens.ink.opening import Picture
    from digitlens.layout.found import Layout
    from digitlens.reader.hints import Field
    from digitlens.reader.network import LineNetwork
    from digitlens.reader.page import Stage, Where
    from digitlens.reader.whole import Pixels, Reading

    Lengths = int | Collection[int]

LONGEST = 100_000
"""Pixels that a side may have: finding lines on a strip that is longer takes a minute."""


class Reader:
    """Reads numbers from pictures.

    Parameters
    ----------
    source
        A published line network, a run folder of ``digitlens train reader``, or an .onnx file.
    network
        A line network that is loaded already, instead.

    Raises
    ------
    ModelError
        There is no such network.

    Examples
    --------
    >>> reader = Reader()  # doctest: +SKIP
    >>> reader.read_line("amount.png").text  # doctest: +SKIP
    '12500'
    """

    def __init__(
        self, source: str | Path = "reader", *, network: LineNetwork | None = None
    ) -> None:
        self.network = network or load_line_network(source)

    def read_line(self, picture: Picture | Opened, length: Lengths | None = None) -> Line:
        """Read the one line of digits that a picture shows.

        Parameters
        ----------
        picture
            A path, the bytes of a picture file, a Pillow picture, an array uint8 (H, W) or
            (H, W, 3), or what `open_picture` gave: the line from edge to edge, with or
            without paper around; dark on light or light on dark.
        length
            How many digits there are, or several numbers that are allowed; None when that is
            not known.

        Returns
        -------
        The line; its boxes are in pixels of the picture, upright as its EXIF entry says. The
        text is empty where no digit was seen.

        Raises
        ------
        MissingDataError, DataError, CorruptFileError, ShapeError
            As `digitlens.ink.opening.open_picture` says; or a side of more than 100,000
            pixels.
        UsageError
            A length below 1.
        """
        lengths = wanted_lengths(length)
        return line_of(self.network, _opened(picture), lengths)

    def read(
        self,
        picture: Picture | Opened,
        length: Lengths | None = None,
        *,
        fields: Sequence[Field] | None = None,
    ) -> list[Line]:
        """Read all numbers of a whole picture; see `page`, whose lines these are."""
        return list(self.page(picture, length, fields=fields).lines)

    def page(
        self,
        picture: Picture | Opened,
        length: Lengths | None = None,
        *,
        fields: Sequence[Field] | None = None,
        stages: bool = False,
        where: Where | None = None,
    ) -> Page:
        """Read all numbers of a whole picture, and the tables on it.

        Parameters
        ----------
        picture
            As for `read_line`: any photo or scan; upside down or on its side, too.
        length
            How many digits a wanted number has, or several allowed numbers. Only such lines
            come back then, the likeliest first.
        fields
            What is wanted, one number each; `length` then counts for fields without a count.
        stages
            Whether `Page.stages` is filled; with fields, by the steps of each of them.
        where
            Says of the box around a line, and of width and height of the picture, both as
            they are once the picture is turned upright, whether the line is read; that takes
            most of the time. Neither tables nor fields are asked for.

        Returns
        -------
        The lines from top to bottom, left to right, columns one after the other, and rows of
        tables after them; or as said above. What is no number is left out, so that there may
        be no line.

        Raises
        ------
        MissingDataError, DataError, CorruptFileError, ShapeError, UsageError
            As `digitlens.layout.find_lines` says.
        """
        lengths = wanted_lengths(length)
        opened = _opened(picture)
        if fields:
            return self._fields(opened, fields, lengths, stages=stages)
        count = next(iter(lengths)) if lengths and len(lengths) == 1 else None
        layout = find_lines(opened.pixels, count=count, stages=stages)
        # The layout was made of an array: how the picture was opened is known here.
        about = opened.about, *layout.about[1:]
        return replace(self._read(layout, lengths, opened, where=where), about=about)

    def bar(self, max_error: float, length: Lengths | None = None) -> Bar:
        """Return how sure a line must be read, for at most `max_error` of these to be wrong.

        Parameters
        ----------
        max_error
            Above 0, at most 1: the share of wrong ones among the lines that reach the bar.
        length
            As it is given to `read_line` or `read`.

        Returns
        -------
        The bar. Its `confidence` is None where no bar keeps the promise: no line is then sure
        enough. It is set on lines composed of digits by writers held back from training; on
        other paper and by other hands the promise is only as good as that likeness.

        Raises
        ------
        UsageError
            A rate or a length out of range.
        ModelError
            The network has not been calibrated.
        """
        if self.network.calibrations is None:
            raise ModelError(
                f"{self.network.path} must be calibrated for a promise about errors",
                seen="no calibration in the file",
                try_="the published reader",
            )
        calibration = self.network.calibrations.of(wanted_lengths(length))
        return bar_for(max_error, calibration.curve)

    def _fields(
        self,
        opened: Opened,
        fields: Sequence[Field],
        lengths: frozenset[int] | None,
        *,
        stages: bool,
    ) -> Page:
        lines: list[Line] = []
        steps: list[Stage] = []
        height, width = opened.pixels.shape[:2]
        for number, field in enumerate(fields, 1):
            wanted = lengths if field.count is None else wanted_lengths(field.count)
            layout = find_lines(
                opened.pixels,
                count=field.count,
                area=field.area,
                boxes=field.boxes,
                stages=stages,
            )
            found = self._read(layout, wanted, opened, cut=field.area is not None)
            whole = 0.0, 0.0, float(width), float(height)
            nothing = Line("", 0.0, within(field.area or whole, (width, height)))
            lines.append(max(found.lines, key=_sureness, default=nothing))
            steps += [(f"field-{number}-{name}", picture) for name, picture in found.stages]
        return Page(
            tuple(lines), size=(width, height), stages=tuple(steps), about=(opened.about,)
        )

    def _read(
        self,
        layout: Layout,
        lengths: frozenset[int] | None,
        opened: Opened,
        *,
        cut: bool = False,
        where: Where | None = None,
    ) -> Page:
        reading = read_layout(self.network, layout, opened.pixels, lengths, where)
        certain = is_one_line(layout)
        if not cut and (certain or may_be_one_line(layout)):
            whole = line_of(self.network, opened, lengths)
            return replace(
                reading, lines=as_one_line(reading.lines, whole, certain=certain)
            ).page(lengths)
        reading = self._right_way_up(reading, opened.pixels, lengths)
        return reading.of(where).page(lengths)

    def _right_way_up(
        self, reading: Reading, pixels: Pixels, lengths: frozenset[int] | None
    ) -> Reading:
        """Read a page on its head, too, where it may stand so; by all of its lines."""
        layout = reading.layout
        if reading.certain:
            return reading
        if len(reading.found) < len(layout):
            reading = read_layout(self.network, layout, pixels, lengths, known=reading)
        if reading.sure:
            return reading
        turned = read_layout(self.network, layout.upside_down(), pixels, lengths)
        return turned if turned.beats(reading) else reading


def _opened(picture: Picture | Opened) -> Opened:
    opened = picture if isinstance(picture, Opened) else open_picture(picture)
    high, wide = opened.pixels.shape[:2]
    if max(high, wide) > LONGEST:
        raise ShapeError(
            f"{opened.name} is too long: a side may have {LONGEST:,} pixels at most",
            seen=f"{wide:,} x {high:,} pixels",
            try_="cut it to pieces",
        )
    return opened


def _sureness(line: Line) -> float:
    return line.confidence
