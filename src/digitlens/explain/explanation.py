"""A model and a picture -> why the model answers as it does: for plots, pages and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES, SIDE, Images, check_images
from digitlens.display import Shown
from digitlens.errors import ModelError
from digitlens.explain.inspection import InspectedModel, Layer, inspect_model
from digitlens.explain.occlusion import Occlusion, occlude
from digitlens.imaging import Framing, Step, frame_steps
from digitlens.imaging.crop import shrink_to_side
from digitlens.metrics.formatting import percent, plural
from digitlens.models.inference import Model, as_model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.imaging.io import ImageSource
    from digitlens.models.ops import Op

    Floats = NDArray[np.float32]


# How many of a dense layer's rows are shown as pictures.
MAX_FILTERS = 64
# Of the small JSON: pixels a side of a step's picture; numbers of filters and layers together.
SMALL_SIDE, SMALL_NUMBERS = 40, 20_000
# A probability above this, in percent with two digits, would round to 100.
ALMOST_ONE = 0.9999


def explain(
    source: Model | str | Path,
    picture: ImageSource | Framing,
    *,
    inspected: InspectedModel | None = None,
    gradients: bool = True,
    step: int = 1,
) -> Explanation:
    """Find out why `model` answers as it does for one picture.

    source: the model: as `load_model` gives it or takes it
    picture: any picture of one digit, as `digitlens.imaging.frame_digit` takes it; or what
        `frame_steps` made of one. An array of uint8 (28, 28), 0 = paper, 255 = ink, is a digit
        in MNIST's frame already.
    inspected: what `inspect_model` gave for this model; passing it again and again saves most
        of the time. Opened here when None.
    gradients: whether to compute integrated gradients. They need torch, and are left out
        without it.
    step: pixels from window to window of the occlusion: 2 costs a quarter of 1

    Raises NoInkError, SeveralDigitsError, ShapeError, DataError: the picture shows no digit, or
    several, or cannot be read; see `frame_digit`; ModelError: the model's file is gone.

    >>> explanation = explain(load_model("runs/train/cnn-1"), digit)  # doctest: +SKIP
    >>> explanation.label, explanation.maps[0].values.shape  # doctest: +SKIP
    (7, (16, 12, 12))
    """
    model: Model = as_model(source)
    inspected = inspected or inspect_model(model)
    digit, steps = _normalize(picture)
    # What the model sees, and what its layers make of it.
    member, values = inspected.run_answering(digit)
    layers = inspected.list_layers(member)
    answer = model.predict(digit[None])

    # Which pixels the answer hangs on, by covering them and by derivatives.
    occlusion = occlude(model, digit, step=step)
    parts, why_not = None, ""
    if gradients:
        # An ensemble answers with all of its networks, a cascade with one.
        answering = [member] if inspected.is_cascade else range(inspected.members)
        networks = [inspected.program.ops(index) for index in answering]
        parts, why_not = _try_gradients(networks, digit, int(answer.labels[0]), occlusion.odds)
    return Explanation(
        model=model.name,
        network=model.card.network,
        members=inspected.members,
        member=member,
        shown=inspected.describe_member(member),
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
        without_gradients=why_not,
        unsure=None if answer.unsure is None else bool(answer.unsure[0]),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown):
    """Why a model answers as it does, for one picture."""

    PICTURE = "viz.notebook:draw_explanation"

    # model, network: the model's name, and its architecture's
    model: str
    network: str
    # members, member: how many networks the model is made of, and whose layers these are: 0 is
    # the first. Of an ensemble it is the first, of a cascade the one that answered.
    members: int
    member: int
    # the same in words, as ``"the first of 5 networks"``; empty for a single network
    shown: str
    # how the picture was brought into MNIST's frame; empty where it was there already
    steps: tuple[Step, ...]
    digit: Images  # uint8 (28, 28), what the model sees; 0 = paper, 255 = ink
    probabilities: Floats  # float32 (10,), sum 1
    # no_digit, refused: how likely it is that there is no digit, and whether that is above the
    # model's threshold; both None when the model cannot say
    no_digit: float | None
    refused: bool | None
    # float32 (n, height, width): the first layer's kernels, on grey values 0..255; of a dense
    # layer at most 64 rows as pictures of 28 x 28. Empty where the first layer has none.
    filters: Floats
    maps: tuple[Maps, ...]  # what each layer makes of the digit, from the first to the last
    occlusion: Occlusion  # what the answer loses when a few pixels are turned to paper
    # float32 (28, 28): what each pixel adds to the answer's log-odds, from blank paper on; None
    # where they were not wanted, or for the reason in `without_gradients`
    gradients: Floats | None
    without_gradients: str  # why there are no gradients, for a person; else empty
    # whether a person should check a digit that is not refused; None when the model cannot say
    unsure: bool | None = None

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

    def __repr__(self) -> str:
        return f"Explanation({self.answer})"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each digit: how likely it is."""
        return [
            {"digit": digit, "probability": float(share)}
            for digit, share in enumerate(self.probabilities)
        ]

    @property
    def answer(self) -> str:
        """The answer in a line: which digit, how sure, and what comes next."""
        (first, share), (second, rest) = self.ranked[:2]
        words = f"reads {first}, {as_percent(share)} sure"
        words += f"; next is {second} with {as_percent(rest)}"
        if self.refused and self.no_digit is not None:
            refusal = f"sees no digit ({as_percent(self.no_digit)})"
            words = f"{refusal}; if it is one, it {words}"
        if self.refused or self.unsure:
            words += "; check this"
        return f"{self.model} {words}"

    @property
    def mattered(self) -> str:
        """The part of the ink that the answer hangs on most, in a line."""
        fall = self.occlusion.fall
        row, column = divmod(int(fall.argmax()), SIDE)
        size = self.occlusion.window
        if fall[row, column] <= 0:
            return "no part of the ink speaks for the answer by itself"
        other = int(self.occlusion.answers[row, column])
        after = f"it would read {other}"
        if other == self.label:
            left = self.occlusion.odds - float(fall[row, column])
            after = f"it would still read {other}, {as_percent(1 / (1 + exp(-left)))} sure"
        return f"without the {size} x {size} pixels about row {row}, column {column} {after}"

    def as_dict(self, *, filters: bool = True, small: bool = False) -> dict[str, Any]:
        """Return the explanation for JSON; docs/cli.md has its keys (``explain --json``).

        The filters are the same for every picture, and may be left out. Numbers that are no
        probabilities are rounded to five digits of the largest in their list; with `small` to
        three, pictures of steps have `SMALL_SIDE` pixels a side at most, and of filters and
        layers the first are there, `SMALL_NUMBERS` numbers in all: less than 200 kB of text.
        """
        steps = [item.picture for item in self.steps]
        many = [self.filters, *(item.values for item in self.maps)]
        digits = 5
        if small:
            digits, many = 3, _first_of_each(many, SMALL_NUMBERS)
            steps = [shrink_to_side(picture, SMALL_SIDE, min_side=1) for picture in steps]
        kernels, *values = many
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
            "unsure": self.unsure,
            "steps": [
                {"name": item.name, "about": item.about, "picture": picture.tolist()}
                for item, picture in zip(self.steps, steps, strict=True)
            ],
            "pixels": self.digit.tolist(),
            "unrolled": round_values(self.unrolled, digits),
            **({"filters": round_values(kernels, digits)} if filters else {}),
            "layers": [
                item.as_dict() | {"values": round_values(given, digits)}
                for item, given in zip(self.maps, values, strict=True)
            ],
            "occlusion": {
                "odds": round(self.occlusion.odds, 4),
                "window": self.occlusion.window,
                "fall": round_values(self.occlusion.fall, digits),
                "answers": self.occlusion.answers.tolist(),
            },
            "gradients": (
                None if self.gradients is None else round_values(self.gradients, digits)
            ),
        }


@dataclass(frozen=True, eq=False)
class Maps:
    """What one layer makes of the digit: float32 (maps, height, width) or (values,)."""

    layer: Layer
    values: Floats

    def describe(self) -> dict[str, Any]:
        """Return the layer's name for JSON, and what it gives."""
        return {"name": self.layer.name, "about": f"{self.about}: {self.layer.about}"}

    def as_dict(self) -> dict[str, Any]:
        """Return the values for JSON, with what they are."""
        return self.describe() | {"values": round_values(self.values)}

    @property
    def about(self) -> str:
        """What it gives, as ``"16 maps of 12 x 12"`` or ``"128 values"``."""
        if self.values.ndim == 1:
            count = len(self.values)
            if self.layer.activation or count not in (CLASSES, CLASSES + 1):
                return plural(count, "value")
            last = ", the last for no digit at all" if count > CLASSES else ""
            return f"{count} values, one for each digit from 0 to 9{last}"
        count, height, width = self.values.shape
        return f"{plural(count, 'map')} of {height} x {width}"


def _normalize(picture: ImageSource | Framing) -> tuple[Images, tuple[Step, ...]]:
    if isinstance(picture, np.ndarray) and picture.shape == (SIDE, SIDE):
        check_images(picture[None], what="the digit (as (1, 28, 28))")
        return picture, ()
    framing = picture if isinstance(picture, Framing) else frame_steps(picture)
    return framing.digit, framing.steps


def first_filters(layer: Layer) -> NDArray[np.float32]:
    """Return the kernels of a first layer as pictures: float32 (n, height, width)."""
    if layer.weight is None:
        return np.empty((0, 0, 0), np.float32)
    if layer.kind == "convolution":
        return layer.weight[:, 0]
    return layer.weight[:MAX_FILTERS].reshape(-1, SIDE, SIDE)


def _try_gradients(
    networks: list[list[Op]], digit: Images, label: int, odds: float
) -> tuple[NDArray[np.float32] | None, str]:
    try:
        from digitlens.explain.gradients import integrated_gradients
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return None, "integrated gradients need torch: pip install 'digitlens[train]'"
    try:
        return integrated_gradients(networks, digit, label, odds=odds), ""
    except ModelError as error:
        return None, str(error)


def _first_of_each(lists: list[Floats], total: int) -> list[Floats]:
    """Return the first maps or values of each, about `total` numbers: the small ones whole."""
    kept, left = list(lists), total
    for place, index in enumerate(sorted(range(len(lists)), key=lambda i: lists[i].size)):
        given = lists[index]
        one = max(1, given[:1].size)
        kept[index] = given[: max(1, left // (len(lists) - place) // one)]
        left -= kept[index].size
    return kept


def round_values(values: Floats, digits: int = 5) -> Any:
    """Return an array as lists of numbers, rounded to so many digits of the largest.

    >>> round_values(np.array([1234.5678, 0.016], np.float32))
    [1234.6, 0.0]
    >>> round_values(np.zeros((1, 2), np.float32))
    [[0.0, 0.0]]
    """
    # Five digits: what a page draws needs no more, and JSON stays small.
    largest = float(np.abs(values).max(initial=0.0))
    places = digits - 1 - floor(log10(largest)) if largest > 0 else 0
    return (np.round(values.astype(np.float64), places) + 0.0).tolist()  # no -0.0


def as_percent(share: float) -> str:
    """Return a probability in percent, never rounded to 0 or 100 %.

    >>> as_percent(0.87), as_percent(0.9987), as_percent(1.0), as_percent(0.00001)
    ('87.00 %', '99.87 %', 'over 99.99 %', 'under 0.01 %')
    """
    if share > ALMOST_ONE:
        return "over 99.99 %"
    return percent(share) if share >= 1 - ALMOST_ONE else "under 0.01 %"
