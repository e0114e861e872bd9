"""Lines out of boxes: every rule on components that are given by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from digitlens.layout.boxes import PrintedBoxes
from digitlens.layout.connected import Components
from digitlens.layout.grouping import (
    PageStatistics,
    TextLine,
    _neighbor_cost,
    attach_small,
    bounds,
    fast_median,
    fast_quantile,
    group_boxed_lines,
    group_into_lines,
    line_height,
    measure_strong_ink,
    number_likelihood,
    split_at_gaps,
)

Boxes = Sequence[tuple[float, float, float, float]]


def ink(*boxes: tuple[float, float, float, float], specks: Boxes = ()) -> Components:
    """Return components: boxes that may be digits, and specks behind them."""
    every = np.array([*boxes, *specks], float)
    sides = every[:, 2:] - every[:, :2]
    return Components(
        labels=np.zeros((1, 1), np.int32),
        boxes=every,
        areas=0.4 * sides.prod(axis=1),
        contrast=np.full(len(every), 100.0),
        is_digit=np.arange(len(every)) < len(boxes),
        is_residue=np.zeros(len(every), bool),
        dropped=0,
    )


def row(*lefts: float, top: float = 100, width: float = 20, height: float = 40) -> Boxes:
    """Return boxes side by side."""
    return [(left, top, left + width, top + height) for left in lefts]


def lines(components: Components) -> list[list[int]]:
    """Return the members of all lines, in the order of the first ones."""
    free = np.ones(len(components.boxes), bool)
    return sorted(line.members for line in group_into_lines(components, free))


def test_boxes_side_by_side_are_a_line() -> None:
    """In the order in which they stand, however they are numbered; other rows are others."""
    assert lines(ink(*row(160, 100, 130), *row(100, 130, top=200))) == [[1, 2, 0], [3, 4]]
    components = ink(*row(100, 130, 160))
    free = np.array([True, False, True])
    assert [line.members for line in group_into_lines(components, free)] == [[0, 2]]
    assert group_into_lines(components, ~np.ones(3, bool)) == []


@pytest.mark.parametrize(
    ("other", "together"),
    {
        "1.5 heights away": ((180, 100, 200, 140), True),
        "farther away": ((181, 100, 201, 140), False),
        "0.42 heights lower": ((130, 116.5, 150, 156.5), True),
        "half a height lower": ((130, 120, 150, 160), False),
        "0.4 of the height": ((130, 112, 150, 128), True),
        "lower than that": ((130, 112, 150, 127), False),
        "lower, and off the line": ((130, 129, 150, 144), False),
        "hardly at the same height": ((130, 136, 150, 176), False),
        "reaching 0.7 of its width in": ((106, 84, 126, 124), True),
        "reaching farther in": ((105, 84, 125, 124), False),
    }.values(),
)
def test_neighbors_are_near_and_alike(
    other: tuple[float, float, float, float], together: bool
) -> None:
    """Near, as high, on one line, and not inside each other."""
    result = lines(ink((100, 100, 120, 140), other))
    assert result == ([[0, 1]] if together else [[0], [1]])


def test_the_cost_of_a_neighbor() -> None:
    """Gap, 0.8 of the offset and half of the difference in height; never to the left."""
    boxes = np.array([(100, 100, 120, 140), (130, 119, 150, 137), (116, 100, 136, 140)], float)
    wanted = [[np.inf, 10 + 0.8 * 8 + 0.5 * 22, 0], [np.inf] * 3, [np.inf, 17.4, np.inf]]
    assert _neighbor_cost(boxes, boxes, 1.2).tolist() == wanted


def test_a_broken_stroke_belongs_to_the_digits_around_it() -> None:
    """What lies in a line's band and length is a part of it; what lies below is not."""
    four = row(100, 130, 160, 190)
    assert lines(ink(*four, (102, 122, 112, 132))) == [[0, 4, 1, 2, 3]]
    assert lines(ink(*four, (102, 160, 112, 170))) == [[0, 1, 2, 3], [4]]
    assert lines(ink(*four, (300, 122, 310, 132))) == [[0, 1, 2, 3], [4]]
    assert lines(ink(*four, (102, 122, 112, 125))) == [[0, 1, 2, 3], [4]], "a speck"


def test_single_digits_at_even_distances_are_a_line() -> None:
    """Farther apart than others may be; where the distance changes the line ends."""
    assert lines(ink(*row(100, 180, 260))) == [[0, 1, 2]]
    assert lines(ink(*row(100, 180, 260, 391))) == [[0, 1, 2], [3]]


def test_an_uneven_row_is_split_where_it_is_uneven() -> None:
    """Of single digits three at even distances are a line, two that stand far apart none."""
    narrow = {"width": 10.0, "height": 44.0}
    # A pair 90 apart, 150 to the next, then four 55 apart.
    pair_and_four = row(100, 200, 360, 425, 490, 555, **narrow)
    assert lines(ink(*pair_and_four)) == [[0], [1], [2, 3, 4, 5]]
    # One, far before four.
    assert lines(ink(*row(100, 260, 325, 390, 455, **narrow))) == [[0], [1, 2, 3, 4]]
    # Two lone ones: 1.5 heights apart, and more.
    assert lines(ink(*row(100, 176, **narrow))) == [[0, 1]]
    assert lines(ink(*row(100, 177, **narrow))) == [[0], [1]]


def test_a_gap_like_those_of_a_run_is_one_of_them() -> None:
    """A digit behind a run with wide gaps is bound by these, up to a quarter more."""
    assert lines(ink(*row(100, 168, 248))) == [[0, 1, 2]]
    for top in (100, 0):
        assert lines(ink(*row(100, 130, 160, 300, top=top))) == [[0, 1, 2], [3]]


def test_a_lines_box_and_height() -> None:
    """The box is around all, the height the upper quartile."""
    components = ink((5, 10, 9, 20), (1, 12, 3, 32), (20, 8, 30, 38), (40, 0, 44, 40))
    assert bounds(components, [0, 1, 2]) == (1, 8, 30, 38)
    assert line_height(components, [0, 1, 2, 3]) == 32.5
    values = np.random.default_rng(0).random(11)
    assert fast_quantile(values, 0.75) == np.quantile(values, 0.75)
    assert fast_median(values) == np.median(values)
    assert fast_median(values[:10]) == np.median(values[:10])


def test_what_stands_in_printed_boxes_is_a_line() -> None:
    """Between the first box and the last, at their height, not much higher than they are."""
    components = ink(
        (140, 30, 160, 70),
        (40, 30, 60, 70),
        (190, 30, 210, 70),
        (90, 18, 110, 81),
        (90, 90, 110, 130),
        specks=[(95, 45, 100, 50)],
    )
    rects = np.array([[50, 50, 40, 50, 0], [100, 50, 40, 50, 0], [150, 50, 40, 50, 0]], float)
    boxes = PrintedBoxes(rects, np.zeros((3, 4, 2)))
    free = np.ones(6, bool)
    (line,) = group_boxed_lines(components, boxes, [[0, 1, 2]], free)
    assert (line.members, line.small, line.boxed) == ([1, 0], [5], True)
    assert free.tolist() == [False, False, True, True, True, False]
    assert group_boxed_lines(components, boxes, [[0, 1, 2]], free) == []


def test_dots_and_bars_go_to_the_line_in_whose_band_they_are() -> None:
    """A little beyond it on all sides; not what is wider than a digit is high."""
    specks = [
        (122, 130, 126, 136),
        (88, 120, 92, 124),
        (87, 120, 91, 124),
        (162, 96, 170, 144),
        (140, 95, 144, 99),
        (140, 141, 144, 145),
        (100, 120, 149, 124),
        (163, 120, 173, 124),
    ]
    components = ink(*row(100, 140), specks=specks)
    line = TextLine([0, 1])
    attach_small(components, [line])
    assert sorted(line.small) == [2, 3, 5]
    attach_small(replace(components, is_residue=np.ones(10, bool)), [line])
    assert len(line.small) == 3


def test_a_line_is_split_at_gaps_much_wider_than_its_others() -> None:
    """Wider than 0.3 heights and than 2.3 times the median; boxes are never split."""
    components = ink(*row(100, 130, 160, 220, 250))
    line = TextLine([0, 1, 2, 3, 4])
    parts = split_at_gaps(components, line)
    assert [part.members for part in parts] == [[0, 1, 2], [3, 4]]
    assert all(part.part for part in parts)
    assert split_at_gaps(components, replace(line, boxed=True)) == []
    assert split_at_gaps(components, TextLine([2, 3])) == []
    assert split_at_gaps(ink(*row(100, 130, 160, 203, 233)), line) == []
    assert len(split_at_gaps(ink(*row(100, 130, 160, 204, 234)), line)) == 2
    # A wide one reaches over the next: what counts is how far the ink reached.
    over = ink((100, 100, 175, 140), *row(130, 180, 210, 240))
    assert split_at_gaps(over, line) == []


PAGE = PageStatistics((500, 700), tallest=40, strong_ink=100)
FOUR = row(100, 130, 160, 190)


def likelihood(components: Components, page: PageStatistics = PAGE, **line: bool) -> float:
    """Return how much all of them together look like a number."""
    members = list(range(len(components.boxes)))
    return round(number_likelihood(components, TextLine(members, **line), page), 6)


def test_how_much_a_line_looks_like_a_number() -> None:
    """Each doubt takes its share, the highest mark is that of boxes."""
    four = ink(*FOUR)
    assert likelihood(four) == 0.8
    assert likelihood(four, boxed=True) == 1.0
    assert likelihood(four, part=True) == 0.72
    # another height: 1 of 4; the wrong shape, too wide or too narrow: 1 of 4
    assert likelihood(ink(*FOUR[:3], (190, 100, 210, 127))) == 0.7
    assert likelihood(ink(*FOUR[:3], (190, 100, 237, 140))) == 0.72
    assert likelihood(ink(*FOUR[:3], (190, 100, 192, 140))) == 0.72
    # nearly empty, nearly full, nearly full but slim: 1 of 4
    for area, width, wanted in ((0.07, 20, 0.68), (0.63, 21, 0.68), (0.63, 20, 0.8)):
        some = ink(*FOUR[:3], (190, 100, 190 + width, 140))
        areas = some.areas.copy()
        areas[3] = area * width * 40
        assert likelihood(replace(some, areas=areas)) == wanted
    # half as high as the half of the highest line; half of 0.6 of strong ink
    assert likelihood(four, replace(PAGE, tallest=160)) == 0.56
    assert likelihood(four, replace(PAGE, strong_ink=1000 / 3)) == 0.48


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((141, 211), 0.8), ((140, 500), 0.4), ((500, 210), 0.4), ((500, 211), 0.8)],
)
def test_a_line_at_the_edge_is_doubted(shape: tuple[int, int], wanted: float) -> None:
    """It may be cut off."""
    assert likelihood(ink(*FOUR), replace(PAGE, shape=shape)) == wanted
    assert likelihood(ink(*row(1, 31, 61, 91, top=1)), PAGE) == 0.8
    assert likelihood(ink(*row(0, 31, 61, 91, top=1)), PAGE) == 0.4
    assert likelihood(ink(*row(1, 31, 61, 91, top=0)), PAGE) == 0.4


@pytest.mark.parametrize(
    ("number", "count", "wanted"),
    [
        *((1, None, 0.48), (2, None, 0.8), (12, None, 0.8), (16, None, 0.6)),
        *((5, 5, 0.8), (4, 5, 0.704), (6, 5, 0.64), (12, 5, 0.16), (1, 5, 0.416)),
    ],
)
def test_as_many_components_as_digits(number: int, count: int | None, wanted: float) -> None:
    """Touching digits make fewer, broken ones more: both are forgiven a little."""
    components = ink(*row(*range(100, 100 + 30 * number, 30)))
    assert likelihood(components, replace(PAGE, count=count, shape=(500, 2000))) == wanted


def test_strong_ink_is_what_a_tenth_exceeds() -> None:
    """By area, of what may be digits."""
    components = ink(*row(*range(0, 300, 30)), specks=[(0, 0, 900, 900)])
    contrast = np.append(np.arange(10, 110, 10.0), 255)
    assert measure_strong_ink(replace(components, contrast=contrast)) == 90
    assert measure_strong_ink(replace(components, is_digit=np.zeros(11, bool))) == 0
