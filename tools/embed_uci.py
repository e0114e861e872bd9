"""Make src/digitlens/data/uci.gz from scikit-learn's copy of the UCI digits.

Run it from the repository root: ``.venv/bin/python tools/embed_uci.py``. The same input
gives the same bytes with the same zlib; `tests/data/test_data_uci.py` compares the content.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).parents[1] / "src" / "digitlens" / "data" / "uci.gz"


def main() -> None:
    """Write one row of 65 bytes for each digit: 64 values 0..16, then the label."""
    digits = load_digits()
    rows = np.concatenate([digits.data, digits.target[:, None]], axis=1).astype(np.uint8)
    TARGET.write_bytes(gzip.compress(rows.tobytes(), compresslevel=9, mtime=0))
    sys.stdout.write(f"{TARGET}: {len(rows):,} digits, {TARGET.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
