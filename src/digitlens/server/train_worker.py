"""The process that trains for a lab: ``python -m digitlens.server.train_worker``.

It reads what to train as one line of JSON from stdin, and writes its events to stdout, each a
line of JSON with its ``event``. SIGTERM stops it as Ctrl-C stops ``digitlens train``: all is
saved. It is a process of its own because training takes memory and time that answers need.
"""

from __future__ import annotations

import base64
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DigitlensError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from numpy.typing import NDArray

    from digitlens.metrics.history import Epoch
    from digitlens.training import Run


# What of a recipe may be asked for, as `digitlens.train` calls it.
RECIPE = (
    *("recipe", "layers", "activation", "learning_rate", "batch", "dropout", "optimizer"),
    "augment",
)
# Seconds between two events about steps: nobody sees more.
STEP_SECONDS = 0.1


WEIGHTS_SECONDS = 0.5
# Kernels, or values, of the first layer whose weights are shown.
MAX_SHOWN = 16


def shade_weights(weights: NDArray[np.float32]) -> dict[str, Any] | None:
    """Return a first layer's weights as pictures, a byte a number; None where not square.

    weights: float32 (kernels, 1, side, side), or (values, pixels)

    ``shades``: base64 of int8 (shown, side, side), 127 being the largest size of all.
    """
    side = weights.shape[-1] if weights.ndim > 2 else math.isqrt(weights.shape[1])
    count = len(weights)
    shown = weights[:MAX_SHOWN].reshape(min(count, MAX_SHOWN), -1)
    if shown.shape[1] != side * side or not np.isfinite(shown).all():
        return None
    scale = 127 / max(float(np.abs(shown).max()), 1e-9)
    shades = base64.b64encode(np.rint(shown * scale).astype(np.int8).tobytes()).decode()
    return {"side": side, "count": count, "shown": len(shown), "shades": shades}


class EventWriter:
    """Writes the progress of training to a stream, as lines of JSON."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._next_step = 0.0
        self._next_weights = 0.0
        self._n_steps = 0
        self._first_weights: Any = None

    def write(self, event: str, **values: Any) -> None:
        """Write one line."""
        self._stream.write(json.dumps({"event": event, **values}, allow_nan=False) + "\n")
        self._stream.flush()

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Training begins, or goes on with the next member of an ensemble."""
        self._n_steps = total_steps
        self.write(
            "start",
            steps=total_steps,
            epochs=epochs,
            digits_per_epoch=digits_per_epoch,
            note=note,
        )

    def step(self, done_steps: int) -> None:
        """So many steps are done; written now and then."""
        now = self._clock()
        if now >= self._next_step or done_steps == self._n_steps:
            self._next_step = now + STEP_SECONDS
            self.write("step", done=done_steps, steps=self._n_steps)
            self._write_weights(now)

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has been trained and measured."""
        self.write("epoch", **asdict(epoch))
        self._write_weights(self._clock())

    def watch(self, network: Any) -> None:
        """Training begins: the first weights are shown as they change."""
        weights = [item for item in network.parameters() if item.ndim > 1]
        self._first_weights = weights[0] if weights else None

    def _write_weights(self, now: float) -> None:
        if self._first_weights is None or now < self._next_weights:
            return
        self._next_weights = now + WEIGHTS_SECONDS
        shades = shade_weights(self._first_weights.detach().float().cpu().numpy())
        if shades is not None:
            self.write("weights", **shades)

    def finish(self) -> None:
        """Training has ended; `main` writes its result."""


def train(request: dict[str, Any], events: EventWriter) -> Run:
    """Train as the lab asks (errors as in `digitlens.training.train`)."""
    from digitlens.data import load_digits
    from digitlens.runs import read_config
    from digitlens.training import train as train_network

    if request.get("resume"):
        out = Path(request["out"])
        run = read_config(out)["run"]
        return train_network(
            run["network"],
            layers=run.get("layers"),
            activation=run.get("activation"),
            out=out,
            resume=True,
            progress=events,
        )
    changes: dict[str, Any] = {name: request.get(name) for name in RECIPE}
    # Going on from a network uses all own digits: a share of them means nothing.
    share, limit = request.get("share"), None
    if share is not None and share < 1 and not request.get("start"):
        # Handed on as a count, so that config.toml and the command line say the same.
        limit = max(10, round(share * len(load_digits(request["data"]).train)))
    return train_network(
        request["network"],
        request["data"],
        start=request.get("start"),
        limit=limit,
        seed=request.get("seed", 0),
        epochs=request.get("epochs"),
        out=Path(request["out"]),
        progress=events,
        **changes,
    )


def describe_result(run: Run) -> dict[str, Any]:
    """Return the result of a run, in the words that the command line prints."""
    result: dict[str, Any] = {
        "run": run.folder.name,
        "words": run.diagnosis.words,
        "verdict": run.diagnosis.verdict.value,
        "best_epoch": run.diagnosis.best,
        "misses": run.misses,
        "count": run.count,
    }
    if run.changes is not None:
        result["words"] = run.changes.words()
        result["left_out"] = [str(why) for why in run.changes.left_out]
    return result


def main() -> int:
    """Read what to train, train, write how it ended, and return the exit code."""
    from digitlens.server.http_errors import problem_details, unexpected_error

    # Whatever else prints goes to stderr: stdout holds our lines alone.
    events = EventWriter(sys.stdout)
    sys.stdout = sys.stderr
    try:
        run = train(json.loads(sys.stdin.readline()), events)
        events.write("end", **describe_result(run))
    except StoppedError as error:
        events.write("stopped", words=str(error))
        return error.exit_code
    except DigitlensError as error:
        events.write("failed", problem=problem_details(error))
        return error.exit_code
    # The page shows a problem without its inside; the traceback goes to the lab's output.
    except Exception as error:
        events.write("failed", problem=problem_details(unexpected_error(error)))
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
