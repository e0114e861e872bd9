"""Train the sister that a published card quotes, with nothing of her held-back writers.

``.venv/bin/python tools/sister.py NAME --cnn RUN --out DIR``. What learns from `cnn`, or hands
over to it, would hear of the held-back writers through it, for it was trained on all. So a
sister's teacher, and her second network, is RUN: cnn's own sister.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from digitlens import train
from digitlens.models import NETWORKS, find_network, load_recipe


def main() -> None:
    """Train one sister."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--cnn", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    wish = parser.parse_args()
    if find_network(wish.name).second:
        NETWORKS[wish.name] = replace(find_network(wish.name), second=str(wish.cnn))
    recipe = replace(load_recipe(wish.name), teacher=str(wish.cnn))
    train(wish.name, recipe=recipe, out=wish.out)


if __name__ == "__main__":
    main()
