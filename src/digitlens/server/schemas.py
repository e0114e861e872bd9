"""The shape of every body, in and out: the OpenAPI document is made of these classes.

What comes in is a pydantic model, and is checked before anything is done. What goes out is a
dataclass that mypy checks, or a `TypedDict` where the values are a dictionary already, and
nothing is converted when a request is answered. docs/api.md says what the keys mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic refuses that of typing before Python 3.12

from digitlens.metrics.classification import Decisions
from digitlens.metrics.history import Epoch
from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.server.schema_parts import (
    CellPicture,
    ClassFigures,
    Event,
    FramingStep,
    LayerMaps,
    LayerName,
    LayerSettings,
    Line,
    OcclusionMap,
    OwnLabel,
    OwnName,
    ShadedMaps,
    StepEvent,
    Trainable,
)


# /v1/predict and /v1/read.
@dataclass(frozen=True)
class Answer:
    """One network's answer for one picture."""

    network: str
    digit: int | None
    likeliest: int
    confidence: float
    probabilities: list[float]
    no_digit: float | None
    unsure: bool


class Read(TypedDict):
    """One picture: where its digit is, and what each network says."""

    box: list[int] | None
    light_ink: bool | None
    unchanged: bool
    several: int | None
    pixels: NotRequired[list[list[int]] | None]
    answers: list[Answer]


@dataclass(frozen=True)
class Predicted:
    """The answer of /v1/predict."""

    pictures: list[Read]


@dataclass(frozen=True)
class Lines:
    """The answer of /v1/read."""

    width: int
    height: int
    turn: float
    lines: list[Line]


# /v1/networks.
@dataclass(frozen=True)
class Network:
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
    threshold: float


@dataclass(frozen=True)
class NetworkList:
    """All networks that can be asked, and all that can be trained."""

    networks: list[Network]
    trainable: list[Trainable]
    reader: bool
    data: dict[str, bool]


@dataclass(frozen=True)
class NetworkDetails:
    """One network and its layers."""

    name: str
    card: dict[str, Any]
    cascade: bool
    members: int
    layers: list[LayerSettings]


@dataclass(frozen=True)
class Kernels:
    """A layer's kernels."""

    layer: LayerName
    kernels: list[Any]
    biases: list[float]
    first: int
    count: int


# /v1/explain.
class Explained(TypedDict):
    """Why a network answers as it does."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    model: str
    digit: int
    layers: list[LayerMaps | ShadedMaps]
    pixels: NotRequired[list[list[int]]]  # not with `shades`
    member: int
    shown: str
    # The following are absent with `layers_only`:
    answer: NotRequired[str]
    confidence: NotRequired[float]
    probabilities: NotRequired[list[float]]
    steps: NotRequired[list[FramingStep]]
    unrolled: NotRequired[list[float]]
    occlusion: NotRequired[OcclusionMap]
    mattered: NotRequired[str]
    gradients: NotRequired[list[list[float]] | None]
    without_gradients: NotRequired[str]
    # The following are there with `layers_only` alone:
    links: NotRequired[list[list[list[float]]]]
    picture: NotRequired[Read]  # with `shades` too


@dataclass(frozen=True)
class Nearest:
    """The training digit of another class whose pixels are nearest."""

    source: str
    index: int
    label: int
    distance: float
    picture: str


@dataclass(frozen=True)
class Cell:
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
    activation: str
    bend: str
    words: str


@dataclass(frozen=True)
class KernelMap:
    """The map of an edited kernel."""

    height: int
    width: int
    arithmetic: dict[str, str]
    before: list[list[float]]
    map: list[list[float]]


# /v1/train and /v1/runs. The key `wish`, and the name TrainWish below, stay: clients know them.
@dataclass(frozen=True)
class TrainBegun:
    """A run that was begun, and where its events are told."""

    run: str
    events: str
    stop: str


@dataclass(frozen=True)
class TrainState:
    """How training stands."""

    running: bool
    run: str | None
    wish: dict[str, Any] | None
    last_step: StepEvent | None
    events: list[Event]


@dataclass(frozen=True)
class Run:
    """A few words on a run folder."""

    name: str
    network: str | None
    seed: int | None
    epochs: int | None
    data: str | None
    created: str | None
    finished: bool
    validation: dict[str, int] | None


@dataclass(frozen=True)
class RunList:
    """The run folders of the lab, the newest first."""

    runs: list[Run]


@dataclass(frozen=True)
class RunDetails(Run):
    """All that is known of one run."""

    config: dict[str, Any]
    history: list[Epoch]
    words: str | None
    verdict: str | None
    metrics: dict[str, Any] | None


# /v1/mistakes.
@dataclass(frozen=True)
class Measured:
    """A network on a set of digits."""

    model: str
    source: str
    count: int
    misses: int
    accuracy: float
    interval: list[float]
    decisions: Decisions | None
    per_class: list[ClassFigures]
    confusion: list[list[int]]
    words: str


@dataclass(frozen=True)
class PartUse:
    """What a part of a source is to a network: `seen` in training, in a word and in words."""

    part: Literal["test", "validation", "train", "all"]
    count: int
    seen: Literal["no", "some", "all"]
    words: str


@dataclass(frozen=True)
class Parts:
    """The parts of a source for one network.

    `opened`: how often this lab has measured a run on the test digits; null of published
    networks, whose test figures are in their cards.
    """

    network: str
    data: str
    parts: list[PartUse]
    opened: int | None


@dataclass(frozen=True)
class CellPictures:
    """The pictures of one cell of a confusion matrix."""

    truth: int
    answer: int
    count: int
    pictures: list[CellPicture]


@dataclass(frozen=True)
class Sample:
    """One digit that somebody wrote: its pixels, 0 = paper, and what it was meant as."""

    source: str
    index: int
    count: int
    label: int
    pixels: list[list[int]]


@dataclass(frozen=True)
class DigitMap:
    """Where digits lie in the space of a network's last hidden layer, and how to lay one there.

    `share`: how much of all variance the two components hold; `index`: places in the source.
    """

    network: str
    source: str
    layer: int
    share: float
    mean: list[float]
    components: list[list[float]]
    points: list[list[float]]
    labels: list[int]
    answers: list[int]
    index: list[int]


# /v1/own.
@dataclass(frozen=True)
class OwnList:
    """The digits that were kept."""

    folder: str
    count: int
    digits: list[OwnLabel]
    train: str


@dataclass(frozen=True)
class OwnSaved(OwnList):
    """The digits that were kept, and the names of those kept now."""

    saved: list[OwnName]


# /healthz.
@dataclass(frozen=True)
class Health:
    """Whether the lab answers."""

    status: Literal["ok"]


# Bodies of requests. Limits stand here where they protect the service from work without end;
# what only a network or a picture can tell (channels, pixels) is checked where it is used.
Rows = list[list[int]]
Number = Annotated[float, Field(ge=-1e9, le=1e9)]


class Strict(BaseModel):
    """A request's body: nothing unknown in it, and no number that is none."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Pictures(BaseModel):
    """Pictures as JSON: each a picture file in base64, or rows of grey values 0..255."""

    pictures: list[str | Rows]


class KernelEdit(Strict):
    """A kernel edited by hand, for one layer of one network and one picture."""

    picture: str | Rows
    network: str = DEFAULT_NETWORK
    layer: int = Field(1, ge=1, le=1000)
    member: int = Field(0, ge=0, le=100)
    frame: bool = True
    channel: int | None = Field(None, ge=0, le=100_000)
    kernel: list[list[list[Number]]] = Field(min_length=1, max_length=4096)
    bias: Number = 0.0
    stride: int | None = Field(None, ge=1, le=28)
    padding: int | None = Field(None, ge=0, le=28)
    activation: bool = Field(True, validation_alias=AliasChoices("activation", "bend"))


class TrainWish(Strict):
    """What to train, in the words of ``digitlens train``; `resume`: a run to go on with."""

    network: str = "quick"
    data: str = "mnist"
    epochs: int | None = Field(None, ge=1, le=1000)
    share: float | None = Field(None, gt=0, le=1)
    seed: int = Field(0, ge=0, lt=2**31)
    start: str | None = Field(None, alias="from")
    resume: str | None = Field(None, max_length=64)
    recipe: str | None = Field(None, max_length=40)
    layers: str | None = Field(None, max_length=200)
    activation: str | None = Field(None, max_length=20)
    learning_rate: float | None = Field(None, gt=0, le=100)
    batch: int | None = Field(None, ge=1, le=100_000)
    dropout: float | None = Field(None, ge=0, lt=1)
    optimizer: str | None = Field(None, max_length=20)
    augment: str | None = Field(None, max_length=20)


class RunName(Strict):
    """What a run is to be called."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


class OwnDigit(Strict):
    """A digit to keep: a picture, and which digit it shows."""

    picture: str | Rows
    label: int = Field(ge=0, le=9, strict=True)
    box: Annotated[list[float], Field(min_length=4, max_length=4)] | None = None


class OwnDigits(Strict):
    """Digits to keep."""

    digits: list[OwnDigit] = Field(min_length=1, max_length=256)
    frame: bool = True
