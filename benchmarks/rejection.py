"""Whether a model knows when it does not know: a table of docs/benchmarks.md.

    python benchmarks/rejection.py MODEL...

Shows each model (a published name, a run folder or an .onnx file) pictures that are no digit
and compares its "no digit" score on them with that on MNIST's test digits: the area under the
curve (AUROC), and the share refused at the bar that keeps 99 % of the validation digits, whose
writers wrote none of the test digits. A network that was trained on those too is surer of them
and keeps a little less than 99 % of the test digits, as the last row shows. Two rows hold
things that people take for digits as well; they count in no mean. "alone" is the network on the
pictures as they are, "framed" what `digitlens predict` does: every picture is brought into
MNIST's frame first, and one that cannot be is refused. Then how well the probabilities are
calibrated.

Photographs of clothes (Fashion-MNIST) are taken from the folder that DIGITLENS_REAL names.
Prints Markdown; with ``--write`` also to benchmarks/results/rejection.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from contact_sheet import contact_sheet
from digitlens import evaluate, load_digits, load_model
from digitlens.imaging import FramedStack, frame_stack
from digitlens.metrics.classification import auroc, threshold_at_tpr
from peer import keep
from strangers import DIGITS_TO_SOME, STRANGERS, UNMET, draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from numpy.typing import NDArray

    from digitlens import Digits, Model
    from digitlens.digits import Images
    from digitlens.models.predictions import Predictions

    class Asked(Protocol):
        """A model, or what a test puts in its place."""

        @property
        def name(self) -> str:
            """What it is called."""

        def predict(self, images: Images) -> Predictions:
            """Read uint8 (N, 28, 28)."""


KEPT = 0.99
COUNT = 1000
"""Pictures in each set that is drawn."""

VALIDATION, TEST = "validation digits", "test digits"
"""The two sets of real digits among the others."""

CLOTHES = "clothes (Fashion-MNIST)"


@dataclass(frozen=True)
class Knowing:
    """What one model knows about what it does not know, alone or after framing.

    Parameters
    ----------
    name
        The model's, and which of the two.
    sets
        AUROC and share refused, 0..1, by the name of the set.
    kept
        The share of the test digits that is answered.
    """

    name: str
    sets: dict[str, tuple[float, float]]
    kept: float


def no_digit(answers: Predictions) -> NDArray[np.float32]:
    """Return how little each picture is like a digit: float32 (N,), higher = less.

    A model without such a score of its own is asked how unsure it is.
    """
    own: NDArray[np.float32] | None = getattr(answers, "no_digit", None)
    unsure: NDArray[np.float32] = 1 - answers.probabilities.max(axis=1)
    return unsure if own is None else own


def clothes() -> Images | None:
    """Return Fashion-MNIST's pictures, or None, saying so, where they are not at hand."""
    folder = os.environ.get("DIGITLENS_REAL")
    path = Path(folder or ".", "digits", "fashion_sprite_900.npz")
    if not folder or not path.exists():
        print(f"without {CLOTHES}: DIGITLENS_REAL names no folder with them", file=sys.stderr)
        return None
    with np.load(path, allow_pickle=False) as arrays:
        images: Images = arrays["images"]
        return images


def strangers(digits: Digits, count: int, seed: int) -> dict[str, Images]:
    """Return every set by name, those that training never makes first."""
    sets = {name: draw(name, count, digits, seed=seed) for name in STRANGERS}
    photographs = clothes()
    if photographs is None:
        return sets
    first = {name: sets[name] for name in UNMET}
    return first | {CLOTHES: photographs[:count]} | sets


def ask(model: Asked, how: str, sets: Mapping[str, FramedStack]) -> Knowing:
    """Measure one model on all sets, among them `VALIDATION` and `TEST`."""
    scores = {}
    for name, seen in sets.items():
        scores[name] = no_digit(model.predict(seen.images)).astype(np.float64)
        scores[name][list(seen.rejected)] = np.inf
    known, bar = scores.pop(TEST), threshold_at_tpr(scores.pop(VALIDATION), KEPT)
    result = {
        name: (auroc(known, strange), float((strange > bar).mean()))
        for name, strange in scores.items()
    }
    return Knowing(f"{model.name} {how}", result, float((known <= bar).mean()))


def calibration(model: Model, digits: Digits) -> str:
    """Return what a model's probabilities are worth on real digits, in words."""
    result = evaluate(model, digits)
    refused = model.predict(digits.images).refused
    own = "" if refused is None else f"; its own threshold refuses {100 * refused.mean():.2f} %"
    return (
        f"{model.name}: {result.misses} misses of {result.count:,} {result.source} digits; "
        f"confidence and accuracy differ by {100 * result.calibration.error:.3f} points in the "
        f"mean (15 bins of equal mass), log loss {result.nll:.4f} nats, Brier "
        f"{result.brier:.4f}"
        f"{own}"
    )


def table(models: Sequence[Knowing]) -> str:
    """Return AUROC and per cent refused as Markdown."""
    head = [f"{item.name}: {what}" for item in models for what in ("AUROC", "refused")]
    lines = ["| what is no digit | " + " | ".join(head) + " |", "|---|" + "---|" * len(head)]
    names = [name for name in models[0].sets if name not in DIGITS_TO_SOME]
    unmet = [name for name in names if name in (*UNMET, CLOTHES)]
    met = [name for name in names if name not in unmet]
    for title, rows in (("never met", unmet), ("kind met in training", met)):
        lines += [_line(name, models, [name]) for name in rows]
        lines.append(_line(f"**mean, {title}**", models, rows))
    lines += [_line(f"{name} (not counted)", models, [name]) for name in DIGITS_TO_SOME]
    kept = [f"| | {100 * item.kept:.2f} % kept" for item in models]
    lines.append(f"| {TEST} " + " ".join(kept) + " |")
    return "\n".join(lines)


def _line(title: str, models: Sequence[Knowing], names: Sequence[str]) -> str:
    shown = []
    for item in models:
        area, refused = (
            statistics.fmean(item.sets[name][index] for name in names) for index in (0, 1)
        )
        shown += [f"{area:.4f}", f"{100 * refused:.1f} %"]
    return f"| {title} | " + " | ".join(shown) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--count", type=int, default=COUNT, help="pictures in each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="also to results/rejection.md")
    parser.add_argument("--sheet", type=Path, help="draw examples into this PNG")
    options = parser.parse_args()
    data = load_digits("mnist")
    measured = data.part(options.part)
    sets = strangers(measured, options.count, options.seed)
    if options.sheet:
        note = "what a model should refuse; the last two rows are digits to some"
        sheet = contact_sheet(sets, heading="No digits", note=note, per_set=20)
        options.sheet.write_bytes(sheet)
    if not options.models:
        return
    models = [load_model(name, threads=1) for name in options.models]
    every = sets | {VALIDATION: data.validation.images, TEST: measured.images}
    alone = {name: FramedStack(images, {}) for name, images in every.items()}
    framed = {name: frame_stack(images) for name, images in every.items()}
    result = [
        ask(model, how, seen)
        for model in models
        for how, seen in (("alone", alone), ("framed", framed))
    ]
    facts = "\n".join(f"- {calibration(model, measured)}" for model in models)
    text = (
        f"{table(result)}\n\n{facts}\n\n{options.count:,} pictures a set (900 of "
        f"clothes), made "
        f"of {measured.source} digits where of digits, seed {options.seed}; "
        f"{time.strftime('%Y-%m-%d')}.\n"
    )
    keep("rejection", text, write=options.write)


if __name__ == "__main__":
    main()
