"""The benchmarks are scripts: what they share lies beside them, on their own path."""

from __future__ import annotations

import sys
from pathlib import Path

# As `python benchmarks/mnist_c.py` does it.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
