"""A model's card: what it is, what it was trained on, what was measured, what it cannot do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from digitlens.errors import ModelError

FORMAT = 1


@dataclass(frozen=True)
class Card:
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

    def to_json(self) -> str:
        """Return the card as one line of JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Return the card that `to_json` wrote.

        Raises
        ------
        ModelError
            Another format, or fields that are missing.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            known = {entry.name for entry in fields(cls)}
            if raw.get("format") != FORMAT:
                raise ModelError(
                    f"a model's card must be of format {FORMAT}",
                    seen=f"format {raw.get('format')!r}",
                    likely="another version of digitlens wrote it",
                    try_="use that version, or train the network again",
                )
            return cls(**{name: value for name, value in raw.items() if name in known})
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError("a model's card cannot be read", seen=str(error)) from error

    def markdown(self) -> str:
        """Return the card for a person, as Markdown."""
        rows = {
            "network": f"`{self.network}`: {self.weights:,} weights, "
            f"{self.multiply_adds:,} multiply-adds a digit",
            "trained on": f"{self.data}, {self.trained_on:,} digits",
            "held back": self.split,
            "recipe": f"{self.epochs} epochs, seed {self.seed}, weights of epoch "
            f"{self.best_epoch}",
            "validation": self._validation(),
            "made": self.created,
            "with": ", ".join(f"{name} {version}" for name, version in self.versions.items()),
        }
        table = "\n".join(f"| {name} | {text} |" for name, text in rows.items())
        return f"# {self.name}\n\n| | |\n|---|---|\n{table}\n\n{LIMITS}"

    def _validation(self) -> str:
        if not self.validation:
            return "nothing was held back"
        misses, count = self.validation["misses"], self.validation["count"]
        return f"{misses:,} misses in {count:,}, {100 - 100 * misses / count:.2f} % right"


LIMITS = """\
## Use

It takes pictures of single digits in MNIST's frame: uint8 28 x 28, white ink (255) on black
paper (0), the digit scaled to 20 x 20 with its centre of mass in the middle.

## Limits

- It answers with one of ten digits whatever it is shown; it cannot say "this is no digit".
- Test figures are not in this card: `digitlens evaluate` measures them.
- When validation digits chose the epoch, their figure is a little kinder than the truth.
"""
