"""The network that tells signs apart: of each frame of a line, digit, letter or mark.

Few and narrow layers bring 32 rows down to one; two residual blocks with kernels 9 columns
wide let each place see some six glyphs, since whether a ring is a 0 or an O, and a stroke a 1
or an l, is a matter of what stands beside it. A position speaks for two frames, as those of
`digitlens.models.architectures.line_network` do.
"""

from __future__ import annotations

from torch import nn

from digitlens.models.architectures.line_network import (
    LineNetwork,
    ResidualBlock,
    conv_block,
)
from digitlens.models.recipe import SIGN_RECIPE


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
            nn.Conv2d(third, last, (4, 1), bias=False),  # 1 row
            nn.BatchNorm2d(last),
            nn.ReLU(inplace=True),
            ResidualBlock(last, (1, 9)),
            ResidualBlock(last, (1, 9)),
        )
