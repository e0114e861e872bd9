"""A model's card: what it is, what it was trained on, what was measured, what it cannot do.

Every model file carries its card as JSON in the file's metadata. Digits and lines have a card
each, and share how it is written, read and printed.
"""

from __future__ import annotations

import json
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Self, cast, get_args, get_origin, get_type_hints

from digitlens.errors import ModelError
from digitlens.imaging.crop import HEIGHT, WINDOW
from digitlens.metrics.formatting import WIDTH, facts, hang, plural
from digitlens.models.onnx_graph import read_metadata

FORMAT = 1

# Characters of a card, bytes of a name, the largest number: no honest card comes near them.
MAX_LENGTH, MAX_NAME, MAX_NUMBER = 100_000, 200, 10**15

# Where a line reader's file holds, as JSON, what turns its probabilities into confidences.
CALIBRATIONS_KEY = "digitlens.calibrations"

# What the files of line readers call their input and their output; those of digit models are
# in `digitlens.models.inference`.
STRIP = "strip"  # the input: float32 (N, 1, 32, W), W a multiple of 4, from `prepare_line`

# The output: float32 (N, W / 2, C), natural logarithms; of a reader C is 11 and class 10 is
# blank.
LOG_PROBS = "log_probs"


class Card(ABC):
    """What the cards of digit models and of line readers have in common."""

    KEY: ClassVar[str]
    """Where the metadata of a model file holds the card."""

    USE: ClassVar[str]
    """What the model takes, and what brings pictures there."""

    STANDARD_NOTES: ClassVar[Sequence[str]]
    """Its limits, where a card names none of its own."""

    name: str
    created: str
    versions: dict[str, str]
    figures: dict[str, str]
    notes: list[str]

    def to_json(self) -> str:
        """Return the card as one line of JSON."""
        return json.dumps({"format": FORMAT, **asdict(cast("Any", self))})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the card that `to_json` wrote; keys that it does not know are left out.

        ModelError if it is of another format, lacks a field, or holds what no card holds: a
        model file may come from anyone.
        """
        try:
            if len(text) > MAX_LENGTH:
                raise ValueError(f"{len(text):,} characters; a card has {MAX_LENGTH:,} at most")
            raw: dict[str, Any] = json.loads(text)
            # A later version may have added keys; none of them is needed here.
            known = {entry.name for entry in fields(cast("Any", cls))}
            if raw.get("format") != FORMAT:
                raise ModelError(
                    f"a model's card must be of format {FORMAT}",
                    seen=f"format {raw.get('format')!r}",
                    likely="another version of digitlens wrote it",
                    try_="use that version, or train the network again",
                )
            types = get_type_hints(cls)
            values = {name: value for name, value in raw.items() if name in known}
            for name, value in values.items():
                _check_value(name, value, types[name])
            return cls(**values)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError("a model's card cannot be read", seen=str(error)) from error

    @classmethod
    def from_file(cls, content: bytes) -> Self:
        """Return the card in an ONNX file, given as its bytes; errors as in `from_json`."""
        try:
            text = read_metadata(content).get(cls.KEY, "")
        except (ValueError, LookupError) as error:
            raise ModelError("a model's card cannot be read", seen=str(error)) from error
        return cls.from_json(text)

    def markdown(self) -> str:
        """Return the card as a page of Markdown: a table, what it is for, its limits."""
        table = "\n".join(f"| {title} | {text} |" for title, text in self.facts().items())
        limits = "\n".join(f"- {note}" for note in self.notes or self.STANDARD_NOTES)
        head = f"# {self.name}\n\n| | |\n|---|---|\n{table}\n"
        return f"{head}\n{self.USE}\n## Limits\n\n{limits}\n"

    def text(self, width: int = WIDTH) -> str:
        """Return the same for a terminal: no line is wider than `width` columns."""
        use = [hang("", " ".join(part.split()), width) for part in self.USE.split("\n\n")]
        limits = [hang("- ", note, width) for note in self.notes or self.STANDARD_NOTES]
        rows = facts(list(self.facts().items()), width)
        head, body = [f"# {self.name}", "", *rows, ""], "\n\n".join(use)
        return "\n".join([*head, body, "", "## Limits", "", *limits])

    def facts(self) -> dict[str, str]:
        """Return its table by title: its own rows, what was measured, when and how made."""
        made_with = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return self._rows() | self.figures | {"made": self.created, "with": made_with}

    @abstractmethod
    def _rows(self) -> dict[str, str]:
        """Return the table's first rows: the network, its training and its errors."""


@dataclass(frozen=True)
class ModelCard(Card):
    """What a digit model says of itself."""

    KEY = "digitlens.card"
    USE = """\
## Use

It takes pictures of single digits in MNIST's frame: uint8 28 x 28, white ink (255) on black
paper (0), the digit scaled to 20 x 20 with its centre of mass in the middle. `frame_digit`
brings any picture of a digit there, and `digitlens predict` does so by itself.
"""
    STANDARD_NOTES = (
        "Test figures are not in this card: `digitlens evaluate` measures them.",
        "When validation digits chose the epoch, their figure is a little kinder than the "
        "truth.",
    )

    name: str  # the model's name, such as ``"cnn-3"``
    network: str  # the architecture's name
    # data, split: what it was trained on, and how validation digits were set apart
    data: str
    split: str
    trained_on: int  # how many digits it was trained on
    # seed, epochs, best_epoch: how it was trained, and the epoch whose weights were chosen
    seed: int
    epochs: int
    best_epoch: int
    # weights, multiply_adds: trained numbers, and products for one digit
    weights: int
    multiply_adds: int
    created: str  # when, ISO 8601 with the time zone
    # ``{"misses": ..., "count": ...}``, or empty without validation digits
    validation: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)  # of digitlens, torch and Python
    members: int = 1  # networks that answer together
    # above this probability of "no digit" a picture is refused; chosen so that 99 of 100
    # validation digits pass. Only for models that give such a probability.
    threshold: float = 0.5
    # unsure_above, unsure_below: a picture that is not refused is unsure, to be checked by a
    # person, where its probability of "no digit" is above the one or that of its digit below
    # the other
    unsure_above: float = 1.0
    unsure_below: float = 0.0
    # ``{"misses": ..., "count": ...}`` on MNIST's test digits, for published models
    test: dict[str, int] = field(default_factory=dict)
    # what else was measured, by name, in words and numbers
    figures: dict[str, str] = field(default_factory=dict)
    # what a user must know; each one sentence or two
    notes: list[str] = field(default_factory=list)

    def _rows(self) -> dict[str, str]:
        rows = {
            "network": f"`{self.network}`: {self.weights:,} weights, "
            f"{self.multiply_adds:,} multiply-adds a digit"
            + (f", {self.members} networks together" if self.members > 1 else ""),
            "trained on": f"{self.data}, {self.trained_on:,} digits",
            "held back": self.split,
            "recipe": f"{plural(self.epochs, 'epoch')}, seed {self.seed}, weights of epoch "
            f"{self.best_epoch}",
            "validation": _format_errors(self.validation) or "nothing was held back",
        }
        if self.test:
            rows["MNIST's test digits"] = _format_errors_with_interval(self.test)
        return rows


@dataclass(frozen=True)
class LineModelCard(Card):
    """What a line reader says of itself."""

    KEY = "digitlens.line_card"
    CLASSES: ClassVar[int] = 11
    """Of each frame."""
    SHAPE: ClassVar[tuple[int, int | None]] = (HEIGHT, None)
    """Rows and columns that the network takes; None for any number."""
    COUNTED: ClassVar[str] = "lines `{style}` by other writers"
    """Of what `validation` counts the misses."""

    USE = """\
## Use

It takes a picture of one line of digits, cut out, of any size and either polarity, and says
which number it holds: `digitlens read` brings pictures there by itself. A line without digits
is the empty string.
"""
    STANDARD_NOTES = (
        "It was trained on MNIST's digits and what was made of them: forms of digits that are "
        "not among these it may not know.",
        "Letters were shown to it as what is no digit, but by far not all of them; a letter "
        "may still be read as a digit.",
    )

    name: str  # the reader's name, such as ``"reader-3"``
    network: str  # the architecture's name
    # data, split: whose digits the lines were written with, and how validation digits were set
    # apart
    data: str
    split: str
    style: str  # the style of the lines that it was trained on
    lines: int  # how many lines it was trained on; none was shown twice
    # seed, steps: how it was trained
    seed: int
    steps: int
    # weights, multiply_adds: trained numbers, and products for one column of a line 32 rows
    # high
    weights: int
    multiply_adds: int
    created: str  # when, ISO 8601 with the time zone
    # by style, ``{"misses": ..., "count": ...}`` on lines by writers of the validation set
    validation: dict[str, dict[str, int]] = field(default_factory=dict)
    # of a reader that is published with a rescorer: the digest of the rescorer's graph, and how
    # much its answers count (the weight of `digitlens.ctc.rescoring.rescore`); else "" and 0
    rescorer: str = ""
    rescorer_weight: float = 0.0
    # versions, figures, notes: as in `ModelCard`
    versions: dict[str, str] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def _rows(self) -> dict[str, str]:
        rows = {
            "network": f"`{self.network}`: {self.weights:,} weights, "
            f"{self.multiply_adds:,} multiply-adds a column of a line 32 rows high",
            "trained on": f"{self.lines:,} lines in the style `{self.style}`, written with "
            f"the digits of {self.data}",
            "held back": self.split,
            "recipe": f"{self.steps:,} steps, seed {self.seed}",
        }
        if self.rescorer:
            rows["rescorer"] = f"each digit is looked at again; weight {self.rescorer_weight:g}"
        for style, counted in self.validation.items():
            title = self.COUNTED.format(style=style)
            rows[title] = _format_errors_with_interval(counted)
        return rows


@dataclass(frozen=True)
class SignModelCard(LineModelCard):
    """What the network that tells digits from letters and marks says of itself.

    Parameters are those of `LineModelCard`; what is counted for `validation` are frames with
    ink, and those that were given another sign than theirs.
    """

    KEY = "digitlens.sign_card"
    CLASSES = 5
    COUNTED = "frames in fonts held out"
    USE = """\
## Use

It takes a line of writing as `digitlens.layout` cuts it out, and says of each frame, two
columns wide, whether its ink is a digit's, a letter's, a dash's or slash's, a point's or
another mark's. `digitlens read` asks it before a line is read, so that words give no digits.
"""
    STANDARD_NOTES = (
        "Its letters are those of fonts, printed ones, school hands and people's hands; it has "
        "seen no handwriting of words but that.",
        "A lone stroke or ring, with nothing beside it, may be a digit or a letter: it cannot "
        "know.",
    )

    def _rows(self) -> dict[str, str]:
        rows = super()._rows()
        rows["trained on"] = (
            f"{self.lines:,} lines of words, numbers and marks, in fonts and with digits "
            f"of {self.data} and the pen digits; after a time lines come again"
        )
        return rows


def _check_value(name: str, value: object, kind: Any) -> None:
    """Check one entry of a card against its type; ValueError."""
    container, *inner = get_origin(kind) or kind, *get_args(kind)
    wanted = (int, float) if kind is float else container
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise ValueError(f"{name} is {str(value)[:60]!r}, not of type {container.__name__}")
    match value:
        case str():
            # Control characters would move a terminal's cursor, a path lead files elsewhere.
            if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
                raise ValueError(f"{name} holds control characters")
            is_path = value in {"", ".", ".."} or not {"/", "\\"}.isdisjoint(value)
            if name == "name" and (is_path or len(value.encode()) > MAX_NAME):
                raise ValueError(f"{value[:60]!r} is no name")
        case int() | float():
            if not abs(value) <= MAX_NUMBER:  # NaN is not
                raise ValueError(f"{name} is {value}")
        case list():
            for item in value:
                _check_value(name, item, inner[0])
        case dict():
            for key, item in value.items():
                _check_value(f"a key of {name}", key, str)
                _check_value(name, item, inner[1])
            if kind == dict[str, int] and value:
                misses, count = value.get("misses", -1), value.get("count", 0)
                if not 0 <= misses <= count or not count:
                    raise ValueError(f"{name} is {str(value)[:60]}, not misses of a count")


def _format_errors(counted: dict[str, int]) -> str:
    if not counted:
        return ""
    misses, count = counted["misses"], counted["count"]
    return f"{misses:,} misses in {count:,}, {100 - 100 * misses / count:.2f} % right"


def _format_errors_with_interval(counted: dict[str, int]) -> str:
    from digitlens.metrics.intervals import wilson  # needed for pages alone

    low, high = wilson(counted["misses"], counted["count"])
    return f"{_format_errors(counted)} (95 % interval {100 * low:.2f} to {100 * high:.2f} %)"


@dataclass(frozen=True)
class RescorerModelCard(LineModelCard):
    """What the network that looks at a line's digits one by one says of itself.

    Parameters are those of `LineModelCard`; what is counted for `validation` are windows, and
    those of which another digit was said, or one where there is none. `multiply_adds` are
    those of a window.
    """

    KEY = "digitlens.rescorer_card"
    SHAPE = (WINDOW, WINDOW)
    COUNTED = "windows of lines by other writers"
    USE = """\
## Use

It takes a window of a line, around a place where a reader sees a digit, and says which digit
has its middle there, or that none has. A reader that was published with it weighs its answers
with its own; by itself it reads nothing.
"""

    def _rows(self) -> dict[str, str]:
        rows = super()._rows()
        rows["network"] = (
            f"`{self.network}`: {self.weights:,} weights, {self.multiply_adds:,} "
            "multiply-adds a digit"
        )
        rows["trained on"] = (
            f"{self.lines:,} windows of lines in the style `{self.style}`, written with the "
            f"digits of {self.data}"
        )
        return rows
