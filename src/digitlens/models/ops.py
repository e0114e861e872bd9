"""A trained network as a short list of plain operations, with numpy weights and no torch.

This is what is exported: batch normalisation is folded into the kernel before it, scaling and
framing into the first one. `apply` is the slow, obvious meaning of the list, against which the
exports are tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


Pair: TypeAlias = "tuple[int, int]"  # a number for rows and one for columns


@dataclass(frozen=True, eq=False)
class Conv:
    """2-d convolution: weight (out, in / groups, rows, columns), bias (out,); edges are 0."""

    weight: Floats
    bias: Floats
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    groups: int = 1


@dataclass(frozen=True, eq=False)
class Linear:
    """Fully connected: weight (out, in), bias (out,)."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class QuantLinear:
    """Fully connected, from the pixels' bytes: weight int8 (out, in), scale and bias (out,).

    It is ``scale * (weight @ pixels) + bias``; the product of integers is exact. Only the first
    layer can be one, after Flatten.
    """

    weight: NDArray[np.int8]
    scale: Floats
    bias: Floats


@dataclass(frozen=True)
class Relu:
    """max(x, 0)."""


@dataclass(frozen=True)
class Tanh:
    """amplitude * tanh(slope * x)."""

    amplitude: float
    slope: float


@dataclass(frozen=True)
class Sigmoid:
    """1 / (1 + exp(-x))."""


@dataclass(frozen=True)
class MaxPool:
    """The largest value of each window; windows do not overlap."""

    window: int


@dataclass(frozen=True)
class Flatten:
    """(N, C, H, W) -> (N, C H W), channel by channel, row by row."""


@dataclass(frozen=True, eq=False)
class RbfDistance:
    """Minus the squared distance to each row of bitmaps (classes, F), over `spread`."""

    bitmaps: Floats
    spread: float


@dataclass(frozen=True, eq=False)
class Residual:
    """x + body(x) (He et al. 2016, arXiv 1512.03385); the body keeps the shape."""

    body: tuple[Op, ...]


Op: TypeAlias = (
    "Conv | Linear | QuantLinear | Relu | Tanh | Sigmoid | MaxPool | Flatten | RbfDistance"
    " | Residual"
)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several networks for one answer: the mean of their logits."""

    members: tuple[Sequence[Op], ...]


@dataclass(frozen=True, eq=False)
class Cascade:
    """A small network answers where its best logit leads by `margin`, else a larger one does.

    Both have the same number of outputs.
    """

    first: Sequence[Op]
    second: Sequence[Op]
    margin: float


Program: TypeAlias = "Sequence[Op] | Ensemble | Cascade"


def count_outputs(program: Program) -> int:
    """Return how many logits `program` gives."""
    match program:
        case Ensemble():
            return count_outputs(program.members[0])
        case Cascade():
            return count_outputs(program.first)
        case _:
            last = program[-1]
            assert isinstance(last, Linear | RbfDistance), "a network ends in its logits"
            return len(last.weight if isinstance(last, Linear) else last.bitmaps)


def apply(ops: Sequence[Op], pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the logits of `ops` on uint8 pixels (N, 28, 28): float64 (N, 10 or 11)."""
    return apply_to(ops, pixels[:, None].astype(np.float64))


def apply_to(ops: Sequence[Op], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `ops` make of numbers of any shape that the first of them takes."""
    for op in ops:
        x = _apply(op, x)
    return x


def _apply(op: Op, x: NDArray[np.float64]) -> NDArray[np.float64]:
    match op:
        case Conv():
            return _convolve(op, x)
        case Linear():
            return x @ op.weight.T.astype(np.float64) + op.bias
        case QuantLinear():
            return x @ op.weight.T.astype(np.float64) * op.scale + op.bias
        case Relu():
            return np.maximum(x, 0)
        case Tanh():
            return op.amplitude * np.tanh(op.slope * x)
        case Sigmoid():  # as tanh has it nothing overflows
            return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))
        case MaxPool():
            window = (op.window, op.window)
            return np.asarray(_windows(x, window, window).max((-2, -1)))
        case Flatten():
            return x.reshape(len(x), -1)
        case RbfDistance():  # all pairs of a row of x and a bitmap
            return np.asarray(-np.square(x[:, None] - op.bitmaps).sum(-1) / op.spread)
        case Residual():
            return x + apply_to(op.body, x)


def _convolve(op: Conv, x: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = op.padding
    padded = np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))
    windows = _windows(padded, op.weight.shape[2:], op.stride)
    # Each group of kernels sees its own part of the channels.
    groups = zip(
        np.split(op.weight, op.groups), np.split(windows, op.groups, axis=1), strict=True
    )
    maps = [
        np.einsum("nchwij,ocij->nohw", part, kernels, optimize=True) for kernels, part in groups
    ]
    return np.asarray(np.concatenate(maps, axis=1) + op.bias[:, None, None])


def _windows(x: NDArray[np.float64], size: Pair, stride: Pair) -> NDArray[np.float64]:
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return np.asarray(view[:, :, :: stride[0], :: stride[1]])
