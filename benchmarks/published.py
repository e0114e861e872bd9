"""The published networks on MNIST's test digits: a table of the README.

    make bench-published

Each network answers the 10,000 test pictures once. Misses are whole numbers; the interval is
Wilson's at 95 %; calibration is the expected error of the confidence. A miss is a wrong best
guess, whatever was made of it; "answered wrong" are those that were neither marked as unsure
nor refused as no digit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from digitlens import evaluate, load_digits, load_model
from digitlens.models import find_network
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.inference import published_names
from peer import keep, machine

if TYPE_CHECKING:
    from digitlens.metrics.evaluation import Evaluation

HEAD = (
    "| name | what it is | weights | file | test misses | accuracy, 95 % interval "
    "| without disputed labels | answered wrong + unsure + refused | confidence off by |",
    "|---|---|---|---|---|---|---|---|---|",
)


def main() -> None:
    """Print the table and write it to benchmarks/results/published.md."""
    test = load_digits("mnist").test
    rows = []
    for name in published_names():
        model = load_model(name)
        result = evaluate(model, test)
        low, high = result.interval
        size = (PUBLISHED_FOLDER / f"{name}.onnx").stat().st_size
        undisputed = result.undisputed
        assert undisputed is not None, "these are MNIST's test digits"
        rows.append(
            (
                result.misses,
                f"| `{name}` | {find_network(name).about} | {model.card.weights:,} | "
                f"{size / 1e6:.2f} MB | {result.misses} | {100 * result.accuracy:.2f} %, "
                f"{100 * low:.2f} to {100 * high:.2f} | {undisputed.misses} in "
                f"{undisputed.count:,} | {_decided(result)} | "
                f"{100 * result.calibration.error:.2f} points |",
            )
        )
    foot = f"{machine()}; {time.strftime('%Y-%m-%d')}."
    keep("published", "\n".join([*HEAD, *(row for _, row in sorted(rows)), "", foot]) + "\n")


def _decided(result: Evaluation) -> str:
    decided = result.decisions
    if decided is None:
        return "no such answers"
    return f"{decided.wrong} + {decided.unsure} + {decided.refused}"


if __name__ == "__main__":
    main()
