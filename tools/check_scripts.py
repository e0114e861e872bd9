"""Check the types of the lab's scripts: ``python tools/check_scripts.py``.

TypeScript reads the JSDoc comments, strictly, with what the service answers and the elements of
the page (`page_types.py`). It is needed for this check and nothing else: npm, where it is at
hand, installs it into this folder; where it is not, the check says so and is passed over.
Files whose types are not complete yet are listed here: the list may only become shorter.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPILER = ROOT / "node_modules" / ".bin" / "tsc"
HOW = "the types of the page's scripts were not checked: no tsc, and no npm to get it by"
SCRIPTS = "src/digitlens/server/static/js/"
ERROR = re.compile(rf"^{SCRIPTS}(\S+\.js)\(\d+,\d+\): error ", re.M)

NOT_YET: set[str] = set()
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


def install() -> bool:
    """Install TypeScript where it is not there yet; return whether it is there now."""
    npm = shutil.which("npm")
    if not COMPILER.exists() and npm:
        subprocess.run([npm, "install", "--no-audit", "--no-fund"], cwd=ROOT, check=False)
    return COMPILER.exists()


def main() -> int:
    """Run tsc and return 1 where a file has errors that may have none."""
    if not install():
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
