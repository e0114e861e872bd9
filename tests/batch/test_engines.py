"""The recipes of docs/batch.md, run by the engines that they are for."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.batch import Rows
from digitlens.cli.doctor import GOLDEN

PAGE = Path(__file__).parents[2] / "docs" / "batch.md"
RECIPES = dict(
    re.findall(r"```python\n# ([\w ]+)[^\n]*\n(.*?)```", PAGE.read_text(), re.DOTALL)
)
PACKAGES = {
    "Ray Data": "ray",
    "Spark": "pyspark",
    "Dask": "dask",
    "Daft": "daft",
    "multiprocessing": "multiprocessing",
}

SCRIPT = """
import json
from digitlens.batch import Rows
from digitlens.cli.doctor import GOLDEN

rows = Rows("predict", GOLDEN)
if __name__ == "__main__":
{recipe}
    print("\\n" + json.dumps(result))
"""


def test_every_engine_that_is_named_has_a_recipe() -> None:
    """The page has the recipes that are tested, and no other."""
    assert list(RECIPES) == list(PACKAGES)


@pytest.mark.slow
@pytest.mark.parametrize("engine", PACKAGES)
def test_a_recipe_gives_our_rows(engine: str, write_digit: Callable[[str], Path]) -> None:
    """What an engine makes of a folder are the rows of each picture in it, errors too."""
    if not importlib.util.find_spec(PACKAGES[engine]):
        pytest.skip(f"{engine} is not installed: pip install --group engines")
    for index in range(4):
        write_digit(f"scans/{index}.png")
    Path("scans/2.png").write_bytes(b"no picture")
    recipe = re.sub("^", "    ", RECIPES[engine], flags=re.MULTILINE)
    Path("recipe.py").write_text(SCRIPT.format(recipe=recipe))
    env = os.environ | {"PYSPARK_PYTHON": sys.executable, "RAY_worker_niceness": "0"}
    ended = subprocess.run(
        [sys.executable, "recipe.py"], env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    made = [_localize(row) for row in json_rows(ended.stdout)]
    expected = [
        row for index in range(4) for row in Rows("predict", GOLDEN)(f"scans/{index}.png")
    ]
    assert sorted(made, key=lambda row: row["file"]) == [_localize(row) for row in expected]


def json_rows(text: str) -> list[dict[str, Any]]:
    """Return the rows that a script printed last."""
    import json

    rows: list[dict[str, Any]] = json.loads(text.splitlines()[-1])
    return rows


def _localize(row: dict[str, Any]) -> dict[str, Any]:
    # Engines name files by whole paths or addresses.
    error = row["error"] and row["error"].splitlines()[0].partition(" is ")[2]
    return row | {"file": Path(row["file"]).name, "error": error}
