"""Put the tables that benchmarks printed into README.md and docs/benchmarks.md: `make tables`.

Each stands between two comments, ``<!-- NAME.md -->`` and ``<!-- / -->``, and is
benchmarks/results/NAME.md, letter by letter. A test compares them. A benchmark that was not run
on a quiet machine yet has no such file: its place stays as it is.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")
RESULTS = ROOT / "benchmarks" / "results"
PLACE = re.compile(r"<!-- (?P<name>\w+\.md) -->\n.*?<!-- / -->", re.DOTALL)


def filled(text: str) -> str:
    """Return `text` with each table as the benchmark printed it last."""

    def table(place: re.Match[str]) -> str:
        name = place["name"]
        if not (RESULTS / name).is_file():
            return place[0]
        printed = (RESULTS / name).read_text(encoding="utf-8").strip()
        return f"<!-- {name} -->\n{printed}\n<!-- / -->"

    return PLACE.sub(table, text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
