"""How a line reader is trained, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from digitlens.errors import UsageError

OTHERS = ("touching", "overlap", "clean", "cheque", "overlap", "touching", "boxes", "clean")
"""Plain paper is rare in the style for training, and digits that run into each other too."""


@dataclass(frozen=True)
class LineRecipe:
    """How a network that reads lines is trained on lines that are written as it goes.

    The optimiser is AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101). The learning rate
    rises in a straight line over the first steps, stays, and falls in a straight line to zero
    over the last ones.

    Parameters
    ----------
    steps
        Batches in all; no line is shown twice.
    batch
        Lines a step.
    learning_rate
        The highest rate.
    betas, weight_decay
        AdamW's; the decay is on weights and kernels only.
    warmup, decay
        Steps on which the rate rises, and the last ones on which it falls.
    average
        What is kept are not the last weights but a running mean of them: the share of the old
        mean that a step leaves, less in the first steps (Polyak and Juditsky 1992).
    fade
        Beside the loss over whole strings (Graves et al. 2006: connectionist temporal
        classification) stands one over single frames, those at the middle of each digit. It
        shows the network early on where digits are, and fades away over so many steps.
    clip
        The largest length of a gradient.
    widths
        Channels of the network's four stages.
    style
        What most lines are learnt from: a name in `digitlens.writing.STYLES`.
    others, other_share
        Styles in which a part of the lines is written, each as many, and their share of all.
    longest
        Columns; longer lines are left out, as one would widen a whole batch.
    every
        Steps from one point of the history, and one checkpoint, to the next.
    """

    steps: int = 35_000
    batch: int = 64
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.02
    warmup: int = 500
    decay: int = 11_000
    average: float = 0.999
    fade: int = 6_000
    clip: float = 5.0
    widths: tuple[int, int, int, int] = (32, 64, 128, 192)
    style: str = "training"
    others: tuple[str, ...] = OTHERS
    other_share: float = 0.25
    longest: int = 512
    every: int = 1_000

    def fitted(self, steps: int) -> LineRecipe:
        """Return the recipe for so many steps; with few, all that takes time takes less.

        Examples
        --------
        >>> short = LineRecipe().fitted(2_000)
        >>> short.warmup, short.decay, short.fade, LineRecipe().fitted(35_000) == LineRecipe()
        (200, 666, 1000, True)
        """
        return replace(
            self,
            steps=steps,
            warmup=min(self.warmup, steps // 10),
            decay=min(self.decay, steps // 3),
            fade=min(self.fade, steps // 2),
            every=min(self.every, max(1, steps // 10)),
        )

    def rate_at(self, step: int) -> float:
        """Return the learning rate of `step` (0-based).

        Examples
        --------
        >>> recipe = LineRecipe(steps=8, learning_rate=0.4, warmup=2, decay=4)
        >>> [round(recipe.rate_at(step), 2) for step in range(8)]
        [0.2, 0.4, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1]
        """
        rising = min(1.0, (step + 1) / max(1, self.warmup))
        falling = min(1.0, (self.steps - step) / max(1, self.decay))
        return self.learning_rate * rising * falling

    def frame_share(self, step: int) -> float:
        """Return the weight of the loss over single frames at `step` (0-based), 1 to 0."""
        return max(0.0, 1.0 - step / self.fade) if self.fade else 0.0

    def average_at(self, step: int) -> float:
        """Return the share of the old mean that `step` (0-based) leaves.

        Examples
        --------
        >>> [LineRecipe().average_at(step) for step in (0, 10, 100_000)]
        [0.1, 0.55, 0.999]
        """
        return min(self.average, (1 + step) / (10 + step))


READERS = {
    "reader": LineRecipe(),
    "reader-wide": LineRecipe(widths=(32, 96, 128, 256)),
}
"""The line readers that can be trained, by name."""


def line_recipe_of(name: str) -> LineRecipe:
    """Return the recipe of the reader called `name`.

    Raises
    ------
    UsageError
        There is no such reader.
    """
    if name not in READERS:
        raise UsageError(f"{name!r} is no reader of lines", seen=f"known: {', '.join(READERS)}")
    return READERS[name]
