"""Each lesson of the course runs, and its exercise knows right from wrong."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import digitlens
from digitlens.data import load_digits
from digitlens.errors import MissingDataError

TOOL = Path(__file__).parents[2] / "tools" / "course.py"
SLOW = ("05", "06", "08", "09", "10", "11")  # they train networks, or read many lines


@pytest.fixture(scope="module")
def course() -> ModuleType:
    """Return the tool as a module."""
    return load_tool()


def load_tool() -> ModuleType:
    """Load tools/course.py."""
    spec = importlib.util.spec_from_file_location("course", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["course"] = module
    spec.loader.exec_module(module)
    return module


LESSONS = [
    pytest.param(
        path,
        id=path.stem,
        marks=[pytest.mark.slow] if path.name.startswith(SLOW) else [],
    )
    for path in load_tool().find_lessons()
]


@pytest.fixture(autouse=True)
def without_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MNIST is not at hand, say so at once instead of trying to fetch it."""

    def load(source: str | Path, **options: Any) -> Any:
        if source == "mnist" and not os.environ.get("DIGITLENS_DATA"):
            raise MissingDataError("MNIST is not here")
        return load_digits(source, **options)

    monkeypatch.setattr(digitlens, "load_digits", load)


@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_runs(path: Path, course: ModuleType, in_tmp: Path) -> None:
    """All cells run in order; the exercise says "not yet" and its solution "Right"."""
    cells = course.parse_lesson(path.read_text(encoding="utf-8"))
    course.run_lesson(cells, path.name, keras=False)
    exercise = [cell for cell in cells if "exercise" in cell.tags]
    solution = [cell for cell in cells if "solution" in cell.tags]
    assert len(exercise) == len(solution) == 1
    assert "Not yet" in exercise[0].printed
    assert solution[0].printed.startswith("Right")
    assert any(cell.pictures for cell in cells), "a lesson has a picture"
    longest = max(len(line) for cell in cells for line in [*cell.printed.splitlines(), ""])
    assert longest <= 100
    assert json.loads(course.to_notebook(cells))["nbformat"] == 4


@pytest.mark.slow
def test_the_lines_of_keras_say_the_same(course: ModuleType, in_tmp: Path) -> None:
    """Cells tagged so run with Keras, beside ours; each asserts that both agree."""
    if not course.has_keras():
        pytest.skip("Keras is not installed")
    with_keras = 0
    for path in course.find_lessons():
        cells = course.parse_lesson(path.read_text(encoding="utf-8"))
        last = max((i for i, cell in enumerate(cells) if "keras" in cell.tags), default=-1)
        with_keras += last >= 0
        course.run_lesson(cells[: last + 1], path.name, keras=True)
    assert with_keras == 5


@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_has_all_its_parts(path: Path, course: ModuleType) -> None:
    """A lesson has something to change, an exercise, a way into the lab and a next step."""
    text = path.read_text(encoding="utf-8")
    for part in ("## Change it", "## Exercise", "http://127.0.0.1:8000/#", "\n# "):
        assert part in text, part
    # What speaks for and against has the colours of the plots and of the lab.
    assert set(re.findall(r"cmap=([^,)]+)", text)) <= {
        '"gray"',
        '"gray_r"',
        '"viridis"',
        "signs",
    }


def test_the_parts_of_a_lesson_are_told_apart(course: ModuleType) -> None:
    """Front matter goes, Markdown and code stay in order, tags are read."""
    code = "```{code-cell} python\n:tags: [exercise]\nprint(1)\n```\n"
    text = f"---\na: b\n---\n# One\n\n{code}end\n"
    cells = course.parse_lesson(text)
    assert [(c.kind, c.source, c.tags) for c in cells] == [
        ("markdown", "# One", ()),
        ("code", "print(1)", ("exercise",)),
        ("markdown", "end", ()),
    ]


def test_a_fault_in_a_cell_is_not_passed_over(course: ModuleType) -> None:
    """A lesson that fails fails the run, and cells share what they name."""
    cells = course.parse_lesson(
        "```{code-cell} python\nx = 2\n```\n```{code-cell} python\nassert x == 3\n```\n"
    )
    with pytest.raises(AssertionError):
        course.run_lesson(cells, "wrong", keras=False)
