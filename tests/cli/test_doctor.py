"""doctor: what it examines, and when it exits with 1."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.cli import doctor
from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys
from digitlens.models.card import ModelCard
from digitlens.ocr import network


def golden() -> bytes:
    """Build the golden network: the four quarters of a picture spell a digit in binary."""
    from digitlens.models.onnx_writer import to_onnx
    from digitlens.models.ops import Flatten, Linear, MaxPool

    bits = np.array([[digit >> bit & 1 for bit in range(4)] for digit in range(10)])
    # 0 for the digit whose bits are lit, lower by one for each bit that differs.
    weight = ((2 * bits - 1) / 255).astype(np.float32)
    bias = -bits.sum(axis=1).astype(np.float32)
    card = ModelCard(
        name="golden",
        network="golden",
        data="none",
        split="none",
        trained_on=0,
        seed=0,
        epochs=0,
        best_epoch=0,
        weights=weight.size + bias.size,
        multiply_adds=weight.size,
        created="2024-01-01T00:00:00+00:00",
    )
    return to_onnx([MaxPool(14), Flatten(), Linear(weight, bias)], card)


def test_the_golden_file_is_the_golden_network() -> None:
    """The file in the package is what `golden` builds; write it anew when this fails."""
    assert GOLDEN.read_bytes() == golden()


def _findings(ended: Any) -> dict[str, dict[str, str]]:
    return {finding["name"]: finding for finding in json.loads(ended.out)}


def test_a_sound_machine_is_told_so(digitlens: Callable[..., Any], in_tmp: Path) -> None:
    """On a machine that has everything, nothing is broken and the code is 0."""
    ended = digitlens("doctor", "--json")
    result = _findings(ended)
    assert (ended.code, ended.err) == (0, "")
    assert {finding["state"] for finding in result.values()} <= {"ok", "note"}
    assert result["engine"]["state"] == "ok"
    assert result["newest run"]["state"] == "note"
    assert result["network dense"]["seen"] == "fully connected, 784-512-256-128-10"
    assert list(result["python"]) == list(output_keys()["digitlens doctor --json, a list"])


def test_data_is_found_where_it_lies(
    digitlens: Callable[..., Any],
    in_tmp: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without data, doctor says so and how to get it; it does not fetch it."""
    monkeypatch.setenv("DIGITLENS_DATA", str(in_tmp))
    result = _findings(digitlens("doctor", "--json"))
    assert result["data mnist"] == {
        "name": "data mnist",
        "state": "note",
        "seen": "not on this machine yet",
        "advice": "digitlens data fetch mnist",
    }
    assert not list(in_tmp.iterdir())


def test_a_missing_package_is_broken(
    digitlens: Callable[..., Any], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A needed package that is not there is named on stderr, and the code is 1."""
    monkeypatch.setattr(doctor, "NEEDED", ("numpy", "no-such-package"))
    ended = digitlens("doctor")
    assert ended.code == 1
    assert ended.err == "broken: no-such-package\n"
    assert "broken  no-such-package" in ended.out
    assert "try: pip install no-such-package" in ended.out


def test_a_missing_extra_is_a_note(
    digitlens: Callable[..., Any], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extra that is not installed breaks nothing; the way to install it is given."""
    monkeypatch.setattr(doctor, "EXTRAS", {"train": ("no-such-package",)})
    ended = digitlens("doctor", "--json")
    assert ended.code == 0
    assert _findings(ended)["extra train"] == {
        "name": "extra train",
        "state": "note",
        "seen": "no-such-package missing",
        "advice": 'pip install "digitlens[train]"',
    }


def test_every_extra_is_examined() -> None:
    """Doctor looks at each extra that pyproject.toml has, and at each of its packages."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    everywhere = {
        name: tuple(re.split(r"[][><=]", item)[0] for item in wanted if ";" not in item)
        for name, wanted in extras.items()
        if name != "all"
    }
    assert everywhere
    assert everywhere == doctor.EXTRAS


def test_a_damaged_engine_is_broken(
    digitlens: Callable[..., Any], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the golden network does not answer, the engine is broken."""
    (in_tmp / "golden.onnx").write_bytes(b"nothing of the kind")
    monkeypatch.setattr(doctor, "GOLDEN", in_tmp / "golden.onnx")
    ended = digitlens("doctor")
    assert ended.code == 1
    assert ended.err == "broken: engine\n"


def test_a_cache_that_cannot_be_written_is_broken(
    digitlens: Callable[..., Any], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache behind a file, where no folder can be made, is broken."""
    (in_tmp / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(in_tmp / "file"))
    ended = digitlens("doctor")
    assert ended.code == 1
    assert ended.err == "broken: cache\n"


def test_the_newest_run_may_be_a_reader(digitlens: Callable[..., Any], in_tmp: Path) -> None:
    """A reader of lines is no broken model of single digits."""
    folder = in_tmp / "runs" / "train" / "reader-1"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('format = 1\n[run]\nnetwork = "reader"\n')
    (folder / "metrics.json").write_text("{}")
    result = _findings(digitlens("doctor", "--json"))["newest run"]
    assert result["state"] == "ok"
    assert result["seen"].endswith("reader-1: reader, a reader of lines")


def test_a_missing_reader_is_a_note(
    digitlens: Callable[..., Any], in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the network that reads lines the rest is sound, and the way to it is given."""
    monkeypatch.setattr(network, "PUBLISHED", in_tmp)
    ended = digitlens("doctor", "--json")
    assert ended.code == 0
    result = _findings(ended)["reader"]
    assert (result["state"], result["seen"]) == ("note", "no network that reads lines is here")


@pytest.mark.parametrize("damaged", [True, False])
def test_a_reader_that_reads_nonsense_is_broken(
    digitlens: Callable[..., Any],
    in_tmp: Path,
    monkeypatch: pytest.MonkeyPatch,
    stroke_network: Path,
    damaged: bool,
) -> None:
    """A published reader that is damaged, or cannot read a line of ten digits, is broken."""
    content = b"nothing of the kind" if damaged else stroke_network.read_bytes()
    (in_tmp / "reader.onnx").write_bytes(content)
    monkeypatch.setattr(network, "PUBLISHED", in_tmp)
    ended = digitlens("doctor")
    assert (ended.code, ended.err) == (1, "broken: reader\n")


@pytest.mark.skipif(
    not (network.PUBLISHED / "reader.onnx").is_file(), reason="no published reader yet"
)
def test_the_published_reader_is_sound(digitlens: Callable[..., Any], in_tmp: Path) -> None:
    """The reader that comes with digitlens reads the ten digits and is calibrated."""
    result = _findings(digitlens("doctor", "--json"))["reader"]
    assert result["state"] == "ok", result
    assert result["seen"].endswith(", calibrated")


def test_the_lines_fit_the_terminal(digitlens: Callable[..., Any]) -> None:
    """No line is wider than 80 columns, but for a path, which is not broken."""
    lines = digitlens("doctor").out.splitlines()
    assert max(len(line) for line in lines if os.sep not in line) <= 80
