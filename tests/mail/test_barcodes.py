"""Barcodes: the published vectors, what damage does, and the sizes of bars."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import DataError, UsageError
from digitlens.mail.barcode_images import (
    IMB,
    POSTNET,
    lay_out,
    render_pixels,
    render_png,
    render_svg,
)
from digitlens.mail.barcodes import (
    ASCENDERS,
    BAR_LETTERS,
    CHARACTER_BITS,
    DESCENDERS,
    N_CHARACTERS,
    IntelligentMail,
    decode_imb,
    decode_postnet,
    encode_imb,
    encode_postnet,
    find_damage,
    flip_bars,
    imb_characters,
)

TRACKING = "01234567094987654321"

VECTORS = {
    "": "ATTFATTDTTADTAATTDTDTATTDAFDDFADFDFTFFFFFTATFAAAATDFFTDAADFTFDTDT",
    "01234": "DTTAFADDTTFTDTFTFDTDDADADAFADFATDDFTAAAFDTTADFAAATDFDTDFADDDTDFFT",
    "012345678": "ADFTTAFDTTTTFATTADTAAATFTFTATDAAAFDDADATATDTDTTDFDTDATADADTDFFTFA",
    "01234567891": "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA",
}
"""USPS-B-3200's examples: the tracking code above with each length of routing code."""


@pytest.mark.parametrize("routing", VECTORS)
def test_the_published_vectors_come_out(routing: str) -> None:
    """Each published example is encoded to its 65 bars, and decoded from them."""
    content = IntelligentMail(TRACKING, routing)
    assert encode_imb(content) == VECTORS[routing]
    assert decode_imb(VECTORS[routing]) == content


@pytest.mark.parametrize("routing", VECTORS)
def test_every_damaged_bar_is_noticed(routing: str) -> None:
    """Whichever one bar is misread as whichever other, the barcode is refused."""
    bars = VECTORS[routing]
    tried = 0
    for index, bar in enumerate(bars):
        for other in "TADF".replace(bar, ""):
            with pytest.raises(DataError, match="damaged or was misread"):
                decode_imb(bars[:index] + other + bars[index + 1 :])
            tried += 1
    assert tried == 195


@pytest.mark.parametrize("routing", VECTORS)
def test_a_misread_half_bar_is_in_the_only_impossible_character(routing: str) -> None:
    """Whichever half of a bar is misread, its character is found, with all its half bars."""
    bars = VECTORS[routing]
    assert find_damage(bars) == []
    for index, half in np.ndindex(65, 2):
        other = BAR_LETTERS[BAR_LETTERS.index(bars[index]) ^ (2 >> half)]
        (places,) = find_damage(bars[:index] + other + bars[index + 1 :])
        assert (index, half) in places
        assert len(places) == CHARACTER_BITS


@pytest.mark.parametrize(
    ("count", "is_cut"), [(55, False), (56, True), (64, True), (66, False)]
)
def test_bars_that_lack_a_few_were_cut_off(count: int, is_cut: bool) -> None:
    """That an end is missing is said of nine bars at most."""
    with pytest.raises(DataError, match=f"{count} bars") as refused:
        decode_imb("T" * count)
    assert ("cut off" in str(refused.value)) is is_cut


def test_most_swapped_bars_are_noticed() -> None:
    """Two neighbouring bars that differ, swapped, are refused."""
    bars = VECTORS["01234567891"]
    for index in range(64):
        if bars[index] != bars[index + 1]:
            swapped = bars[:index] + bars[index + 1] + bars[index] + bars[index + 2 :]
            with pytest.raises(DataError):
                decode_imb(swapped)


def test_bars_upside_down_are_told_so() -> None:
    """A piece fed the wrong way round is named as that."""
    with pytest.raises(DataError, match="stands upside down"):
        decode_imb(flip_bars(VECTORS["01234"]))


def test_spaces_and_small_letters_do_not_matter() -> None:
    """Bars may be given in groups and in small letters."""
    bars = VECTORS["01234"].lower()
    assert decode_imb(bars[:30] + "  " + bars[30:]).routing == "01234"


@pytest.mark.parametrize(
    ("bars", "said"),
    [
        ("X" * 65, "are T, A, D and F"),
        ("T" * 64, "64 bars"),
        ("", "0 bars"),
        ("T" * 65, "10 of 10 characters"),
    ],
)
def test_what_is_no_barcode_is_refused(bars: str, said: str) -> None:
    """Other letters, too few bars and bars of no meaning each have their own error."""
    with pytest.raises(DataError, match=said):
        decode_imb(bars)


def test_the_fields_are_found() -> None:
    """A mailer's number has six digits, or nine that begin with 9."""
    short = IntelligentMail.of("00", "300", "123456", 789)
    assert (short.mailer, short.serial) == ("123456", "000000789")
    large = IntelligentMail.of("00", "300", "912345678", "42", "90210")
    assert (large.identifier, large.service) == ("00", "300")
    assert (large.mailer, large.serial, large.routing) == ("912345678", "000042", "90210")
    assert decode_imb(encode_imb(large)) == large


@pytest.mark.parametrize(
    ("tracking", "routing", "said"),
    [
        ("0123", "", "the tracking code must have 20 digits\n  seen    4: '0123'"),
        ("x" * 20, "", "the tracking code holds digits only"),
        ("05" + "0" * 18, "", "the second digit of the barcode identifier is 0, 1, 2, 3 or 4"),
        (TRACKING, "123456", "the routing code must have 0, 5, 9 or 11 digits"),
        (TRACKING, "१२३४५", "the routing code holds digits only"),
    ],
)
def test_wrong_digits_are_refused(tracking: str, routing: str, said: str) -> None:
    """A field of another length, or of other letters, is wrong usage."""
    with pytest.raises(UsageError, match=re.escape(said)):
        IntelligentMail(tracking, routing)


def test_a_serial_number_that_is_too_long_is_refused() -> None:
    """Seven digits do not fit beside a mailer's nine."""
    with pytest.raises(UsageError, match="the serial number must have 6 digits"):
        IntelligentMail.of("00", "300", "912345678", 1234567)


def test_the_tables_are_whole() -> None:
    """Each of 130 half bars is another bit, and each character has 2 or 5 bits."""
    assert {*DESCENDERS, *ASCENDERS} == {
        (c, b) for c in range(N_CHARACTERS) for b in range(CHARACTER_BITS)
    }
    counts = [character.bit_count() for character in imb_characters()]
    assert counts == [5] * 1287 + [2] * 78
    assert len(set(imb_characters())) == 1365


def test_postnet_is_as_published() -> None:
    """12345 with its check digit 5, and ZIP+4 12345-6789, whose check digit is 5 as well."""
    assert encode_postnet("12345") == "|...||..|.|..||..|..|.|.|..|.|.|"
    assert encode_postnet("123456789")[-6:] == ".|.|.|"
    assert [len(encode_postnet("1" * count)) for count in (5, 9, 11)] == [32, 52, 62]
    assert decode_postnet("1 00011 00101 00110 01001 01010 01010 1") == "12345"


@pytest.mark.parametrize("digits", ["00501", "012345678", "95402051313"])
def test_every_damaged_bar_of_postnet_is_noticed(digits: str) -> None:
    """A tall bar read as short, or a short one as tall, is refused."""
    bars = encode_postnet(digits)
    assert decode_postnet(bars) == digits
    for index, bar in enumerate(bars):
        other = "." if bar == "|" else "|"
        with pytest.raises(DataError, match="POSTNET"):
            decode_postnet(bars[:index] + other + bars[index + 1 :])


@pytest.mark.parametrize(
    ("bars", "said"),
    [
        ("x" * 32, "the bars of POSTNET are"),
        ("|" * 31, "31 bars"),
        ("|" + "||..." * 5 + "...||" + "|", "seen    000001, which sum to 1"),
    ],
)
def test_what_is_no_postnet_is_refused(bars: str, said: str) -> None:
    """Other letters, another number of bars and a wrong check digit are told."""
    with pytest.raises(DataError, match=re.escape(said)):
        decode_postnet(bars)


def bars_in(picture: np.ndarray, dots: int) -> str:
    """Read the bars back from a picture, by their heights in inches."""
    dark = (picture == 0).any(axis=0)
    starts = np.flatnonzero(np.diff(dark.astype(int)) == 1) + 1
    top, bottom = np.flatnonzero((picture == 0).any(axis=1))[[0, -1]]
    result = ""
    for start in starts:
        rows = np.flatnonzero(picture[:, start] == 0)
        up, down = rows[0] < top + 0.01 * dots, rows[-1] > bottom - 0.01 * dots
        result += "TADF"[up + 2 * down]
    return result


@pytest.mark.parametrize("dots", [200, 300, 600])
@pytest.mark.parametrize("routing", VECTORS)
def test_a_picture_holds_the_bars_in_allowed_sizes(routing: str, dots: int) -> None:
    """The PNG knows its resolution; its bars, read back, are those that were drawn."""
    bars = VECTORS[routing]
    with Image.open(io.BytesIO(render_png(bars, dots=dots))) as image:
        assert image.info["dpi"] == pytest.approx((dots, dots), abs=0.1)
        picture = np.asarray(image)
    assert bars_in(picture, dots) == bars
    dark = picture == 0
    edges = np.flatnonzero(np.diff(dark.any(axis=0).astype(int)))
    widths = (edges[1::2] - edges[::2]) / dots
    assert all(IMB.width.allows(width) for width in widths)
    assert IMB.pitch.allows((edges[-2] - edges[0]) / 64 / dots)
    heights = dark.sum(axis=0)[edges[::2] + 1] / dots
    assert IMB.height.allows(heights.max())
    assert IMB.low.allows(heights.min())
    free = np.flatnonzero(dark.any(axis=0))[0], np.flatnonzero(dark.any(axis=1))[0]
    assert free[0] >= IMB.sides * dots
    assert free[1] >= IMB.edges * dots


def test_postnet_stands_on_one_line() -> None:
    """Tall and short bars end in the same row, and have their heights."""
    picture = render_pixels(encode_postnet("12345")) == 0
    bottoms = {int(np.flatnonzero(column)[-1]) for column in picture.T if column.any()}
    assert len(bottoms) == 1
    heights = sorted({int(column.sum()) for column in picture.T if column.any()})
    assert POSTNET.low.allows(heights[0] / 600)
    assert POSTNET.height.allows(heights[1] / 600)


def test_svg_has_a_rectangle_for_each_bar() -> None:
    """The SVG is sized in inches and holds one rectangle a bar, and one for the paper."""
    bars = VECTORS["01234"]
    root = ElementTree.fromstring(render_svg(bars))
    assert root.get("width") == f"{0.25 + 64 / 22 + 0.02:.4f}in"
    rectangles = [item for item in root if item.tag.endswith("rect")]
    assert len(rectangles) == 66
    tops = [float(item.get("y", "nan")) for item in rectangles[1:]]
    assert tops == pytest.approx([bar.top for bar in lay_out(bars)], abs=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: render_pixels("TADF", dots=72),
            UsageError,
            "dots per inch must be 150 to 2400",
        ),
        (lambda: render_svg(""), DataError, "bars are T, A, D and F, or"),
        (lambda: render_png("T|"), DataError, "bars are T, A, D and F, or"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call: object, error: type, said: str) -> None:
    """Too few dots, no bars, and bars of two kinds are told."""
    with pytest.raises(error, match=re.escape(said)):
        call()  # type: ignore[operator]
