"""A recipe: everything that decides how a network is trained, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    epochs: int
    batch: int
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warmup: float = 0.25
    smoothing: float = 0.0
    shift: int = 0
    turn: float = 0.0
    stretch: float = 0.0
    slant: float = 0.0
    bend: float = 0.0

    @property
    def deforms(self) -> bool:
        """Whether digits are deformed, not just moved by whole pixels."""
        return bool(self.turn or self.stretch or self.slant or self.bend)

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
