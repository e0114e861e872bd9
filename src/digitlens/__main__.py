"""``python -m digitlens`` is the command ``digitlens``."""

from __future__ import annotations

from digitlens.cli import main

main()
