"""Make src/digitlens/published/lines/signs.onnx from a run of `digitlens train signs`.

``.venv/bin/python tools/publish_signs.py RUN`` from the repository root: halves the weights
and names the network. `make bench-words` measures it afterwards.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from digitlens.models.card import SignModelCard
from digitlens.models.onnx_writer import rewrite_onnx
from digitlens.ocr.network import PUBLISHED

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from checksums import write_published


def main() -> None:
    """Publish the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=PUBLISHED / "signs.onnx")
    options = parser.parse_args()
    content = (options.run / "model.onnx").read_bytes()
    card = replace(SignModelCard.from_file(content), name="signs")
    write_published(options.out, rewrite_onnx(content, card, half=True))


if __name__ == "__main__":
    main()
