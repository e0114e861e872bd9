"""The array types of pictures, for annotations."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W) gray, or (H, W, 3) red, green, blue."""

Gray: TypeAlias = NDArray[np.uint8]
"""(H, W), 0 = black, 255 = white."""

FloatGray: TypeAlias = NDArray[np.float32]
"""(H, W), 0.0..255.0."""

Mask: TypeAlias = NDArray[np.uint8]
"""(H, W), 1 where something is, 0 elsewhere."""

Floats: TypeAlias = NDArray[np.float64]
"""Points, boxes and matrices."""
