"""Make src/digitlens/published/lines/NAME.onnx from a trained line reader.

``.venv/bin/python tools/publish_reader.py RUN [--name reader]`` from the repository root, with
DIGITLENS_DATA set. RUN is a run folder, or a .pt file with the weights (`ema`) and the widths
(`w`) of a draft's training. Weights are halved. What makes probabilities confidences is fitted
on lines that were written by writers and fonts held back, and holds on the worst of them; how
well the reader reads such lines, style by style, stands in its card. ``--raw FILE`` only
exports. ``--from READER --kept SHARE`` publishes the mean of a run and what it went on from.

``--rescored reader-fast [--name reader]`` publishes that network once more, as it is, with the
rescorer: how much that counts is chosen on lines of its own, and all is measured with it.

``--words [--name reader]`` leaves a published network and what was measured on lines as they
are, and puts the words and further figures of cards.toml into its card. ``--recount`` does so
and counts misread lines again, style by style: for when the writer of lines has changed.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import sys
import tomllib
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

import checksums
from digitlens.ctc import (
    align,
    confidence_features,
    decode,
    fit_confidence_models,
    to_probs,
)
from digitlens.ctc.rescoring import find_digit_steps, rescore
from digitlens.data import load_digits
from digitlens.data.line_hands import read_line_hands
from digitlens.models.architectures.line_network import LineNetwork, count_size
from digitlens.models.card import LineModelCard
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.convert import fuse_line_network, load_reader
from digitlens.models.onnx_writer import rewrite_onnx, to_onnx
from digitlens.ocr.network import (
    LineRecognizer,
    Rescorer,
    find_line_network,
    load_rescorer,
    read_line_network,
)
from digitlens.ocr.recognize import recognize_with_retry
from digitlens.storage import make_folder, write_bytes
from digitlens.synth import (
    STYLES,
    LineSample,
    prepare_glyphs,
    synthesize_chunk,
    synthesize_lines,
)
from digitlens.synth.hands import KINDS
from digitlens.training.line_tuning import unfuse_line_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from digitlens.ctc import ConfidenceModels
    from digitlens.synth import Glyphs


MIXTURE = dict.fromkeys(STYLES, 1) | {"training": 10, "cheque": 4}
"""Chunks of each style among the lines for calibration."""

LINES_CALIBRATED = 36_000  # of all styles and hands, read with and without their length
PROMISED = tuple(kind for kind in KINDS if kind not in ("matrix", "segment", "stencil"))
"""Hands that bars must hold on. Displays and stencils are read too rarely: held to them, hardly
a line of handwriting would be sure (a quarter of real cheques instead of over half)."""

LENGTHS = ((1, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 8), (9, 12))  # that bars must hold on
MOST_DIGITS = 12

WEIGHTS = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)  # how much the rescorer's answers may count
LINES_CHOSEN_ON = 6_000  # by which it is chosen; not those for calibration
STRIPS = ("clean", "touching", "overlap")
"""To these come lines of MNIST's digits: those that meet are hard to judge through a window."""

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
    parser.add_argument("--rescored", metavar="READER", help="publish this with the rescorer")
    parser.add_argument("--recount", action="store_true", help="and its misread lines")
    parser.add_argument("--name", default="reader")
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of a .pt file, which tells none")
    parser.add_argument("--steps", type=int, default=0, help="of a .pt file, likewise")
    parser.add_argument("--from", dest="start", help="publish a mean with this reader")
    parser.add_argument("--kept", type=float, default=0.5, help="the run's share in the mean")
    parser.add_argument("--out", type=Path, default=PUBLISHED_FOLDER / "lines")
    parser.add_argument("--share", type=float, default=1.0, help="of all lines, for a trial")
    args = parser.parse_args()
    wanted = round(args.share * LINES_MEASURED)
    if args.words or args.recount:
        renew_card(args.out / f"{args.name}.onnx", args.name, wanted if args.recount else 0)
        return
    if args.rescored:
        path = args.out / f"{args.rescored}.onnx"
        content = path.read_bytes()
        card = replace(LineRecognizer(path, content).card, name=args.name)
    elif args.run is None:
        parser.error("RUN is wanted: a run folder or a .pt file")
    else:
        network, card = load_draft(args.run, args.name, args.seed, args.steps)
        if args.start is not None:
            network, card = mix_weights(args.start, network, card, args.kept)
        full = to_onnx(fuse_line_network(network), card)
        if args.raw:
            write_bytes(args.raw, full)
            return
        content = rewrite_onnx(full, card, half=True)
        check_halves(full, content, wanted)
    make_folder(args.out)
    measure(content, card, args.out / f"{args.name}.onnx", args)


def check_halves(full: bytes, halved: bytes, wanted: int) -> None:
    """Leave if half precision costs more lines than a few in a thousand of each style."""
    glyphs = prepare_glyphs(load_digits("mnist").validation)
    before, after = (
        count_misses(LineRecognizer(Path(), content), glyphs, wanted)
        for content in (full, halved)
    )
    lost = lines_lost(after, before)
    say(f"half precision costs {lost:+d} lines")
    if lost > MAX_LOSS * wanted * len(STYLES):
        sys.exit("half precision costs too much; publish nothing")


def measure(
    content: bytes, card: LineModelCard, target: Path, args: argparse.Namespace
) -> None:
    """Fit what makes probabilities confidences, count misreadings, and write the file."""
    wanted = round(args.share * LINES_MEASURED)
    plain = glyphs = prepare_glyphs(load_digits("mnist").validation)
    if card.network == "reader-world":  # trained on hands, so its bars must hold on hands
        glyphs = replace(glyphs, hands=read_line_hands(PROMISED).validation)
    if args.rescored:
        rescorer = load_rescorer()
        reader = LineRecognizer(Path(target.name), content)
        few = write_mixture(glyphs, round(args.share * LINES_CHOSEN_ON), seed=4)
        lines = [known.line for known in few]
        for style in STRIPS:
            lines += synthesize_lines(plain, wanted, seed=4, style=style)
        weight = choose_weight(reader, rescorer, lines)
        card = replace(card, rescorer=rescorer.graph_digest, rescorer_weight=weight)
        content = rewrite_onnx(content, card)
    # Not by the target's path: a published file must have its checksum.
    reader = LineRecognizer(Path(target.name), content)
    card = replace(card, validation=count_misses(reader, plain, wanted))
    known = list(write_mixture(glyphs, round(args.share * LINES_CALIBRATED)))
    calibrations = fit_calibrations(reader, known)
    chosen = calibrations.unconstrained.threshold(0.01)
    words = f"{100 * chosen.read_rate:.1f} % of lines of all styles and hands held back"
    card = replace(card, figures={**card.figures, "read at 1 % error": words})
    checksums.write_published(target, rewrite_onnx(content, card, calibrations.as_dict()))
    renew_card(target, target.stem)
    say(f"{target}: {target.stat().st_size:,} bytes; read at 1 % error: {words}")


def choose_weight(
    reader: LineRecognizer, rescorer: Rescorer, lines: Sequence[LineSample]
) -> float:
    """Return the smallest weight with which hardly more of `lines` are misread than with any.

    Hardly more is by no more than the standard error of the difference (the rule of Breiman et
    al. 1984, Classification and Regression Trees, 3.4.3): what gains nothing should not count.
    No line is looked at in a second picture, so that each costs one pass of either network.
    """

    def read(index: int) -> list[bool]:
        line = lines[index]
        probs = to_probs(reader.log_probs(line.image))
        steps = find_digit_steps(probs)
        said = rescorer.judge(line.image, steps) if len(steps) else np.empty((0, 11))
        best = [decode(rescore(probs, steps, said, weight)).best for weight in WEIGHTS]
        return [item is None or item.text != line.text for item in best]

    misread = np.array(in_processes(read, len(lines)), int)
    counts = misread.sum(axis=0)
    for weight, count in zip(WEIGHTS, counts, strict=True):
        say(f"weight {weight}: {count:,} of {len(lines):,} lines misread")
    more = misread - misread[:, [counts.argmin()]]
    near = more.sum(axis=0) <= more.std(axis=0) * np.sqrt(len(lines))
    chosen = min(itertools.compress(WEIGHTS, near))
    say(f"chosen: {chosen}")
    return chosen


def renew_card(target: Path, name: str, wanted: int = 0) -> None:
    """Put the words of cards.toml into the card of a published line network, and print it.

    wanted: lines of each style of which misread ones are counted again; with 0 the card's
        counts stay as they are
    """
    words = tomllib.loads(CARDS.read_text(encoding="utf-8")).get("lines", {}).get(name, {})
    content = target.read_bytes()
    reader = find_line_network(target)
    assert reader is not None, target
    known = reader.card
    if wanted:
        glyphs = prepare_glyphs(load_digits("mnist").validation)
        known = replace(known, validation=count_misses(reader, glyphs, wanted))
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


def mix_weights(
    start: str, network: LineNetwork, card: LineModelCard, kept: float
) -> tuple[LineNetwork, LineModelCard]:
    """Return the mean of the reader that a run went on from and of the run's, weight by weight.

    It reads what either reads (Wortsman et al. 2022, Robust fine-tuning of zero-shot models,
    arXiv 2109.01903). Normalisation is folded into kernels first: only so do they compare.
    """
    path, content = read_line_network(start)
    mean = unfuse_line_network(content, name=str(path))
    other = unfuse_line_network(to_onnx(fuse_line_network(network), card), name="the run")
    with torch.no_grad():
        for old, new in zip(mean.parameters(), other.parameters(), strict=True):
            old.lerp_(new, kept)
    before = LineRecognizer(path, content).card
    lines, steps = before.lines + card.lines, before.steps + card.steps
    return mean, replace(card, lines=lines, steps=steps, figures={})


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


def lines_lost(after: dict[str, dict[str, int]], before: dict[str, dict[str, int]]) -> int:
    """Return how many more lines are misread than `before`."""
    return sum(after[style]["misses"] - before[style]["misses"] for style in before)


class KnownLine(NamedTuple):
    """A line, and where it is from: its style, what wrote it, and how long it is."""

    line: LineSample
    sources: tuple[str, str, str]


def fit_calibrations(network: LineRecognizer, lines: Sequence[KnownLine]) -> ConfidenceModels:
    """Fit a calibration for no length and one for a given length, each for the worst source."""
    free = read_and_judge(network, lines)
    say(f"{len(lines):,} lines of all sources: {100 * free.right.mean():.1f} % right")
    given = read_and_judge(network, lines, given=True)
    say(f"with their length given: {100 * given.right.mean():.1f} % right")
    return fit_confidence_models(
        {None: (free.features, free.right), 0: (given.features, given.right)},
        np.random.default_rng(0),
        {None: free.sources, 0: given.sources},
    )


class Judgement(NamedTuple):
    """Features (N, 5) of readings, whether they are right, and their sources (N, 3)."""

    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    sources: NDArray[np.str_]


def read_and_judge(
    network: LineRecognizer, lines: Sequence[KnownLine], *, given: bool = False
) -> Judgement:
    """Read lines as the reader does, and say what is right.

    With `given` it is told how many digits they have; of one line in six a wrong number, and
    of those without a number any: then an answer can only be wrong.
    """
    rng = np.random.default_rng(1)
    asked = []
    for line, _ in lines:
        length = len(line.text)
        if length == 0 or rng.random() < 1 / 6:
            length = int(rng.integers(1, MOST_DIGITS + 1))
        asked.append(length)

    def judge(index: int) -> tuple[NDArray[np.float64], bool, tuple[str, str, str]] | None:
        (line, names), length = lines[index], asked[index]
        lengths = frozenset({length}) if given else None
        frames, decoded = recognize_with_retry(network, line.image, lengths)
        if decoded.best is None:  # too short for so many digits: nothing is answered
            return None
        features = confidence_features(decoded, align(frames, decoded.best.text))
        right = decoded.best.text == line.text
        return features, right, (*names[:2], length_group(length)) if given else names

    parts = list(zip(*filter(None, in_processes(judge, len(lines))), strict=True))
    return Judgement(*map(np.array, parts))


def in_processes(task: Callable[[int], Any], count: int) -> list[Any]:
    """Return ``task(0)`` to ``task(count - 1)``; many of them on all processors.

    Processes are forked, so that each has lines and networks as they are here.
    """
    global _task  # noqa: PLW0603 - what forked processes find
    if count < MANY:
        return [task(index) for index in range(count)]
    _task = task
    with multiprocessing.get_context("fork").Pool() as pool:
        return pool.map(run_task, range(count), chunksize=100)


MANY = 1_000

_task: Callable[[int], Any] = int


def run_task(index: int) -> Any:
    """Do what `in_processes` was asked for."""
    return _task(index)


def write_mixture(glyphs: Glyphs, count: int, seed: int = 2) -> Iterator[KnownLine]:
    """Write `count` lines in the styles of `MIXTURE` by all hands that `glyphs` have."""
    kinds = [kind for kind in KINDS if glyphs.hands.has(kind)]
    # Every style meets every hand; glyphs and strokes are what most people send.
    order = [
        (style, kind)
        for style, chunks in MIXTURE.items()
        for kind in (*kinds, *({"glyphs", "pen"} & set(kinds)))
        for _ in range(chunks)
    ]
    order.sort()
    np.random.default_rng(seed).shuffle(order)
    for index in range(-(-count // CHUNK)):
        name, kind = order[index % len(order)]
        style = replace(STYLES[name], hands=(kind,))
        size = min(CHUNK, count - index * CHUNK)
        for line in synthesize_chunk(glyphs, index, seed=seed, style=style, size=size):
            yield KnownLine(line, (name, kind, length_group(len(line.text))))


def length_group(length: int) -> str:
    """Return which of a few lengths a number has, for each to have lines enough.

    >>> [length_group(length) for length in (0, 1, 5, 12)]
    ['no number', '1 to 2 digits', '5 digits', '9 to 12 digits']
    """
    if not length:
        return "no number"
    first, last = next(pair for pair in LENGTHS if length <= pair[1])
    return f"{first} digits" if first == last else f"{first} to {last} digits"


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
