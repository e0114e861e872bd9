"""From written lines to batches."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from digitlens.errors import DataError
from digitlens.imaging.crop import prepare_line
from digitlens.models.recipe import LineRecipe
from digitlens.synth import Glyphs, synthesize_chunk
from digitlens.training.line_data import POOL, UNKNOWN, collate, make_pool, prepare_sample


def test_a_pool_holds_every_line_once(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """All lines of a chunk are in its batches, none twice and none left over."""
    batches = make_pool(glyphs, replace(recipe, other_styles=()), 5, 2)
    assert len(batches) == POOL
    result = sorted(text for batch in batches for text in batch.texts())
    lines = synthesize_chunk(glyphs, 2, seed=5, style="clean", size=2 * POOL)
    assert result == sorted(line.text for line in lines)


def test_a_share_of_a_pool_is_in_the_other_styles(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """The recipe's own style has the rest, and two lots of one style are not the same lines."""
    mixed = replace(recipe, other_styles=("overlap", "overlap"), other_share=0.25)
    result = sorted(text for batch in make_pool(glyphs, mixed, 5, 2) for text in batch.texts())
    assert len(result) == 2 * POOL
    most = 2 * POOL - 2 * (POOL // 4)
    own = [line.text for line in synthesize_chunk(glyphs, 2, seed=5, style="clean", size=most)]
    others = list((Counter(result) - Counter(own)).elements())
    assert len(others) == 2 * (POOL // 4)
    assert len(set(others)) > POOL // 4


def test_a_pool_is_the_same_each_time(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """Seed and index decide pixels and order; another seed or index gives other lines."""
    first, again = (make_pool(glyphs, recipe, 5, 2) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.strips, other.strips)
        assert np.array_equal(one.centres, other.centres)
    for seed, index in ((5, 3), (6, 2)):
        assert make_pool(glyphs, recipe, seed, index)[0].texts() != first[0].texts()


def test_lines_of_like_width_come_together(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """Little of a batch is padding, and batches come in no order of width."""
    batches = make_pool(glyphs, replace(recipe, batch=8), 0, 0)
    own = sum(int(batch.frames.sum()) for batch in batches)
    assert own > 0.9 * sum(batch.centres.size for batch in batches)
    widths = [batch.strips.shape[3] for batch in batches]
    assert widths != sorted(widths)
    assert widths != sorted(widths, reverse=True)


def test_a_batch_holds_what_the_lines_say(glyphs: Glyphs) -> None:
    """Strips lie at the left, padded with 0; texts, frames and centres are the lines' own."""
    lines = synthesize_chunk(glyphs, 0, seed=1, style="training", size=20)
    batch = collate([prepare_sample(line) for line in lines])
    assert len(batch) == 20
    assert batch.texts() == [line.text for line in lines]
    assert "" in batch.texts()
    assert batch.strips.shape[3] % 4 == 0
    assert batch.centres.shape == (20, batch.strips.shape[3] // 2)
    for index, line in enumerate(lines):
        strip = prepare_line(line.image)
        width = strip.shape[1]
        np.testing.assert_allclose(batch.strips[index, 0, :, :width], strip, atol=5e-3)
        assert not batch.strips[index, 0, :, width:].any()
        assert batch.frames[index] == (width + 1) // 2
        seen = batch.centres[index][batch.centres[index] != UNKNOWN]
        assert set(seen) <= {int(digit) for digit in line.text}
        assert (batch.centres[index, batch.frames[index] :] == UNKNOWN).all()


def test_centres_are_columns_of_the_strip(glyphs: Glyphs) -> None:
    """A digit's class stands in the frame that its box has its middle in."""
    line = synthesize_chunk(glyphs, 0, seed=1, style="clean", size=1)[0]
    batch = collate([prepare_sample(line)])
    scale = 32 / line.image.shape[0]
    for digit, box in zip(line.text, line.boxes, strict=True):
        frame = int((box[0] + box[2]) / 2 * scale / 2)
        assert int(digit) in batch.centres[0, max(0, frame - 1) : frame + 2]


def test_long_lines_are_left_out(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """No strip is wider than the recipe says, and each batch still holds a line."""
    batches = make_pool(glyphs, replace(recipe, max_width=150, batch=4), 0, 0)
    assert len(batches) == POOL
    assert all(len(batch) for batch in batches)
    assert max(batch.strips.shape[3] for batch in batches) <= 152


def test_a_style_of_nothing_but_long_lines_is_told(glyphs: Glyphs, recipe: LineRecipe) -> None:
    """Where no line may be learnt from, the error names the style and the limit."""
    with pytest.raises(DataError, match="at most 20 columns") as caught:
        make_pool(glyphs, replace(recipe, max_width=20), 0, 0)
    assert "'clean'" in str(caught.value)
