"""The shapes within answers (`digitlens.server.schemas`): dictionaries that others make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict  # as in `digitlens.server.schemas`

from digitlens.metrics.history import Epoch


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    seen: str | None = None
    likely: str | None = None
    try_: str | None = Field(None, alias="try")


class Alternative(TypedDict):
    """What else a digit or a line may be."""

    text: str
    probability: float


class LineDigit(TypedDict):
    """One digit of a line."""

    text: str
    confidence: float
    box: list[float]
    alternatives: list[Alternative]


class Line(TypedDict):
    """A line of digits that was read."""

    format: int
    text: str
    confidence: float
    box: list[float]
    digits: list[LineDigit]
    alternatives: list[Alternative]


class Trainable(TypedDict):
    """An architecture that can be trained."""

    name: str
    about: str


class LayerName(TypedDict):
    """A layer in words."""

    name: str
    about: str


class LayerSettings(LayerName):
    """What a layer is, without its weights, and how the size of its maps comes about."""

    number: int
    member: int
    kind: Literal["convolution", "dense", "pooling"]
    window: int
    stride: int
    padding: int
    groups: int
    shortcut: bool
    activation: str
    bend: str
    into: list[int]
    shape: list[int]
    arithmetic: str | None
    weights: int


class LayerMaps(LayerSettings):
    """What a layer gives: numbers (maps, height, width), of a dense one (values,)."""

    values: list[Any]


class ShadedMaps(LayerSettings):
    """Maps as bytes in base64, 255 (`signed`: 127) being `most`; each map's largest size."""

    shades: str
    signed: bool
    most: float
    peaks: list[float]


class FramingStep(TypedDict):
    """One step from a picture to the frame; `picture` is a data: address."""

    name: str
    about: str
    picture: str
    height: int
    width: int


class OcclusionMap(TypedDict):
    """What the answer loses, and what it becomes, without each part of the picture."""

    odds: float
    window: int
    fall: list[list[float]]
    answers: list[list[int]]


class ClassFigures(TypedDict):
    """How one digit fared."""

    digit: int
    count: int
    misses: int
    answered: int
    wrong: int | None
    unsure: int | None
    refused: int | None
    recall: float | None
    precision: float | None


class CellPicture(TypedDict):
    """A picture of a cell: its place in the set, and a data: address."""

    index: int
    confidence: float
    picture: str


class OwnLabel(TypedDict):
    """The digits that were kept with one label."""

    label: int
    count: int
    names: list[str]


class OwnName(TypedDict):
    """A digit that was kept now."""

    label: int
    name: str


# What a training tells of itself.
class StartEvent(TypedDict):
    """A run begins, or the next member of an ensemble."""

    event: Literal["start"]
    steps: int
    epochs: int
    digits_per_epoch: int
    note: str


class StepEvent(TypedDict):
    """So many steps are done."""

    event: Literal["step"]
    done: int
    steps: int


@dataclass(frozen=True)
class EpochEvent(Epoch):
    """An epoch is done."""

    event: Literal["epoch"]


class WeightsEvent(TypedDict):
    """The first layer's weights as they change: `shown` of `count` squares, int8 in base64."""

    event: Literal["weights"]
    side: int
    count: int
    shown: int
    shades: str


class StoppedEvent(TypedDict):
    """A run was stopped, and is saved."""

    event: Literal["stopped"]
    words: str


class EndEvent(TypedDict):
    """A run is over: what it came to."""

    event: Literal["end"]
    run: str
    words: str
    verdict: str
    best_epoch: int
    misses: int
    count: int
    left_out: NotRequired[list[str]]


class FailedEvent(TypedDict):
    """A run has failed."""

    event: Literal["failed"]
    problem: Problem


Event = StartEvent | EpochEvent | WeightsEvent | EndEvent | StoppedEvent | FailedEvent
