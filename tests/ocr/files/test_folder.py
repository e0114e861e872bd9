"""All pages of all files, in order; one alone or many on all cores."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import DigitlensError, ModelError, StorageError
from digitlens.imaging.inputs import InputFile, list_inputs
from digitlens.ocr import FormField
from digitlens.ocr.batch import read_all
from digitlens.ocr.page import PageResult, ReadOptions

Write = Callable[..., InputFile]


def _texts(result: list[PageResult]) -> list[tuple[str, list[str]]]:
    return [(item.name, [line.text for line in item.lines]) for item in result]


def test_results_come_in_order(
    source: Write, job: ReadOptions, tmp_path: Path, pages: Callable[..., bytes]
) -> None:
    """Files in the order in which they were named, pages within them, errors in their place."""
    (tmp_path / "b.tif").write_bytes(pages("TIFF", ["17", "71"]))
    tiff = InputFile(tmp_path / "b.tif", "b.tif", "b")
    bad = InputFile(tmp_path / "none.png", "none.png", "none")
    sources = [source("c.png", "14", "41"), tiff, bad, source("a.png", "111")]
    result = list(read_all(sources, job, workers=2))
    assert _texts(result) == [
        ("c.png", ["14", "41"]),
        ("b.tif page 1", ["17"]),
        ("b.tif page 2", ["71"]),
        ("none.png", []),
        ("a.png", ["111"]),
    ]
    assert [item.count for item in result] == [1, 2, 2, 1, 1]
    assert str(result[3].error) == "there is no file none.png"


def test_one_picture_is_read_without_processes(
    source: Write, job: ReadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single picture starts no worker, and reads the same."""
    monkeypatch.setattr("digitlens.ocr.batch.run_tasks", None)
    assert _texts(list(read_all([source("a.png", "17")], job))) == [("a.png", ["17"])]


def test_a_file_that_vanishes_is_rejected(
    source: Write, job: ReadOptions, tmp_path: Path
) -> None:
    """What a folder listed and is gone when its turn comes is told; the rest is read."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in "abc":
        source(f"scans/{name}.png", "1")
    sources = list_inputs([str(folder)])
    (folder / "b.png").unlink()
    result = list(read_all(sources, job, workers=1))
    assert [item.error is None for item in result] == [True, False, True]
    assert result[1].error is not None
    assert result[1].error.likely == "it was removed after its folder was listed"


class Deadly:
    """A path that ends the process that gets it."""

    def __reduce__(self) -> tuple[object, ...]:
        return signal.raise_signal, (signal.SIGKILL,)


def test_a_worker_that_dies_costs_one_picture(source: Write, job: ReadOptions) -> None:
    """The picture whose reading ended the process is rejected, with the signal."""
    deadly = InputFile(Deadly(), "deadly.png", "deadly")  # type: ignore[arg-type]
    first, second = read_all([deadly, source("a.png", "14")], job, workers=1)
    assert str(first.error).startswith("the process that read this died\n  seen    signal 9")
    assert [line.text for line in second.lines] == ["14"]


@pytest.mark.parametrize("alone", [True, False])
def test_a_pipe_is_rejected_and_not_waited_on(
    source: Write, job: ReadOptions, tmp_path: Path, alone: bool
) -> None:
    """What is no regular file is an error of its own, alone and among others."""
    os.mkfifo(tmp_path / "pipe.png")
    sources = [InputFile(tmp_path / "pipe.png", "pipe.png", "pipe"), source("a.png", "14")]
    first, *rest = read_all(sources[: 1 if alone else 2], job, workers=1)
    assert first.error is not None
    assert first.error.seen == "a named pipe, no file; only files are opened"
    assert _texts(rest) == ([] if alone else [("a.png", ["14"])])


def test_pages_are_read_in_a_process_whatever_the_file_is_called(
    job: ReadOptions,
    tmp_path: Path,
    pages: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time that a file of pages may take is limited by its content, not by its name."""
    monkeypatch.setattr("digitlens.ocr.batch._read_here", None)
    (tmp_path / "scan.bin").write_bytes(pages("TIFF", ["1", "7"]))
    result = list(read_all([InputFile(tmp_path / "scan.bin", "scan.bin", "scan")], job))
    assert [item.number for item in result] == [1, 2]


def test_no_reader_is_no_result(source: Write, job: ReadOptions) -> None:
    """A network that is not there is raised, alone and by workers."""
    one = source("a.png", "1")
    for sources in ([one], [one, one]):
        with pytest.raises(ModelError):
            list(read_all(sources, replace(job, model="none.onnx"), workers=1))


def test_a_folder_that_cannot_be_written_ends_it(
    source: Write, job: ReadOptions, tmp_path: Path
) -> None:
    """Pictures that cannot be kept are no fault of the file's: the error is raised."""
    job = replace(job, annotate=tmp_path / "none")
    with pytest.raises(StorageError):
        list(read_all([source("a.png", "1")], job))


def test_pictures_are_named_after_their_pages(
    source: Write, job: ReadOptions, tmp_path: Path, pages: Callable[..., bytes]
) -> None:
    """Stages lie in a folder for each page, annotated pages beside each other."""
    (tmp_path / "b.tif").write_bytes(pages("TIFF", ["1"] * 10))
    tiff = InputFile(tmp_path / "b.tif", "b.tif", "b-2")
    steps, drawn = tmp_path / "steps", tmp_path / "drawn"
    drawn.mkdir()
    job = replace(job, stages=steps, annotate=drawn)
    list(read_all([source("b.png", "1"), tiff], job, workers=1))
    names = ["b", *[f"b-2.tif-p{index:02}" for index in range(1, 11)]]
    assert sorted(path.name for path in steps.iterdir()) == sorted(names)
    assert sorted(path.stem for path in drawn.iterdir()) == sorted(names)
    first = sorted((steps / "b").iterdir())
    assert [path.name[:2] for path in first] == [
        f"{index}-" for index in range(1, len(first) + 1)
    ]
    for path in [*first, drawn / "b.png"]:
        with Image.open(path) as picture:
            assert picture.format == "PNG"


def test_fields_and_lines_are_read_as_asked(source: Write, job: ReadOptions) -> None:
    """Fields give one line each, in their order; --line takes the picture for one line."""
    one = source("a.png", "14", "1711")
    fields = (
        FormField(count=4, name="code"),
        FormField(area=(0, 0, 220, 100), name="no"),
    )
    (result,) = read_all([one], replace(job, fields=fields, thresholds=(0.5, 0.5)))
    assert [line.text for line in result.lines] == ["1711", "14"]
    (result,) = read_all([source("b.png", "171")], replace(job, line=True))
    assert [line.text for line in result.lines] == ["171"]
    (result,) = read_all([source("c.png")], replace(job, line=True))
    assert result.page is not None
    assert result.page.lines == ()


def test_a_field_outside_the_picture_rejects_it(source: Write, job: ReadOptions) -> None:
    """An area that a picture does not have is an error of that picture."""
    fields = (FormField(area=(5000, 0, 5100, 90), name="no"),)
    (result,) = read_all([source("a.png", "1")], replace(job, fields=fields))
    assert isinstance(result.error, DigitlensError)
    assert "the area must be" in str(result.error)


def test_too_large_pictures_are_refused(job: ReadOptions, tmp_path: Path) -> None:
    """100 megapixels are refused before they are decoded, and the limit is named."""
    Image.new("1", (10_000, 10_000), 1).save(tmp_path / "a.png")
    (result,) = read_all([InputFile(tmp_path / "a.png", "a.png", "a")], job)
    assert str(result.error).startswith(
        "a.png is too large: at most 80,000,000 pixels are decoded\n"
        "  seen    10,000 x 10,000 = 100,000,000 pixels"
    )


def test_too_long_pictures_are_refused(job: ReadOptions, tmp_path: Path) -> None:
    """A strip with a side of more than 100,000 pixels is refused, and the limit is named."""
    Image.new("1", (100_001, 9), 1).save(tmp_path / "a.png")
    (result,) = read_all([InputFile(tmp_path / "a.png", "a.png", "a")], job)
    assert str(result.error).startswith(
        "a.png is too long: a side may have 100,000 pixels at most\n"
    )


def test_thousands_of_specks_give_few_lines(job: ReadOptions, tmp_path: Path) -> None:
    """However many marks there are, the lines that are read are bounded."""
    rng = np.random.default_rng(0)
    page = np.full((1000, 1500), 255, np.uint8)
    for y, x in rng.integers(0, (990, 1490), (6000, 2)):
        page[y : y + 9, x : x + 3] = 0
    Image.fromarray(page).save(tmp_path / "a.png")
    (result,) = read_all([InputFile(tmp_path / "a.png", "a.png", "a")], job)
    assert result.error is None
    assert len(result.lines) <= 60
