"""How long it takes to turn what a network says of a line into digits.

``.venv/bin/python benchmarks/decoding.py`` prints microseconds of CPU time a line, for made-up
lines of four kinds, beside a plain prefix beam search in the manner of Hannun and others
(2014): logarithms, every frame, every class. The network is not part of it. ``--network FILE``
takes an .npz file of float32 arrays (T, 11), log-probabilities of real lines, instead.

The first line times a fixed piece of numpy work, 100 sums of 10 x 13 numbers. It took 23 us
where a sharp line took 120: on a slower or busier machine compare the ratios.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc import align, decode, to_probs
from digitlens.ctc.forward import string_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

LINES = 100
ROUNDS = 7
FRAMES = 120
DIGITS = 6
BLANK = 10
WIDTH = 16
NAIVE = 10
"""Lines that the plain beam is run on, as it is slow."""

KINDS = {
    "sharp": {"blank": 15.5, "noise": 0.7, "digit": 11.0, "doubt": 0.0},
    "usual": {"blank": 13.0, "noise": 1.0, "digit": 9.0, "doubt": 0.0},
    "weak": {"blank": 9.0, "noise": 1.0, "digit": 9.0, "doubt": 0.0},
    "hard": {"blank": 11.0, "noise": 1.0, "digit": 5.0, "doubt": 0.8},
}
"""Logits of blank and digits, their noise, and how often a frame has a rival digit.

The string's mean probability is 0.98, 0.8, 0.5 and 0.01: sure, fairly sure, blanks that are not
sure, and digits of which none is.
"""


def made_line(rng: np.random.Generator, kind: dict[str, float]) -> NDArray[np.float32]:
    """Make the log-probabilities of a line with a peak for each digit: float32 (T, 11)."""
    logits = rng.normal(0, kind["noise"], (FRAMES, BLANK + 1))
    logits[:, BLANK] = kind["blank"]
    step = FRAMES / DIGITS
    for index in range(DIGITS):
        centre = (index + 0.5) * step + rng.uniform(-3, 3)
        digit, rival = rng.integers(10, size=2)
        for frame in range(math.ceil(centre - 2.2), math.floor(centre + 2.2) + 1):
            away = abs(frame - centre)
            logits[frame, BLANK] = kind["blank"] - 14 + 6 * away
            logits[frame, digit] += kind["digit"] * (1 - away / 4)
            if rng.random() < kind["doubt"]:
                logits[frame, rival] += kind["digit"] * (1 - away / 4) * rng.uniform(0.6, 1.05)
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    result: NDArray[np.float32] = logits.astype(np.float32)
    return result


def log_sum(*values: float) -> float:
    """Return the logarithm of a sum, given logarithms."""
    top = max(values)
    if top == -math.inf:
        return top
    return top + math.log(sum(math.exp(value - top) for value in values))


def plain_beam(log_probs: NDArray[np.float32], width: int = WIDTH) -> tuple[str, float]:
    """Search with a prefix beam as it is written in textbooks; return string and logarithm."""
    beam = {"": (0.0, -math.inf)}
    for frame in log_probs.tolist():
        grown: dict[str, tuple[float, float]] = {}

        def put(text: str, blank: float, digit: float, grown: Any = grown) -> None:
            old = grown.get(text, (-math.inf, -math.inf))
            grown[text] = (log_sum(old[0], blank), log_sum(old[1], digit))

        for text, (blank, digit) in beam.items():
            put(text, log_sum(blank, digit) + frame[BLANK], -math.inf)
            for label in range(BLANK):
                name = str(label)
                if text.endswith(name):
                    put(text, -math.inf, digit + frame[label])
                    put(text + name, -math.inf, blank + frame[label])
                else:
                    put(text + name, -math.inf, log_sum(blank, digit) + frame[label])
        best = sorted(grown, key=lambda text: log_sum(*grown[text]), reverse=True)[:width]
        beam = {text: grown[text] for text in best}
    text = next(iter(beam))
    return text, log_sum(*beam[text])


def microseconds(work: Callable[[Any], object], items: Sequence[Any], rounds: int) -> float:
    """Return CPU time an item: of the best round, as others were disturbed."""
    best = math.inf
    for _ in range(rounds):
        began = time.process_time()
        for item in items:
            work(item)
        best = min(best, time.process_time() - began)
    return 1e6 * best / len(items)


def reference() -> float:
    """Return the microseconds of 100 sums of small arrays."""
    table, out = np.ones((10, 13)), np.empty((10, 13))

    def work(_: int) -> None:
        for _ in range(100):
            np.add(table, table, out)

    return microseconds(work, range(50), ROUNDS)


def row(name: str, lines: list[NDArray[np.float32]]) -> str:
    """Time one kind of line; return a row of the table."""
    read = [(line, decode(to_probs(line))) for line in lines]
    pairs = [(line, item.best.text) for line, item in read if item.best]
    figures = [
        microseconds(lambda line: decode(to_probs(line)), lines, ROUNDS),
        microseconds(_with_length, pairs, ROUNDS),
        microseconds(lambda pair: align(to_probs(pair[0]), pair[1]), pairs, ROUNDS),
        microseconds(plain_beam, lines[:NAIVE], 1),
    ]
    as_good = sum(_is_as_good(*pair) for pair in pairs[:NAIVE])
    sure = np.mean([item.best.probability for _, item in read if item.best])
    shown = " | ".join(f"{value:,.0f}" for value in figures)
    ratio = figures[3] / figures[0]
    return (
        f"| {name} | {sure:.2f} | {shown} | {ratio:,.0f} | {as_good} of {len(pairs[:NAIVE])} |"
    )


def _with_length(pair: tuple[NDArray[np.float32], str]) -> object:
    """Decode a line as if the length of its best string had been given."""
    line, text = pair
    return decode(to_probs(line), lengths={len(text) or 1})


def _is_as_good(line: NDArray[np.float32], text: str) -> bool:
    """Say whether `text` is as probable as what the plain beam finds."""
    ours, plain = string_probabilities(to_probs(line), [text, plain_beam(line)[0]])
    return bool(ours >= plain * (1 - 1e-6))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", help="an .npz file of log-probabilities (T, 11)")
    options = parser.parse_args()
    print(f"reference: {reference():.1f} us for 100 small sums\n")
    print("| lines | P(string) | decode | with length | align | plain beam | times | as good |")
    print("|---|---|---|---|---|---|---|---|")
    if options.network:
        with np.load(options.network) as file:
            print(row("network's", [file[name] for name in file.files]))
        return
    for name, kind in KINDS.items():
        rng = np.random.default_rng(0)
        print(row(name, [made_line(rng, kind) for _ in range(LINES)]), flush=True)


if __name__ == "__main__":
    main()
