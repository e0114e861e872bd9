"""Where words go: results to stdout, progress and messages to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO


def give(text: str = "") -> None:
    """Write a result: one line, or several, to stdout."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def give_json(value: Any) -> None:
    """Write `value` to stdout as JSON, keys in the order given; no NaN gets through."""
    import json

    give(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def tell(text: str = "") -> None:
    """Write a message to stderr, at once."""
    sys.stderr.write(text.rstrip("\n") + "\n")
    sys.stderr.flush()


def is_live(stream: TextIO) -> bool:
    """Say whether `stream` is a terminal on which a line can be drawn again."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Say whether `stream` may be given colour: a terminal, and ``NO_COLOR`` not set."""
    return is_live(stream) and not os.environ.get("NO_COLOR")


def bold(text: str, stream: TextIO) -> str:
    """Return `text` in bold where `stream` shows it, else as it is."""
    return f"\x1b[1m{text}\x1b[0m" if has_colour(stream) else text
