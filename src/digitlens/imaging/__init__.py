"""Any picture -> pixels, and one digit of it -> MNIST's frame. Read `normalize` first.

The others in the order in which a picture meets them: `io` (decode), `binarize` (paper and
ink), `components` (which connected ink is the digit), `fit` (20 x 20 box, center of mass),
`crop` (boxes out of a picture, lines for a network).

Everything that comes out has 0 = paper and 255 = ink.
"""

from __future__ import annotations

from digitlens.imaging.normalize import (
    FramedStack,
    Framing,
    Step,
    frame_digit,
    frame_drawing,
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
