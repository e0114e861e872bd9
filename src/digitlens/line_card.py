"""The card of a line reader, and how the parts of its ONNX file are called."""

from __future__ import annotations

from dataclasses import dataclass, field

from digitlens.card import card_page, from_text, made_rows, to_text, with_interval

FORMAT = 1

LINE_CARD_KEY = "digitlens.line_card"
"""Where an ONNX file holds the card."""

CALIBRATIONS_KEY = "digitlens.calibrations"
"""Where it holds what makes its probabilities confidences, as JSON; not in every file."""

STRIP = "strip"
"""The input: float32 (N, 1, 32, W), W a multiple of 4, strips from `line_input`."""

LOG_PROBS = "log_probs"
"""The output: float32 (N, W / 2, 11), natural logarithms; place 10 is blank."""


@dataclass(frozen=True)
class LineCard:
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
        return to_text(self, FORMAT)

    @classmethod
    def from_json(cls, text: str) -> LineCard:
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
            f"{self.multiply_adds:,} multiply-adds a column of a line 32 rows high",
            "trained on": f"{self.lines:,} lines in the style `{self.style}`, written with "
            f"the digits of {self.data}",
            "held back": self.split,
            "recipe": f"{self.steps:,} steps, seed {self.seed}",
        }
        for style, counted in self.validation.items():
            rows[f"lines `{style}` by other writers"] = with_interval(counted)
        rows |= self.figures | made_rows(self.created, self.versions)
        return card_page(self.name, rows, USE, self.notes or STANDARD_NOTES)


USE = """\
## Use

It takes a picture of one line of digits, cut out, of any size and either polarity, and says
which number it holds: `digitlens read` brings pictures there by itself. A line without digits
is the empty string.
"""

STANDARD_NOTES = (
    "It was trained on MNIST's digits and what was made of them: forms of digits that are not "
    "among these it may not know.",
    "Letters were shown to it as what is no digit, but by far not all of them; a letter may "
    "still be read as a digit.",
)
