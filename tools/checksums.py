"""Write src/digitlens/published/SHA256SUMS anew: what the published files must be.

``.venv/bin/python tools/checksums.py`` from the repository root; the tools that publish a
network do it themselves.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from digitlens.models.checksum import PUBLISHED_FOLDER, SUMS, read_published_sums
from digitlens.storage import write_bytes, write_text

if TYPE_CHECKING:
    from pathlib import Path


def main() -> None:
    """Write the list."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
        f"{path.relative_to(PUBLISHED_FOLDER).as_posix()}\n"
        for path in sorted(PUBLISHED_FOLDER.rglob("*.onnx"))
    ]
    write_text(PUBLISHED_FOLDER / SUMS, "".join(lines))
    read_published_sums.cache_clear()


def write_published(target: Path, content: bytes) -> None:
    """Write a model file, and the list where it lies among the published ones."""
    write_bytes(target, content)
    if target.is_relative_to(PUBLISHED_FOLDER):
        main()


if __name__ == "__main__":
    main()
