"""Lines of handwritten digits, composed from single ones: what a line reader learns from.

===============  ===========================================================================
`lines`          from a number to a picture: `write_line`, `write_lines`, `write_chunk`
`style`          ranges and shares of everything that varies; `STYLES`, by name
`number`         which number is written, with which marks inside and around
`glyphs`         digits made ready: by writer, by class, by loop, with their strokes' width
`hand`           one writer's hand: size, slant, pen, distances, forms
`forms`          flags, bars, loops: the forms of other hands and countries
`lettering`      digits laid side by side, apart to overlapping
`strokes`        a pen's strokes, and marks made of them
`surroundings`   bits of other lines, and printed words
`negatives`      pictures of lines without a number
`fonts`          printed words
`page`           paper, ink and light; `printed`: rules, frames and combs
`textures`       sheets of paper, drawn once; `patterns`: what is on them
`camera`         low resolution, blur, noise, polarity, JPEG
`sheet`          samples on a sheet
===============  ===========================================================================

docs/writing.md says how often what happens in the style for training.
"""

from digitlens.writing.glyphs import Glyphs, ready
from digitlens.writing.lines import CHUNK, write_chunk, write_line, write_lines
from digitlens.writing.sheet import sheet, sheet_png
from digitlens.writing.style import STYLES, Style, named_style
from digitlens.writing.written import Written

__all__ = [
    "CHUNK",
    "STYLES",
    "Glyphs",
    "Style",
    "Written",
    "named_style",
    "ready",
    "sheet",
    "sheet_png",
    "write_chunk",
    "write_line",
    "write_lines",
]
