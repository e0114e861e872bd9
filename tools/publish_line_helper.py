"""Make src/digitlens/published/lines/NAME.onnx of a network that helps readers.

``.venv/bin/python tools/publish_line_helper.py RUN`` from the repository root, RUN being a run
of ``digitlens train signs`` or ``train rescorer``: halves the weights and names the network.
`make bench-words` measures signs afterwards; a reader is measured with a new rescorer by
``tools/publish_reader.py --rescored``.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from digitlens.models.onnx_writer import rewrite_onnx
from digitlens.models.recipe import HELPERS
from digitlens.ocr.network import PUBLISHED, find_line_network

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from checksums import write_published
from publish_reader import renew_card


def main() -> None:
    """Publish the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=PUBLISHED)
    options = parser.parse_args()
    network = find_line_network(options.run)
    if network is None or network.card.network not in HELPERS:
        parser.error(f"{options.run} is no run of {' or '.join(HELPERS)}")
    name = network.card.network
    card = replace(network.card, name=name)
    target = options.out / f"{name}.onnx"
    write_published(target, rewrite_onnx(network.path.read_bytes(), card, half=True))
    renew_card(target, name)


if __name__ == "__main__":
    main()
