"""A reader that goes on from another one, with lines that people corrected."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from digitlens.data import DataSplits
from digitlens.errors import DataError, ModelError, StoppedError, UsageError
from digitlens.models.convert import fuse_line_network
from digitlens.training.line_tuning import (
    settle_normalisation,
    unfuse_line_network,
    widen_line_network,
)
from digitlens.models.recipe import LineRecipe
from digitlens.synth import synthesize_chunk
from digitlens.training import Run, train_reader
from digitlens.training.line_tuning import (
    MAX_FORGOTTEN,
    OWN_SHARE,
    ForgettingCheck,
    note_rescorer,
)
from digitlens.training.results import ReaderRun

from .test_lines import RECIPE, Interrupting, few_lines, read

__all__ = ["few_lines", "read"]

GO_ON = replace(RECIPE, frame_loss_steps=0, steps=4)


@pytest.fixture(scope="module")
def corrected(small: DataSplits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of twelve corrected lines, as `mail corrections` saves them."""
    folder = tmp_path_factory.mktemp("corrections")
    (folder / "lines").mkdir()
    rows = ["file,truth,n_digits,read,piece,person,at"]
    for index, line in enumerate(synthesize_chunk(small.train, 7, style="clean", size=12)):
        cv2.imwrite(str(folder / "lines" / f"{index:06d}.png"), line.image)
        rows.append(f"{index:06d}.png,{line.text},{len(line.text)},0,{index},ann,0")
    (folder / "lines" / "truth.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_file_becomes_the_network_that_it_was(read: ReaderRun) -> None:
    """An unfused network answers as its file does, before and after it is settled."""
    content = (read.folder / "model.onnx").read_bytes()
    network = unfuse_line_network(content, name="model")
    strips = torch.randn(3, 1, 32, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = read.network(strips)
        torch.testing.assert_close(network(strips), wanted, atol=1e-4, rtol=1e-4)
    settle_normalisation(network, [strips])
    with torch.inference_mode():
        torch.testing.assert_close(network(strips), wanted, atol=1e-4, rtol=1e-4)
        # In training a batch is normalised by its own figures, which are these.
        torch.testing.assert_close(network.train()(strips), wanted, atol=1e-3, rtol=1e-3)
    assert len(fuse_line_network(network)) == len(fuse_line_network(read.network))


def test_a_file_of_another_network_is_refused(finished: Run) -> None:
    """A network of digits is no start for a reader of lines."""
    with pytest.raises(ModelError, match="must be a network that reads lines"):
        unfuse_line_network((finished.folder / "model.onnx").read_bytes(), name="quick")
    with pytest.raises(ModelError, match="must be a network that reads lines"):
        unfuse_line_network(b"no network", name="text")


def test_what_went_on_from_a_rescored_reader_says_that_it_reads_alone() -> None:
    """Its figures are not those of the two networks together that it went on from."""
    assert note_rescorer("reader-fast") == []
    (note,) = note_rescorer("reader")
    assert note.startswith("It reads without the rescorer of reader,")
    with pytest.raises(ModelError, match="is no line network"):
        note_rescorer("nothing-of-the-kind")


def test_a_reader_learns_corrected_lines_and_says_what_changed(
    read: ReaderRun, small: DataSplits, corrected: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """The folder, the card and the run say what was read before and after."""
    monkeypatch.setattr("digitlens.training.load_digits", lambda *_, **__: small)
    monkeypatch.setattr("digitlens.training.line_task.note_rescorer", lambda _: ["Read alone."])
    out = tmp_path / "tuned"
    run = train_reader("reader", corrected, start=read.folder, recipe=GO_ON, out=out, writers=0)
    config = tomllib.loads((out / "config.toml").read_text())
    assert config["run"]["start"] == str(read.folder)
    assert config["run"]["corrections"] == str(corrected / "lines")
    titles = {item.title: item.lines for item in run.changes}
    assert titles == {
        "lines by writers held back": 64,
        "own lines, held back": 3,
        "own lines, learnt from": 9,
    }
    metrics = json.loads((out / "metrics.json").read_text())
    old = next(item for item in metrics["changes"] if item["lines"] == 64)
    assert old["after"] <= old["before"] + MAX_FORGOTTEN * 64
    assert metrics["validation"]["misses"] == old["after"]
    assert "right before" in (out / "card.md").read_text()
    assert run.card.notes[1:] == ["Read alone."]


def test_a_stopped_run_goes_on_to_the_same_weights(
    read: ReaderRun,
    small: DataSplits,
    corrected: Path,
    tmp_path: Path,
    monkeypatch: Any,
    weights: Any,
) -> None:
    """Start, corrections and mixture are those of the run that was begun."""
    monkeypatch.setattr("digitlens.training.load_digits", lambda *_, **__: small)
    wanted: dict[str, Any] = {"start": read.folder, "recipe": GO_ON, "writers": 0}
    whole = train_reader("reader", corrected, out=tmp_path / "whole", **wanted)
    out = tmp_path / "stopped"
    with pytest.raises(StoppedError):
        train_reader("reader", corrected, out=out, progress=Interrupting(1), **wanted)
    train_reader("reader", out=out, resume=True, writers=0)
    assert weights(out) == weights(whole.folder)


def test_what_was_taken_back_is_told_after_a_kill_too(
    *,
    read: ReaderRun,
    small: DataSplits,
    corrected: Path,
    tmp_path: Path,
    monkeypatch: Any,
    weights: Any,
) -> None:
    """A run that was killed between its last weights and metrics.json ends as it would have."""
    monkeypatch.setattr("digitlens.training.load_digits", lambda *_, **__: small)
    monkeypatch.setattr(ForgettingCheck, "_is_kept", lambda *_: next(verdicts))
    verdicts = iter([False, True])
    out = tmp_path / "tuned"
    train_reader("reader", corrected, start=read.folder, recipe=GO_ON, out=out, writers=0)
    before = json.loads((out / "metrics.json").read_text()), weights(out)
    assert before[0]["kept"] < 1
    (out / "metrics.json").unlink()
    train_reader("reader", out=out, resume=True, writers=0)
    assert (json.loads((out / "metrics.json").read_text()), weights(out)) == before


def test_a_change_that_forgets_is_taken_back(read: ReaderRun) -> None:
    """A network that lost what it knew becomes again what it was."""
    batches: Any = {"old": [_Lines(100)]}
    misread = iter([10, 60, 40, 30, 12, 10])
    check = ForgettingCheck(read.network, batches, ["old"], lambda *_: next(misread))
    spoilt = unfuse_line_network((read.folder / "model.onnx").read_bytes(), name="m")
    settle_normalisation(spoilt, [torch.randn(2, 1, 32, 64)])
    with torch.no_grad():
        for parameter in spoilt.parameters():
            parameter.add_(1.0)
    assert check.walk_back(spoilt) == 0.0
    pairs = zip(spoilt.state_dict().values(), read.network.state_dict().values(), strict=True)
    assert all(torch.allclose(one.float(), two.float(), atol=1e-4) for one, two in pairs)


class _Lines:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count


def test_corrected_lines_need_a_reader_to_go_on_from(corrected: Path, in_tmp: Path) -> None:
    """A few lines are not enough to begin with."""
    with pytest.raises(UsageError, match="holds lines that people corrected"):
        train_reader("reader", corrected)
    assert not list(in_tmp.iterdir())


@pytest.mark.parametrize(
    ("name", "start"), [("signs", None), ("rescorer", None), ("rescorer", "runs/rescorer-1")]
)
def test_only_readers_learn_corrected_lines(
    name: str, start: str | None, corrected: Path, in_tmp: Path
) -> None:
    """Those that help them refuse, rather than learn from the whole of MNIST instead."""
    with pytest.raises(UsageError, match=f"{name} does not learn them"):
        train_reader(name, corrected, start=start)
    assert not list(in_tmp.iterdir())


def test_a_start_of_other_widths_is_refused(
    read: ReaderRun, small: DataSplits, tmp_path: Path
) -> None:
    """A network goes on as wide as it is or wider."""
    narrow = replace(GO_ON, widths=(4, 4, 8, 8))
    with pytest.raises(UsageError, match="no wider than"):
        train_reader("reader", small, start=read.folder, recipe=narrow, out=tmp_path / "r")


def test_a_wider_network_begins_with_the_same_answers(read: ReaderRun) -> None:
    """Copied channels change no answer; with noise they do not stay copies."""
    strips = torch.randn(2, 1, 32, 48, generator=torch.Generator().manual_seed(2))
    larger = widen_line_network(read.network, (5, 9, 8, 12), 1, noise=0.0)
    assert larger.widths == (5, 9, 8, 12)
    with torch.inference_mode():
        torch.testing.assert_close(larger(strips), read.network(strips), atol=1e-4, rtol=1e-4)
    noisy = widen_line_network(read.network, (5, 9, 8, 12), 1)
    assert not torch.equal(noisy.head.weight, larger.head.weight)


def test_a_folder_without_a_usable_line_is_refused(
    tmp_path: Path, small: DataSplits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with the first line is said."""
    monkeypatch.setattr("digitlens.training.load_digits", lambda *_, **__: small)
    (tmp_path / "truth.csv").write_text("file,truth\nmissing.png,12\n")
    with pytest.raises(DataError, match="must hold pictures of lines"):
        train_reader("reader", tmp_path, start="reader", out=tmp_path / "r", writers=0)
    (tmp_path / "truth.csv").write_text("picture,said\na.png,12\n")
    with pytest.raises(DataError, match="columns file and truth"):
        train_reader("reader", tmp_path, start="reader", out=tmp_path / "r", writers=0)


def test_own_lines_are_a_fixed_share_of_a_batch(small: DataSplits, corrected: Path) -> None:
    """A quarter of each batch is the user's, and the same in any process."""
    from digitlens.data.line_folder import read_line_folder
    from digitlens.synth import prepare_glyphs
    from digitlens.training.line_data import WorkPlan, make_batches
    from digitlens.training.line_tuning import mix_lines

    recipe = LineRecipe(batch=6, style="clean")
    own = read_line_folder(corrected / "lines")
    plan = WorkPlan(prepare_glyphs(small.train), recipe, 3)
    one, two = (next(mix_lines(make_batches(plan), own, 3, 0)) for _ in range(2))
    assert len(one) == round(6 / (1 - OWN_SHARE))
    np.testing.assert_array_equal(one.strips, two.strips)
    assert one.texts()[6] in {text for _, text in own.train}
