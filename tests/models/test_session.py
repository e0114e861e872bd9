"""ONNX Runtime's session of a model file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import digitlens
from digitlens.errors import ModelError
from digitlens.models.inference import open_session
from digitlens.workers import available_cpus

TINY = Path(digitlens.__file__).parent / "published" / "tiny.onnx"


def test_a_network_is_opened_for_one_thread() -> None:
    """A session runs on the processor, in one thread, and answers."""
    session = open_session(TINY, TINY.read_bytes())
    assert session.get_providers() == ["CPUExecutionProvider"]
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    (entry,) = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[entry.type]
    shape = [size if isinstance(size, int) else 2 for size in entry.shape]
    assert all(
        np.isfinite(item).all()
        for item in session.run(None, {entry.name: np.zeros(shape, kind)})
    )


@pytest.mark.parametrize(
    ("content", "likely"),
    [
        (b"", "the file is empty"),
        (b"no network", "the file is damaged, or of another kind"),
        (TINY.read_bytes()[:1000], "the file is damaged, or of another kind"),
    ],
    ids=["empty", "text", "cut off"],
)
def test_what_is_no_network_is_refused(
    content: bytes, likely: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the engine does not take is told in one line, and the engine itself is quiet."""
    with pytest.raises(ModelError) as caught:
        open_session("letter.onnx", content)
    error = caught.value
    assert error.wanted == "letter.onnx must be an ONNX file that digitlens wrote"
    assert error.likely == likely
    assert error.try_ == "digitlens export RUN --to onnx writes it again"
    assert error.seen is not None
    assert error.seen.startswith("ONNX Runtime: ")
    assert "\n" not in error.seen
    assert len(error.seen) <= 214
    assert capfd.readouterr() == ("", "")


def test_cores_are_those_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the system tells which cores a process may use these count, else all."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert available_cpus(tmp_path) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert available_cpus(tmp_path) == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus(tmp_path) == 1


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 7),
        ({"cpu.max": ""}, 7),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 7),
        ({}, 7),
    ],
)
def test_a_container_has_the_cores_it_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], count: int
) -> None:
    """A control group's share of time, in either version of Linux's files, bounds the cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(7)}, raising=False)
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert available_cpus(tmp_path) == count
