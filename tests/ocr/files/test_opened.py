"""One file becomes its pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import CorruptFileError, DataError, MissingDataError
from digitlens.imaging.inputs import InputFile
from digitlens.ocr.files import PictureFile, TiffFile, open_document, parse_document

Make = Callable[..., bytes]


def test_the_pages_of_a_tiff_are_its_frames(pages: Make) -> None:
    """Each frame is a page with a number; what a file is, is seen by how it begins."""
    document = parse_document(pages("TIFF", ["1", "117"]), "a.png")
    assert isinstance(document, TiffFile)
    assert (document.count, document.numbered) == (2, True)
    widths = [document.page(index).pixels.shape[1] for index in range(2)]
    assert widths == [130, 190]
    assert document.page(1).name == "a.png, page 2"


def test_a_tiff_of_one_frame_is_a_picture(pages: Make) -> None:
    """A single frame has no number."""
    document = parse_document(pages("TIFF", ["1"]), "a.tif")
    assert (document.count, document.numbered, document.page_name(0)) == (1, False, "a.tif")


def test_each_frame_is_turned_as_it_says_itself() -> None:
    """A frame's own orientation entry counts, not that of the first."""
    frames = [Image.new("L", (60, 30), 255), Image.new("L", (60, 30), 255)]
    file = io.BytesIO()
    turned = Image.Exif()
    turned[0x0112] = 6
    frames[1].encoderinfo = {"exif": turned}
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    document = parse_document(file.getvalue(), "a.tif")
    assert [document.page(index).pixels.shape for index in range(2)] == [(30, 60), (60, 30)]


def test_a_frame_that_is_cut_off_is_damaged(pages: Make) -> None:
    """Of a truncated TIFF the frames before the cut can be read; the other names its page."""
    content = bytearray(pages("TIFF", ["1", "1"]))
    whole = parse_document(bytes(content), "a.tif")
    with Image.open(io.BytesIO(content)) as picture:
        picture.seek(1)
        (start,) = picture.tag_v2[273]
    content[start:] = b""
    assert whole.count == 2
    broken = TiffFile(bytes(pages("TIFF", ["1", "1"])), "a.tif")
    broken.content = bytes(content)
    assert broken.page(0).pixels.shape == (140, 130)
    with pytest.raises(CorruptFileError, match=r"a\.tif, page 2 is a damaged picture"):
        broken.page(1)


def test_other_pictures_are_one_page(pages: Make) -> None:
    """Of a picture that moves the first frame counts; what is no picture says so when read."""
    assert isinstance(parse_document(pages("GIF", ["1", "11"]), "a.gif"), PictureFile)
    with pytest.raises(CorruptFileError, match=r"a\.png is not a picture"):
        parse_document(b"no picture", "a.png").page(0)


def test_a_damaged_tiff_is_told(pages: Make) -> None:
    """A TIFF without a frame is damaged as a whole."""
    with pytest.raises(CorruptFileError, match=r"a\.tif"):
        parse_document(b"II*\0\x08\0\0\0", "a.tif")


def test_a_file_that_has_gone_says_so(tmp_path: Path) -> None:
    """A file that a folder listed and that is no longer there says why it may be missing."""
    path = tmp_path / "a.png"
    with pytest.raises(MissingDataError) as caught:
        open_document(InputFile(path, "a.png", "a", listed=True))
    assert str(caught.value) == (
        "there is no file a.png\n  likely  it was removed after its folder was listed"
    )
    with pytest.raises(MissingDataError) as caught:
        open_document(InputFile(path, "a.png", "a"))
    assert caught.value.likely is None


def test_a_folder_without_pictures_is_no_file(tmp_path: Path) -> None:
    """A folder is refused, and what it should hold is said."""
    with pytest.raises(DataError, match="is a folder without pictures"):
        open_document(InputFile(tmp_path, "scans", "scans"))


def test_no_more_bytes_are_read_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of more bytes than the limit is refused, and the limit named."""
    monkeypatch.setattr("digitlens.imaging.inputs.MAX_BYTES", 10)
    (tmp_path / "a.png").write_bytes(b"x" * 11)
    with pytest.raises(DataError, match="more than 10 bytes"):
        open_document(InputFile(tmp_path / "a.png", "a.png", "a"))


def test_pages_hold_what_was_saved(pages: Make, strokes: Callable[..., np.ndarray]) -> None:
    """The pixels of a TIFF's page are those that were written."""
    document = parse_document(pages("TIFF", ["1", "74"]), "a.tif")
    assert np.array_equal(document.page(1).pixels, strokes("74"))
