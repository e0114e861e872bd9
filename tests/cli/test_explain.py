"""explain: pictures of how a model comes to its answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys
from digitlens.viz import plot_explanation

Cli = Callable[..., Any]

EVERY = {"overview.png", "framing.png", "pixels.png", "unrolled.png", "mattered.png"}


@pytest.fixture
def seven(in_tmp: Path) -> Path:
    """A seven in dark ink on light paper, larger than the frame."""
    pixels = np.full((120, 100), 235, np.uint8)
    pixels[20:30, 25:75] = 30
    for row in range(30, 100):
        pixels[row, 70 - (row - 30) // 2 : 80 - (row - 30) // 2] = 30
    path = Path("seven.png")
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw one empty picture, where it is not the pictures that are looked at."""
    monkeypatch.setattr(plot_explanation, "pictures", lambda *_: {"overview.png": b""})


def test_every_picture_is_drawn_into_a_new_folder(
    digitlens: Cli, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each panel is a PNG that can be opened, in runs/explain; a second run has its own."""
    ended = digitlens("explain", GOLDEN, seven)
    assert ended.code == 0
    folder = Path("runs/explain/seven-1")
    names = {item.name for item in folder.iterdir()}
    assert names >= EVERY | {"layer-1.png", "probabilities.png"}
    for item in folder.iterdir():
        with Image.open(item) as picture:
            picture.load()
            assert picture.mode == "RGB"
    said = f"pictures: {folder}, {len(names)} of them; begin with overview.png\n"
    assert ended.err == said
    monkeypatch.setattr(plot_explanation, "pictures", lambda *_: {"overview.png": b""})
    assert digitlens("explain", GOLDEN, seven).code == 0
    assert {item.name for item in Path("runs/explain").iterdir()} == {"seven-1", "seven-2"}


def test_the_answer_is_told_in_a_few_lines(digitlens: Cli, seven: Path, undrawn: None) -> None:
    """The lines name the answer, what it hangs on, each step of the framing and each layer."""
    ended = digitlens("explain", GOLDEN, seven, "--out", "here")
    first, second, *rest = ended.out.splitlines()
    assert first.startswith("seven.png: golden ")
    assert " reads " in first
    assert second.startswith(("without the 5 x 5 pixels about row ", "no part of the ink "))
    assert "how the picture was framed" in rest
    assert any(line.startswith("  layer 1, ") for line in rest)
    assert Path("here/overview.png").exists()


def test_json_is_stable(digitlens: Cli, seven: Path, undrawn: None) -> None:
    """--json gives the documented keys, and where the pictures are."""
    ended = digitlens("explain", GOLDEN, seven, "--json", "--out", "there")
    result = json.loads(ended.out)
    assert set(result) == set(output_keys()["digitlens explain --json"])
    assert (result["model"], result["file"], result["pictures"]) == (
        "golden",
        "seven.png",
        "there",
    )
    assert np.shape(result["pixels"]) == np.shape(result["occlusion"]["fall"]) == (28, 28)
    assert result["digit"] == int(np.argmax(result["probabilities"]))


def test_a_folder_with_something_in_it_is_never_written_into(
    digitlens: Cli, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--out of a folder that is not empty is refused before anything is drawn; files stay."""
    monkeypatch.setattr(plot_explanation, "pictures", lambda *_: pytest.fail("drawn"))
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("mine")
    ended = digitlens("explain", GOLDEN, seven, "--out", "mine")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: mine must be empty or not there yet")
    assert [item.name for item in Path("mine").iterdir()] == ["notes.txt"]


def test_a_blank_sheet_is_refused_and_leaves_nothing(digitlens: Cli, in_tmp: Path) -> None:
    """Bare paper has no digit to explain; no folder is made for it."""
    Image.new("L", (60, 60), 255).save("blank.png")
    ended = digitlens("explain", GOLDEN, "blank.png")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: blank.png must show a digit")
    assert not Path("runs").exists()


def test_without_the_extra_all_is_told_but_nothing_drawn(seven: Path) -> None:
    """In a core install text and JSON are there, and stderr says what brings the pictures."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'torch', 'onnx', 'matplotlib', 'safetensors'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from digitlens.cli.app import run\n"
        f"sys.exit(run(['explain', {str(GOLDEN)!r}, 'seven.png', '--json']))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["gradients"], result["pictures"]) == (None, None)
    assert result["layers"]
    assert done.stderr.splitlines() == [
        "no pictures: plots need matplotlib; pip install 'digitlens[train]' brings it",
        "integrated gradients need torch: pip install 'digitlens[train]'",
    ]
    assert not Path("runs").exists()


def test_a_picture_without_a_model_is_told_how(digitlens: Cli, seven: Path) -> None:
    """One argument may be the picture: the command that was meant is named."""
    ended = digitlens("explain", seven)
    assert ended.code == 2
    assert ended.err == (
        "error: explain needs a model and a picture\n"
        "  seen    seven.png\n"
        "  try     digitlens explain universal seven.png\n"
    )
