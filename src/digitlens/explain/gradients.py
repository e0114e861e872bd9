"""Integrated gradients: how much each pixel added to the answer's log-odds.

M. Sundararajan, A. Taly, Q. Yan: Axiomatic attribution for deep networks, ICML 2017, arXiv
1703.01365. The picture is faded in from blank paper; a pixel's part is its ink times the mean
of its derivative on the way. The parts sum to the log-odds of the picture less those of blank
paper (the paper's proposition 1), and a pixel of paper has exactly none.

Log-odds and not the bare logit, which means nothing by itself: all ten may rise together, and
an ensemble has none of its own. So occlusion and gradients are told in one unit, too.

* An ONNX graph worked out by torch, so that it can be derived.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.explain.inspection import data_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from digitlens.digits import Images
    from digitlens.models.onnx_graph import Node, OnnxGraph

    Rule = Callable[..., Tensor]


def forward(graph: OnnxGraph, wanted: str, pixels: Tensor) -> Tensor:
    """Return the value called `wanted` for float pixels (N, 28, 28), 0 = paper, 255 = ink.

    Raises
    ------
    NotImplementedError
        A node on the way is of a kind that has no rule here.
    """
    makers = {name: node for node in graph.nodes for name in node.outputs}
    values: dict[str, Tensor] = {graph.inputs[0]: pixels}

    def value(name: str) -> Tensor | None:
        if not name:
            return None
        if name not in values and name in graph.constants:
            values[name] = torch.tensor(graph.constants[name])
        if name not in values:
            node = makers[name]
            names = data_inputs(node) if node.kind == "Gather" else node.inputs
            values[name] = _work_out(node, [value(item) for item in names])
        return values[name]

    result = value(wanted)
    assert result is not None, "a value has a name"
    return result


def _work_out(node: Node, given: list[Tensor | None]) -> Tensor:
    rule = RULES.get(node.kind)
    if rule is None:
        raise NotImplementedError(f"torch has no rule here for {node.kind}")
    return rule(*given, **node.attributes)


def _conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    strides: list[int] | None = None,
    pads: list[int] | None = None,
    group: int = 1,
    **_: Any,
) -> Tensor:
    x = functional.pad(x, _pads(pads))
    return functional.conv2d(x, weight, bias, stride=strides or 1, groups=group)


def _gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,  # noqa: N803 - ONNX's own names
    transB: int = 0,  # noqa: N803
) -> Tensor:
    product = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return product if c is None else product + beta * c


def _max_pool(
    x: Tensor,
    *,
    kernel_shape: list[int],
    strides: list[int] | None = None,
    pads: list[int] | None = None,
    **_: Any,
) -> Tensor:
    x = functional.pad(x, _pads(pads), value=-torch.inf)
    return functional.max_pool2d(x, kernel_shape, strides or [1, 1])


def _average_pool(
    x: Tensor,
    *,
    kernel_shape: list[int],
    strides: list[int] | None = None,
    pads: list[int] | None = None,
    count_include_pad: int = 0,
    **_: Any,
) -> Tensor:
    step = strides or [1, 1]
    total = functional.avg_pool2d(functional.pad(x, _pads(pads)), kernel_shape, step)
    if count_include_pad:
        return total
    inside = functional.pad(torch.ones_like(x[:1, :1]), _pads(pads))
    return total / functional.avg_pool2d(inside, kernel_shape, step)


def _pads(pads: list[int] | None) -> list[int]:
    top, left, bottom, right = pads or (0, 0, 0, 0)
    return [left, right, top, bottom]


def _reshape(x: Tensor, shape: Tensor, **_: Any) -> Tensor:
    # 0 stands for the size that is there already.
    return x.reshape(
        [x.shape[index] if size == 0 else size for index, size in enumerate(shape)]
    )


def _flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    return x.reshape(int(torch.tensor(x.shape[:axis]).prod()), -1)


def _reduce(how: Callable[..., Tensor]) -> Rule:
    def rule(
        x: Tensor,
        listed: Tensor | None = None,
        *,
        axes: list[int] | None = None,
        keepdims: int = 1,
    ) -> Tensor:
        chosen = axes if listed is None else listed.tolist()
        return how(x, dim=chosen or list(range(x.ndim)), keepdim=bool(keepdims))

    return rule


def _slice(
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    every = range(len(starts))
    which = [slice(None)] * x.ndim
    for index in every:
        axis = index if axes is None else int(axes[index])
        step = 1 if steps is None else int(steps[index])
        which[axis] = slice(int(starts[index]), int(ends[index]), step)
    return x[tuple(which)]


def _batch_norm(
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    **_: Any,
) -> Tensor:
    return functional.batch_norm(x, mean, variance, scale, shift, eps=epsilon)


def _clip(x: Tensor, low: Tensor | None = None, height: Tensor | None = None) -> Tensor:
    return x if low is None and height is None else torch.clamp(x, low, height)


def _pool_whole(how: Callable[..., Tensor]) -> Rule:
    return lambda x: how(x, dim=(2, 3), keepdim=True)


RULES: dict[str, Rule] = {
    "Add": torch.add,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": lambda x, **_: x if x.is_floating_point() else x.float(),
    "Clip": _clip,
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Conv": _conv,
    "Div": torch.div,
    "Exp": torch.exp,
    "Flatten": _flatten,
    "Gemm": _gemm,
    # Rows that a cascade passes on to its second network: here all of them.
    "Gather": lambda x, **_: x,
    "GlobalAveragePool": _pool_whole(torch.mean),
    "GlobalMaxPool": _pool_whole(torch.amax),
    "Identity": lambda x: x,
    "LeakyRelu": lambda x, alpha=0.01: functional.leaky_relu(x, alpha),
    "Log": torch.log,
    "LogSoftmax": lambda x, axis=-1: x.log_softmax(axis),
    "MatMul": torch.matmul,
    "MatMulInteger": lambda x, weight: x.float() @ weight.float(),
    "Max": lambda *parts: reduce(torch.maximum, parts),
    "MaxPool": _max_pool,
    "Mean": lambda *parts: reduce(torch.add, parts) / len(parts),
    "Min": lambda *parts: reduce(torch.minimum, parts),
    "Mul": torch.mul,
    "Neg": torch.neg,
    "ReduceLogSumExp": _reduce(torch.logsumexp),
    "ReduceMax": _reduce(torch.amax),
    "ReduceMean": _reduce(torch.mean),
    "ReduceMin": _reduce(torch.amin),
    "ReduceSum": _reduce(torch.sum),
    "ReduceSumSquare": _reduce(lambda x, **how: x.square().sum(**how)),
    "Relu": torch.relu,
    "Reshape": _reshape,
    "Sigmoid": torch.sigmoid,
    "Slice": _slice,
    "Softmax": lambda x, axis=-1: x.softmax(axis),
    "Sqrt": torch.sqrt,
    "Squeeze": lambda x, axes: x.squeeze(axes.tolist()),
    "Sub": torch.sub,
    "Sum": lambda *parts: reduce(torch.add, parts),
    "Tanh": torch.tanh,
    "Unsqueeze": lambda x, axes: x[(None,) * len(axes)].movedim(
        tuple(range(len(axes))), tuple(axes.tolist())
    ),
}
"""How torch works out each kind of node: inputs in order, attributes by name."""


STEPS = 64
MOST_STEPS = 512
GAP = 0.005
"""The sum may miss the difference of the log-odds by this share of all that is added and
taken away, or the steps are doubled."""

SAME = 0.02
"""Sums in another order differ by less, however the engine rounds."""


def integrated_gradients(
    graph: OnnxGraph, wanted: str, digit: Images, label: int, *, odds: float
) -> NDArray[np.float32]:
    """Return what each pixel adds to the log-odds of `label`.

    Parameters
    ----------
    graph
        Of the model, as `digitlens.inside` reads it.
    wanted
        The name of the logits in it: of the model, or of one network.
    digit
        uint8 (28, 28); 0 = paper, 255 = ink.
    label
        0..9.
    odds
        Its log-odds, as the model has them: torch must come to the same.

    Returns
    -------
    float32 (28, 28); its sum is the log-odds of the digit less those of blank paper.

    Raises
    ------
    NotImplementedError
        The graph has a node for which torch has no rule here, or one for which it has
        another: the log-odds differ.
    """
    ink = torch.from_numpy(digit.astype(np.float32))
    with torch.inference_mode():
        both = torch.stack([torch.zeros_like(ink), ink])
        ends = _log_odds(graph, wanted, both, label)
    if abs(float(ends[1]) - odds) > SAME:
        raise NotImplementedError(f"torch comes to log-odds {ends[1]:.3f}, not {odds:.3f}")
    whole = float(ends[1] - ends[0])
    steps = STEPS
    while True:
        parts = ink * _mean_gradient(graph, wanted, ink, label, steps)
        gap = abs(float(parts.sum()) - whole)
        if gap <= GAP * float(parts.abs().sum()) or steps >= MOST_STEPS:
            return parts.numpy()
        steps *= 2


def _mean_gradient(
    graph: OnnxGraph, wanted: str, ink: torch.Tensor, label: int, steps: int
) -> torch.Tensor:
    # The middle of each step: the rule of the midpoint errs less than either end.
    shares = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    way = (shares[:, None, None] * ink).requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_log_odds(graph, wanted, way, label).sum(), way)
    return gradient.mean(dim=0)


def _log_odds(graph: OnnxGraph, wanted: str, pixels: torch.Tensor, label: int) -> torch.Tensor:
    logits = forward(graph, wanted, pixels)[:, :CLASSES]  # an eleventh says "no digit"
    others = torch.arange(CLASSES) != label
    return logits[:, label] - logits[:, others].logsumexp(dim=1)
