"""Lines by whole hands: one writer's strokes, or one font, all along."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.errors import DataError, UsageError
from digitlens.synth import STYLES, Glyphs, prepare_glyphs, synthesize_chunk, synthesize_line
from digitlens.synth.face_hand import Bridge, FaceHand, face_digit
from digitlens.synth.hands import Hands, group_strokes, normalize_height
from digitlens.synth.pen_hand import LOOPS, RARE, _cut_end, _habit, sample_pen_hand
from digitlens.synth.random import Random
from digitlens.synth.strokes import skeletons

PEN = replace(STYLES["clean"], hands=("pen",))


@pytest.fixture(scope="module")
def writers() -> list[Any]:
    """Return one writer, whose digits are straight strokes through a skeleton's corners."""
    strokes, labels = [], []
    for label, forms in skeletons().items():
        for form in forms[:2]:
            ways = [np.array(way, np.float32) * 100 for kind, way in form if kind != "bar"]
            strokes.append(ways)
            labels.append(label)
    return group_strokes(strokes, labels, [3] * len(labels))


@pytest.fixture(scope="module")
def hands(writers: list[Any], make_digits: Any) -> Glyphs:
    """Return made-up glyphs and one writer's strokes."""
    return replace(prepare_glyphs(make_digits(100)), hands=Hands(writers))


def test_glyphs_alone_draw_no_further_numbers(hands: Glyphs, make_digits: Any) -> None:
    """A style that names no hands writes the lines that it wrote before there were any."""
    plain = prepare_glyphs(make_digits(100))
    pairs = zip(
        synthesize_chunk(plain, 1, size=6), synthesize_chunk(hands, 1, size=6), strict=True
    )
    assert all(np.array_equal(one.image, two.image) for one, two in pairs)


def test_strokes_write_the_same_line_again(hands: Glyphs) -> None:
    """The same seed and chunk give the same pixels, with a box around each digit's ink."""
    lines, again = (synthesize_chunk(hands, 2, style=PEN, size=8) for _ in range(2))
    for one, two in zip(lines, again, strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        assert one.boxes.shape == (len(one.text), 4)
        assert (one.boxes[:, 2] > one.boxes[:, 0]).all()
        # Digits stand in the order of the text.
        assert (np.diff(one.boxes[:, 0]) > 0).all()


def test_every_digit_and_every_rare_form_can_be_written(hands: Glyphs) -> None:
    """All forms of all digits leave ink; the table names each digit."""
    assert set(RARE) == set(range(10)) >= set(LOOPS)
    for seed in range(12):
        line = synthesize_line(hands, np.random.default_rng(seed), text="0123456789", style=PEN)
        assert line.text == "0123456789"
        for left, top, right, bottom in line.boxes.astype(int):
            patch = line.image[top:bottom, left:right]
            assert patch.min() < np.median(line.image) - 40


def test_a_hand_keeps_its_forms_along_a_line(writers: list[Any]) -> None:
    """One habit a digit, decided once for a line."""
    hand = sample_pen_hand(Random(np.random.default_rng(4)), writers[0], "1001")
    assert set(hand.habits) == {0, 1}


def test_a_nine_made_by_rule_keeps_its_head(writers: list[Any]) -> None:
    """Rare 9s have small heads; what shrinks a writer's own would leave them none."""
    rng = Random(np.random.default_rng(0))
    habits = [_habit(rng, 9, writers[0][9]) for _ in range(400)]
    assert max(habit.power for habit in habits if habit.skeleton) < 1.5
    assert max(habit.power for habit in habits if not habit.skeleton) > 1.7
    assert not any(habit.cut for habit in habits)


def test_a_stroke_is_cut_short_by_its_length() -> None:
    """A quick end has few points; by their number a whole tail would go."""
    slow, quick = np.linspace(0, 0.5, 40), np.linspace(0.55, 1.0, 5)
    stroke = np.stack([np.zeros(45), np.concatenate([slow, quick])], axis=1)
    kept = _cut_end(np.asarray(stroke, np.float32), 0.2)
    assert 0.6 < kept[-1, 1] <= 0.8


def test_joined_zeros_are_joined(hands: Glyphs, monkeypatch: pytest.MonkeyPatch) -> None:
    """With links everywhere there is more ink between zeros than without."""
    from digitlens.synth import hands as module

    def line(links: float) -> float:
        original = sample_pen_hand

        def sample(*given: Any) -> Any:
            return replace(original(*given), links=links, zero_links=links)

        monkeypatch.setattr(module, "sample_pen_hand", sample)
        image = synthesize_line(hands, np.random.default_rng(5), text="0000", style=PEN).image
        return float((image < 128).sum())

    assert line(1.0) > line(0.0)


def test_what_is_not_there_is_named(hands: Glyphs) -> None:
    """A kind that has no hand is an error that says what there is; an unknown kind too."""
    with pytest.raises(DataError, match="hands of the kind 'school'"):
        synthesize_line(hands, np.random.default_rng(0), style=replace(PEN, hands=("school",)))
    with pytest.raises(UsageError, match="hands must be kinds"):
        replace(PEN, hands=("quill",))
    with pytest.raises(UsageError, match="hands must be kinds"):
        replace(PEN, hands=())


def test_strokes_are_brought_to_one_height() -> None:
    """The highest point is 0 and the lowest 1, or the breadth is 1.4."""
    tall = normalize_height([np.array([[10, 20], [30, 120]], np.float32)])
    assert tall[0].tolist() == [[0, 0], [pytest.approx(0.2), 1]]
    broad = normalize_height([np.array([[0, 0], [140, 10]], np.float32)])
    assert float(broad[0][:, 0].max()) == pytest.approx(1.4)


def test_a_writer_without_all_ten_digits_is_no_hand() -> None:
    """A line may need any digit."""
    stroke = [np.array([[0, 0], [0, 9]], np.float32)]
    assert group_strokes([stroke] * 9, list(range(9)), [1] * 9) == []


@pytest.fixture(scope="module")
def face() -> Path:
    """Return the font that matplotlib brings along."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def test_print_stands_evenly(make_digits: Any, face: Path) -> None:
    """Equal digits of a printed line look alike, and stand equally far apart."""
    hands = Hands(faces={"printed": [[face]]})
    glyphs = replace(prepare_glyphs(make_digits(100)), hands=hands)
    style = replace(STYLES["clean"], hands=("printed",), slope=0.0)
    line = synthesize_line(glyphs, np.random.default_rng(3), text="888888", style=style)
    assert float(np.ptp(np.diff(line.boxes[:, 0]))) <= 1.5
    assert float(np.ptp(line.boxes[:, 3])) <= 1.0


def test_digits_that_reach_below_the_line_do_so(face: Path) -> None:
    """What a font says of base line and advance is kept."""
    ink, drop, _, advance = face_digit(face, 8)
    assert 80 < ink.shape[0] < 160
    assert -3 < drop < 8
    assert advance > ink.shape[1]
    hand = FaceHand(face, 0.0, 0.0, True, 1.0, 0.0)
    drawn = hand.draw(Random(np.random.default_rng(0)), 8, 30.0, np.eye(2), 3.0)
    assert drawn.advance == pytest.approx(advance * 30 / 120)


def test_lit_segments_stand_among_faint_ones(face: Path) -> None:
    """With a ghost, a 1 has as much paper inked as an 8, most of it faintly."""
    plain, ghost = (
        FaceHand(face, 0.0, value, True, 1.0, 0.0).draw(
            Random(np.random.default_rng(0)), 1, 30.0, np.eye(2), 3.0
        )
        for value in (0.0, 0.3)
    )
    assert (ghost.ink > 20).sum() > 1.3 * (plain.ink > 20).sum()


def test_digits_are_made_of_digits(make_digits: Any) -> None:
    """The glyphs of a style with hands stay usable as they were."""
    digits: Digits = make_digits(100)
    assert prepare_glyphs(digits).hands.has("glyphs")
    assert not prepare_glyphs(digits).hands.has("pen")


def test_a_stencil_is_cut_from_print(face: Path) -> None:
    """A bridge parts each digit that encloses paper, and others only where all are cut."""
    rng = Random(np.random.default_rng(0))
    plain = FaceHand(face, 0.0, 0.0, even=True, tracking=1.0, jitter=0.0)
    for everywhere in (False, True):
        cut = replace(plain, bridge=Bridge(0.1, 0.0, 0.0, everywhere))
        for label in range(10):
            drawn = [hand.draw(rng, label, 60.0, np.eye(2), 5.0).ink for hand in (plain, cut)]
            lost = (drawn[0] > 127).sum() - (drawn[1] > 127).sum()
            assert (lost > 0) == (label in (0, 4, 6, 8, 9) or (everywhere and label != 1))


@pytest.mark.parametrize("mark", ["slash", "dot"])
def test_a_marked_zero_has_ink_inside(face: Path, mark: str) -> None:
    """A slash or a dot adds ink to a 0, and to no other digit."""
    rng = Random(np.random.default_rng(0))
    plain = FaceHand(face, 0.0, 0.0, even=True, tracking=1.0, jitter=0.0)
    marked = replace(plain, zero_mark=mark)
    for label in (0, 8):
        inks = [hand.draw(rng, label, 60.0, np.eye(2), 5.0).ink for hand in (plain, marked)]
        middle = (slice(inks[0].shape[0] // 2 - 2, inks[0].shape[0] // 2 + 2),)
        assert (inks[1][middle].sum() > inks[0][middle].sum()) == (label == 0)
        assert (inks[1] >= inks[0]).all()
