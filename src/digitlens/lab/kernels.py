"""The map of a kernel that was edited by hand, and the arithmetic of its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import ShapeError, UsageError
from digitlens.explaining.explanation import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.lab.taps import Bend

    Floats = NDArray[np.float32]

LARGEST = 28
"""The most that a kernel may measure, and its stride and padding may be."""


def out_side(side: int, kernel: int, *, stride: int, padding: int) -> int:
    """Return how many places a kernel has along one side.

    Raises
    ------
    UsageError
        The kernel does not fit, or a number makes no sense.

    Examples
    --------
    >>> out_side(28, 5, stride=2, padding=2), out_side(28, 3, stride=1, padding=0)
    (14, 26)
    """
    if not 1 <= stride <= LARGEST or not 0 <= padding <= LARGEST:
        raise UsageError(
            f"a stride must be in 1..{LARGEST}, a padding in 0..{LARGEST}",
            seen=f"stride {stride}, padding {padding}",
        )
    if kernel > side + 2 * padding:
        raise UsageError(
            "a kernel must fit into what it sees",
            seen=f"{kernel} pixels in {side} + 2 x {padding}",
            try_="a smaller kernel, or more padding",
        )
    return (side + 2 * padding - kernel) // stride + 1


def arithmetic(side: int, kernel: int, *, stride: int, padding: int) -> str:
    """Return how the size of a map is worked out, for a person.

    Examples
    --------
    >>> arithmetic(28, 5, stride=2, padding=2)
    '(28 + 2 x 2 - 5) / 2 + 1 = 14, rounded down'
    >>> arithmetic(28, 3, stride=1, padding=0)
    '(28 + 2 x 0 - 3) / 1 + 1 = 26'
    """
    size = out_side(side, kernel, stride=stride, padding=padding)
    whole = (side + 2 * padding - kernel) % stride == 0
    words = f"({side} + 2 x {padding} - {kernel}) / {stride} + 1 = {size}"
    return words if whole else f"{words}, rounded down"


def convolve(
    into: Floats, kernel: Floats, *, bias: float, stride: int, padding: int
) -> NDArray[np.float64]:
    """Lay `kernel` over `into` at every place and sum the products.

    Parameters
    ----------
    into
        float (channels, height, width).
    kernel
        float (channels, rows, columns).

    Returns
    -------
    float64 (places down, places across).

    Raises
    ------
    ShapeError
        The kernel has other channels, or is larger than `LARGEST`.
    UsageError
        It does not fit.

    Examples
    --------
    >>> ramp = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    >>> edge = np.array([[[-1, 1]]], np.float32)
    >>> convolve(ramp, edge, bias=0.5, stride=1, padding=0).tolist()
    [[1.5, 1.5], [1.5, 1.5], [1.5, 1.5]]
    """
    if kernel.ndim != 3 or len(kernel) != len(into) or not kernel.size:
        raise ShapeError(
            f"the kernel must be numbers ({len(into)}, rows, columns)", seen=f"{kernel.shape}"
        )
    if max(kernel.shape[1:]) > LARGEST:
        raise ShapeError(f"a kernel measures at most {LARGEST}", seen=f"{kernel.shape[1:]}")
    for side, size in zip(into.shape[1:], kernel.shape[1:], strict=True):
        out_side(side, size, stride=stride, padding=padding)
    framed = np.pad(into.astype(np.float64), ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, kernel.shape[1:], axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    return np.asarray(np.einsum("chwij,cij->hw", windows, kernel, optimize=True) + bias)


def edited(
    into: Floats, kernel: Floats, *, bias: float, stride: int, padding: int, bend: Bend
) -> dict[str, Any]:
    """Return the map of an edited kernel, for JSON: before and after its bend."""
    before = convolve(into, kernel, bias=bias, stride=stride, padding=padding)
    rows, columns = (
        arithmetic(side, size, stride=stride, padding=padding)
        for side, size in zip(into.shape[1:], kernel.shape[1:], strict=True)
    )
    return {
        "height": before.shape[0],
        "width": before.shape[1],
        "arithmetic": {"height": rows, "width": columns},
        "before": rounded(before.astype(np.float32)),
        "map": rounded(bend(before).astype(np.float32)),
    }
