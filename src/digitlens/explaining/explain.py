"""A model and a picture -> why the model answers as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE, check_images
from digitlens.explaining.explanation import Explanation, Maps
from digitlens.explaining.occlusion import occlude
from digitlens.ink import Framing, frame_steps
from digitlens.inside import look_inside
from digitlens.model import LOGITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.ink import Step
    from digitlens.ink.opening import Picture
    from digitlens.inside import Inside, Layer
    from digitlens.model import Model

MOST_ROWS = 64
"""How many of a dense layer's rows are shown as pictures."""


def explain(
    model: Model,
    picture: Picture | Framing,
    *,
    inside: Inside | None = None,
    gradients: bool = True,
    step: int = 1,
) -> Explanation:
    """Find out why `model` answers as it does.

    Parameters
    ----------
    model
        As `load_model` gives it.
    picture
        Any picture of one digit, as `digitlens.ink.frame_digit` takes it; or what
        `frame_steps` made of one. An array of uint8 (28, 28) is a digit in MNIST's frame, 0 =
        paper, 255 = ink, and is taken as it is.
    inside
        Of the same model, as `look_inside` gives it: kept from call to call it saves most of
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
    inside = inside or look_inside(model)
    member, values = _asked(inside, digit)
    layers = inside.layers_of(member)
    answer = model.predict(digit[None])
    occlusion = occlude(model, digit, step=step)
    parts, why = None, ""
    if gradients:
        wanted = layers[-1].output if inside.is_cascade else LOGITS
        parts, why = _gradients(inside, wanted, digit, int(answer.labels[0]), occlusion.odds)
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
        maps=tuple(Maps(layer, found[0]) for layer, found in zip(layers, values, strict=True)),
        occlusion=occlusion,
        gradients=parts,
        without_gradients=why,
    )


def _framed(picture: Picture | Framing) -> tuple[Images, tuple[Step, ...]]:
    if isinstance(picture, np.ndarray) and picture.shape == (SIDE, SIDE):
        check_images(picture[None], what="the digit (as (1, 28, 28))")
        return picture, ()
    framing = picture if isinstance(picture, Framing) else frame_steps(picture)
    return framing.digit, framing.steps


def _asked(inside: Inside, digit: Images) -> tuple[int, list[NDArray[np.float32]]]:
    """Return the network whose layers are shown, and what they give for the digit."""
    if inside.is_cascade:
        values = inside.activations(digit[None], member=1)
        if len(values[0]):  # it was asked
            return 1, values
    return 0, inside.activations(digit[None])


def _shown(inside: Inside, member: int) -> str:
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
    inside: Inside, wanted: str, digit: Images, label: int, odds: float
) -> tuple[NDArray[np.float32] | None, str]:
    try:
        from digitlens.explaining.gradients import integrated_gradients
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return None, "integrated gradients want torch: pip install 'digitlens[train]'"
    try:
        return integrated_gradients(inside.graph, wanted, digit, label, odds=odds), ""
    except NotImplementedError as error:
        return None, str(error)
