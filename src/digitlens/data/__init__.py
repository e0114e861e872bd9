"""Where digits come from: named collections, pictures, IDX, npz and CSV files.

`load_digits` is the way in; `fetch` downloads a named collection beforehand.
"""

from __future__ import annotations

from digitlens.data.download import Fetched
from digitlens.data.load import NAMES, fetch, load_digits
from digitlens.data.types import DataSplits

__all__ = ["NAMES", "DataSplits", "Fetched", "fetch", "load_digits"]
