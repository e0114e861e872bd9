"""Run the lessons of docs/course, and write each as a notebook with its outputs.

    python tools/course.py [--out course] [NAME ...]

A lesson is a MyST notebook: Markdown with ```{code-cell} blocks. Its cells run one after the
other in one namespace, as in Jupyter. A cell tagged ``keras`` is run where Keras is installed.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import importlib.util
import io
import json
import os
import re
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

# On small networks two threads cost more than they bring. Set before torch loads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

LESSONS = Path(__file__).parents[1] / "docs" / "course"
BLOCK = re.compile(r"^```\{code-cell\} python\n((?::[^\n]*\n)*)(.*?)^```\n", re.M | re.S)


@dataclass
class Cell:
    """A piece of a lesson: Markdown or code, and what the code printed and drew."""

    kind: str  # "markdown" or "code"
    source: str
    tags: tuple[str, ...] = ()
    printed: str = ""
    pictures: list[bytes] = field(default_factory=list)  # PNG


def find_lessons() -> list[Path]:
    """Return the lessons in their order."""
    return sorted(LESSONS.glob("[0-9][0-9]-*.md"))


def parse_lesson(text: str) -> list[Cell]:
    """Return the cells of a lesson; the front matter is none of them."""
    text = re.sub(r"\A---\n.*?^---\n", "", text, flags=re.M | re.S)
    cells, end = [], 0
    for block in BLOCK.finditer(text):
        cells.append(Cell("markdown", text[end : block.start()].strip()))
        tags = re.findall(r"[\w-]+", block[1].partition("tags:")[2])
        cells.append(Cell("code", block[2].rstrip(), tuple(tags)))
        end = block.end()
    cells.append(Cell("markdown", text[end:].strip()))
    return [cell for cell in cells if cell.source]


def run_lesson(cells: list[Cell], name: str, *, keras: bool) -> None:
    """Run the code of a lesson in one namespace; each cell keeps what it printed and drew.

    keras: run the cells tagged so too
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        if cell.kind == "code" and (keras or "keras" not in cell.tags):
            code = compile(cell.source, f"{name}, cell {number}", "exec")
            printed = io.StringIO()
            with collect_pictures(cell.pictures), contextlib.redirect_stdout(printed):
                exec(code, namespace)  # noqa: S102 - a lesson is there to be run
            cell.printed = printed.getvalue()


def has_keras() -> bool:
    """Whether Keras is installed; it runs on torch, which digitlens has."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return importlib.util.find_spec("keras") is not None


@contextlib.contextmanager
def collect_pictures(pictures: list[bytes]) -> Iterator[None]:
    """Let ``plt.show()`` put PNGs into `pictures` instead of opening a window."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    def show() -> None:
        for number in plt.get_fignums():
            png = io.BytesIO()
            plt.figure(number).savefig(png, dpi=80, bbox_inches="tight")
            pictures.append(png.getvalue())
        plt.close("all")

    try:
        with mock.patch.object(plt, "show", show), warnings.catch_warnings():
            # Libraries that lessons only show, Keras among them, warn of their own affairs.
            warnings.simplefilter("ignore")
            yield
    finally:
        plt.close("all")


def to_notebook(cells: list[Cell]) -> str:
    """Return a Jupyter notebook (nbformat 4.5) of the cells and their outputs."""
    return json.dumps(
        {
            "cells": [_notebook_cell(cell, number) for number, cell in enumerate(cells)],
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
        ensure_ascii=False,
    )


def _notebook_cell(cell: Cell, number: int) -> dict[str, Any]:
    about = {"id": f"cell-{number}", "metadata": {"tags": list(cell.tags)}}
    written = {"cell_type": cell.kind, "source": cell.source.splitlines(keepends=True), **about}
    if cell.kind == "markdown":
        return written
    outputs: list[dict[str, Any]] = []
    if cell.printed:
        text = cell.printed.splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    for picture in cell.pictures:
        data = {"image/png": base64.b64encode(picture).decode()}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    return {**written, "execution_count": number, "outputs": outputs}


def main() -> None:
    """Run the lessons that are asked for, or all, and write the notebooks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="such as 01; all when none is given")
    parser.add_argument("--out", type=Path, default=Path("course"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    out = options.out.resolve()
    lessons = [
        path
        for path in find_lessons()
        if not options.names or path.name.startswith(tuple(options.names))
    ]
    os.chdir(out)  # what lessons train and write lies beside the notebooks
    for path in lessons:
        began, worked = time.perf_counter(), time.process_time()
        cells = parse_lesson(path.read_text(encoding="utf-8"))
        run_lesson(cells, path.name, keras=has_keras())
        written = out / f"{path.stem}.ipynb"
        written.write_text(to_notebook(cells), encoding="utf-8")
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        # On a busy machine the second figure is the one that counts.
        took = f"{seconds:5.1f} s, {worked:5.1f} s of a processor"
        sys.stdout.write(f"{path.stem:<24} {took}   {written}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
