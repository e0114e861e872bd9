"""Any picture of one digit -> MNIST's frame, step by step.

==========  =================================================================
`opening`   path, bytes, Pillow picture or array -> pixels
`noise`     specks of salt and pepper out
`paper`     what is paper and what is ink: polarity, shadow, fog, colour
`marks`     which of the marks are the digit
`strokes`   how thick the pen is; outlines filled, hairlines thickened
`box`       20 x 20 box, centre of mass in the middle of 28 x 28
`framing`   all of it: `frame_digit`, `frame_steps`
`drawing`   for what was drawn on a screen, where nothing need be guessed: `frame_drawing`
`stack`     many pictures at once: `frame_stack`
`cut`       a box of a picture, with some paper around it
==========  =================================================================

Polarity of what comes out: 0 = paper, 255 = ink.
"""

from __future__ import annotations

from digitlens.imaging.drawing import frame_drawing
from digitlens.imaging.normalize import (
    FramedStack,
    Framing,
    Step,
    frame_digit,
    frame_stack,
    frame_steps,
)

__all__ = [
    "FramedStack",
    "Framing",
    "Step",
    "frame_digit",
    "frame_drawing",
    "frame_stack",
    "frame_steps",
]
