"""The pictures of an explanation: all there, of the size they say, showing what they should."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.explain import Explanation, Maps
from digitlens.explain.inspection import Layer
from digitlens.explain.occlusion import Occlusion
from digitlens.imaging import Step
from digitlens.models.ops import Relu, Tanh
from digitlens.viz import plot_explanation as plots
from digitlens.viz.canvas import BLUE, INK, ORANGE
from digitlens.viz.plot_explanation import CUT, most_varied_part
from digitlens.viz.sheet import Sheet, format_cell, shade, wrap_words


def layer(number: int, kind: Any = "convolution", **changes: Any) -> Layer:
    """A layer with weights that do not matter."""
    known: dict[str, Any] = {
        "weight": np.ones((20, 1, 5, 5), np.float32),
        "bias": None,
        "window": 5,
        "stride": 2,
        "padding": 0,
        "groups": 1,
        "activation": Relu(),
    }
    names = dict.fromkeys(("input", "sums", "output"), f"v{number}")
    return Layer(number=number, member=0, kind=kind, **names, **known | changes)


def made(kernel: tuple[int, ...] = (20, 5, 5), steps: int = 0) -> Explanation:
    """An explanation whose numbers are made up."""
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    digit = np.zeros((28, 28), np.uint8)
    digit[5:23, 12:16] = 255
    digit[5:23, 16] = rng.integers(1, 255, 18)
    fall = numbers(28, 28) * (digit > 0)
    answers = np.where(fall > 1, 7, 1).astype(np.uint8)
    shares = np.full(10, 0.01, np.float32)
    shares[1] = 0.91
    pictures = [np.full((90, 60), 200, np.uint8), np.full((30, 2000, 3), 90, np.uint8), digit]
    return Explanation(
        model="made",
        network="up",
        members=1,
        member=0,
        shown="",
        steps=tuple(
            Step(
                f"step {index}",
                "what was done in this step, in a sentence",
                pictures[index % 3],
            )
            for index in range(steps)
        ),
        digit=digit,
        probabilities=shares,
        no_digit=None,
        refused=None,
        filters=numbers(*kernel),
        maps=(
            Maps(layer(1), np.abs(numbers(20, 12, 12))),
            Maps(layer(2, activation=Tanh(1.7, 0.7)), numbers(5, 1, 1)),
            Maps(layer(3, "dense", window=0), np.abs(numbers(300))),
            Maps(layer(4, "dense", activation=None, window=0), numbers(10)),
        ),
        occlusion=Occlusion(fall, answers, 4.0, 5),
        gradients=numbers(28, 28) * (digit > 0),
        without_gradients="",
    )


def decoded(png: bytes) -> Any:
    """The pixels of a PNG, uint8 (H, W, 3)."""
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    return np.asarray(picture)


def has(pixels: Any, color: str) -> bool:
    """Whether a colour occurs."""
    wanted = [int(color[index : index + 2], 16) for index in (1, 3, 5)]
    return bool((pixels == wanted).all(axis=2).any())


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    """Return the pixels of every picture of an explanation with three steps."""
    return {
        name: decoded(png) for name, png in plots.pictures(made(steps=3), "one.png").items()
    }


def test_all_pictures_are_there_in_their_sizes(drawn: dict[str, Any]) -> None:
    """Each panel has a PNG of its own, the overview comes first, and each keeps its width."""
    widths = {name: pixels.shape[1] for name, pixels in drawn.items()}
    assert widths == {
        "overview.png": 1628,
        "framing.png": 825,
        "pixels.png": 1442,
        "unrolled.png": 1628,
        "filters.png": 1680,
        "layer-1.png": 1650,
        "layer-2.png": 1650,
        "layer-3.png": 1650,
        "layer-4.png": 1650,
        "mattered.png": 1479,
        "probabilities.png": 975,
    }


def test_what_is_not_there_is_not_drawn() -> None:
    """Of zeros everywhere, no steps, filters or gradients, the rest is drawn."""
    nothing = np.zeros((28, 28), np.float32)
    bare = replace(
        made(),
        digit=np.zeros((28, 28), np.uint8),
        filters=np.empty((0, 0, 0), np.float32),
        gradients=None,
        without_gradients="no torch here",
        occlusion=Occlusion(nothing, np.ones((28, 28), np.uint8), 1.0, 5),
        maps=(Maps(layer(1), np.zeros((2, 3, 3), np.float32)),),
    )
    drawn = plots.pictures(bare, "one.png")
    assert {"framing.png", "filters.png"} & set(drawn) == set()
    assert set(drawn) >= {"overview.png", "layer-1.png"}
    assert decoded(drawn["mattered.png"]).shape[1] == 732
    assert decoded(plots.saliency(replace(bare, gradients=nothing))).shape[1] == 1479


@pytest.mark.parametrize("steps", [1, 9])
def test_any_number_of_steps_fits_the_overview(steps: int) -> None:
    """One step or nine, wide, high or square, in grey or in colours, stay on the sheet."""
    overview = decoded(plots.overview(made(steps=steps), "one.png"))
    assert overview.shape[1] == 1628
    margin = overview[:, -20:]
    assert (margin == 255).all(), "nothing runs over the right edge"


def test_large_kernels_are_drawn_as_pictures() -> None:
    """A dense layer's rows are pictures of 28 x 28, eight side by side."""
    result = made(kernel=(64, 28, 28))
    result = replace(result, maps=(Maps(layer(1, "dense"), result.maps[2].values),))
    assert decoded(plots.filters(result)).shape[1] == 1614


def test_the_largest_values_have_the_full_colours(drawn: dict[str, Any]) -> None:
    """Orange, blue and ink stand for the largest magnitude; nothing at all is white."""
    assert has(drawn["filters.png"], shade_of(made(steps=3).filters))
    assert has(drawn["layer-1.png"], INK)
    assert has(drawn["mattered.png"], ORANGE)
    blank = shade(np.zeros((2, 2), np.float32))
    assert (blank == 255).all()


def shade_of(values: Any) -> str:
    """The colour of the largest magnitude."""
    return ORANGE if values.max() > -values.min() else BLUE


def test_no_digit_has_a_bar_of_its_own() -> None:
    """Where the model can say "no digit" there is one row more, orange when it says so."""
    plain, told = made(), replace(made(), no_digit=0.97, refused=True)
    one, other = (decoded(plots.probabilities(item)) for item in (plain, told))
    assert 40 <= other.shape[0] - one.shape[0] <= 50
    assert has(other, ORANGE)
    assert not has(one, ORANGE)


def test_the_shown_part_holds_greys_of_the_digit() -> None:
    """The part drawn as numbers lies within the digit's frame and on its edge."""
    digit = made().digit
    row, column = most_varied_part(digit)
    part = digit[row : row + CUT, column : column + CUT]
    assert part.shape == (CUT, CUT)
    assert ((part > 0) & (part < 255)).sum() >= CUT - 1
    assert most_varied_part(np.zeros((28, 28), np.uint8)) == (0, 0)


def test_lines_are_no_wider_than_they_may_be() -> None:
    """Words are kept whole and in order, lines within their width, line breaks kept."""
    page = Sheet(2, "")
    words = "several words that do not fit one line\nand a second part"
    lines = list(wrap_words(words, 1.0, lambda text: page.measure(text, 8.5)))
    assert " ".join(lines).split() == words.split()
    assert all(page.measure(line, 8.5) <= 1.0 for line in lines)
    assert any(line.startswith("and") for line in lines)


def test_figures_in_cells_are_short() -> None:
    """No minus before zero, no zero before two decimals, a real minus sign."""
    values = [-0.004, 0.0, 0.314, -0.314, 1.2, -12.0]
    assert [format_cell(value, "{:.2f}") for value in values] == [
        ".00",
        ".00",
        ".31",
        "−.31",
        "1.20",
        "−12.00",
    ]
