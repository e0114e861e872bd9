"""A network layer by layer: output shape, weights and multiply-adds."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from digitlens.digits import SIDE
from digitlens.models.architectures import evaluation_mode
from digitlens.models.architectures.lenet5 import BitmapDistance, PartialConv2d, Subsample


@dataclass(frozen=True)
class LayerRow:
    """One layer: its name, the shape it gives for one digit, its weights and multiply-adds."""

    layer: str
    shape: tuple[int, ...]
    weights: int
    multiply_adds: int


@dataclass(frozen=True)
class NetworkSummary:
    """All layers of one network.

    Weights are the numbers that training changes, biases and normalisation included;
    multiply-adds are those of the kernels, for one digit, without biases and activations.
    """

    name: str
    rows: tuple[LayerRow, ...]

    @property
    def weights(self) -> int:
        """Trained numbers of all layers."""
        return sum(row.weights for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all layers for one digit."""
        return sum(row.multiply_adds for row in self.rows)

    def as_dict(self) -> dict[str, object]:
        """Return the summary for JSON."""
        return {
            "name": self.name,
            "weights": self.weights,
            "multiply_adds": self.multiply_adds,
            "layers": [asdict(row) | {"shape": list(row.shape)} for row in self.rows],
        }

    def text(self) -> str:
        """Return the summary as an aligned table."""
        cells = [("layer", "output", "weights", "multiply-adds")]
        cells += [
            (
                row.layer,
                " x ".join(map(str, row.shape)),
                f"{row.weights:,}",
                f"{row.multiply_adds:,}",
            )
            for row in self.rows
        ]
        cells.append(("total", "", f"{self.weights:,}", f"{self.multiply_adds:,}"))
        widths = [max(len(row[column]) for row in cells) for column in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
            for a, b, c, d in cells
        ]
        return "\n".join([self.name, "", *lines])


def summarize(network: nn.Sequential, *, name: str) -> NetworkSummary:
    """Return the summary of `network`; one blank digit is passed through it."""
    # Shapes are found by running the layers one after the other on blank paper.
    value = torch.zeros(1, 1, SIDE, SIDE)
    rows = []
    with evaluation_mode(network), torch.inference_mode():
        for layer in network:
            result = layer(value)
            rows.append(
                LayerRow(
                    _title(layer),
                    tuple(result.shape[1:]),
                    _weights(layer),
                    _multiply_adds(layer, result),
                )
            )
            value = result
    return NetworkSummary(name, tuple(rows))


def _weights(layer: nn.Module) -> int:
    if isinstance(layer, PartialConv2d):
        return layer.count
    return sum(parameter.numel() for parameter in layer.parameters())


def _multiply_adds(layer: nn.Module, result: Tensor) -> int:
    places = result[0, 0].numel()
    match layer:
        case PartialConv2d():  # only kernels that are connected; biases are no products
            return (layer.count - layer.out_channels) * places
        case nn.Conv2d():
            return layer.weight.numel() * places
        case nn.Linear():
            return layer.weight.numel()
        case Subsample():  # one product for each number that it gives
            return result[0].numel()
        case BitmapDistance():
            return layer.bitmaps.numel()
        case _:
            return 0


def _title(layer: nn.Module) -> str:
    kind = type(layer).__name__
    if isinstance(layer, nn.Conv2d):
        size, stride = layer.kernel_size[0], layer.stride[0]
        return f"{kind} {size} x {size}" + (f", stride {stride}" if stride != 1 else "")
    if isinstance(layer, nn.MaxPool2d):
        return f"{kind} {layer.kernel_size} x {layer.kernel_size}"
    return kind
