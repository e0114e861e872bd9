"""The command ``digitlens``: `main` is its entry point.

Every module here imports what it needs inside its functions, so that ``digitlens --help``
answers at once and ``digitlens train`` starts nothing that training does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line `arguments` (those of the process by default) and end the process.

    The exit code is 0 when all is fine, 1 for a failure, 2 for wrong usage, 3 when some
    items were rejected and 130 after Ctrl-C.

    Raises SystemExit: when torch is not loaded and no thread is at work; else the process ends
    here.
    """
    import gc
    import threading

    try:
        from digitlens.cli.app import run
    except KeyboardInterrupt:  # before `run` is there to say so
        sys.stderr.write("stopped\n")
        sys.exit(130)

    # Importing torch makes a million objects and no garbage: looking for some in between
    # costs 0.1 s.
    gc.set_threshold(300_000, 50, 50)
    code = run(sys.argv[1:] if arguments is None else list(arguments))
    # A thread that hangs, as on a disk that does not answer, must not keep the process.
    if "torch" in sys.modules or threading.active_count() > 1:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """End the process without taking torch apart, which takes 0.3 s, or waiting for threads."""
    import atexit
    import os

    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
