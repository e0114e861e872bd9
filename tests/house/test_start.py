"""What start-up may load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "PIL",
    "cv2",
    "fastapi",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "optuna",
    "ray",
    "rich",
    "scipy",
    "sklearn",
    "torch",
}
"""Packages that neither ``import digitlens`` nor a help text may load."""

HELP = (
    "import contextlib, io\n"
    "from digitlens.cli import main\n"
    "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
    "    main({arguments})\n"
)


def loaded(code: str) -> set[str]:
    """Run `code` in a fresh Python and return the top-level packages it loaded."""
    tail = (
        "\nimport json, sys\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_importing_digitlens_loads_nothing() -> None:
    """``import digitlens`` loads no other package, not even numpy."""
    assert loaded("import digitlens") & (HEAVY | {"numpy", "typer"}) == set()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["--version"], ["data", "--help"], ["read", "--help"]],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """A help text loads typer and nothing heavy, not even numpy.

    Nor importlib.metadata and the zipfile that it brings, which only --version asks.
    """
    refused = HEAVY | {"numpy"} | ({"zipfile"} if "--help" in arguments else set())
    assert loaded(HELP.format(arguments=arguments)) & refused == set()


def test_reading_a_model_does_not_need_torch() -> None:
    """Loading the module that reads models loads neither torch nor onnx nor matplotlib."""
    result = loaded("import digitlens; digitlens.load_model; digitlens.evaluate")
    assert result & {"torch", "onnx", "matplotlib", "sklearn"} == set()


def test_sorted_mail_needs_no_pictures() -> None:
    """A run of `route` with nothing new loads neither OpenCV nor what reads."""
    result = loaded("import digitlens.mail.sorting")
    assert result & {"cv2", "PIL", "onnxruntime", "psycopg"} == set()


@pytest.mark.parametrize(
    "module",
    [
        "digitlens.models",
        "digitlens.models.registry",
        "digitlens.training",
        "digitlens.models.recipe",
        "digitlens.training.config",
        "digitlens.runs",
    ],
)
def test_torch_is_loaded_when_training_begins(module: str) -> None:
    """The names of the networks, and the way into training, are there without torch."""
    assert "torch" not in loaded(f"import {module}")


def test_a_short_training_loads_no_reader() -> None:
    """What trains a network of digits loads neither the reader of lines nor what reads many."""
    code = (
        "import sys, digitlens.training.digit_run\n"
        "assert not {'digitlens.ocr', 'digitlens.batch', 'digitlens.layout'} & set(sys.modules)"
    )
    assert "torch" in loaded(code)


def test_the_check_can_fail() -> None:
    """A package that was loaded is seen."""
    assert "numpy" in loaded("import digitlens.digits")
