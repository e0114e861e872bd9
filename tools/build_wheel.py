"""Build the wheel and the source archive into dist, and show that they can be made again.

    python tools/build_wheel.py [--twice] [--out dist]

With --twice both are built a second time, elsewhere, and must be the same byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(out: Path) -> dict[str, str]:
    """Build into `out`; return the SHA-256 of each file by its name."""
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    files = sorted(out.glob("digitlens-*"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def main() -> int:
    """Build once or twice and print the hashes; 1 where they differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--twice", action="store_true", help="build again and compare")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    first = build(options.out)
    for name, checksum in first.items():
        size = (options.out / name).stat().st_size
        sys.stdout.write(f"{checksum}  {name}  {size / 1e6:.1f} MB\n")
    if options.twice:
        with tempfile.TemporaryDirectory() as folder:
            second = build(Path(folder))
        different = sorted(name for name in first if second.get(name) != first[name])
        sys.stdout.write(f"the second time: {', '.join(different) or 'nothing'} differs\n")
        return bool(different)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
