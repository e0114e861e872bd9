"""Laws of labels on a picture."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digitlens.ocr.output import place_labels

ROOM = (300.0, 200.0)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Draw a box of 5 to 40 pixels on the sheet."""
    left, top = draw(st.integers(0, 255)), draw(st.integers(0, 155))
    width, height = draw(st.integers(5, 40)), draw(st.integers(5, 40))
    return left, top, left + width, top + height


sizes = st.tuples(st.integers(5, 80), st.integers(5, 30))


@given(st.lists(st.tuples(boxes(), sizes), max_size=12))
def test_every_label_is_on_the_sheet(labelled: list) -> None:
    """Each box gets a place, and no label leaves the sheet."""
    result, hidden = place_labels([box for box, _ in labelled], [s for _, s in labelled], ROOM)
    assert hidden >= 0
    assert len(result) == len(labelled)
    for (x, y), (_, (width, height)) in zip(result, labelled, strict=True):
        assert 0 <= x <= ROOM[0] - width
        assert 0 <= y <= ROOM[1] - height


@given(boxes(), sizes)
def test_a_box_alone_is_not_covered_by_its_label(box: tuple, size: tuple) -> None:
    """With room around it, a box and its label do not overlap."""
    left, top, right, bottom = (edge + 100 for edge in box)
    ((x, y),), hidden = place_labels([(left, top, right, bottom)], [size], (600, 500))
    assert hidden == 0
    width, height = size
    assert x >= right or x + width <= left or y >= bottom or y + height <= top


@given(st.lists(sizes, min_size=1, max_size=6))
def test_labels_of_far_boxes_do_not_meet(many: list) -> None:
    """Where each box has room around it, labels cover neither boxes nor each other."""
    spots = [
        (100.0 + 300 * index, 100.0, 140.0 + 300 * index, 130.0) for index in range(len(many))
    ]
    result, hidden = place_labels(spots, many, (2000, 300))
    assert hidden == 0
    labels = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(result, many, strict=True)]
    whole = [*spots, *labels]
    for index, one in enumerate(whole):
        for other in whole[index + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1]
