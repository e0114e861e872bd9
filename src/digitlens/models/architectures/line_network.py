"""Networks that look along a line: the readers, and two that help them.

A convolutional network looks along the line: three stages of 3 x 3 kernels and residual blocks
(He et al. 2016, arXiv 1512.03385) bring 32 rows down to 4, a kernel 4 rows high to one, and two
blocks of kernels 5 columns wide let each place see its neighbours. What it says of each frame
is turned into a string by `digitlens.ctc` (connectionist temporal classification, Graves et
al. 2006). There is no recurrent layer: one was tried, and nothing was gained.

A position lies 4 columns from the next, but speaks for two frames: "000" and "11" in narrow
writing need a blank between each two digits, so two digits must be at least 2 frames apart.

The network of signs says of each frame whether it shows a digit, a letter or a mark. Few and
narrow layers bring 32 rows down to one; two residual blocks with kernels 9 columns wide let
each place see some six glyphs, since whether a ring is a 0 or an O, and a stroke a 1 or an l,
is a matter of what stands beside it.

The rescorer looks at one place of a line at a time, through a square window with more rows,
and says which digit stands in its middle, or that none does. Where digits are it need not
learn, so all its weights go into which they are (rescoring, as recognizers of speech do it).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from digitlens.digits import CLASSES
from digitlens.imaging.crop import HEIGHT, WINDOW
from digitlens.models.architectures import evaluation_mode
from digitlens.models.recipe import READERS, RESCORER_RECIPE, SIGN_RECIPE

# Weights, and multiply-adds for each column of a line; the rescorer's are those of a digit.
SIZES = {
    "reader": (1_323_126, 916_768),
    "reader-world": (1_323_126, 916_768),
    "reader-wide": (2_069_814, 1_308_288),
    "signs": (108_298, 46_712),
    "rescorer": (292_355, 12_708_000),
}

FRAMES_PER_POSITION = 2

POSITION_WIDTH = 4  # columns of a position; the width of a line is a multiple of it

RESCORER_DROPOUT = 0.1  # share of the values before the last layer that a step leaves out


class ResidualBlock(nn.Module):
    """relu(x + two normalised convolutions): (N, C, H, W) to the same."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.a = nn.Sequential(*conv_block(channels, channels, kernel))
        self.b = _conv(channels, channels, kernel)
        self.n = nn.BatchNorm2d(channels)

    def inner(self) -> tuple[nn.Module, ...]:
        """Return the layers whose result is added to what came in, in their order."""
        return (*self.a, self.b, self.n)

    def forward(self, x: Tensor) -> Tensor:
        """Run a batch through both convolutions, and add it to the result."""
        return torch.relu(x + self.n(self.b(self.a(x))))


class LineNetwork(nn.Module):
    """Lines float (N, 1, 32, W), as `prepare_line` gives them -> logits (N, W / 2, 11).

    W is a multiple of 4. Each frame has the logits of ten digits and, as class 10, of blank.

    widths: channels of the four stages
    """

    ANSWERS = CLASSES + 1
    # Rows, and the fewest columns, that it looks at.
    SHAPE = (HEIGHT, POSITION_WIDTH)

    def __init__(self, widths: tuple[int, int, int, int] = READERS["reader"].widths) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.body = self._build_body(*widths)
        self.head = self._build_head(widths[-1])

    def _build_head(self, last: int) -> nn.Conv2d:
        return nn.Conv2d(last, FRAMES_PER_POSITION * self.ANSWERS, 1)

    def _build_body(self, first: int, second: int, third: int, last: int) -> nn.Sequential:
        return nn.Sequential(
            *conv_block(1, first, (5, 5), (2, 2)),  # 16 rows, W / 2 columns
            ResidualBlock(first, (3, 3)),
            *conv_block(first, second, (3, 3), (2, 2)),  # 8 rows, W / 4 columns
            ResidualBlock(second, (3, 3)),
            *conv_block(second, third, (3, 3), (2, 1)),  # 4 rows
            ResidualBlock(third, (3, 3)),
            *_collapse(third, last),
            ResidualBlock(last, (1, 5)),
            ResidualBlock(last, (1, 5)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of each frame."""
        y: Tensor = self.head(self.body(x))
        return y.squeeze(2).transpose(1, 2).reshape(len(x), -1, self.ANSWERS)


class SignNetwork(LineNetwork):
    """Lines float (N, 1, 32, W), as `prepare_line` gives them -> logits (N, W / 2, 5).

    W is a multiple of 4. The classes are those of `digitlens.synth.text_lines.SIGNS`; `widths`
    are the channels of the four stages.
    """

    ANSWERS = 5

    def __init__(self, widths: tuple[int, int, int, int] = SIGN_RECIPE.widths) -> None:
        super().__init__(widths)

    def _build_body(self, first: int, second: int, third: int, last: int) -> nn.Sequential:
        return nn.Sequential(
            *conv_block(1, first, (5, 5), (2, 2)),  # 16 rows, W / 2 columns
            *conv_block(first, second, (3, 3), (2, 2)),  # 8 rows, W / 4 columns
            *conv_block(second, third, (3, 3), (2, 1)),  # 4 rows
            *_collapse(third, last),
            ResidualBlock(last, (1, 9)),
            ResidualBlock(last, (1, 9)),
        )


class RescorerNetwork(LineNetwork):
    """Windows float (N, 1, 40, 40), as `cut_windows` gives them -> logits (N, 1, 11).

    Each window has the logits of ten digits, of the one whose middle is the window's, and, as
    class 10, of no digit in the middle. `widths` are the channels of the stem and of the
    stages at 20 x 20, 10 x 10 and 5 x 5 places.
    """

    SHAPE = (WINDOW, WINDOW)

    def __init__(self, widths: tuple[int, int, int, int] = RESCORER_RECIPE.widths) -> None:
        super().__init__(widths)

    def _build_body(self, first: int, second: int, third: int, last: int) -> nn.Sequential:
        return nn.Sequential(
            *conv_block(1, first, (5, 5), (2, 2)),  # 20 x 20
            *conv_block(first, second, (3, 3)),
            *conv_block(second, third, (3, 3), (2, 2)),  # 10 x 10
            ResidualBlock(third, (3, 3)),
            *conv_block(third, last, (3, 3), (2, 2)),  # 5 x 5
            ResidualBlock(last, (3, 3)),
            nn.Dropout(RESCORER_DROPOUT),
        )

    def _build_head(self, last: int) -> nn.Conv2d:
        return nn.Conv2d(last, self.ANSWERS, WINDOW // 8)


def count_size(network: LineNetwork) -> tuple[int, int]:
    """Return trained numbers, and multiply-adds for each column of a line, or for a window.

    Biases, normalisation and activations are left out of the multiply-adds.
    """
    products = 0

    def count(layer: nn.Module, _given: object, result: Tensor) -> None:
        nonlocal products
        assert isinstance(layer, nn.Conv2d)
        products += layer.weight.numel() * result[0, 0].numel()

    kernels = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in kernels]
    device = next(network.parameters()).device
    with evaluation_mode(network), torch.inference_mode():
        network(torch.zeros(1, 1, *network.SHAPE, device=device))
    for hook in hooks:
        hook.remove()
    columns = 1 if isinstance(network, RescorerNetwork) else POSITION_WIDTH
    return sum(item.numel() for item in network.parameters()), products // columns


def _conv(
    across: int, out: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Conv2d:
    around = (kernel[0] // 2, kernel[1] // 2)
    return nn.Conv2d(across, out, kernel, stride, around, bias=False)


def conv_block(
    across: int, out: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> list[nn.Module]:
    """Return a convolution, its normalisation and the activation."""
    convolution = _conv(across, out, kernel, stride)
    return [convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True)]


def _collapse(across: int, out: int) -> list[nn.Module]:
    """Return the block that brings 4 rows down to one."""
    convolution = nn.Conv2d(across, out, (4, 1), bias=False)
    return [convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
