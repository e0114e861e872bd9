"""All steps together: photos, drawings and stacks of digits into MNIST's frame."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import digitlens
from digitlens.digits import Digits
from digitlens.errors import NoInkError, SeveralDigitsError, ShapeError
from digitlens.imaging import frame_digit, frame_drawing, frame_stack, frame_steps, normalize
from digitlens.imaging.fit import stroke_width
from digitlens.imaging.normalize import (
    Framing,
    Step,
    _longer_side,
    _stroke_widths,
    is_framed,
    steps_png,
)

Write = Callable[..., np.ndarray]


def test_the_public_name_is_this_function() -> None:
    """digitlens.frame_digit is the one that is tested here."""
    assert digitlens.frame_digit is frame_digit


def test_every_step_is_told(write_digit: Write) -> None:
    """A framing holds the steps in order, each with words and a picture."""
    framing = frame_steps(write_digit())
    assert [step.name for step in framing.steps] == [
        "opened",
        "paper",
        "ink",
        "marks",
        "box",
        "digit",
    ]
    assert all(step.about and step.picture.dtype == np.uint8 for step in framing.steps)
    assert framing.steps[1].about.startswith("dark ink on light paper, even, grey 220 to 220")
    assert not framing.inverted
    assert not framing.unchanged
    assert np.array_equal(framing.steps[-1].picture, framing.digit)
    with pytest.raises(dataclasses.FrozenInstanceError):
        framing.inverted = True  # type: ignore[misc]


def test_a_sheet_without_ink_is_none(
    write_digit: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is written on what looked like a sheet, the whole picture is looked at."""
    picture = write_digit()
    plain = frame_steps(picture)
    blank = SimpleNamespace(pixels=np.full((80, 80), 250, np.uint8))
    monkeypatch.setattr(normalize, "find_digit_sheet", lambda _pixels: blank)
    framing = frame_steps(picture)
    assert framing.box == plain.box
    assert np.array_equal(framing.digit, plain.digit)


def test_the_digit_is_found_where_it_is(write_digit: Write) -> None:
    """The box is in pixels of the picture as it was given, however large that is."""
    page = np.full((1500, 2000), 225, np.uint8)
    page[1000:1120, 300:420] = write_digit(paper=225)
    x0, y0, x1, y1 = frame_steps(page).box
    assert x0 == pytest.approx(300 + 0.17 * 120, abs=6)
    assert y0 == pytest.approx(1000 + 0.1 * 120, abs=6)
    assert (x1 - x0, y1 - y0) == (pytest.approx(86, abs=8), pytest.approx(102, abs=8))


@pytest.mark.parametrize("direction", [0.0, 0.8, 1.6, 3.1, 4.7])
def test_a_digit_half_in_a_shadow_is_framed_as_in_even_light(
    write_digit: Write, direction: float
) -> None:
    """A shadow's edge is no ink, and what it leaves lit is no sheet."""
    picture = write_digit()
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    across = (x / width - 0.5) * np.cos(direction) + (y / height - 0.5) * np.sin(direction)
    light = 1 - 0.66 / (1 + np.exp(-25 * across))
    shaded = (picture * light.reshape(light.shape + (1,) * (picture.ndim - 2))).astype(np.uint8)
    even, framing = frame_steps(picture), frame_steps(shaded)
    assert "light" in [step.name for step in framing.steps]
    assert np.abs(framing.box - np.array(even.box)).max() <= 0.03 * max(height, width)
    assert np.abs(framing.digit.astype(int) - even.digit).mean() < 12


def test_a_tiny_digit_on_a_large_page_is_as_sharp(
    write_digit: Write, correlate: Callable[..., float]
) -> None:
    """A digit of 50 pixels on a page of 2,000 is cut out of the page as it was."""
    page = np.full((1500, 2000), 220, np.uint8)
    page[700:750, 900:950] = write_digit(size=50)
    assert correlate(frame_digit(page), frame_digit(write_digit(size=50))) > 0.97


@pytest.mark.parametrize("level", [0, 128, 255])
def test_bare_paper_raises(level: int) -> None:
    """Nothing written is an error of its own, and the command exits with 1."""
    with pytest.raises(NoInkError, match="must show a digit") as caught:
        frame_steps(np.full((60, 60), level, np.uint8), name="blank.png")
    assert str(caught.value).startswith("blank.png must show a digit\n  seen    bare paper")
    assert (caught.value.exit_code, caught.value.http_status) == (1, 422)


def test_noisy_bare_paper_raises() -> None:
    """The grain of a scan is no ink."""
    grain = np.random.default_rng(0).normal(200, 2, (200, 200)).astype(np.uint8)
    with pytest.raises(NoInkError):
        frame_digit(grain)


def test_a_framed_picture_comes_back_as_it_is(digits: Digits) -> None:
    """What framing gives is in MNIST's frame, and framing it again changes no pixel."""
    framed = frame_stack(digits.images).images
    assert is_framed(framed).mean() > 0.95
    again = frame_stack(framed).images
    assert (again == framed).all(axis=(1, 2)).mean() > 0.95
    ready = framed[is_framed(framed)][0]
    assert frame_steps(ready).unchanged
    assert np.array_equal(frame_digit(ready), ready)


def test_a_stack_is_framed_as_one_by_one(digits: Digits) -> None:
    """Each picture of a stack becomes what it becomes alone; bad ones are named by place."""
    images = digits.images[:12].copy()
    images[3] = 77
    images[5] = 255 - images[5]
    framed = frame_stack(images)
    assert list(framed.rejected) == [3]
    assert isinstance(framed.rejected[3], NoInkError)
    assert not framed.images[3].any()
    for index in (0, 5, 11):
        assert np.array_equal(framed.images[index], frame_digit(images[index]))


def test_a_stack_of_none_is_fine() -> None:
    """No pictures give no digits, and another shape is refused."""
    assert frame_stack(np.zeros((0, 28, 28), np.uint8)).images.shape == (0, 28, 28)
    with pytest.raises(ShapeError):
        frame_stack(np.zeros((2, 16, 16), np.uint8))


def test_the_strip_shows_every_step(write_digit: Write) -> None:
    """The steps are laid side by side as one PNG."""
    framing = frame_steps(write_digit())
    with Image.open(io.BytesIO(steps_png(framing))) as strip:
        assert strip.format == "PNG"
        assert strip.width == 10 + len(framing.steps) * 210


def test_several_digits_name_the_file(write_digit: Write) -> None:
    """The error of several digits names the picture in the command that helps."""
    two = np.hstack([write_digit(5), write_digit(7)])
    two = np.pad(two, 20, constant_values=220)
    with pytest.raises(SeveralDigitsError, match=r"pair\.png must show one digit") as caught:
        frame_steps(two, name="pair.png")
    assert str(caught.value.try_).startswith("digitlens read pair.png")


@pytest.mark.skipif(not os.environ.get("DIGITLENS_DATA"), reason="DIGITLENS_DATA is not set")
def test_mnist_comes_back_unchanged() -> None:
    """More than 99.9 % of MNIST's digits come back byte for byte, and none is refused."""
    data = digitlens.load_digits("mnist")
    images = np.concatenate([data.train.images, data.validation.images, data.test.images])
    assert is_framed(images).mean() > 0.999
    framed = frame_stack(images)
    assert framed.rejected == {}
    same = (framed.images == images).all(axis=(1, 2))
    assert (len(images), int((~same).sum())) == (70_000, 57)


def strokes(*parts: tuple[int, int, int, int], side: int = 140) -> np.ndarray:
    """Return a drawing with black boxes: top, bottom, left, right."""
    drawing = np.full((side, side), 255, np.uint8)
    for top, bottom, left, right in parts:
        drawing[top:bottom, left:right] = 0
    return drawing


SEVEN = strokes((30, 42, 40, 100), (42, 110, 80, 92))


def test_a_drawing_of_one_mark_is_framed_as_any_picture() -> None:
    """Where nothing has to be guessed the digit is the one that `frame_steps` finds."""
    drawn, result = frame_drawing(SEVEN), frame_steps(SEVEN)
    assert np.array_equal(drawn.digit, result.digit)
    assert drawn.box == result.box
    assert [step.name for step in drawn.steps] == [step.name for step in result.steps]
    assert not drawn.inverted
    assert drawn.digit_count == 1


def test_marks_far_apart_stay_together() -> None:
    """A bar that touches nothing belongs to the digit, however small it is."""
    drawing = strokes((60, 120, 60, 70), (10, 16, 100, 106))
    framing = frame_drawing(drawing)
    assert framing.box == (60, 10, 106, 120)
    assert framing.digit[:6].any()


def test_two_digits_are_counted_and_framed_as_one() -> None:
    """Marks as high as each other, far to the side, look like two digits, and are counted."""
    assert frame_drawing(strokes((40, 100, 15, 25), (40, 100, 110, 120))).digit_count == 2


def test_a_sheet_full_of_ink_is_ink() -> None:
    """The paper is known to be white, so that a black sheet is a square of ink."""
    digit = frame_drawing(np.zeros((140, 140), np.uint8)).digit
    assert digit[8:20, 8:20].min() == 255
    assert not digit[:4].any()


def test_bare_paper_is_no_digit() -> None:
    """White, or white with a grey that nobody sees, holds nothing."""
    for level in (255, 250):
        with pytest.raises(NoInkError, match="blank must show a digit"):
            frame_drawing(np.full((60, 60), level, np.uint8), name="blank")


def test_a_large_drawing_is_made_smaller() -> None:
    """Its box is still in pixels of the drawing, its digit that of a small one."""
    large = np.kron(SEVEN, np.ones((10, 10), np.uint8))
    framing = frame_drawing(large)
    small = frame_drawing(SEVEN)
    assert framing.steps[0].picture.shape == (640, 640)
    assert np.abs(np.subtract(framing.box, 10 * np.array(small.box))).max() <= 10
    assert np.abs(framing.digit.astype(int) - small.digit).mean() < 3


def stroke(
    height: int, width: int, box: tuple[int, int, int, int], depth: int = 0
) -> np.ndarray:
    """Return light paper, (H, W) or with `depth` (H, W, 3), with a dark stroke in a box."""
    page = np.full((height, width, depth)[: 3 if depth else 2], 225, np.uint8)
    x0, y0, x1, y1 = box
    page[y0:y1, x0:x1] = 30
    return page


@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize("size", [(1500, 2000), (2000, 1500), (1601, 1600)])
def test_a_box_is_scaled_back(size: tuple[int, int], depth: int) -> None:
    """Found in a smaller copy, told in the pixels of the picture, whatever its shape."""
    box = (800, 400, 870, 900)
    framing = frame_steps(stroke(*size, box, depth))
    assert framing.box == pytest.approx(box, abs=4)
    (about,) = (step.about for step in framing.steps if step.name == "marks")
    width, height = map(
        int, about.removeprefix("1 of 1 marks, ").split(" pixels")[0].split(" x ")
    )
    assert (width, height) == pytest.approx((70, 500), abs=6)


@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize(
    "box", [(300, 1000, 312, 1050), (4, 3, 16, 53), (1980, 1440, 1992, 1490)]
)
def test_a_close_up_is_told_in_the_pictures_pixels(
    box: tuple[int, int, int, int], depth: int
) -> None:
    """A tiny digit is cut out of the picture, and lies where it lay, at the edges too."""
    assert frame_steps(stroke(1500, 2000, box, depth)).box == pytest.approx(box, abs=1)


def test_what_is_framed_says_so(digits: Digits) -> None:
    """Of a picture in MNIST's frame the whole is the box, and its ink is light."""
    ready = frame_stack(digits.images).images
    framing = frame_steps(ready[is_framed(ready)][0])
    assert framing.box == (0, 0, 28, 28)
    assert framing.inverted
    assert [step.name for step in framing.steps] == ["opened", "digit"]
    assert framing.steps[1].about == "in MNIST's frame already, left as it is"


def bar(rows: tuple[int, int], columns: tuple[int, int], ink: int = 255) -> np.ndarray:
    """Return uint8 (28, 28) with a full bar."""
    image = np.zeros((28, 28), np.uint8)
    image[slice(*rows), slice(*columns)] = ink
    return image


CHECKED = bar((4, 24), (4, 24)) * (np.indices((28, 28)).sum(axis=0) % 2).astype(np.uint8)
BARS = {
    "a bar": (bar((4, 24), (12, 16)), True),
    "lying": (bar((12, 16), (4, 24)), True),
    "not quite in the middle": (bar((4, 24), (13, 16)), True),
    "gray": (bar((4, 24), (12, 16), 249), False),
    "nearly full ink": (bar((4, 24), (12, 16), 250), True),
    "too high": (bar((3, 24), (12, 16)), False),
    "too low": (bar((5, 24), (12, 16)), False),
    "to the side": (bar((4, 24), (14, 18)), False),
    "further down": (bar((6, 26), (12, 16)), False),
    "a hairline": (bar((4, 24), (13, 14)), False),
    "little paper": (bar((4, 24), (5, 24)), True),
    "no paper": (bar((4, 24), (4, 24)), False),
    "nothing": (bar((0, 0), (0, 0)), False),
    "no paper, and no stroke": (bar((4, 24), (4, 24), 1) | CHECKED, False),
}


def test_a_frame_is_known_by_size_place_ink_and_strokes() -> None:
    """Twenty pixels, in the middle, full ink, half of it paper, strokes of a pen."""
    images = np.stack([image for image, _ in BARS.values()])
    wanted = [framed for _, framed in BARS.values()]
    assert is_framed(images).tolist() == wanted
    # In as many chunks as there are.
    many = np.concatenate([images] * 45)
    assert is_framed(many).tolist() == wanted * 45
    assert is_framed(images[:0]).shape == (0,)


def test_a_faint_drawing_is_a_drawing() -> None:
    """From twelve gray values on there is ink, and it becomes full ink."""
    drawing = np.full((60, 60), 255, np.uint8)
    drawing[10:50, 28:34] = 243
    framing = frame_drawing(drawing)
    assert framing.box == (28, 10, 34, 50)
    assert not framing.inverted
    assert not framing.unchanged
    assert framing.digit.max() >= 250
    assert [step.about for step in framing.steps[1:4]] == [
        "white, as it was drawn on",
        "full ink is 12 from the paper",
        "all of the drawing, 6 x 40 pixels",
    ]
    drawing[drawing == 243] = 244
    with pytest.raises(NoInkError):
        frame_drawing(drawing)


@pytest.mark.parametrize("shape", [(1600, 1600), (1600, 800), (800, 1600, 3)])
def test_a_large_drawing_has_its_box_in_its_own_pixels(shape: tuple[int, ...]) -> None:
    """It is framed in a smaller copy."""
    drawing = np.full(shape, 255, np.uint8)
    drawing[100:700, 300:360] = 0
    assert frame_drawing(drawing).box == pytest.approx((300, 100, 360, 700), abs=4)


def test_a_strip_has_a_panel_for_each_step() -> None:
    """Panels keep the shape of their pictures and have a frame; names stand below."""
    page = stroke(100, 200, (90, 20, 98, 80))
    framing = frame_steps(page)
    with Image.open(io.BytesIO(steps_png(framing))) as strip:
        pixels = np.asarray(strip.convert("RGB"))
    assert pixels.shape == (298, 10 + 210 * len(framing.steps), 3)
    # The page is 200 x 100 pixels there, from (10, 10) on, in a thin frame.
    assert pixels[10:110, 10:210].mean(axis=2)[50, 5] == 225
    for corner in ((9, 9), (9, 210), (110, 9), (110, 210)):
        assert pixels[corner].tolist() == [110, 110, 110]
    assert (pixels[214:234, 10:60] < 60).any(), "its name"
    assert (pixels[234:250, 10:200].min(axis=2) < 130).any(), "what was done"


def test_what_was_done_stands_below_the_panel() -> None:
    """In small faint letters, and a picture of a single row has a panel of one."""
    digit = np.zeros((28, 28), np.uint8)
    step = Step("opened", "words", np.zeros((1, 640), np.uint8))
    framing = Framing(digit, (step,), (0, 0, 1, 1), inverted=False, unchanged=False)
    with Image.open(io.BytesIO(steps_png(framing))) as strip:
        pixels = np.asarray(strip.convert("RGB"))
    assert (pixels[10, 10:210] == 0).all()
    assert (pixels[11, 10:210] == 110).all(), "its frame"
    wanted = Image.new("RGB", (pixels.shape[1], pixels.shape[0]), "white")
    font = ImageFont.load_default(11)
    ImageDraw.Draw(wanted).multiline_text((10, 234), "words", fill=(110, 110, 110), font=font)
    assert np.array_equal(pixels[234:], np.asarray(wanted)[234:])


def test_the_longer_side_and_the_strokes() -> None:
    """Of a box that begins anywhere; of all digits of a stack as of one."""
    assert _longer_side((5, 0, 12, 3)) == 7
    assert _longer_side((0, 5, 3, 12)) == 7
    images = np.stack([bar((4, 24), (12, 16)), CHECKED, bar((12, 16), (4, 24), 90)])
    widths = _stroke_widths(images, images.sum(axis=(1, 2), dtype=np.int32))
    assert widths == pytest.approx([stroke_width(image) for image in images], rel=1e-4)
