"""Check the types of the lab's scripts: ``python tools/check_scripts.py`` (npm install first).

TypeScript reads the JSDoc comments, strictly; it is needed for this check and nothing else.
Files whose types are not complete yet are listed here: the list may only become shorter.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPILER = ROOT / "node_modules" / ".bin" / "tsc"
HOW = "the types of the page's scripts were not checked: no tsc. Get it: npm install"
SCRIPTS = "src/digitlens/server/static/js/"
ERROR = re.compile(rf"^{SCRIPTS}(\S+\.js)\(\d+,\d+\): error ", re.M)

NOT_YET = {
    "parts/chart.js",
    "parts/glossary.js",
    "parts/grid.js",
    *(
        f"views/{name}.js"
        for name in (
            *("answer", "bench", "cell", "convolution", "draw", "features", "history", "lines"),
            *("map", "mistakes", "own", "parts", "piece", "pixels", "read"),
            *("review", "runs", "train", "train-form", "why", "zip"),
        )
    ),
}
"""Files that may have errors."""


def judge(output: str, not_yet: set[str]) -> list[str]:
    """Return what is wrong with what tsc said, one line each.

    >>> judge("src/digitlens/server/static/js/a.js(1,2): error TS7006: x", {"b.js"})
    ['a.js: 1 errors', 'b.js has none any more: take it off NOT_YET']
    """
    counts = Counter(ERROR.findall(output))
    wrong = [f"{name}: {count} errors" for name, count in counts.items() if name not in not_yet]
    done = sorted(not_yet - set(counts))
    return wrong + [f"{name} has none any more: take it off NOT_YET" for name in done]


def main() -> int:
    """Run tsc and return 1 where a file has errors that may have none."""
    if not COMPILER.exists():
        print(HOW)
        return 0
    command = [str(COMPILER), "--project", str(ROOT), "--pretty", "false"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    wrong = judge(result.stdout, NOT_YET)
    if wrong:
        print(result.stdout, *wrong, sep="\n")
    left = sum(name in NOT_YET for name in ERROR.findall(result.stdout))
    print(f"{left} errors left, all in the {len(NOT_YET)} files that may have some")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
