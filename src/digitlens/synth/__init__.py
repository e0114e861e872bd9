"""Lines of handwritten digits, composed from single ones: what a line reader learns from.

===============  ===========================================================================
`lines`          from a number to a picture: `synthesize_line`, `synthesize_lines`
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
`sample_sheet`          samples on a sheet
===============  ===========================================================================

docs/writing.md says how often what happens in the style for training.
"""

from __future__ import annotations

from digitlens.synth.glyphs import Glyphs, prepare_glyphs
from digitlens.synth.lines import (
    CHUNK,
    sample_sheet,
    sheet_png,
    synthesize_chunk,
    synthesize_line,
    synthesize_lines,
)
from digitlens.synth.sample import LineSample
from digitlens.synth.style import STYLES, Style, named_style

__all__ = [
    "CHUNK",
    "STYLES",
    "Glyphs",
    "LineSample",
    "Style",
    "named_style",
    "prepare_glyphs",
    "sample_sheet",
    "sheet_png",
    "synthesize_chunk",
    "synthesize_line",
    "synthesize_lines",
]
