"""The layers that torch does not have: those of the paper of 1998.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document
recognition, Proceedings of the IEEE 86 (11), 1998, section II.B and appendix A.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class InputPad(nn.Module):
    """Lay a 28 x 28 digit in a 32 x 32 field and bring paper to -0.1, full ink to 1.175.

    The paper's rule: the mean of the pixels is then about 0, their variance about 1.
    Takes float (N, 1, 28, 28) in 0..1, 1 = ink; gives (N, 1, 32, 32).
    """

    margin = 2
    paper = -0.1
    ink = 1.175

    def forward(self, x: Tensor) -> Tensor:
        """Frame and rescale a batch."""
        framed = functional.pad(x, [self.margin] * 4)
        return framed * (self.ink - self.paper) + self.paper


class ScaledTanh(nn.Module):
    """A tanh(S x) with A = 1.7159 and S = 2/3, so that +-1 stays +-1 (appendix A)."""

    def __init__(self, amplitude: float = 1.7159, slope: float = 2.0 / 3.0) -> None:
        super().__init__()
        self.amplitude = amplitude
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Squash a batch of any shape."""
        return self.amplitude * torch.tanh(self.slope * x)


class Subsample(nn.Module):
    """Sum each 2 x 2 window, times one trainable weight, plus one trainable bias a map.

    Takes (N, C, H, W), gives (N, C, H / 2, W / 2). Two weights a map, as in S2 and S4.
    """

    window = 2

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((maps,), 1.0 / self.window**2))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, x: Tensor) -> Tensor:
        """Subsample a batch."""
        total = functional.avg_pool2d(x, self.window) * self.window**2
        return total * self.weight.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


class PartialConv2d(nn.Conv2d):
    """A convolution in which each output map sees only some of the input maps.

    Parameters
    ----------
    table
        For each output map, the input maps it sees (table I of the paper).
    in_channels, kernel_size
        As in `torch.nn.Conv2d`.

    The kernels of pairs that are not connected are no weights: they are held at zero, and
    `count` leaves them out.
    """

    connected: Tensor

    def __init__(self, table: list[list[int]], in_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, len(table), kernel_size)
        connected = torch.zeros(len(table), in_channels, 1, 1)
        for row, seen in enumerate(table):
            connected[row, seen] = 1.0
        self.register_buffer("connected", connected, persistent=False)
        fan_in = connected.sum(1, keepdim=True) * kernel_size**2
        with torch.no_grad():
            self.weight.uniform_(-1.0, 1.0).mul_(connected / fan_in.sqrt())

    @property
    def count(self) -> int:
        """Weights and biases that are there: connected kernels only."""
        height, width = self.kernel_size
        return int(self.connected.sum()) * height * width + self.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a batch."""
        return functional.conv2d(x, self.weight * self.connected, self.bias)


class BitmapDistance(nn.Module):
    """Minus the squared distance to one fixed bitmap a class, as in the output layer.

    Takes (N, F); gives (N, classes), the nearest class highest. The bitmaps (classes, F) of
    -1 and +1 are fixed, they are not trained. The distance is divided by `spread`, which
    changes no answer: as the paper has it, softmax is all but certain from the first step
    on, and there is little left to learn from.
    """

    bitmaps: Tensor

    def __init__(self, bitmaps: Tensor, spread: float = 8.0) -> None:
        super().__init__()
        self.spread = spread
        self.register_buffer("bitmaps", bitmaps, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Compare a batch with the bitmaps."""
        x = x.float()  # sums of 84 squares lose digits in bf16
        with torch.autocast(x.device.type, enabled=False):
            products = functional.linear(x, self.bitmaps)
            lengths = x.square().sum(1, keepdim=True) + self.bitmaps.square().sum(1)
            return (2.0 * products - lengths) / self.spread
