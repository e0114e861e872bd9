"""One epoch of a training run: its figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """The figures after one pass over the training set.

    Parameters
    ----------
    epoch
        1 for the first.
    train_loss, train_accuracy
        On training digits, in evaluation mode; the loss in nats, the accuracy 0..1.
    validation_loss, validation_accuracy
        On the digits held back; None when none are.
    learning_rate
        At the end of the epoch.
    seconds
        How long the epoch took.
    digits_per_second
        Training digits a second.

    Examples
    --------
    >>> epoch = Epoch(1, 0.09, 0.972, 0.11, 0.966, 0.003, 0.9, 60_000.0)
    >>> epoch.validated
    True
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float
    digits_per_second: float

    @property
    def validated(self) -> bool:
        """Whether digits were held back."""
        return self.validation_loss is not None and self.validation_accuracy is not None
