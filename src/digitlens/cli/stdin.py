"""What comes in through stdin, as a file."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def kept_stdin(named: Sequence[str]) -> Iterator[Path | None]:
    """Keep what stdin brings in a file, where ``-`` was named; it is taken away at the end.

    Workers cannot read this process's stdin; the file's ending says what it holds.

    Raises
    ------
    UsageError
        ``-`` was named twice, or stdin is a terminal.
    DataError
        More bytes than are read of a file.
    """
    from digitlens.documents.opened import MOST_BYTES, PDF_WITHIN, TIFF

    if "-" not in named:
        yield None
        return
    if list(named).count("-") > 1:
        raise UsageError("- may be named once: stdin can be read once")
    if sys.stdin.isatty():
        raise UsageError(
            "- wants a picture from stdin",
            seen="a terminal",
            try_="digitlens read - < page.png",
        )
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(f"stdin is too large: at most {MOST_BYTES:,} bytes are read")
    ending = ".tif" if content.startswith(TIFF) else ""
    ending = ".pdf" if b"%PDF-" in content[:PDF_WITHIN] else ending
    with tempfile.TemporaryDirectory(prefix="digitlens-") as folder:
        path = Path(folder, f"stdin{ending}")
        path.write_bytes(content)
        yield path
