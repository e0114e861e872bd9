"""A model's card: what it is, what it was trained on, what was measured, what it cannot do.

* The card of a line reader, and how the parts of its ONNX file are called.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

from digitlens import metrics
from digitlens.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence


AnyCard = TypeVar("AnyCard")

FORMAT = 1


@dataclass(frozen=True)
class ModelCard:
    """What a model says of itself.

    Parameters
    ----------
    name
        The model's name, such as ``"cnn-3"``.
    network
        The architecture's name.
    data, split
        What it was trained on, and how validation digits were held back.
    trained_on
        How many digits it was trained on.
    seed, epochs, best_epoch
        How it was trained, and the epoch whose weights are kept.
    weights, multiply_adds
        Trained numbers, and products for one digit.
    created
        When, ISO 8601 with the time zone.
    validation
        ``{"misses": ..., "count": ...}``, or empty when nothing was held back.
    versions
        Of digitlens, torch and Python.
    members
        Networks that answer together.
    threshold
        Above this share of "no digit" a picture is refused; chosen so that 99 of 100
        validation digits pass. Only for models that give such a share.
    test
        ``{"misses": ..., "count": ...}`` on MNIST's test digits, for published models.
    figures
        What else was measured, by name, in words and numbers.
    notes
        What a user must know; each one sentence or two.
    """

    name: str
    network: str
    data: str
    split: str
    trained_on: int
    seed: int
    epochs: int
    best_epoch: int
    weights: int
    multiply_adds: int
    created: str
    validation: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    members: int = 1
    threshold: float = 0.5
    test: dict[str, int] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the card as one line of JSON."""
        return to_text(self, FORMAT)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Return the card that `to_json` wrote.

        Raises
        ------
        ModelError
            Another format, or fields that are missing.
        """
        return from_text(cls, text, FORMAT)

    def markdown(self) -> str:
        """Return the card for a person, as Markdown."""
        rows = {
            "network": f"`{self.network}`: {self.weights:,} weights, "
            f"{self.multiply_adds:,} multiply-adds a digit"
            + (f", {self.members} networks together" if self.members > 1 else ""),
            "trained on": f"{self.data}, {self.trained_on:,} digits",
            "held back": self.split,
            "recipe": f"{self.epochs} epochs, seed {self.seed}, weights of epoch "
            f"{self.best_epoch}",
            "validation": _right(self.validation) or "nothing was held back",
        }
        if self.test:
            rows["MNIST's test digits"] = with_interval(self.test)
        rows |= self.figures | made_rows(self.created, self.versions)
        return card_page(self.name, rows, USE, self.notes or STANDARD_NOTES)


def to_text(card: Any, version: int) -> str:
    """Return a card, a dataclass of plain values, as one line of JSON of format `version`."""
    return json.dumps({"format": version, **asdict(card)})


def from_text(kind: type[AnyCard], text: str, version: int) -> AnyCard:
    """Return the card of this kind that `to_text` wrote; fields it does not know are left out.

    Raises
    ------
    ModelError
        Another format, or fields that are missing.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        known = {entry.name for entry in fields(cast("Any", kind))}
        if raw.get("format") != version:
            raise ModelError(
                f"a model's card must be of format {version}",
                seen=f"format {raw.get('format')!r}",
                likely="another version of digitlens wrote it",
                try_="use that version, or train the network again",
            )
        return kind(**{name: value for name, value in raw.items() if name in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError("a model's card cannot be read", seen=str(error)) from error


def made_rows(created: str, versions: dict[str, str]) -> dict[str, str]:
    """Return the rows of a card that say when it was made, and with what."""
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    return {"made": created, "with": made}


def card_page(name: str, rows: dict[str, str], use: str, notes: Sequence[str]) -> str:
    """Return a card as a page of Markdown: a table, what it is for, its limits."""
    table = "\n".join(f"| {title} | {text} |" for title, text in rows.items())
    limits = "\n".join(f"- {note}" for note in notes)
    return f"# {name}\n\n| | |\n|---|---|\n{table}\n\n{use}\n## Limits\n\n{limits}\n"


def with_interval(counted: dict[str, int]) -> str:
    """Return ``{"misses": ..., "count": ...}`` in words, with what chance leaves open."""
    low, high = metrics.wilson(counted["misses"], counted["count"])
    return f"{_right(counted)} (95 % interval {100 * low:.2f} to {100 * high:.2f} %)"


def _right(counted: dict[str, int]) -> str:
    if not counted:
        return ""
    misses, count = counted["misses"], counted["count"]
    return f"{misses:,} misses in {count:,}, {100 - 100 * misses / count:.2f} % right"


USE = """\
## Use

It takes pictures of single digits in MNIST's frame: uint8 28 x 28, white ink (255) on black
paper (0), the digit scaled to 20 x 20 with its centre of mass in the middle. `frame_digit`
brings any picture of a digit there, and `digitlens predict` does so by itself.
"""

STANDARD_NOTES = (
    "Test figures are not in this card: `digitlens evaluate` measures them.",
    "When validation digits chose the epoch, their figure is a little kinder than the truth.",
)


LINE_CARD_FORMAT = 1

LINE_CARD_KEY = "digitlens.line_card"
"""Where an ONNX file holds the card."""

CALIBRATIONS_KEY = "digitlens.calibrations"
"""Where it holds what makes its probabilities confidences, as JSON; not in every file."""

STRIP = "strip"
"""The input: float32 (N, 1, 32, W), W a multiple of 4, strips from `line_input`."""

LOG_PROBS = "log_probs"
"""The output: float32 (N, W / 2, 11), natural logarithms; place 10 is blank."""


@dataclass(frozen=True)
class LineModelCard:
    """What a line reader says of itself.

    Parameters
    ----------
    name
        The reader's name, such as ``"reader-3"``.
    network
        The architecture's name.
    data, split
        Whose digits the lines were written with, and how validation digits were held back.
    style
        The style of the lines that it was trained on.
    lines
        How many lines it was trained on; none was shown twice.
    seed, steps
        How it was trained.
    weights, multiply_adds
        Trained numbers, and products for one column of a line 32 rows high.
    created
        When, ISO 8601 with the time zone.
    validation
        By style, ``{"misses": ..., "count": ...}`` on lines by writers who were held back.
    versions
        Of digitlens, torch and Python.
    figures
        What else was measured, by name, in words and numbers.
    notes
        What a user must know; each one sentence or two.
    """

    name: str
    network: str
    data: str
    split: str
    style: str
    lines: int
    seed: int
    steps: int
    weights: int
    multiply_adds: int
    created: str
    validation: dict[str, dict[str, int]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the card as one line of JSON."""
        return to_text(self, LINE_CARD_FORMAT)

    @classmethod
    def from_json(cls, text: str) -> LineModelCard:
        """Return the card that `to_json` wrote.

        Raises
        ------
        ModelError
            Another format, or fields that are missing.
        """
        return from_text(cls, text, LINE_CARD_FORMAT)

    def markdown(self) -> str:
        """Return the card for a person, as Markdown."""
        rows = {
            "network": f"`{self.network}`: {self.weights:,} weights, "
            f"{self.multiply_adds:,} multiply-adds a column of a line 32 rows high",
            "trained on": f"{self.lines:,} lines in the style `{self.style}`, written with "
            f"the digits of {self.data}",
            "held back": self.split,
            "recipe": f"{self.steps:,} steps, seed {self.seed}",
        }
        for style, counted in self.validation.items():
            rows[f"lines `{style}` by other writers"] = with_interval(counted)
        rows |= self.figures | made_rows(self.created, self.versions)
        return card_page(self.name, rows, LINE_USE, self.notes or LINE_STANDARD_NOTES)


LINE_USE = """\
## Use

It takes a picture of one line of digits, cut out, of any size and either polarity, and says
which number it holds: `digitlens read` brings pictures there by itself. A line without digits
is the empty string.
"""

LINE_STANDARD_NOTES = (
    "It was trained on MNIST's digits and what was made of them: forms of digits that are not "
    "among these it may not know.",
    "Letters were shown to it as what is no digit, but by far not all of them; a letter may "
    "still be read as a digit.",
)
