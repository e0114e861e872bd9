"""What is found when a model is asked why: for plots, for a page, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES, SIDE
from digitlens.evaluation.printed import percent, several

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.explaining.occlusion import Occlusion
    from digitlens.ink import Step
    from digitlens.inside import Layer

    Floats = NDArray[np.float32]

SURE = 0.9999
"""Above this per cent with two places would round to 100."""


@dataclass(frozen=True, eq=False)
class Maps:
    """What one layer makes of the digit: float32 (maps, height, width) or (values,)."""

    layer: Layer
    values: Floats

    @property
    def about(self) -> str:
        """How much it gives, in words.

        Examples: ``"16 maps of 12 x 12"``, ``"128 values"``.
        """
        if self.values.ndim == 1:
            count = len(self.values)
            if self.layer.bend or count not in (CLASSES, CLASSES + 1):
                return several(count, "value")
            last = ", the last for no digit at all" if count > CLASSES else ""
            return f"{count} values, one for each digit from 0 to 9{last}"
        count, height, width = self.values.shape
        return f"{several(count, 'map')} of {height} x {width}"


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model answers as it does, for one picture.

    Parameters
    ----------
    model, network
        The model's name, and its architecture's.
    members, member
        How many networks the model is made of, and whose layers these are: 0 is the first. Of
        an ensemble it is the first, of a cascade the one that answered.
    shown
        That in words, as ``"the first of 5 networks"``; empty for a single network.
    steps
        How the picture came into the frame; empty where a framed digit was given.
    digit
        uint8 (28, 28), what the model sees; 0 = paper, 255 = ink.
    probabilities
        float32 (10,), sum 1.
    no_digit, refused
        How likely it is that there is no digit, and whether that is above the model's
        threshold; both None when the model has no answer to that.
    filters
        float32 (n, height, width): the first layer's kernels, on grey values 0..255; of a dense
        layer at most 64 rows as pictures of 28 x 28. Empty where the first layer has none.
    maps
        What each layer makes of the digit, from the first to the last.
    occlusion
        What the answer loses when a few pixels are turned to paper.
    gradients
        float32 (28, 28): what each pixel adds to the answer's log-odds, from blank paper; None
        where it was not asked for, or `without_gradients` says why.
    without_gradients
        Why there are none, for a person; empty when there are, or none were wanted.
    """

    model: str
    network: str
    members: int
    member: int
    shown: str
    steps: tuple[Step, ...]
    digit: Images
    probabilities: Floats
    no_digit: float | None
    refused: bool | None
    filters: Floats
    maps: tuple[Maps, ...]
    occlusion: Occlusion
    gradients: Floats | None
    without_gradients: str

    @property
    def label(self) -> int:
        """The answer: the likeliest digit."""
        return int(self.probabilities.argmax())

    @property
    def ranked(self) -> list[tuple[int, float]]:
        """The ten digits with their probabilities, the likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(int(each), float(self.probabilities[each])) for each in order]

    @property
    def unrolled(self) -> Floats:
        """The digit as 784 features 0..1, row by row: feature 28 * row + column."""
        return (self.digit.reshape(-1) / np.float32(255)).astype(np.float32)

    @property
    def answer(self) -> str:
        """The answer in a line: which digit, how sure, and what comes next."""
        (first, share), (second, rest) = self.ranked[:2]
        words = f"reads {first}, {sure(share)} sure; next is {second} with {sure(rest)}"
        if self.refused and self.no_digit is not None:
            words = f"sees no digit ({sure(self.no_digit)}); if it is one, it {words}"
        return f"{self.model} {words}"

    @property
    def mattered(self) -> str:
        """Which part of the ink the answer hangs on most, in a line."""
        fall = self.occlusion.fall
        row, column = divmod(int(fall.argmax()), SIDE)
        size = self.occlusion.window
        if fall[row, column] <= 0:
            return "no part of the ink speaks for the answer by itself"
        other = int(self.occlusion.answers[row, column])
        after = f"it would read {other}"
        if other == self.label:
            left = self.occlusion.odds - float(fall[row, column])
            after = f"it would still read {other}, {sure(1 / (1 + exp(-left)))} sure"
        return f"without the {size} x {size} pixels about row {row}, column {column} {after}"

    def as_dict(self, *, filters: bool = True) -> dict[str, Any]:
        """Return the explanation for JSON: plain numbers, lists and texts.

        `filters` are the same for every picture: who asks again and again may do without.

        Its keys are documented with ``digitlens explain --json`` in docs/cli.md. Numbers that
        are no probabilities are rounded to five digits of the largest in their list.
        """
        return {
            "model": self.model,
            "network": self.network,
            "members": self.members,
            "member": self.member,
            "digit": self.label,
            "confidence": round(float(self.probabilities.max()), 6),
            "probabilities": [round(float(share), 6) for share in self.probabilities],
            "no_digit": None if self.no_digit is None else round(self.no_digit, 6),
            "refused": self.refused,
            "steps": [
                {"name": each.name, "about": each.about, "picture": each.picture.tolist()}
                for each in self.steps
            ],
            "pixels": self.digit.tolist(),
            "unrolled": rounded(self.unrolled),
            **({"filters": rounded(self.filters)} if filters else {}),
            "layers": [
                {
                    "name": each.layer.name,
                    "about": f"{each.about}: {each.layer.about}",
                    "values": rounded(each.values),
                }
                for each in self.maps
            ],
            "occlusion": {
                "odds": round(self.occlusion.odds, 4),
                "window": self.occlusion.window,
                "fall": rounded(self.occlusion.fall),
                "answers": self.occlusion.answers.tolist(),
            },
            "gradients": None if self.gradients is None else rounded(self.gradients),
        }


def rounded(values: Floats) -> Any:
    """Return an array as lists of numbers, rounded to five digits of the largest.

    Examples
    --------
    >>> rounded(np.array([1234.5678, 0.016], np.float32)), rounded(np.zeros((1, 2), np.float32))
    ([1234.6, 0.0], [[0.0, 0.0]])
    """
    largest = float(np.abs(values).max(initial=0.0))
    places = 4 - floor(log10(largest)) if largest > 0 else 0
    return (np.round(values.astype(np.float64), places) + 0.0).tolist()  # no -0.0


def sure(share: float) -> str:
    """Print a probability; only nothing at all reads 0, and nothing reads 100 %.

    Examples
    --------
    >>> sure(0.87), sure(0.9987), sure(1.0), sure(0.00001)
    ('87.00 %', '99.87 %', 'over 99.99 %', 'under 0.01 %')
    """
    if share > SURE:
        return "over 99.99 %"
    return percent(share) if share >= 1 - SURE else "under 0.01 %"
