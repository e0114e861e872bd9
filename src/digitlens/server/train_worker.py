"""The process that trains for a lab: ``python -m digitlens.server.train_worker``.

It reads what to train as one line of JSON, and tells how it goes line by line on stdout, each
line an object with its ``event``. SIGTERM stops it as Ctrl-C stops ``digitlens train``: all
is saved. A process of its own, for training takes memory and time that answers would wait for.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DigitlensError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from digitlens.metrics.history import Epoch
    from digitlens.training import Run


EVERY = 0.1
"""Seconds between two lines about steps: more often is not seen."""


class Lines:
    """Progress of training as lines of JSON.

    Parameters
    ----------
    stream
        Where they go.
    clock
        Seconds that only go up; given in tests.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._next = 0.0
        self._steps = 0

    def say(self, event: str, **rest: Any) -> None:
        """Write one line."""
        self._stream.write(json.dumps({"event": event, **rest}, allow_nan=False) + "\n")
        self._stream.flush()

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Training begins, or goes on with its next member."""
        self._steps = total_steps
        self.say(
            "start",
            steps=total_steps,
            epochs=epochs,
            digits_per_epoch=digits_per_epoch,
            note=note,
        )

    def step(self, done_steps: int) -> None:
        """So many steps are done; told now and then."""
        now = self._clock()
        if now >= self._next or done_steps == self._steps:
            self._next = now + EVERY
            self.say("step", done=done_steps, steps=self._steps)

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has been trained and measured."""
        self.say("epoch", **asdict(epoch))

    def finish(self) -> None:
        """Nothing more comes; what it came to is told by `main`."""


def train(wish: dict[str, Any], lines: Lines) -> Run:
    """Train as wished (errors as in `digitlens.training.train`)."""
    from digitlens.data import load_digits
    from digitlens.training import train as train_network

    share, limit = wish.get("share"), None
    if share is not None and share < 1 and not wish.get("start"):
        # As a count, so that config.toml and the command line say the same.
        limit = max(10, round(share * len(load_digits(wish["data"]).train)))
    return train_network(
        wish["network"],
        wish["data"],
        start=wish.get("start"),
        limit=limit,
        seed=wish.get("seed", 0),
        epochs=wish.get("epochs"),
        out=Path(wish["out"]),
        progress=lines,
    )


def ended(run: Run) -> dict[str, Any]:
    """Return what is told of a run that came to its end: the same words as in a terminal."""
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
    """Read what to train from stdin, train, tell how it ended, and return the exit code."""
    from digitlens.server.http_errors import problem_of, unexpected

    # Whatever else prints goes to stderr: stdout holds our lines alone.
    lines = Lines(sys.stdout)
    sys.stdout = sys.stderr
    try:
        lines.say("end", **ended(train(json.loads(sys.stdin.readline()), lines)))
    except StoppedError as error:
        lines.say("stopped", words=str(error))
        return error.exit_code
    except DigitlensError as error:
        lines.say("failed", problem=problem_of(error))
        return error.exit_code
    except Exception as error:
        lines.say("failed", problem=problem_of(unexpected(error)))
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
