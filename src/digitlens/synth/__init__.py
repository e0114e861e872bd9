"""Synthetic lines of handwritten digits: what a line reader learns from.

===============  ===========================================================================
`lines`          `synthesize_line`: from a number to a picture of it; read this first
`style`          the ranges and shares of everything that varies; `STYLES`, by name
`writer`         which number is written, and one writer's hand: size, slant, pen, forms
`glyphs`         digits prepared: by writer, by class, by loop, with their strokes' width
`hands`          whole hands: one writer's strokes or one font all through a line
`pen_hand`       a writer's strokes, with forms, pressure and joins of their own
`face_hand`      a font's digits, written or printed
`digit_forms`    the forms of other hands and countries, and elastic distortion
`compose`        digits laid out side by side, apart to overlapping
`strokes`        a pen's strokes, and digits and marks made of them
`page`           paper, ink and light; rules, frames and combs; parts of other lines, words
`distractors`    pictures of lines without a number
`fonts`          printed words, and the digits of fonts
`textures`       sheets of paper and fields of light
`camera`         low resolution, blur, noise, polarity, JPEG
`random`         single random numbers, quickly
===============  ===========================================================================

docs/writing.md says how often each thing happens in the style for training.
"""

from __future__ import annotations

from digitlens.synth.glyphs import Glyphs, prepare_glyphs
from digitlens.synth.lines import (
    CHUNK,
    LineSample,
    sample_sheet,
    sheet_png,
    synthesize_chunk,
    synthesize_line,
    synthesize_lines,
)
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
