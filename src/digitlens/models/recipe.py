"""A recipe: everything that decides how a network is trained, as plain numbers.

* How a line reader is trained, as plain numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from digitlens.errors import UsageError

FEW = 10_000
"""With fewer training digits than this a recipe made for MNIST is fitted to them."""

STEPS = 400
"""So many steps at least a network is trained on few digits."""

BATCHES = 20
"""Into so many batches at least few digits are parted, where that leaves 16 in each."""


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    The optimiser is AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101). The learning rate
    rises in a straight line over the first `warmup` of all steps and then falls in a straight
    line to zero (Smith 2018, arXiv 1803.09820).

    Parameters
    ----------
    epochs
        Passes over the training digits.
    batch
        Digits a step.
    learning_rate
        The highest rate on the way.
    betas
        AdamW's decay rates of the mean and the squared gradient.
    weight_decay
        AdamW's pull towards zero, on weights and kernels only, never on biases or
        normalisation.
    warmup
        Share of all steps on which the learning rate rises, in 0..1.
    smoothing
        Label smoothing, the share of the truth that is spread over all ten classes.
    temperature
        Training divides the logits by this, answers do not. Smoothing teaches a network to
        be less sure than it is right; with a temperature above 1 it learns the same answers
        with logits that many times larger, and its probabilities can be believed (the
        temperature of Guo et al. 2017, arXiv 1706.04599, built in instead of added
        afterwards).
    shift
        Each digit is moved by up to this many pixels up, down, left and right, anew in
        each epoch; 0 moves nothing.
    turn
        Each digit is turned by up to this many degrees either way, anew in each epoch.
    stretch
        Its height and its width are each scaled by up to this share, more or less.
    slant
        It is slanted by up to this much: columns for each row.
    bend
        Its strokes are bent: the standard deviation, in pixels, of a smooth random field.
    wear
        Share of the digits that are worn as well: `digitlens.training.distort`.
    outliers
        So many pictures that are no digit are shown for each digit:
        `digitlens.training.augment`. For networks with an eleventh output.
    framed
        Share of the worn digits and outliers that are framed as users' pictures are:
        `digitlens.imaging.frame_stack`.
    frozen
        Share of all epochs, the last ones, in which batch normalisation keeps the means and
        variances that it has gathered. Where a batch mixes digits with noise and blots, its
        own statistics are not those of the digits that are read later; in these epochs the
        network learns with the ones it will be used with.
    teacher
        The published network whose answers are learnt instead of the labels (Hinton,
        Vinyals and Dean 2015, arXiv 1503.02531), on digits without wear; empty for none.
    threshold
        The share of "no digit" above which a picture is refused, where no digits are held
        back to find it on.
    """

    epochs: int
    batch: int
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warmup: float = 0.25
    smoothing: float = 0.0
    temperature: float = 1.0
    shift: int = 0
    turn: float = 0.0
    stretch: float = 0.0
    slant: float = 0.0
    bend: float = 0.0
    wear: float = 0.0
    outliers: float = 0.0
    framed: float = 0.0
    frozen: float = 0.0
    teacher: str = ""
    threshold: float = 0.5

    @property
    def deforms(self) -> bool:
        """Whether digits are deformed, not just moved by whole pixels."""
        return bool(self.turn or self.stretch or self.slant or self.bend)

    def outliers_beside(self, count: int) -> int:
        """Return how many pictures that are no digit an epoch of `count` digits holds."""
        return round(self.outliers * count)

    def fitted(self, count: int) -> Recipe:
        """Return the recipe for `count` training digits.

        It is the same from 10,000 digits on. For fewer, batches are smaller and epochs more,
        so that there are steps enough to learn in; the learning rate falls with the root of
        the batch (Malladi et al. 2022, arXiv 2205.10287).

        Examples
        --------
        >>> Recipe(epochs=1, batch=256, learning_rate=0.02).fitted(1_280)
        ... # doctest: +ELLIPSIS
        Recipe(epochs=20, batch=64, learning_rate=0.01, ...)
        """
        if count >= FEW:
            return self
        batch = min(self.batch, max(16, count // BATCHES), max(1, count))
        epochs = max(self.epochs, math.ceil(STEPS / max(1, count // batch)))
        rate = self.learning_rate * math.sqrt(batch / self.batch)
        return replace(self, batch=batch, epochs=epochs, learning_rate=rate)

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of `step` (0-based) when there are `steps` in all.

        Examples
        --------
        >>> recipe = Recipe(epochs=1, batch=1, learning_rate=0.4, warmup=0.25)
        >>> [round(recipe.rate_at(step, 8), 3) for step in range(8)]
        [0.2, 0.4, 0.4, 0.333, 0.267, 0.2, 0.133, 0.067]
        """
        rising = self.warmup * steps
        if step < rising:
            return self.learning_rate * min(1.0, (step + 1) / rising)
        return self.learning_rate * (steps - step) / (steps - rising)


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
        What most lines are learnt from: a name in `digitlens.synth.STYLES`.
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


def find_line_recipe(name: str) -> LineRecipe:
    """Return the recipe of the reader called `name`.

    Raises
    ------
    UsageError
        There is no such reader.
    """
    if name not in READERS:
        raise UsageError(f"{name!r} is no reader of lines", seen=f"known: {', '.join(READERS)}")
    return READERS[name]
