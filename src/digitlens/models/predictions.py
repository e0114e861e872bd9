"""What a model answers: `Predictions` of many pictures, `Prediction` of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import Images, Labels
from digitlens.display import Shown
from digitlens.errors import UsageError
from digitlens.metrics.formatting import certainty, plural


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Shown):
    """What a model answers for one picture."""

    PICTURE = "viz.notebook:draw_prediction"

    label: int  # the likeliest digit
    probabilities: NDArray[np.float32]  # float32 (10,), sum 1
    # As in `Predictions`; None when the model cannot say.
    no_digit: float | None = None
    refused: bool | None = None
    unsure: bool | None = None
    name: str = ""  # what the picture is called; empty when that is not known
    image: Images | None = None  # uint8 (28, 28): what the model saw, where it was framed

    @property
    def digit(self) -> int | None:
        """The answer: the likeliest digit, or None where the model sees no digit."""
        return None if self.refused else self.label

    @property
    def confidence(self) -> float:
        """The probability of `label`, 0..1, if the picture shows a digit."""
        return float(self.probabilities[self.label])

    def __repr__(self) -> str:
        sure = certainty(self.confidence)
        if self.refused:
            return f"Prediction(no digit; if it is one, {self.label}, {sure} sure)"
        check = ", unsure: check this" if self.unsure else ""
        return f"Prediction({self.label}, {sure} sure{check})"

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain values; ``digit`` is None where there is no digit."""
        values: dict[str, Any] = {
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "probabilities": [round(float(share), 6) for share in self.probabilities],
        }
        if self.no_digit is not None:
            values["no_digit"] = round(self.no_digit, 6)
            values["likeliest"] = self.label
            values["unsure"] = bool(self.unsure)
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return one row: the name, and `as_dict` with a column for each probability."""
        values = self.as_dict()
        shares = values.pop("probabilities")
        return [{"name": self.name} | values | {f"p{i}": p for i, p in enumerate(shares)}]


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(Shown):
    """What a model answers: for N pictures, in their order.

    An index gives one `Prediction`, a slice `Predictions`. Of a single picture `label`,
    `confidence` and `digit` are there too.
    """

    PICTURE = "viz.notebook:draw_predictions"

    labels: Labels  # uint8 (N,): the likeliest class
    # float32 (N, 10), rows sum to 1: how likely each digit is, if it is a digit
    probabilities: NDArray[np.float32]
    # float32 (N,): how likely it is that a picture shows no digit; None when the model cannot
    # say
    no_digit: NDArray[np.float32] | None = None
    # bool (N,): whether `no_digit` is above the model's threshold, as it is for 1 real digit in
    # 100, or in 500 where the model is also unsure; None where `no_digit` is
    refused: NDArray[np.bool_] | None = None
    # bool (N,): whether a digit that is not refused should be checked by a person, as the
    # model's card has it; None as above
    unsure: NDArray[np.bool_] | None = None
    # What the model saw, uint8 (N, 28, 28), and what the pictures are called; where pictures
    # were framed for it, else None and empty.
    images: Images | None = None
    names: Sequence[str] = field(default=())

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        if len(self) == 1:
            return f"Predictions(1 picture: {repr(self[0])[11:-1]})"
        some = ["no digit" if item.refused else str(item.label) for item in self[:8]]
        more = ["..."] if len(self) > 8 else []
        return f"Predictions({len(self):,} pictures: {', '.join([*some, *more])})"

    @overload
    def __getitem__(self, which: int) -> Prediction: ...
    @overload
    def __getitem__(self, which: slice) -> Predictions: ...
    def __getitem__(self, which: int | slice) -> Prediction | Predictions:
        """Return one answer, or those of a slice."""

        def pick(values: NDArray[Any] | None) -> Any:
            return None if values is None else values[which]

        if isinstance(which, slice):
            return Predictions(
                self.labels[which],
                self.probabilities[which],
                pick(self.no_digit),
                pick(self.refused),
                pick(self.unsure),
                pick(self.images),
                self.names[which],
            )
        no_digit, refused, unsure = map(pick, (self.no_digit, self.refused, self.unsure))
        return Prediction(
            int(self.labels[which]),
            self.probabilities[which],
            None if no_digit is None else float(no_digit),
            None if refused is None else bool(refused),
            None if unsure is None else bool(unsure),
            self.names[which] if self.names else "",
            pick(self.images),
        )

    def __iter__(self) -> Iterator[Prediction]:
        return (self[index] for index in range(len(self)))

    def _only(self) -> Prediction:
        if len(self) != 1:
            raise UsageError(
                "one picture must be predicted for this; of several take labels, or an index",
                seen=plural(len(self), "picture"),
                try_="predictions.labels, or predictions[0].label",
            )
        return self[0]

    @property
    def label(self) -> int:
        """The likeliest digit of a single picture; UsageError for several."""
        return self._only().label

    @property
    def digit(self) -> int | None:
        """The answer for a single picture, None for no digit; UsageError for several."""
        return self._only().digit

    @property
    def confidence(self) -> Any:
        """The probability of the answer: a float of a single picture, else float32 (N,)."""
        if len(self) == 1:
            return self._only().confidence
        return self.probabilities.max(axis=1, initial=0) if len(self) else np.empty(0, "f4")

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each picture, as `Prediction.rows` has them."""
        return [row for item in self for row in item.rows()]
