"""Lines: what the generator promises of every picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.errors import DataError, UsageError
from digitlens.synth import (
    CHUNK,
    STYLES,
    Glyphs,
    LineSample,
    Style,
    prepare_glyphs,
    synthesize_chunk,
    synthesize_line,
    synthesize_lines,
)

NUMBERS = replace(STYLES["training"], negatives=0.0, fonts=())


def same(one: LineSample, two: LineSample) -> bool:
    """Tell whether two lines are the same to the pixel."""
    return (
        one.text == two.text
        and np.array_equal(one.image, two.image)
        and np.array_equal(one.boxes, two.boxes)
    )


def rng(seed: int) -> np.random.Generator:
    """Return a generator."""
    return np.random.default_rng(seed)


def test_a_line_says_what_was_asked(glyphs: Glyphs) -> None:
    """The text asked for is written, leading zeros kept, one box for each digit."""
    line = synthesize_line(glyphs, rng(0), text="00731", style="clean")
    assert line.text == "00731"
    assert (line.image.dtype, line.image.ndim) == (np.uint8, 2)
    assert (line.boxes.dtype, line.boxes.shape) == (np.float32, (5, 4))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_keeps_the_promises_of_a_line(glyphs: Glyphs, style: str) -> None:
    """Boxes lie inside the picture, in the order of the text; text and boxes agree."""
    lines = synthesize_chunk(glyphs, 0, style=replace(STYLES[style], fonts=()), size=60)
    assert len(lines) == 60
    for line in lines:
        rows, columns = line.image.shape
        assert line.image.flags.c_contiguous
        assert line.boxes.shape == (len(line.text), 4)
        left, top, right, bottom = line.boxes.T
        assert ((left >= 0) & (left < right) & (right <= columns)).all()
        assert ((top >= 0) & (top < bottom) & (bottom <= rows)).all()
        assert (np.diff(left) > 0).all()


def test_boxes_hold_the_ink_of_digits(glyphs: Glyphs) -> None:
    """In clean pictures ink lies in the boxes, touches all their sides, and nowhere else."""
    for line in synthesize_chunk(glyphs, 0, style="clean", size=20):
        paper = int(np.median(line.image))
        ink = line.image < paper - 40
        outside = line.image < paper - 80
        for box in line.boxes.astype(int):
            left, top, right, bottom = box
            inside = ink[top:bottom, left:right]
            assert inside.any(axis=0)[[0, -1]].all()
            assert inside.any(axis=1)[[0, -1]].all()
            outside[top:bottom, left:right] = False
        assert outside.sum() <= 2 * len(line.text)


def test_boxes_follow_a_smaller_picture(glyphs: Glyphs) -> None:
    """A picture of fewer pixels has smaller boxes."""
    style = replace(STYLES["clean"], low=1.0, height=(30.0, 30.0), margins=(0.3, 0.3))
    height = []
    for line in synthesize_chunk(glyphs, 1, style=style, size=30):
        share = (line.boxes[:, 3] - line.boxes[:, 1]).max() / line.image.shape[0]
        assert 0.4 < share < 0.75
        height.append(line.image.shape[0])
    assert min(height) < 0.6 * max(height)


def test_the_same_generator_writes_the_same_line(glyphs: Glyphs) -> None:
    """A line depends on the glyphs, the generator and the style alone."""
    for style in ("training", "cheque"):
        one = synthesize_line(glyphs, rng(5), style=style)
        synthesize_line(glyphs, rng(6), style=style)
        assert same(one, synthesize_line(glyphs, rng(5), style=style))
        assert not same(one, synthesize_line(glyphs, rng(7), style=style))


def test_chunks_do_not_depend_on_who_writes_them(hands: Digits) -> None:
    """Chunk 2 is the same alone, after others, and with glyphs made ready anew."""
    copied = prepare_glyphs(Digits(hands.images.copy(), hands.labels, writers=hands.writers))
    there = synthesize_chunk(hands, 2, seed=3, size=12)
    synthesize_chunk(hands, 0, seed=3, size=4)
    assert all(map(same, there, synthesize_chunk(copied, 2, seed=3, size=12)))
    assert all(map(same, there[:5], synthesize_chunk(hands, 2, seed=3, size=5)))
    assert not same(there[0], synthesize_chunk(hands, 1, seed=3, size=1)[0])
    assert not same(there[0], synthesize_chunk(hands, 2, seed=4, size=1)[0])


def test_many_lines_are_chunks_one_after_the_other(glyphs: Glyphs) -> None:
    """`synthesize_lines` gives as many as were asked for: chunk 0, then chunk 1."""
    lines = list(synthesize_lines(glyphs, CHUNK + 3, seed=8, style="clean"))
    assert len(lines) == CHUNK + 3
    assert all(
        map(same, lines[CHUNK:], synthesize_chunk(glyphs, 1, seed=8, style="clean", size=3))
    )
    assert list(synthesize_lines(glyphs, 0)) == []


def test_shares_of_numbers(glyphs: Glyphs) -> None:
    """A tenth shows no number; a third of the numbers ends in zeros, most have 3 to 8."""
    style = replace(STYLES["clean"], negatives=0.1, lengths=(1, 12))
    texts = [line.text for line in synthesize_lines(glyphs, 1000, style=style)]
    numbers = [text for text in texts if text]
    assert 0.07 < texts.count("") / len(texts) < 0.13
    assert 0.27 < sum(text.endswith("00") for text in numbers) / len(numbers) < 0.45
    assert 0.8 < sum(3 <= len(text) <= 8 for text in numbers) / len(numbers) < 0.97
    assert {len(text) for text in numbers} == set(range(1, 13))
    assert any(text.startswith("0") for text in numbers)


def test_an_empty_text_is_a_picture_without_a_number(glyphs: Glyphs) -> None:
    """Text "" gives no boxes, whatever the style's share of such pictures."""
    for seed in range(30):
        line = synthesize_line(glyphs, rng(seed), text="", style=NUMBERS)
        assert (line.text, line.boxes.shape) == ("", (0, 4))
        assert min(line.image.shape) >= 4


def test_a_line_is_by_one_hand(hands: Digits) -> None:
    """With `one_hand` 1.0 no line mixes writers, with 0.0 nearly all do."""
    marked = hands.images.copy()
    for writer in range(5):
        marked[hands.writers == writer] = 100 + 35 * writer  # a writer's grey, all over
    flat = Digits(marked, hands.labels, writers=hands.writers)
    for share, most in ((1.0, 1), (0.0, 5)):
        style = replace(
            STYLES["clean"],
            one_hand=share,
            lengths=(6, 6),
            usual=(6, 6),
            spacing=(("wide", 1.0),),
            pen=(6.0, 6.0),
        )
        result = []
        for seed in range(8):
            line = synthesize_line(flat, rng(seed), style=style)
            middles = [
                line.image[int((top + bottom) / 2), int((left + right) / 2)]
                for left, top, right, bottom in line.boxes
            ]
            result.append(np.ptp(middles) < 12)
        assert (sum(result) >= 7) if most == 1 else (sum(result) <= 1)


def test_glyphs_are_not_changed(hands: Digits) -> None:
    """Writing leaves the digits as they were."""
    before = hands.images.copy()
    synthesize_chunk(hands, 0, size=60)
    assert np.array_equal(hands.images, before)


def test_polarity(glyphs: Glyphs) -> None:
    """Ink is dark, or light where the style says so."""
    for share, darker in ((0.0, True), (1.0, False)):
        style = replace(STYLES["clean"], negative_film=share)
        for line in synthesize_chunk(glyphs, 0, style=style, size=5):
            left, top, right, bottom = line.boxes[0].astype(int)
            inside = line.image[top:bottom, left:right]
            edge = float(np.median(line.image))
            assert (inside.min() < edge - 80) == darker
            assert (inside.max() > edge + 80) == (not darker)


def test_touching_and_apart(glyphs: Glyphs) -> None:
    """Digits apart are as many pieces as digits; touching ones are about one piece."""
    pieces = {}
    for kind in ("wide", "touching", "overlap"):
        style = replace(
            STYLES["clean"], spacing=((kind, 1.0),), lengths=(6, 6), usual=(6, 6), zeros=0.0
        )
        counts = []
        for line in synthesize_chunk(glyphs, 0, style=style, size=15):
            dark = (line.image < int(np.median(line.image)) - 60).astype(np.uint8)
            stats = cv2.connectedComponentsWithStats(dark, connectivity=8)[2][1:]
            counts.append(int((stats[:, cv2.CC_STAT_AREA] > 12).sum()))
        pieces[kind] = float(np.mean(counts))
    assert pieces["wide"] >= 5.8
    assert pieces["touching"] < 2.6
    assert pieces["overlap"] < 3.0


def test_overlap_is_measured_between_boxes(glyphs: Glyphs) -> None:
    """In "overlap" boxes reach 0.3 of the height into each other, or 0.35 of the narrower."""
    style = replace(STYLES["overlap"], height=(40.0, 40.0))
    for line in synthesize_chunk(glyphs, 0, style=style, size=20):
        width = line.boxes[:, 2] - line.boxes[:, 0]
        narrower = np.minimum(width[1:], width[:-1])
        into = line.boxes[:-1, 2] - line.boxes[1:, 0]
        assert (np.abs(into - np.minimum(12, 0.35 * narrower)) <= 1.01).all()


@pytest.mark.parametrize("text", ["12a", " 1", "½", "-5", 12])
def test_only_digits_can_be_written(glyphs: Glyphs, text: object) -> None:
    """Anything but 0 to 9 is refused."""
    with pytest.raises(UsageError, match="digits only"):
        synthesize_line(glyphs, rng(0), text=text)  # type: ignore[arg-type]


def test_all_digits_are_needed(hands: Digits) -> None:
    """Glyphs that lack a digit are refused, and the digit is named."""
    with pytest.raises(DataError, match="none of 3, 7 among"):
        prepare_glyphs(hands[~np.isin(hands.labels, (3, 7))])


def test_negative_numbers_of_chunks_are_refused(glyphs: Glyphs) -> None:
    """An index, a seed or a size below 0 is wrong usage."""
    for wrong in ({"index": -1}, {"index": 0, "seed": -1}, {"index": 0, "size": -2}):
        with pytest.raises(UsageError, match="must be 0 or more"):
            synthesize_chunk(glyphs, **wrong)  # type: ignore[arg-type]


def test_large_digits_do_fit(glyphs: Glyphs) -> None:
    """Digits 180 pixels high are drawn on paper that is larger than a sheet of texture."""
    style = replace(Style(), height=(180.0, 200.0), low=0.0, fonts=(), textures=1.0)
    line = synthesize_line(glyphs, rng(0), text="1234567890", style=style)
    assert line.image.shape[1] > 1024
    assert (line.boxes[:, 3] - line.boxes[:, 1]).max() > 120
