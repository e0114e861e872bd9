"""What a reader gets who installed digitlens without the extra for training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from digitlens.cli.doctor import GOLDEN

# Each command line is run in one process in which the packages of the extra are not there.
SCRIPT = """
import contextlib, io, json, sys

ABSENT = {"torch", "onnx", "matplotlib", "safetensors", "tomli_w", "pypdfium2",
          "fastapi", "starlette", "pydantic", "uvicorn"}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from digitlens.cli.app import run

ended = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    ended.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(ended))
"""

WORKS = [
    ["doctor"],
    ["data", "info", "uci"],
    ["data", "show", "uci"],
    ["summary", str(GOLDEN)],
    ["evaluate", str(GOLDEN), "--data", "uci"],
    ["compare", str(GOLDEN), str(GOLDEN), "--data", "uci"],
    ["stress", str(GOLDEN), "--data", "uci", "--limit", "5"],
    ["export", "universal", "--to", "hub", "--out", "reports/universal"],
    ["export", "reader", "--to", "onnx", "--out", "reports/reader.onnx"],
    ["summary", "reader"],
]
WANTS = [
    ["train", "dense", "--data", "uci"],
    ["summary", "dense"],
    ["export", str(GOLDEN), "--to", "torch"],
    ["demo", "--data", "uci"],
]

Results = dict[str, tuple[int, str, str]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return how each command ended, by its words."""
    lines = [*WORKS, *WANTS, ["serve"], ["predict", "none.png"]]
    command = [sys.executable, "-c", SCRIPT, json.dumps(lines)]
    folder = tmp_path_factory.mktemp("bare")
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    names = [" ".join(line) for line in lines]
    results = dict(zip(names, map(tuple, json.loads(done.stdout)), strict=True))
    results["folder"] = (0, "\n".join(sorted(p.name for p in Path(folder).iterdir())), "")
    return results


@pytest.mark.parametrize("line", WORKS, ids=" ".join)
def test_reading_and_measuring_work(results: Results, line: list[str]) -> None:
    """What needs no training works without the extra."""
    code, out, err = results[" ".join(line)]
    assert code == 0, err
    assert out


def test_the_report_does_without_plots(results: Results) -> None:
    """Without matplotlib the page is written, and stderr names the pictures left out."""
    err = results[f"evaluate {GOLDEN} --data uci"][2]
    assert err.startswith("without confusion.png and errors.png: ")
    assert err.endswith("report: reports/golden-uci/report.html\n")


def test_stress_does_without_its_plot(results: Results) -> None:
    """Without matplotlib the figures are written, and stderr names the plot left out."""
    err = results[f"stress {GOLDEN} --data uci --limit 5"][2]
    assert "without stress.png: " in err
    assert err.endswith("written: reports/golden-uci/stress.json\n")


def test_the_lab_says_what_it_wants(results: Results) -> None:
    """`serve` says how to install the extra for the lab."""
    code, _, err = results["serve"]
    assert code == 1
    assert "digitlens[lab]" in err


@pytest.mark.parametrize("line", WANTS, ids=" ".join)
def test_training_says_what_it_wants(results: Results, line: list[str]) -> None:
    """What trains or exports says how to install the extra, and leaves nothing behind."""
    code, _, err = results[" ".join(line)]
    assert code == 1
    assert "digitlens[train]" in err
    assert "a fault in digitlens itself" not in err
    assert results["folder"][1].split() == ["digits.png", "reports"]


def test_predict_without_a_model_asks_the_published_one(results: Results) -> None:
    """The network that comes with digitlens needs nothing of the extra."""
    code, _, err = results["predict none.png"]
    assert code == 1
    assert err.startswith("rejected: there is no file none.png")
