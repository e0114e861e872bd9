"""Make src/digitlens/published/lines/NAME.onnx from a trained line reader.

``.venv/bin/python tools/publish_reader.py RUN [--name reader]`` from the repository root, with
DIGITLENS_DATA set. RUN is a run folder, or a .pt file with the weights (`ema`) and the widths
(`w`) of a draft's training. Weights are halved. What makes probabilities confidences is fitted
on lines that were written with the digits of validation writers; how well the reader reads
such lines, style by style, stands in its card. ``--raw FILE`` only exports.

``--words [--name reader]`` leaves a published network and what was measured on lines as they
are, and puts the words and further figures of cards.toml into its card.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

import checksums
from digitlens.ctc import align, confidence_features, fit_confidence_models
from digitlens.data import load_digits
from digitlens.metrics.risk_coverage import threshold_for_risk
from digitlens.models.architectures.line_network import LineNetwork, count_size
from digitlens.models.card import LineModelCard
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.convert import fuse_line_network, load_reader
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.ocr.network import LineRecognizer
from digitlens.ocr.recognize import recognize_with_retry
from digitlens.storage import make_folder, write_bytes
from digitlens.synth import (
    STYLES,
    LineSample,
    prepare_glyphs,
    synthesize_chunk,
    synthesize_lines,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from digitlens.ctc import ConfidenceModels
    from digitlens.synth import Glyphs

    Judgement: TypeAlias = tuple[NDArray[np.float64], NDArray[np.bool_]]
    """Features (N, 5) of readings, and whether they are right."""

MIXTURE = dict.fromkeys(STYLES, 1) | {"training": 10, "cheque": 4}
"""Chunks of each style among the lines for calibration."""

LINES_OF_ANY_LENGTH = 30_000
"""Lines for calibration where no length is given."""

LINES_OF_A_LENGTH = 4_000
"""Lines of each length, for calibration where this length is given."""

LINES_OF_OTHER_LENGTHS = 800
"""Beside them lines of other lengths, and without digits: an answer can only be wrong."""

LENGTHS = range(1, 13)

LINES_MEASURED = 1_000
"""Lines of each style that are read for the card."""

CHUNK = 25
"""Lines of one style, one after the other."""

MAX_LOSS = 2e-3

CARDS = Path(__file__).with_name("cards.toml")


def main() -> None:
    """Publish one reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--words", action="store_true", help="renew the words of the card")
    parser.add_argument("--name", default="reader")
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of a .pt file, which tells none")
    parser.add_argument("--steps", type=int, default=0, help="of a .pt file, likewise")
    parser.add_argument("--out", type=Path, default=PUBLISHED_FOLDER / "lines")
    parser.add_argument("--share", type=float, default=1.0, help="of all lines, for a trial")
    args = parser.parse_args()
    if args.words:
        renew_card(args.out / f"{args.name}.onnx", args.name)
        return
    if args.run is None:
        parser.error("RUN is wanted: a run folder or a .pt file")
    network, card = load_draft(args.run, args.name, args.seed, args.steps)
    content = to_onnx(fuse_line_network(network), card)
    if args.raw:
        write_bytes(args.raw, content)
        return
    glyphs = prepare_glyphs(load_digits("mnist").validation)
    halved = rewrite_onnx(content, card, half=True)
    reader, full = LineRecognizer(args.run, halved), LineRecognizer(args.run, content)
    wanted = round(args.share * LINES_MEASURED)
    card = replace(card, validation=count_misses(reader, glyphs, wanted))
    lost = lines_lost(card, count_misses(full, glyphs, wanted))
    say(f"half precision costs {lost:+d} lines")
    if lost > MAX_LOSS * wanted * len(STYLES):
        sys.exit("half precision costs too much; publish nothing")
    calibrations = fit_calibrations(reader, glyphs, args.share)
    chosen = threshold_for_risk(0.01, calibrations.unconstrained.curve)
    words = f"{100 * chosen.read_rate:.1f} % of lines of all styles, by writers held back"
    card = replace(card, figures={"read at 1 % error": words, **card.figures})
    target = args.out / f"{args.name}.onnx"
    make_folder(args.out)
    measured = rewrite_onnx(content, card, calibrations.as_dict(), half=True)
    checksums.write_published(target, measured)
    renew_card(target, args.name)
    say(f"{target}: {target.stat().st_size:,} bytes; read at 1 % error: {words}")


def renew_card(target: Path, name: str) -> None:
    """Put the words of cards.toml into the card of a published reader, and print it."""
    words = tomllib.loads(CARDS.read_text(encoding="utf-8")).get("lines", {}).get(name, {})
    content = target.read_bytes()
    reader = LineRecognizer(target, content)
    known = reader.card
    card = replace(
        known,
        figures=known.figures | words.get("figures", {}),
        notes=list(words.get("notes", known.notes)),
        versions=known.versions or {name: version(name) for name in ("digitlens", "torch")},
    )
    saved = None if reader.calibrations is None else reader.calibrations.as_dict()
    checksums.write_published(target, rewrite_onnx(content, card, saved))
    say(card.markdown())


def load_draft(
    source: Path, name: str, seed: int, steps: int
) -> tuple[LineNetwork, LineModelCard]:
    """Return the network in a run folder or a draft's .pt file, and a card for it."""
    if source.is_dir():
        network, card = load_reader(source)
        return network, replace(card, name=name)
    import torch

    saved = torch.load(source, map_location="cpu", weights_only=True)
    network = LineNetwork(tuple(saved["w"]))
    network.load_state_dict(saved["ema"])
    weights, products = count_size(network)
    made = datetime.fromtimestamp(source.stat().st_mtime).astimezone()
    return network.eval(), LineModelCard(
        name=name,
        network="reader",
        data="mnist",
        split=load_digits("mnist").split,
        style="training",
        lines=64 * steps,
        seed=seed,
        steps=steps,
        weights=weights,
        multiply_adds=products,
        created=made.isoformat(timespec="seconds"),
    )


def count_misses(
    network: LineRecognizer, glyphs: Glyphs, count: int
) -> dict[str, dict[str, int]]:
    """Return how many of `count` lines of each style are misread."""
    result = {}
    for style in STYLES:
        lines = synthesize_lines(glyphs, count, seed=1, style=style)
        texts = [
            (recognize_with_retry(network, line.image)[1].best, line.text) for line in lines
        ]
        misses = sum(best is None or best.text != truth for best, truth in texts)
        result[style] = {"misses": misses, "count": count}
        say(f"{style:9} {100 - 100 * misses / count:5.1f} % right")
    return result


def lines_lost(card: LineModelCard, before: dict[str, dict[str, int]]) -> int:
    """Return how many more lines are misread than `before`."""
    return sum(card.validation[style]["misses"] - before[style]["misses"] for style in before)


def fit_calibrations(network: LineRecognizer, glyphs: Glyphs, share: float) -> ConfidenceModels:
    """Fit a calibration for no length, and one for each length."""
    pool = list(write_mixture(glyphs, round(share * LINES_OF_ANY_LENGTH)))
    judgements: dict[int | None, Judgement] = {None: read_and_judge(network, pool, None)}
    say(f"{len(pool):,} lines of all styles: {100 * judgements[None][1].mean():.1f} % right")
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        wanted = round(share * LINES_OF_A_LENGTH)
        ours = [line for line in pool if len(line.text) == length][:wanted]
        ours += write_mixture(glyphs, wanted - len(ours), length)
        others = [line for line in pool if len(line.text) != length]
        drawn = rng.choice(len(others), round(share * LINES_OF_OTHER_LENGTHS), replace=False)
        lines = [*ours, *(others[index] for index in drawn)]
        judgements[length] = read_and_judge(network, lines, length)
        say(f"{length:2} digits, given: {100 * judgements[length][1].mean():.1f} % right")
    return fit_confidence_models(judgements, rng)


def read_and_judge(
    network: LineRecognizer, lines: Iterable[LineSample], length: int | None
) -> Judgement:
    """Read lines as the reader does, asked for so many digits, and say what is right."""
    features, right = [], []
    lengths = None if length is None else frozenset({length})
    for line in lines:
        frames, decoded = recognize_with_retry(network, line.image, lengths)
        if decoded.best is None:  # too short for so many digits: nothing is answered
            continue
        features.append(confidence_features(decoded, align(frames, decoded.best.text)))
        right.append(decoded.best.text == line.text)
    return np.array(features), np.array(right)


def write_mixture(
    glyphs: Glyphs, count: int, length: int | None = None
) -> Iterator[LineSample]:
    """Write `count` lines in the styles of `MIXTURE`, all of one length where it is given."""
    seed = 2 if length is None else 100 + length
    order = [name for name, chunks in MIXTURE.items() for _ in range(chunks)]
    np.random.default_rng(seed).shuffle(order)
    for index in range(-(-count // CHUNK)):
        style = STYLES[order[index % len(order)]]
        if length is not None:
            same = (length, length)
            style = replace(style, lengths=same, usual=same, negatives=0.0)
        size = min(CHUNK, count - index * CHUNK)
        yield from synthesize_chunk(glyphs, index, seed=seed, style=style, size=size)


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
