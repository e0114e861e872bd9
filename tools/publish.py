"""Make src/digitlens/published/NAME.onnx from a finished run, with a card that says it all.

``.venv/bin/python tools/publish.py NAME RUN [--sister RUN]`` from the repository root, with
DIGITLENS_DATA set. RUN was trained on all 60,000 digits; the sister, by the same recipe with a
tenth of the writers held back, gives what is measured on validation digits: the figure and the
calibration. The threshold of "no digit" is found on the training digits. Weights are halved;
the misses on the training digits must stay the same to within 1 in 10,000. The test set is
opened once, for the card.

A run on "world" needs no sister: it holds back writers and fonts of every source itself, and
its threshold is found on those (`thresholds`).
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import checksums
from digitlens.data import load_digits
from digitlens.metrics.calibration import measure_calibration
from digitlens.metrics.classification import negative_log_likelihood
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.inference import Model, load_model
from digitlens.models.onnx_writer import rewrite_onnx
from digitlens.storage import make_folder
from thresholds import (
    ANSWERED,
    DOUBT,
    SURE,
    by_source,
    choose_threshold,
    refused_when_left_out,
)

if TYPE_CHECKING:
    from digitlens.digits import Digits
    from digitlens.models.card import ModelCard

CARDS = Path(__file__).with_name("cards.toml")
MAX_LOSS = 1e-4


def main() -> None:
    """Publish one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("run", type=Path)
    parser.add_argument("--sister", type=Path)
    args = parser.parse_args()
    data = load_digits("mnist", validation=0)
    model = load_model(args.run)
    words = tomllib.loads(CARDS.read_text(encoding="utf-8"))
    card = replace(
        model.card,
        name=args.name,
        figures={**model.card.figures, **words[args.name].get("figures", {})},
        notes=[
            note
            for name in (args.name, model.card.data, "all")
            for note in words.get(name, {}).get("notes", [])
        ],
    )
    if args.sister:
        card = with_sister(card, load_model(args.sister), load_digits("mnist").validation)
    if model.card.data == "world":
        card = with_world_threshold(card, model)
    else:
        card = with_threshold(card, model, data.train)
    content = model.path.read_bytes()
    small = Model(Path(args.name), rewrite_onnx(content, card, half=True))
    before = count_misses(model, data.train)
    lost = count_misses(small, data.train) - before
    say(f"training digits missed: {before}, halved {lost:+d}")
    if lost > MAX_LOSS * len(data.train):
        sys.exit("half precision costs too much; publish nothing")
    counted = count_misses(small, data.test)
    card = replace(card, test={"misses": counted, "count": len(data.test)})
    target = PUBLISHED_FOLDER / f"{args.name}.onnx"
    make_folder(PUBLISHED_FOLDER)
    checksums.write_published(target, rewrite_onnx(content, card, half=True))
    say(f"{target}: {target.stat().st_size:,} bytes, {counted} test misses")


def with_sister(card: ModelCard, sister: Model, validation: Digits) -> ModelCard:
    """Return `card` with what the sister shows on the writers that she has not seen."""
    given = sister.predict(validation.images)
    counted = {
        "misses": int((given.labels != validation.labels).sum()),
        "count": len(validation),
    }
    right = given.labels == validation.labels
    result = measure_calibration(given.probabilities.max(1), right)
    nll = negative_log_likelihood(validation.labels, given.probabilities)
    figures = {
        "held back for measuring": "a sister network by the same recipe, seed "
        f"{sister.card.seed}, was trained without a tenth of the writers; the validation "
        "figure and calibration are hers",
        "calibration": f"expected error {100 * result.error:.2f} points, "
        f"negative log likelihood {nll:.4f}",
    }
    return replace(card, validation=counted, figures={**figures, **card.figures})


def with_threshold(card: ModelCard, model: Model, digits: Digits) -> ModelCard:
    """Return `card` with the share of "no digit" that 1 in 100 of `digits` passes.

    Two networks by one recipe give that share on scales of their own, so a sister's threshold
    is none for her twin: with hers, the first published cnn refused 7 test digits in 100.
    """
    no_digit = model.predict(digits.images).no_digit
    if no_digit is None:
        return card
    return replace(card, threshold=round(float(np.quantile(no_digit, 0.99)), 6))


def with_world_threshold(card: ModelCard, model: Model) -> ModelCard:
    """Return `card` with the bounds of its three answers, found on every held-back source."""
    held = load_digits("world").validation
    assert held.writers is not None, "all sources know who wrote or drew a digit"
    no_digit = model.predict(held.images).no_digit
    assert no_digit is not None, "universal tells what is no digit"
    scores = by_source(no_digit, held.writers)
    unsure = round(choose_threshold(scores, SURE), 6)
    threshold = round(choose_threshold(scores, ANSWERED), 6)
    left_out = ", ".join(
        f"{name} {100 * share:.2f} %"
        for name, share in refused_when_left_out(scores, SURE).items()
    )
    figures = {
        "unsure or no digit": "of held-back digits, by source: "
        + ", ".join(
            f"{name} {100 * float((part > unsure).mean()):.2f} + "
            f"{100 * float((part > threshold).mean()):.2f} % of {len(part):,}"
            for name, part in scores.items()
        )
        + " (both together + no digit alone)",
        "with bounds that one source had no say in": f"unsure or refused of it: {left_out}",
    }
    return replace(
        card,
        threshold=threshold,
        unsure_above=unsure,
        unsure_below=DOUBT,
        figures={**card.figures, **figures},
    )


def count_misses(model: Model, digits: Digits) -> int:
    """Return how many of `digits` the model gets wrong."""
    return int((model.predict(digits.images).labels != digits.labels).sum())


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
