"""The parts of a line: dice, forms, strokes, marks, papers, words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.errors import UsageError
from digitlens.imaging.fit import stroke_width
from digitlens.synth import (
    STYLES,
    Glyphs,
    LineSample,
    prepare_glyphs,
    sample_sheet,
    sheet_png,
    synthesize_chunk,
)
from digitlens.synth import textures as banks
from digitlens.synth.camera import simulate_camera
from digitlens.synth.compose import ComposedLine, _join, compose_line
from digitlens.synth.digit_forms import (
    CELL,
    draw_form,
    elastic_distortion,
    find_loop,
    glyph_source,
)
from digitlens.synth.distractors import KINDS, draw_distractor
from digitlens.synth.fonts import find_fonts, printed_words, script_words
from digitlens.synth.random import Random
from digitlens.synth.strokes import (
    count_forms,
    draw_mark,
    draw_strokes,
    mark_width,
    round_corners,
    skeletons,
)
from digitlens.synth.textures import crop_texture
from digitlens.synth.writer import HABITS, INSIDE, LEADS, TAILS, sample_writer, split_number

FORMS = [
    (label, form)
    for label, forms in HABITS.items()
    for form, _ in forms
    if form and form != "written"
]
FORMS += [(label, f"written {item}") for label in HABITS for item in range(count_forms(label))]


@pytest.fixture
def rng() -> Random:
    """Return dice."""
    return Random(np.random.default_rng(0))


def test_dice_hold_to_shares(rng: Random) -> None:
    """Shares, ranges and bounds are kept; 0.0 never and 1.0 always comes."""
    drawn = Counter(rng.weighted((("a", 1.0), ("b", 3.0), ("c", 0.0))) for _ in range(4000))
    assert 0.7 < drawn["b"] / 4000 < 0.8
    assert set(drawn) == {"a", "b"}
    assert not any(rng.bernoulli(0.0) for _ in range(300))
    assert all(rng.bernoulli(1.0) for _ in range(300))
    assert {rng.integers(3) for _ in range(100)} == {0, 1, 2}
    assert all(2 <= rng.uniform_in((2, 5)) <= 5 for _ in range(300))
    bell = [rng.normal(10, 2) for _ in range(3000)]
    assert 5 <= min(bell) < max(bell) <= 15
    assert abs(np.mean(bell) - 10) < 0.2


@pytest.mark.parametrize(("label", "form"), FORMS)
def test_a_form_changes_the_digit(glyphs: Glyphs, rng: Random, label: int, form: str) -> None:
    """Each form is drawn within its field, and is not the glyph as it was."""
    index = glyphs.choose(rng, glyph_source(label, form), None, loop=find_loop(label, form))
    plain, cell = (np.zeros((CELL, CELL), np.uint8) for _ in range(2))
    draw_form(plain, glyphs.images[index], rng, "", label, 2.0)
    draw_form(cell, glyphs.images[index], rng, form, label, 2.0)
    assert (cell > 100).sum() > 20
    if form not in ("small", "loop", "no loop", "open", "closed"):
        assert not np.array_equal(cell, plain)


def test_every_digit_has_skeletons() -> None:
    """Each digit has skeletons, and every stroke of them corners enough to be drawn."""
    assert sorted(skeletons()) == list(range(10))
    for strokes in (item for forms in skeletons().values() for item in forms):
        assert strokes
        assert all(sign == "bar" or len(corners) >= 2 for sign, corners in strokes)


def test_a_skeleton_is_never_written_twice_alike(glyphs: Glyphs, rng: Random) -> None:
    """The corners of a skeleton move from one time to the next."""
    one, two = (np.zeros((CELL, CELL), np.uint8) for _ in range(2))
    draw_form(one, glyphs.images[0], rng, "written 0", 4, 2.0)
    draw_form(two, glyphs.images[0], rng, "written 0", 4, 2.0)
    assert not np.array_equal(one, two)


def test_a_rounded_way_keeps_its_ends_and_its_hull() -> None:
    """Rounding keeps the first and last corner, and leaves no box that the corners had."""
    corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]
    way = round_corners(corners)
    assert way[0] == corners[0]
    assert way[-1] == corners[-1]
    assert (4.0, 0.0) not in way
    assert all(0 <= x <= 4 and 0 <= y <= 4 for x, y in way)


def test_a_warp_bends_and_keeps_the_ink(rng: Random) -> None:
    """A warped digit is another picture with about as much ink, a few pixels away at most."""
    cell = np.zeros((CELL, CELL), np.uint8)
    cv2.circle(cell, (20, 20), 8, 255, 2, cv2.LINE_AA)
    near = cv2.dilate(cell, np.ones((11, 11), np.uint8)) > 0
    for _ in range(50):
        bent = elastic_distortion(cell, rng)
        assert not np.array_equal(bent, cell)
        assert 0.7 < bent.sum() / cell.sum() < 1.4
        assert not bent[~near].any()


def test_a_bar_crosses_the_stem(glyphs: Glyphs, rng: Random) -> None:
    """A 7 with a bar has ink to the left and the right of its stem, near its middle."""
    seven = np.zeros((28, 28), np.uint8)
    cv2.polylines(seven, [np.array([[7, 5], [20, 5], [13, 23]])], False, 255, 2, cv2.LINE_AA)
    cell = np.zeros((CELL, CELL), np.uint8)
    draw_form(cell, seven, rng, "bar", 7, 2.0)
    added = (cell > 150) & (np.pad(seven, 6) < 50)
    rows, columns = np.nonzero(added)
    assert 12 < rows.mean() - 6 < 18
    assert columns.min() - 6 < 13 < 20 < columns.max() - 6 + 2


def test_loops_are_chosen(hands: Digits) -> None:
    """An open 4 is asked for and given; what nobody wrote is waived."""
    images = hands.images.copy()
    fours = np.flatnonzero(hands.labels == 4)
    images[fours] = 0
    for index in fours:
        cv2.rectangle(images[index], (9, 5), (17, 14), 255, 2)
    for index in fours[::2]:
        images[index, :11, 10:17] = 0
    glyphs = prepare_glyphs(Digits(images, hands.labels, writers=hands.writers))
    rng = Random(np.random.default_rng(1))
    for wanted in (True, False):
        result = [glyphs.choose(rng, 4, glyphs.writers[1], loop=wanted) for _ in range(20)]
        assert {bool(glyphs.loops[index]) for index in result} == {wanted}
        assert {int(hands.writers[index]) for index in result} == {1}
    assert hands.labels[glyphs.choose(rng, 2, glyphs.writers[0], loop=True)] == 2


def test_strokes_are_as_wide_as_the_pen(glyphs: Glyphs) -> None:
    """A broad pen writes broader strokes than a fine one, with the same glyphs."""
    widths = {}
    for pen in (1.4, 3.8):
        style = replace(STYLES["clean"], pen=(pen, pen), height=(20.0, 20.0))
        result = []
        for seed in range(10):
            rng = Random(np.random.default_rng(seed))
            hand = sample_writer(glyphs, rng, style, "23567")
            line = compose_line(glyphs, rng, "23567", hand, style)
            result.append(stroke_width(line.ink.astype(np.float32)))
        widths[pen] = float(np.mean(result))
    assert widths[3.8] > widths[1.4] + 0.8


def test_a_stroke_has_the_width_that_was_asked(rng: Random) -> None:
    """Strokes grow with the width, whole numbers or not, and stay inside the picture."""
    widths = []
    for asked in (1.0, 1.5, 2.0, 3.0, 4.5):
        ink = np.zeros((40, 60), np.uint8)
        draw_strokes(ink, [(-5.0, 20.3), (70.0, 20.3)], asked)
        widths.append(float(ink[:, 30].sum()) / 255)
        assert abs(widths[-1] - asked) < 0.5
    assert widths == sorted(widths)


@pytest.mark.parametrize("mark", sorted({mark for mark, _ in (*INSIDE, *TAILS, *LEADS)}))
def test_every_mark_can_be_written(rng: Random, mark: str) -> None:
    """Each mark leaves ink, at its place and about as wide as it says; a space leaves none."""
    ink = np.zeros((80, 200), np.uint8)
    draw_mark(ink, rng, mark, (40.0, 50.0), 24.0, 2.0, 0.0)
    if mark == " ":
        assert not ink.any()
        return
    columns = np.flatnonzero(ink.any(axis=0))
    assert 30 <= columns[0] <= 50
    assert columns[-1] <= 46 + 24 * 1.35 * mark_width(mark)


def test_marks_stand_where_thousands_or_hundredths_end() -> None:
    """Marks come before the last three digits, or the last two; never at an end."""
    rng = Random(np.random.default_rng(2))
    result = [split_number(rng, "1234567", 1.0) for _ in range(200)]
    assert {3, 0} in [set(places) for places in result]
    assert {4} in [set(places) for places in result]
    assert all(0 <= index < 6 for places in result for index in places)
    assert split_number(rng, "12", 1.0) == {}
    assert split_number(rng, "1234", 0.0) == {}


@pytest.mark.parametrize(
    "bank", [banks.papers, banks.guilloches, banks.noises, banks.lights, banks.fadings]
)
def test_textures_are_drawn_once(bank: Callable[[], list[np.ndarray]], rng: Random) -> None:
    """A bank gives the same sheets again; no two are alike; any size can be cut from them."""
    sheets = bank()
    assert bank() is sheets
    assert len({item.tobytes() for item in sheets}) == len(sheets)
    for shape in ((7, 9), (400, 1500)):
        assert crop_texture(rng, sheets, shape).shape == shape


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_every_negative_is_drawn(
    glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Each kind of picture without a number is drawn; bare paper and frames have no ink."""
    monkeypatch.setattr("digitlens.synth.distractors.KINDS", ((kind, 1.0),))
    style = replace(STYLES["training"], negatives=1.0, neighbours=0.0, fonts=())
    for seed in range(10):
        rng = Random(np.random.default_rng(seed))
        name, ink = draw_distractor(rng, style, sample_writer(glyphs, rng, style, ""))
        assert name == kind
        assert ink.any() == (kind not in ("frame", "cells", "paper"))
    assert {line.text for line in synthesize_chunk(glyphs, 0, style=style, size=10)} == {""}


def test_words_need_no_fonts() -> None:
    """Without a font there are words in stroke fonts; a font of the system adds some."""
    plain = printed_words(())
    assert len(plain) > 50
    assert all(
        word.dtype == np.uint8 and word.max() > 128 for word in [*plain, *script_words()]
    )
    fonts = find_fonts()
    assert list(fonts) == sorted(fonts, key=lambda path: Path(path).name)
    if fonts:
        assert len(printed_words(fonts[:1])) > len(plain)


def test_a_font_that_is_none_is_refused(in_tmp: Path) -> None:
    """A file that was given as a font and is none is wrong usage, and is named."""
    Path("mine.ttf").write_text("no font")
    with pytest.raises(UsageError, match=r"mine\.ttf"):
        printed_words(("mine.ttf",))


def test_the_camera_keeps_digits_large_enough(rng: Random) -> None:
    """Low resolution leaves at least 9 pixels of a digit, and says by how much it shrank."""
    style = replace(STYLES["clean"], low=1.0)
    for height in (10.0, 14.0, 30.0):
        page = np.full((int(1.5 * height), 90), 200, np.uint8)
        for _ in range(20):
            picture, scale = simulate_camera(rng, style, page, height, 150.0)
            assert scale * height >= 8.9
            assert abs(picture.shape[0] - scale * page.shape[0]) <= 0.51


def test_a_sheet_shows_every_line(glyphs: Glyphs) -> None:
    """A sheet has its width, the pictures at their own size, and PNG bytes."""
    lines = synthesize_chunk(glyphs, 0, style="clean", size=9)
    shown = sample_sheet(lines, width=500)
    assert shown.shape[1:] == (500, 3)
    rows, columns = lines[0].image.shape
    assert np.array_equal(shown[8 : 8 + rows, 8 : 8 + columns, 1], lines[0].image)
    boxed = sample_sheet(lines, width=500, boxes=True)
    assert boxed.shape == shown.shape
    assert not np.array_equal(boxed, shown)
    assert sample_sheet(lines, width=500, captions=False).shape[0] < shown.shape[0]
    assert sheet_png(lines)[:4] == b"\x89PNG"


def test_a_wide_picture_is_cut_and_no_picture_is_no_trouble() -> None:
    """A picture wider than the sheet is cut; a sheet of nothing is a strip of paper."""
    width = LineSample(np.zeros((20, 900), np.uint8), "1", np.zeros((1, 4), np.float32))
    assert sample_sheet([width], width=300).shape[1] == 300
    assert sample_sheet([], width=300).min() == 255


def test_a_stroke_between_slanted_zeros_goes_from_ink_to_ink(
    glyphs: Glyphs, rng: Random
) -> None:
    """One that ends beside the second makes a 5 or a 6 of it."""
    zeros = np.zeros((80, 160), np.uint8)
    for x in (45, 105):
        cv2.ellipse(zeros, (x, 40), (12, 30), 35, 0, 360, 255, 4)
    boxes = [(float(x - 22), 13.0, float(x + 22), 67.0) for x in (45, 105)]
    hand = replace(sample_writer(glyphs, rng, STYLES["clean"], "00"), height=54.0, pen=1.5)
    for _ in range(60):
        line = ComposedLine(zeros.copy(), list(boxes), 23.0, 127.0, 67.0, 0.0)
        _join(line, rng, hand)
        assert cv2.connectedComponents((line.ink > 90).astype(np.uint8))[0] == 2  # and paper
