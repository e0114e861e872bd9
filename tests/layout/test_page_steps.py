"""The steps of a layout, one by one."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlens.layout import find_lines
from digitlens.layout.analysis import prepare_image, rotate_image
from digitlens.layout.boxes import are_filled, find_box_rows, find_boxes, find_lone_boxes
from digitlens.layout.color import drop_colored_print
from digitlens.layout.detect import reading_order
from digitlens.layout.grids import find_lattices
from digitlens.layout.illumination import estimate_background, extract_ink, threshold, upscale
from digitlens.layout.morphology import label_components, open_mask
from digitlens.layout.rules import remove_rules


def sudoku(
    size: int = 50, *, tilt: float = 0.0
) -> tuple[np.ndarray, dict[tuple[int, int], str]]:
    """Draw a sudoku with digits in a third of its cells: uint8 (H, W), and what is in it."""
    page = np.full((9 * size + 80, 9 * size + 80), 230, np.uint8)
    given = {(index // 9, index % 9): str(1 + index % 9) for index in range(0, 81, 3)}
    for index in range(10):
        thick = 3 if index % 3 == 0 else 1
        cv2.line(page, (40, 40 + index * size), (40 + 9 * size, 40 + index * size), 60, thick)
        cv2.line(page, (40 + index * size, 40), (40 + index * size, 40 + 9 * size), 60, thick)
    for (row, column), digit in given.items():
        spot = 40 + column * size + size // 3, 40 + row * size + 2 * size // 3
        cv2.putText(page, digit, spot, cv2.FONT_HERSHEY_SIMPLEX, size / 50, 20, 2, cv2.LINE_AA)
    if tilt:
        middle = page.shape[1] / 2, page.shape[0] / 2
        turn = cv2.getRotationMatrix2D(middle, tilt, 0.95)
        page = cv2.warpAffine(page, turn, page.shape[::-1], borderValue=230)
    return page, given


@pytest.mark.parametrize("tilt", [0.0, 2.0, -3.0])
def test_each_cell_of_a_sudoku_is_cut_out(tilt: float) -> None:
    """A printed table is found with its rows and columns; empty cells have no crop."""
    page, given = sudoku(tilt=tilt)
    layout = find_lines(page)
    assert [(grid.rows, grid.columns) for grid in layout.grids] == [(9, 9)]
    cells = layout.grids[0].cells
    assert [(cell.row, cell.column) for cell in cells] == [
        (row, column) for row in range(9) for column in range(9)
    ]
    filled = {(cell.row, cell.column) for cell in cells if cell.crop is not None}
    assert filled == set(given)
    assert layout.crops == ()
    turned_over = layout.grids[0].upside_down().cells
    assert (turned_over[-1].crop is None) == (cells[0].crop is None)
    assert np.allclose(turned_over[-1].corners, np.roll(cells[0].corners, 2, axis=0))


def test_thin_lines_too_faint_to_be_marks_part_the_blocks_of_a_sudoku() -> None:
    """Where only the bold lines are seen, cells are found by the faint lines between them."""
    page, given = sudoku()
    bold = np.full_like(page, 230)
    for index in range(0, 10, 3):
        cv2.line(bold, (40, 40 + index * 50), (490, 40 + index * 50), 60, 3)
        cv2.line(bold, (40 + index * 50, 40), (40 + index * 50, 490), 60, 3)
    thin = (page == 60) & (bold == 230)
    faint, without = page.copy(), page.copy()
    faint[thin], without[thin] = 212, 230
    grid = find_lines(faint).grids[0]
    assert (grid.rows, grid.columns) == (9, 9)
    assert {(cell.row, cell.column) for cell in grid.cells if cell.crop} == set(given)
    assert [(item.rows, item.columns) for item in find_lines(without).grids] == [(3, 3)]


def test_cells_lie_where_they_are_in_the_picture() -> None:
    """A cell's corners are those of its paper."""
    page, _ = sudoku()
    cell = find_lines(page).grids[0].cells[10]
    assert np.abs(cell.corners - [[90, 90], [140, 90], [140, 140], [90, 140]]).max() < 4


def test_a_corner_of_broken_rules_is_no_part_of_a_digit() -> None:
    """What runs along a cell's sides is its frame, however little of it is left."""
    page, given = sudoku()
    whole = {(cell.row, cell.column): cell for cell in find_lines(page).grids[0].cells}
    for row, column in given:
        x, y = 40 + 50 * column, 40 + 50 * row
        corner = np.array([(x + 5, y + 38), (x + 5, y + 5), (x + 22, y + 5)], np.int32)
        cv2.polylines(page, [corner], isClosed=False, color=60, thickness=1)
    for cell in find_lines(page).grids[0].cells:
        if (cell.row, cell.column) in given:
            assert cell.crop is not None
            before = whole[cell.row, cell.column].crop
            assert cell.crop.height == before.height
            assert np.allclose(cell.crop.box, before.box, atol=1)


def test_a_page_of_text_is_no_table(write: Callable[..., np.ndarray]) -> None:
    """Rounded letters, whose insides are closed paper too, make no cells and no table."""
    cells = find_boxes((write("008069 BO O") < 128).astype(np.uint8))
    assert find_lattices(cells) == []
    assert find_lines(write("008069 BO O")).grids == ()


def test_a_stroke_near_its_frame_parts_no_box() -> None:
    """Gaps in lines are closed on a large page, but not those between a 1 and its box."""
    page = np.zeros((640, 1600), np.uint8)
    for index in range(8):
        left = 300 + 76 * index
        cv2.rectangle(page, (left, 300), (left + 76, 376), 1, 3)
        cv2.line(page, (left + 38, 317), (left + 38, 359), 1, 5)
    cells = find_boxes(page)
    assert sorted(round(float(width) / 74) for width in cells.rects[:, 2]) == [1] * 8


def test_what_a_nine_encloses_is_no_box() -> None:
    """A box that stands alone is as high as the writing; the square head of a 9 is not."""
    page = np.zeros((300, 500), np.uint8)
    for left in (60, 160):
        cv2.rectangle(page, (left, 100), (left + 28, 128), 1, 6)
        cv2.line(page, (left + 28, 100), (left + 28, 170), 1, 6)
        cv2.line(page, (left + 18, 112), (left + 28, 112), 1, 4)
    head = find_boxes(page)
    assert len(head) == 2
    assert find_lone_boxes(head, page, {0, 1}) == []
    cv2.rectangle(page, (300, 70), (400, 190), 1, 4)
    cv2.line(page, (350, 95), (350, 165), 1, 6)
    boxes = find_boxes(page)
    lone = find_lone_boxes(boxes, page, set(range(len(boxes))))
    assert [round(float(boxes.rects[index, 2]) / 50) for index in lone] == [2]


def test_boxes_in_a_row_are_chained() -> None:
    """Boxes of one size side by side are a row; one of another size is not in it."""
    page = np.zeros((200, 500), np.uint8)
    for left in (20, 80, 140, 200):
        cv2.rectangle(page, (left, 40), (left + 50, 110), 1, 2)
    cv2.rectangle(page, (300, 20), (480, 180), 1, 2)
    cv2.circle(page, (45, 75), 12, 1, 3)
    cells = find_boxes(page)
    rows = find_box_rows(cells)
    assert len(cells) == 5
    assert [len(row) for row in rows] == [4]
    assert cells.rects[rows[0], 0].tolist() == pytest.approx([45.5, 105.5, 165.5, 225.5], abs=1)
    assert [bool(are_filled(cells, page)[index]) for index in rows[0]] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("width", "mark", "is_filled"),
    [
        (20, (16, 7), False),  # a dot in the middle of a zero
        (20, (8, 22), True),  # a digit in a narrow box
        (34, (16, 7), True),  # a dot in a square box: a cell of a form
        (20, (0, 0), False),
    ],
)
def test_a_zero_with_a_dot_is_no_box(
    width: int, mark: tuple[int, int], is_filled: bool
) -> None:
    """Its ring was taken for a frame and its dot for a point: 0142 was read 142, surely."""
    page = np.zeros((60, 60), np.uint8)
    cv2.rectangle(page, (10, 10), (10 + width, 46), 1, 2)
    top, rows = mark
    left = 10 + width // 2 - 3
    page[10 + top : 10 + top + rows, left : left + 7 if rows else left] = 1
    (box,) = are_filled(find_boxes(page), page)
    assert bool(box) is is_filled


def test_a_rule_goes_and_strokes_that_cross_it_stay() -> None:
    """A long thin line is taken out; a stroke across it keeps its pixels; short bars stay."""
    page = np.zeros((300, 800), np.uint8)
    page[150:153] = 1
    for left in range(100, 650, 90):
        page[100:190, left : left + 8] = 1
        page[100:108, left : left + 50] = 1
    page[20:110, 740:748] = 1
    ruled = remove_rules(page)
    assert ruled.height == pytest.approx(90, abs=4)
    assert ruled.mask[151, :90].sum() == 0
    assert ruled.mask[100:190, 100:108].all()
    assert ruled.mask[100:108, 100:150].all()
    assert np.array_equal(ruled.mask | ruled.lines, page)


@pytest.mark.parametrize(
    ("boxes", "pen", "channel"),
    [
        ((240, 130, 40), (30, 40, 140), 0),
        ((220, 60, 60), (20, 20, 20), 0),
        ((150, 190, 250), (20, 20, 20), 2),
        (None, (30, 40, 140), None),
        (None, (200, 40, 40), None),
        ((60, 60, 60), (30, 40, 140), None),
    ],
)
def test_only_coloured_boxes_are_dropped(
    boxes: tuple[int, int, int] | None, pen: tuple[int, int, int], channel: int | None
) -> None:
    """The channel is that in which boxes vanish; coloured ink alone drops nothing."""
    page = np.full((300, 700, 3), 250, np.uint8)
    for index, digit in enumerate("38254"):
        spot = 62 + 110 * index, 180
        cv2.putText(page, digit, spot, cv2.FONT_HERSHEY_SIMPLEX, 2.5, pen, 5, cv2.LINE_AA)
        if boxes is not None:
            left = 50 + 110 * index
            cv2.rectangle(page, (left, 100), (left + 75, 205), boxes, 3)
    dropped = drop_colored_print(page, inverted=False)
    assert dropped.channel == channel
    if channel is not None:
        assert dropped.mask is not None
        assert dropped.mask[150, 48:53].any()
        assert not dropped.mask[150, 80:90].any()


@pytest.mark.parametrize("pen", [(200, 30, 40), (150, 30, 40)])
@pytest.mark.parametrize("rule", [(235, 150, 150), (170, 190, 225)])
def test_what_is_written_in_red_is_not_dropped(
    pen: tuple[int, int, int], rule: tuple[int, int, int]
) -> None:
    """A red rule makes no print of the only writing, nor does ink that is half dropped."""
    page = np.full((300, 700, 3), 240, np.uint8)
    cv2.line(page, (60, 0), (60, 299), (235, 150, 150), 3)
    for top in (90, 180, 270):
        cv2.line(page, (0, top), (699, top), rule, 2)
    for text, spot in (("3764", (300, 85)), ("506882", (150, 175))):
        cv2.putText(page, text, spot, cv2.FONT_HERSHEY_SIMPLEX, 2.2, pen, 6, cv2.LINE_AA)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 1.0), np.uint8)
    assert drop_colored_print(page, inverted=False).channel != 0


def test_no_channel_is_taken_in_which_the_paper_is_dark() -> None:
    """Blue ink on yellow paper is hardly seen in the blue channel, but is no pale grid."""
    page = np.empty((300, 700, 3), np.uint8)
    page[:] = 245, 230, 110
    for left in range(40, 640, 100):
        cv2.rectangle(page, (left, 90), (left + 90, 210), (20, 25, 90), 3)
    cv2.putText(page, "560", (60, 180), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (20, 20, 20), 6)
    assert drop_colored_print(page, inverted=False).channel is None


def test_paper_is_followed_and_ink_is_even() -> None:
    """Under light that halves, one pen has the same ink everywhere, and paper has none."""
    page = np.full((300, 600), 220, np.float32)
    page[100:200, 50:60] = page[100:200, 540:550] = 60
    gray = (page * np.linspace(1, 0.5, 600)).astype(np.uint8)
    paper = estimate_background(gray)
    ink = extract_ink(gray, upscale(paper.small, gray.shape), inverted=paper.inverted)
    assert not paper.inverted
    assert abs(float(ink[150, 55]) - float(ink[150, 545])) < 20
    marked = threshold(ink, paper.noise)
    assert marked[100:200, 52:58].all()
    assert not marked[:, 100:500].any()


def test_faint_writing_beside_print_is_kept() -> None:
    """Pencil with a third of the print's ink is marked, and what is much paler is not."""
    ink = np.zeros((400, 600), np.uint8)
    ink[50:100, 50:60], ink[50:100, 300:310], ink[50:100, 500:510] = 210, 70, 15
    marked = threshold(ink, noise=1.0)
    assert marked[75, 55] == marked[75, 305] == 1
    assert marked[75, 505] == 0


def test_columns_are_read_one_after_the_other() -> None:
    """Three lines or more beside others are a column; two numbers to the right are not."""
    left = [[0.0, y, 100, y + 20] for y in (0, 40, 80)]
    right = [[200.0, y, 300, y + 20] for y in (0, 40, 80)]
    assert reading_order(np.array(left + right)) == [0, 1, 2, 3, 4, 5]
    assert reading_order(np.array(left[:2] + right[:2])) == [0, 2, 1, 3]
    assert reading_order(np.zeros((0, 4))) == []


@pytest.mark.parametrize("turn", [0.0, 90.0, 180.0, 270.0, 13.0, -20.0])
def test_a_turned_view_knows_where_its_pixels_were(turn: float) -> None:
    """A spot of a picture is found in the turned view where its map says."""
    picture = np.full((300, 500), 255, np.uint8)
    cv2.circle(picture, (400, 80), 6, 0, -1)
    view = rotate_image(prepare_image(picture), turn)
    rows, columns = np.nonzero(view.pixels < 100)
    x, y, _ = view.to_picture @ [columns.mean() + 0.5, rows.mean() + 0.5, 1]
    assert (x, y) == (pytest.approx(400.5, abs=0.6), pytest.approx(80.5, abs=0.6))
    assert view.rotation == turn % 360


def test_large_pictures_are_looked_at_smaller_and_small_ones_larger() -> None:
    """A view has at most 800,000 pixels, and 500 on its longer side at least."""
    large, small = (
        prepare_image(np.zeros((3000, 4000), np.uint8)),
        prepare_image(np.zeros((60, 130), np.uint8)),
    )
    assert large.pixels.size <= 800_000
    assert small.pixels.shape[1] == 500
    assert large.to_picture[0, 0] == pytest.approx(1 / large.scale, rel=1e-3)


@pytest.mark.parametrize("value", [1, 255])
def test_components_are_measured_as_opencv_does(value: int) -> None:
    """Labels, boxes and pixels are OpenCV's own, of any mask; also of one without any ink."""
    rng = np.random.default_rng(7)
    for share in (0.0, 0.03, 0.2, 0.5, 0.9, 1.0):
        height, width = rng.integers(1, 50, 2)
        mask = value * (rng.random((height, width)) < share).astype(np.uint8)
        labels, stats = label_components(mask)
        _, expected_labels, expected, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        assert len(stats) == len(expected)
        # The order of labels is the algorithm's: each of mine is one of OpenCV's.
        pairs = {*zip(labels.ravel().tolist(), expected_labels.ravel().tolist(), strict=True)}
        assert len(pairs) == len({one for one, _ in pairs}) == len({two for _, two in pairs})
        assert all((stats[one] == expected[two]).all() for one, two in pairs if one)
        assert stats[0].tolist() == [0, 0, width, height, int((mask == 0).sum())]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_opening_by_a_long_row_or_column_finds_every_piece_that_fits(share: float) -> None:
    """Looking first where a piece may fit misses none, at the edges neither: as OpenCV does."""
    rng = np.random.default_rng(7)
    count = 0
    for _ in range(300):
        height, width = rng.integers(20, 140, 2)
        mask = (rng.random((height, width)) < share).astype(np.uint8)
        for _ in range(8):
            x, y, end, across = rng.integers(-20, 140, 4).tolist()
            cv2.line(mask, (x, y), (end, y), 1)
            cv2.line(mask, (across, x), (across, end), 1)
        run = int(rng.integers(16, 60))
        for rows, columns in ((1, run), (run, 1)):
            kernel = np.ones((rows, columns), np.uint8)
            expected = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
            count += int(expected.any())
            assert (open_mask(mask, rows, columns) == expected).all()
    assert count > 100
