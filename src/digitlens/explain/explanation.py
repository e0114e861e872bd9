"""A model and a picture -> why the model answers as it does.

* What is found when a model is asked why: for plots, for a page, as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES, SIDE, check_images
from digitlens.errors import ModelError
from digitlens.explain.inspection import inspect_model
from digitlens.explain.occlusion import occlude
from digitlens.imaging import Framing, frame_steps
from digitlens.metrics.formatting import percent, plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.explain.inspection import InspectedModel, Layer
    from digitlens.explain.occlusion import Occlusion
    from digitlens.imaging import Step
    from digitlens.imaging.io import ImageSource
    from digitlens.models.inference import Model
    from digitlens.models.ops import Op

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
            if self.layer.activation or count not in (CLASSES, CLASSES + 1):
                return plural(count, "value")
            last = ", the last for no digit at all" if count > CLASSES else ""
            return f"{count} values, one for each digit from 0 to 9{last}"
        count, height, width = self.values.shape
        return f"{plural(count, 'map')} of {height} x {width}"


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
        return [(int(item), float(self.probabilities[item])) for item in order]

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
                {"name": item.name, "about": item.about, "picture": item.picture.tolist()}
                for item in self.steps
            ],
            "pixels": self.digit.tolist(),
            "unrolled": round_values(self.unrolled),
            **({"filters": round_values(self.filters)} if filters else {}),
            "layers": [
                {
                    "name": item.layer.name,
                    "about": f"{item.about}: {item.layer.about}",
                    "values": round_values(item.values),
                }
                for item in self.maps
            ],
            "occlusion": {
                "odds": round(self.occlusion.odds, 4),
                "window": self.occlusion.window,
                "fall": round_values(self.occlusion.fall),
                "answers": self.occlusion.answers.tolist(),
            },
            "gradients": None if self.gradients is None else round_values(self.gradients),
        }


def round_values(values: Floats) -> Any:
    """Return an array as lists of numbers, rounded to five digits of the largest.

    Examples
    --------
    >>> round_values(np.array([1234.5678, 0.016], np.float32))
    [1234.6, 0.0]
    >>> round_values(np.zeros((1, 2), np.float32))
    [[0.0, 0.0]]
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


MOST_ROWS = 64
"""How many of a dense layer's rows are shown as pictures."""


def explain(
    model: Model,
    picture: ImageSource | Framing,
    *,
    inside: InspectedModel | None = None,
    gradients: bool = True,
    step: int = 1,
) -> Explanation:
    """Find out why `model` answers as it does.

    Parameters
    ----------
    model
        As `load_model` gives it.
    picture
        Any picture of one digit, as `digitlens.imaging.frame_digit` takes it; or what
        `frame_steps` made of one. An array of uint8 (28, 28) is a digit in MNIST's frame, 0 =
        paper, 255 = ink, and is taken as it is.
    inside
        Of the same model, as `inspect_model` gives it: kept from call to call it saves most of
        the time. Opened here when None.
    gradients
        Whether to work out integrated gradients. They want torch, and are left out without it.
    step
        From window to window of the occlusion, in pixels: 2 costs a quarter of 1.

    Raises
    ------
    NoInkError, SeveralDigitsError, ShapeError, DataError
        The picture shows no digit, or several, or cannot be read; see `frame_digit`.
    ModelError
        The model's file has gone.

    Examples
    --------
    >>> found = explain(load_model("runs/train/cnn-1"), digit)  # doctest: +SKIP
    >>> found.label, found.maps[0].values.shape  # doctest: +SKIP
    (7, (16, 12, 12))
    """
    digit, steps = _framed(picture)
    inside = inside or inspect_model(model)
    member, values = _asked(inside, digit)
    layers = inside.layers_of(member)
    answer = model.predict(digit[None])
    occlusion = occlude(model, digit, step=step)
    parts, why = None, ""
    if gradients:
        answering = [member] if inside.is_cascade else range(inside.members)
        networks = [inside.program.ops(index) for index in answering]
        parts, why = _gradients(networks, digit, int(answer.labels[0]), occlusion.odds)
    return Explanation(
        model=model.name,
        network=model.card.network,
        members=inside.members,
        member=member,
        shown=_shown(inside, member),
        steps=steps,
        digit=digit,
        probabilities=answer.probabilities[0],
        no_digit=None if answer.no_digit is None else float(answer.no_digit[0]),
        refused=None if answer.refused is None else bool(answer.refused[0]),
        filters=first_filters(layers[0]),
        maps=tuple(
            Maps(layer, result[0]) for layer, result in zip(layers, values, strict=True)
        ),
        occlusion=occlusion,
        gradients=parts,
        without_gradients=why,
    )


def _framed(picture: ImageSource | Framing) -> tuple[Images, tuple[Step, ...]]:
    if isinstance(picture, np.ndarray) and picture.shape == (SIDE, SIDE):
        check_images(picture[None], what="the digit (as (1, 28, 28))")
        return picture, ()
    framing = picture if isinstance(picture, Framing) else frame_steps(picture)
    return framing.digit, framing.steps


def _asked(inside: InspectedModel, digit: Images) -> tuple[int, list[NDArray[np.float32]]]:
    """Return the network whose layers are shown, and what they give for the digit."""
    if inside.is_cascade:
        values = inside.activations(digit[None], member=1)
        if len(values[0]):  # it was asked
            return 1, values
    return 0, inside.activations(digit[None])


def _shown(inside: InspectedModel, member: int) -> str:
    if inside.is_cascade:
        return (
            f"the second of {inside.members} networks, for the first was not sure"
            if member
            else f"the first of {inside.members} networks, which was sure by itself"
        )
    return f"the first of {inside.members} networks" if inside.members > 1 else ""


def first_filters(layer: Layer) -> NDArray[np.float32]:
    """Return the kernels of a first layer as pictures: float32 (n, height, width)."""
    if layer.weight is None:
        return np.empty((0, 0, 0), np.float32)
    if layer.kind == "convolution":
        return layer.weight[:, 0]
    return layer.weight[:MOST_ROWS].reshape(-1, SIDE, SIDE)


def _gradients(
    networks: list[list[Op]], digit: Images, label: int, odds: float
) -> tuple[NDArray[np.float32] | None, str]:
    try:
        from digitlens.explain.gradients import integrated_gradients
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return None, "integrated gradients want torch: pip install 'digitlens[train]'"
    try:
        return integrated_gradients(networks, digit, label, odds=odds), ""
    except ModelError as error:
        return None, str(error)
