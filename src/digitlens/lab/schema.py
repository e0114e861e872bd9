"""What comes out, for the OpenAPI document; `wishes` holds what goes in.

docs/api.md tells the same in words. Answers that are made often are written as JSON without
going through these classes; tests hold them to it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    seen: str | None = None
    likely: str | None = None
    try_: str | None = Field(None, alias="try")


class Answer(BaseModel):
    """One network's answer for one picture."""

    network: str
    digit: int | None
    likeliest: int
    confidence: float
    probabilities: list[float]
    no_digit: float | None


class Read(BaseModel):
    """One picture: where its digit is, and what each network says."""

    box: list[int] | None
    light_ink: bool | None
    unchanged: bool
    several: int | None
    pixels: list[list[int]] | None = None
    answers: list[Answer]


class Predicted(BaseModel):
    """The answer of /v1/predict."""

    pictures: list[Read]


class LineDigit(BaseModel):
    """One digit of a line."""

    text: str
    confidence: float
    box: list[float]
    alternatives: list[dict[str, Any]]


class Line(BaseModel):
    """A line of digits that was read."""

    format: int
    text: str
    confidence: float
    box: list[float]
    digits: list[LineDigit]
    alternatives: list[dict[str, Any]]


class Lines(BaseModel):
    """The answer of /v1/read."""

    width: int
    height: int
    turn: float
    lines: list[Line]


class Network(BaseModel):
    """One network that can be asked."""

    name: str
    kind: Literal["published", "run"]
    network: str
    weights: int
    multiply_adds: int
    members: int
    tells_no_digit: bool
    validation: dict[str, int]
    test: dict[str, int]
    trained_on: int
    data: str
    created: str


class NetworkList(BaseModel):
    """All networks that can be asked, and all that can be trained."""

    networks: list[Network]
    trainable: list[dict[str, Any]]
    reader: bool
    data: dict[str, bool]


class NetworkDetails(BaseModel):
    """One network and its layers."""

    name: str
    card: dict[str, Any]
    cascade: bool
    members: int
    layers: list[dict[str, Any]]


class Kernels(BaseModel):
    """A layer's kernels."""

    layer: dict[str, Any]
    kernels: list[Any]
    biases: list[float]
    first: int
    count: int


class Explained(BaseModel):
    """Why a network answers as it does."""

    model_config = ConfigDict(extra="allow")

    model: str
    answer: str
    digit: int
    confidence: float
    probabilities: list[float]
    steps: list[dict[str, Any]]
    pixels: list[list[int]]
    unrolled: list[float]
    layers: list[dict[str, Any]]
    occlusion: dict[str, Any]


class Cell(BaseModel):
    """One number of a feature map."""

    layer: int
    map: int
    row: int
    column: int
    top: int | None
    left: int | None
    window: list[Any]
    kernel: list[Any] | None
    products: list[Any] | None
    sum: float | None
    bias: float | None
    rest: float | None
    before: float
    value: float
    bend: str
    words: str


class KernelMap(BaseModel):
    """The map of an edited kernel."""

    height: int
    width: int
    arithmetic: dict[str, str]
    before: list[list[float]]
    map: list[list[float]]


class TrainBegun(BaseModel):
    """A run that was begun, and where its events are told."""

    run: str
    events: str
    stop: str


class TrainState(BaseModel):
    """How training stands."""

    running: bool
    run: str | None
    wish: dict[str, Any] | None
    last_step: dict[str, Any] | None
    events: list[dict[str, Any]]


class Run(BaseModel):
    """A few words on a run folder."""

    name: str
    network: str | None
    seed: int | None
    epochs: int | None
    data: str | None
    created: str | None
    finished: bool
    validation: dict[str, int] | None


class RunList(BaseModel):
    """The run folders of the lab, the newest first."""

    runs: list[Run]


class RunDetails(Run):
    """All that is known of one run."""

    config: dict[str, Any]
    history: list[dict[str, Any]]
    words: str | None
    verdict: str | None
    metrics: dict[str, Any] | None


class Measured(BaseModel):
    """A network on a set of digits."""

    model: str
    source: str
    count: int
    misses: int
    accuracy: float
    interval: list[float]
    per_class: list[dict[str, Any]]
    confusion: list[list[int]]
    words: str


class CellPictures(BaseModel):
    """The pictures of one cell of a confusion matrix."""

    truth: int
    answer: int
    count: int
    pictures: list[dict[str, Any]]


class OwnList(BaseModel):
    """The digits that were kept."""

    folder: str
    count: int
    digits: list[dict[str, Any]]
    train: str


class OwnSaved(OwnList):
    """The digits that were kept, and the names of those kept now."""

    saved: list[dict[str, Any]]


class Health(BaseModel):
    """Whether the lab answers."""

    status: Literal["ok"]
