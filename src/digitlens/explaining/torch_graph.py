"""An ONNX graph worked out by torch, so that it can be derived.

The rules are those of onnx.ai/onnx/operators for operator sets 13 to 18; each is tested
against ONNX Runtime.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from digitlens.inside.layers import carried

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from digitlens.inside import Graph, Node

    Rule = Callable[..., Tensor]


def forward(graph: Graph, wanted: str, pixels: Tensor) -> Tensor:
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
            names = carried(node) if node.kind == "Gather" else node.inputs
            values[name] = _work_out(node, [value(each) for each in names])
        return values[name]

    found = value(wanted)
    assert found is not None, "a value has a name"
    return found


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
    return x.reshape([x.shape[at] if size == 0 else size for at, size in enumerate(shape)])


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
    for at in every:
        axis = at if axes is None else int(axes[at])
        step = 1 if steps is None else int(steps[at])
        which[axis] = slice(int(starts[at]), int(ends[at]), step)
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


def _clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    return x if low is None and high is None else torch.clamp(x, low, high)


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
