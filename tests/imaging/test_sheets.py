"""Sheets in pictures: found wherever they lie, and nothing where the picture is the sheet."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitlens.imaging import frame_steps
from digitlens.imaging.quads import find_quads, remove_strokes
from digitlens.imaging.sheets import Sheet, draw_sheets, find_sheets

FLAT = np.array([[0, 0], [300, 0], [300, 200], [0, 200]], np.float64)


def sheet(paper: int = 220, ink: int = 40) -> np.ndarray:
    """Return a sheet of 300 x 200 pixels with a 4 on it."""
    picture = np.full((200, 300), paper, np.uint8)
    strokes = [np.array([[150, 50], [120, 110], [190, 115]]), np.array([[165, 70], [165, 150]])]
    cv2.polylines(picture, strokes, False, ink, 7, cv2.LINE_AA)
    return picture


def compose(
    picture: np.ndarray, corners: np.ndarray, ground: float, noise: float
) -> np.ndarray:
    """Return a scene of 600 x 500 pixels in which a picture has these corners."""
    rng = np.random.default_rng(1)
    scene = ground + noise * rng.standard_normal((500, 600))
    move = cv2.getPerspectiveTransform(FLAT.astype(np.float32), corners.astype(np.float32))
    inside = cv2.warpPerspective(np.ones((200, 300), np.float32), move, (600, 500))
    moved = cv2.warpPerspective(picture.astype(np.float32), move, (600, 500))
    scene = moved + (1 - inside) * scene
    return np.clip(scene, 0, 255).astype(np.uint8)


def turned(degrees: float) -> np.ndarray:
    """Return the corners of a sheet in the middle of a scene, turned."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((FLAT - (150, 100)) @ matrix + (300, 250), np.float64)


SCENES = {
    "dark desk": (turned(0), 40, 6),
    "gray desk": (turned(0), 130, 6),
    "white page": (turned(0), 255, 0),
    "turned": (turned(14), 60, 5),
    "perspective": (
        np.array([[120, 100], [450, 130], [420, 360], [150, 330]], np.float64),
        50,
        4,
    ),
    "three sides": (FLAT + np.array([150, 0]), 40, 5),
    "two sides": (1.5 * FLAT + np.array([150, 200]), 40, 5),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_sheet_is_found_on_any_ground(name: str) -> None:
    """Its corners are found to two pixels, turned, in perspective and cut off by the edge."""
    corners, ground, noise = SCENES[name]
    [item] = find_sheets(compose(sheet(), corners, ground, noise))
    assert np.abs(item.corners - corners).max() <= 4
    rows, columns = item.pixels.shape[:2]
    middle = item.map_box((columns / 2, rows / 2, columns / 2, rows / 2))[:2]
    assert np.abs(np.array(middle) - corners.mean(axis=0)).max() < 12


def test_a_picture_that_is_its_own_sheet_has_none() -> None:
    """Neither blank paper, nor a sheet that fills its picture, nor one in soft light."""
    shadow = sheet() * (1 - 0.5 / (1 + np.exp((150 - np.arange(300)) / 12)))
    for picture in (np.full((200, 300), 220, np.uint8), sheet(), shadow.astype(np.uint8)):
        assert find_sheets(picture) == []


def test_a_bar_or_a_frame_is_no_sheet() -> None:
    """What has nothing on it, and lines around the same paper."""
    picture = sheet()
    picture[40:80, 30:110] = 0
    cv2.rectangle(picture, (10, 20), (290, 180), 60, 4)
    assert find_sheets(picture) == []


def test_sheets_beside_each_other_are_all_found() -> None:
    """Two sheets on one desk, one of them dark, are two, from top to bottom."""
    rng = np.random.default_rng(2)
    scene = np.clip(110 + 4 * rng.standard_normal((500, 400)), 0, 255).astype(np.uint8)
    scene[20:220, 50:350], scene[270:470, 50:350] = sheet(), sheet(20, 240)
    one, two = find_sheets(scene)
    assert one.pixels.mean() > 150 > 60 > two.pixels.mean()


def test_a_dark_block_in_a_written_page_is_apart_from_it() -> None:
    """The block is a sheet, and the page around it another one, where it is painted over."""
    page = np.full((500, 600), 245, np.uint8)
    page[40:240, 40:340] = sheet(245, 20)
    page[270:470, 200:500] = sheet(30, 250)
    block, ground = find_sheets(page)
    assert block.pixels.mean() < 60 and not block.is_ground
    assert ground.is_ground and ground.pixels[270:470, 200:500].mean() > 235
    assert draw_sheets(page, [block, ground]).shape == (500, 600, 3)


def test_a_strip_far_from_the_edges_is_a_sheet() -> None:
    """A row of boxes that was cut out is a sheet, though it is slim beside its desk."""
    strip = np.full((110, 1000), 245, np.uint8)
    for left in range(20, 960, 96):
        cv2.rectangle(strip, (left, 15), (left + 96, 95), 30, 3)
    scene = np.full((710, 1600), 50, np.uint8)
    scene[300:410, 300:1300] = strip
    [item] = find_sheets(scene)
    assert np.abs(item.corners - [[300, 300], [1300, 300], [1300, 410], [300, 410]]).max() <= 6


def test_what_lies_on_a_large_sheet_is_left_where_it_is() -> None:
    """On a sheet of more than a share of its picture none is looked for, if that is said."""
    page = np.full((520, 620), 245, np.uint8)
    page[100:420, 100:520] = compose(sheet(), turned(0), 60, 3)[90:410, 90:510]
    scene = cv2.copyMakeBorder(page, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=15)
    [inner], [outer] = find_sheets(scene), find_sheets(scene, 0.85)
    assert inner.area < 0.3 * scene.size < 0.85 * scene.size < outer.area
    assert find_sheets(scene, 0.99)[0].area == inner.area


def test_what_is_smaller_than_is_said_is_no_sheet() -> None:
    """A stamp of a twentieth of its picture is a sheet only where nobody says otherwise."""
    scene = np.full((400, 600), 240, np.uint8)
    scene[30:130, 480:570] = 90
    scene[60:100, 500:506] = 250
    scene[200:230, 100:106] = 20
    assert [item.is_ground for item in find_sheets(scene)] == [False, True]
    assert find_sheets(scene, min_share=0.05) == []


def test_boxes_go_to_the_picture_and_back() -> None:
    """A box of the sheet is where it was once it went to the picture and back."""
    item = Sheet(sheet(), FLAT + 10, np.array([[1, 0, 10], [0, 1, 10], [0, 0, 1.0]]))
    assert item.map_box((1, 2, 3, 4)) == (11, 12, 13, 14)
    assert item.locate_box((11, 12, 13, 14)) == (1, 2, 3, 4)


def test_a_digit_on_a_sheet_on_a_desk_is_framed_as_without_it() -> None:
    """The desk changes nothing, the box is that in the picture, and a step shows the sheet."""
    alone = frame_steps(sheet())
    framing = frame_steps(compose(sheet(), turned(0), 40, 6))
    difference = framing.digit.astype(int) - alone.digit.astype(int)
    assert np.abs(difference).mean() < 4
    x0, y0, _, _ = alone.box
    assert np.abs(np.array(framing.box[:2]) - (x0 + 150, y0 + 150)).max() <= 3
    assert [step.name for step in framing.steps[:2]] == ["opened", "sheet"]


@pytest.mark.parametrize("width", [2, 3, 4, 5, 6])
def test_a_bar_on_a_small_picture_is_no_sheet(width: int) -> None:
    """A stroke of a few pixels with straight sides is framed as a digit, whole."""
    picture = np.full((40, 40), 255, np.uint8)
    picture[10:30, 18 : 18 + width] = 0
    assert frame_steps(picture).box == (18, 10, 18 + width, 30)


def strip(height: int = 60, width: int = 300) -> np.ndarray:
    """Draw a white strip filled with bold black bars, as bold print fills it."""
    picture = np.full((height, width), 255, np.uint8)
    for left in range(16, width - 24, 28):
        picture[height // 5 : -(height // 5), left : left + 18] = 0
    return picture


def test_a_strip_of_bold_print_is_a_sheet() -> None:
    """Ink may cover nearly half of what is cut out closely."""
    picture = np.full((150, 390), 45, np.uint8)
    picture[45:105, 45:345] = strip()
    [sheet] = find_sheets(picture)
    assert np.abs(sheet.corners - [[45, 45], [345, 45], [345, 105], [45, 105]]).max() < 3


@pytest.mark.parametrize("thickness", [2, 3])
@pytest.mark.parametrize("inset", [2, 3, 4, 5, 6])
def test_a_frame_near_the_edge_does_not_hide_the_sheet(inset: int, thickness: int) -> None:
    """Whether the edge is found or the frame: the number lies on what was cut out."""
    scene = 60 + 4 * np.random.default_rng(0).standard_normal((76, 216))
    picture = scene.clip(0, 255).astype(np.uint8)
    picture[15:61, 15:201] = 250
    cv2.rectangle(picture, (15 + inset, 15 + inset), (200 - inset, 60 - inset), 20, thickness)
    cv2.putText(picture, "2078", (60, 46), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 10, 2)
    outer = np.array([[15, 15], [201, 15], [201, 61], [15, 61]])
    assert min(np.abs(sheet.corners - outer).max() for sheet in find_sheets(picture)) < 13


def test_a_frame_on_paper_is_no_sheet() -> None:
    """What has the same paper inside as outside is a box for digits."""
    picture = np.full((200, 500), 250, np.uint8)
    for left in range(60, 400, 70):
        cv2.rectangle(picture, (left, 60), (left + 60, 130), 150, 6)
        cv2.putText(picture, "5", (left + 16, 112), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 10, 4)
    assert find_sheets(picture) == []


def test_a_small_sheet_is_not_joined_with_the_desk_above_it() -> None:
    """A digit on a small sheet: what ends where the sheet does is no larger sheet."""
    scene = np.random.default_rng(3).normal(60, 6, (33, 33)).clip(0, 255).astype(np.uint8)
    scene[4:29, 4:29] = 255
    cv2.line(scene, (16, 9), (16, 23), 20, 2)
    [sheet] = find_sheets(scene)
    assert np.abs(sheet.corners - [[4, 4], [29, 4], [29, 29], [4, 29]]).max() < 3


def test_no_quadrilateral_comes_twice() -> None:
    """What several thresholds show alike is measured once."""
    scene = compose(sheet(), turned(10), 60, 3)
    quads = [quad.tobytes() for quad in find_quads(remove_strokes(scene.astype(np.uint8)))]
    assert quads
    assert len(quads) == len({*quads})


def test_pale_ink_on_patterned_paper_makes_a_sheet() -> None:
    """Waves as of a cheque stand out as far as the ink does, but over less of it."""
    down, across = np.mgrid[0:200, 0:300].astype(np.float32)
    waves = 11 * np.sin(1.4 * down + 2 * np.sin(across / 40))
    bare = np.full((200, 300), 150, np.uint8)
    written = bare.copy()
    cv2.putText(written, "5012", (30, 130), cv2.FONT_HERSHEY_SIMPLEX, 3.0, 105, 4)
    for picture, count in ((bare, 0), (written, 1)):
        patterned = np.clip(picture + waves, 0, 255).astype(np.uint8)
        assert len(find_sheets(compose(patterned, turned(0), 60, 4))) == count


def test_a_dark_band_across_a_page_is_apart_from_it() -> None:
    """A band from edge to edge has two sides in the picture; a shaded row is none."""
    page = np.full((500, 600), 245, np.uint8)
    page[20:220, 40:340] = sheet(245, 20)
    for level, ink, count in ((225, 20, 0), (40, 250, 2)):
        page[300:370] = level
        cv2.putText(page, "4028", (200, 358), cv2.FONT_HERSHEY_SIMPLEX, 1.6, ink, 4)
        sheets = find_sheets(page)
        assert len(sheets) == count
    assert np.abs(sheets[1].corners[:, 1] - [300, 300, 370, 370]).max() <= 4


def test_bold_digits_among_others_are_no_sheet() -> None:
    """The small copy joins the digits of a line; paper between them gives them away."""
    page = np.full((350, 560), 235, np.uint8)
    cv2.putText(page, "17548", (60, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 40, 4)
    for left in range(300, 420, 17):
        page[180:240, left : left + 12] = 40
    assert find_sheets(page) == []


def test_a_fold_is_no_edge() -> None:
    """Paper that is a sixth darker beyond a fold is one sheet, digits across it one number."""
    page = np.full((400, 560), 245, np.uint8)
    cv2.putText(page, "65434", (120, 160), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 40, 5)
    cv2.putText(page, "785", (350, 300), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 40, 4)
    page[:, 220:] = (0.84 * page[:, 220:]).astype(np.uint8)
    assert find_sheets(page) == []
