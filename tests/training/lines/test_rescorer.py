"""The network that looks at a line's digits one by one: what it is shown, and its run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens.data import DataSplits
from digitlens.errors import RunError, StoppedError, UsageError
from digitlens.imaging.crop import WINDOW, cut_windows, prepare_line
from digitlens.models.recipe import RESCORER_RECIPE, LineRecipe
from digitlens.ocr.network import Rescorer
from digitlens.synth import Glyphs, synthesize_lines
from digitlens.training import rescorer_data, rescorer_task, train_reader
from digitlens.training.checkpoint import begin_training
from digitlens.training.config import NullCallback
from digitlens.training.line_data import POOL, make_batches
from digitlens.training.rescorer_data import (
    JITTER,
    MIN_DISTANCE,
    NO_DIGIT,
    RescorerPlan,
    WindowBatch,
    label_windows,
)
from digitlens.training.rescorer_task import count_window_errors, load_start
from digitlens.training.results import ReaderRun


def test_a_pool_is_what_its_number_says(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """The same windows whoever makes a pool, and whatever was made before it."""
    recipe = replace(recipe, batch=8)
    plan = RescorerPlan(glyphs, recipe, 5)
    pools = [plan.make_pool(index) for index in range(3)]
    again = RescorerPlan(glyphs, recipe, 5).make_pool(2)
    assert [len(pool) for pool in pools] == [POOL] * 3
    for one, two in zip(pools[2], again, strict=True):
        assert np.array_equal(one.windows, two.windows)
        assert np.array_equal(one.labels, two.labels)
    # Lines come twice, each time cut anew: no two pools have a window in common.
    seen = [{window.tobytes() for batch in pool for window in batch.windows} for pool in pools]
    assert len(seen[1] & seen[2]) < 0.5 * len(seen[2])
    batches = make_batches(RescorerPlan(glyphs, recipe, 5, POOL + 3))
    first: Any = next(batches)
    assert np.array_equal(first.windows, pools[1][3].windows)


def test_windows_show_the_digits_of_their_line(
    glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One window a digit, around its middle; the others keep away from all of them."""
    monkeypatch.setattr(rescorer_data, "WARPED", 0.0)
    monkeypatch.setattr(rescorer_data, "EMPTY_SHARE", 1.0)
    rng = np.random.default_rng(3)
    for line in synthesize_lines(glyphs, 20, seed=2, style="clean"):
        windows, labels = label_windows(line, rng)
        assert windows.shape == (len(labels), WINDOW, WINDOW)
        assert "".join(map(str, labels[labels != NO_DIGIT])) == line.text
        # Where are they cut? A window's first columns are nowhere else.
        strip = prepare_line(line.image, WINDOW).astype(np.float16).astype(np.float32)
        every = cut_windows(strip, np.arange(strip.shape[1] + 1))
        places = np.array([np.abs(every - one).sum((1, 2)).argmin() for one in windows])
        middles = line.boxes[:, [0, 2]].mean(axis=1) * strip.shape[1] / line.image.shape[1]
        shown = labels != NO_DIGIT
        assert np.abs(places[shown] - middles).max(initial=0) < 6 * JITTER
        if shown.any():
            away = np.abs(places[~shown][:, None] - middles[None]).min(axis=1)
            assert away.min(initial=WINDOW) >= MIN_DISTANCE - 0.5


def test_a_picture_without_a_number_shows_none(glyphs: Glyphs) -> None:
    """Of such a line all windows are labelled as no digit."""
    lines = synthesize_lines(glyphs, 200, seed=1, style="training")
    empty = [line for line in lines if not line.text]
    assert empty
    for line in empty:
        _, labels = label_windows(line, np.random.default_rng(0))
        assert labels.tolist() == [NO_DIGIT] * rescorer_data.EMPTY_WINDOWS


def test_errors_are_counted_over_windows() -> None:
    """A window is wrong where another digit, or none, is said."""

    class Fours(torch.nn.Module):
        def forward(self, windows: torch.Tensor) -> torch.Tensor:
            """Say that all are fours."""
            return torch.eye(11)[4].expand(len(windows), 1, 11)

    windows = np.zeros((4, 1, WINDOW, WINDOW), np.float16)
    batch = WindowBatch(windows, np.array([4, 4, 7, NO_DIGIT]))
    assert count_window_errors(Fours(), [batch, batch]) == 4


@pytest.fixture
def train_rescorer(
    make_data: Callable[..., DataSplits], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ReaderRun]:
    """Return a function that trains a rescorer for two steps."""
    monkeypatch.setattr(rescorer_task, "VALIDATION_LINES", POOL)
    recipe = replace(
        RESCORER_RECIPE.fit_to(2), batch=4, eval_every=2, hands=("glyphs",), other_styles=()
    )
    data = make_data(train=100, validation=40)
    return partial(train_reader, "rescorer", data, recipe=recipe, writers=0)


def test_a_run_leaves_a_network_that_readers_take(
    tmp_path: Path, train_rescorer: Callable[..., ReaderRun]
) -> None:
    """train_reader("rescorer") writes a run folder whose model judges places of a line."""
    run = train_rescorer(out=tmp_path / "rescorer-1")
    assert run.history[-1].validation > 50
    assert run.card.multiply_adds == 12_708_000
    path = run.folder / "model.onnx"
    rescorer = Rescorer(path, path.read_bytes())
    assert "a digit" in rescorer.card.facts()["network"]
    gray = np.random.default_rng(0).integers(0, 256, (50, 130), np.uint8)
    steps = np.array([0, 7, 41])
    said = rescorer.judge(gray, steps)
    assert said.shape == (3, 11)
    np.testing.assert_allclose(np.exp(said).sum(axis=1), 1, atol=1e-5)
    # What the file says of a place is what the network says of the window there.
    strip = prepare_line(gray, WINDOW)
    windows = cut_windows(strip, (2 * steps + 1) * strip.shape[1] / prepare_line(gray).shape[1])
    with torch.inference_mode():
        wanted = run.network(torch.from_numpy(windows[:, None])).log_softmax(2)[:, 0]
    np.testing.assert_allclose(said, wanted.numpy(), atol=1e-4)


def test_a_run_goes_on_from_another(
    tmp_path: Path, train_rescorer: Callable[..., ReaderRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first weights are those that the other ended with."""
    begun: list[dict[str, torch.Tensor]] = []

    def keep(network: torch.nn.Module, *args: Any, **named: Any) -> Any:
        begun.append({name: item.clone() for name, item in network.state_dict().items()})
        return begin_training(network, *args, **named)

    first = train_rescorer(out=tmp_path / "rescorer-1")
    monkeypatch.setattr(rescorer_task, "begin_training", keep)
    train_rescorer(out=tmp_path / "rescorer-2", start=first.folder)
    wanted = load_start(str(first.folder), RESCORER_RECIPE).state_dict()
    assert begun[0].keys() == wanted.keys()
    assert all(torch.equal(begun[0][name], wanted[name]) for name in wanted)


def test_it_goes_on_from_nothing_else(
    tmp_path: Path, train_rescorer: Callable[..., ReaderRun]
) -> None:
    """A published network, a run of another network, a folder that is none are refused."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.toml").write_text('format = 1\n[run]\nnetwork = "reader"\n')
    empty = tmp_path / "empty"
    empty.mkdir()
    for start, error in [("rescorer", UsageError), (other, UsageError), (empty, RunError)]:
        with pytest.raises(error):
            train_rescorer(out=tmp_path / "rescorer-1", start=start)
    assert not (tmp_path / "rescorer-1").exists()


def test_a_run_is_resumed_without_what_it_went_on_from(
    tmp_path: Path, train_rescorer: Callable[..., ReaderRun]
) -> None:
    """Its folder has its weights; the other one may be gone."""

    class Interrupting(NullCallback):
        def step(self, done_steps: int) -> None:
            """Press Ctrl-C after the first step."""
            if done_steps == 1:
                signal.raise_signal(signal.SIGINT)

    first = train_rescorer(out=tmp_path / "rescorer-1")
    whole = train_rescorer(out=tmp_path / "rescorer-2", start=first.folder)
    out = tmp_path / "rescorer-3"
    with pytest.raises(StoppedError):
        train_rescorer(out=out, start=first.folder, progress=Interrupting())
    first.folder.rename(tmp_path / "elsewhere")
    train_rescorer(out=out, resume=True)
    wanted, resumed = (
        load_start(str(folder), RESCORER_RECIPE) for folder in (whole.folder, out)
    )
    pairs = zip(wanted.parameters(), resumed.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)
