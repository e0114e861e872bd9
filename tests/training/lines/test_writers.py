"""Processes that write lines."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from digitlens.errors import DataError, WorkerError
from digitlens.models.recipe import LineRecipe
from digitlens.synth import Glyphs
from digitlens.training.line_data import POOL, LineBatch, LineProducers, WorkPlan, make_batches


def same(one: LineBatch, other: LineBatch) -> bool:
    """Say whether two batches hold the same."""
    return np.array_equal(one.strips, other.strips) and one.texts() == other.texts()


def test_beginning_later_goes_on_in_the_same_order(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """From step n on come the batches that come after the first n."""
    whole = list(itertools.islice(make_batches(WorkPlan(glyphs, recipe, 1)), 2 * POOL + 2))
    for step in (1, POOL, POOL + 5):
        later = itertools.islice(make_batches(WorkPlan(glyphs, recipe, 1, step)), POOL)
        assert all(same(*pair) for pair in zip(later, whole[step:], strict=False))


@pytest.mark.parametrize("count", [0, pytest.param(1, marks=pytest.mark.slow), 2])
def test_the_number_of_processes_changes_nothing(
    glyphs: Glyphs, recipe: LineRecipe, count: int
) -> None:
    """The same batches in the same order, from the middle of a pool over two others."""
    plan = WorkPlan(glyphs, recipe, 1, step=POOL + 5)
    wanted = itertools.islice(make_batches(plan), 2 * POOL)
    with LineProducers(plan, count) as writers:
        result = itertools.islice(writers, 2 * POOL)
        assert all(same(*pair) for pair in zip(result, wanted, strict=True))
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_is_told(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """When the system ends a writer, the error says which and how, and none is left."""
    with LineProducers(WorkPlan(glyphs, recipe, 1), 1) as writers:
        batches = iter(writers)
        next(batches)
        (process,) = multiprocessing.active_children()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match="ended early") as caught:
            for _ in range(100 * POOL):
                next(batches)
    assert caught.value.seen == "digitlens-lines-0, exit code -9"
    assert caught.value.likely == "the system ended it, as memory ran out"
    assert multiprocessing.active_children() == []


def test_what_a_process_cannot_do_is_handed_over(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """An error of ours in a writer is raised here, as if it had happened here."""
    with (
        LineProducers(WorkPlan(glyphs, replace(recipe, max_width=20), 1), 1) as writers,
        pytest.raises(DataError, match="at most 20 columns"),
    ):
        next(iter(writers))
    assert multiprocessing.active_children() == []
