"""A PDF's pages as pictures."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import CorruptFileError, MissingExtraError
from digitlens.imaging.inputs import InputFile
from digitlens.ocr.batch import read_all
from digitlens.ocr.files import choose_pdf_scale, parse_document
from digitlens.ocr.page import ReadOptions

Make = Callable[..., bytes]


@pytest.fixture
def pdfium() -> None:
    """Skip where the extra ``pdf`` is not installed."""
    pytest.importorskip("pypdfium2")


def test_without_the_extra_a_pdf_says_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pypdfium2 the error says how to install it."""
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtraError, match=r'pip install "digitlens\[pdf\]"'):
        parse_document(b"%PDF-1.4", "a.pdf")


@pytest.mark.usefixtures("pdfium")
def test_a_scan_is_drawn_as_fine_as_it_was_scanned(pages: Make) -> None:
    """A page that is one picture comes out with that picture's pixels; pages have numbers."""
    document = parse_document(pages("PDF", ["1"]), "a.pdf")
    assert (document.count, document.numbered) == (1, True)
    page = document.page(0)
    assert (page.pixels.shape, page.name) == ((140, 130, 3), "a.pdf, page 1")


@pytest.mark.usefixtures("pdfium")
def test_what_is_drawn_and_no_scan_gets_300_dots_an_inch(pages: Make) -> None:
    """Beside text or lines a picture's own pixels are not enough."""
    content = pages("PDF", ["1"])
    stream = re.search(rb"/image Do Q\n", content)
    assert stream is not None
    drawn = b"0 0 9 9 re f"
    start = stream.start()
    content = content[:start] + drawn + content[start + len(drawn) :]
    width = round(130 * 300 / 72)
    assert abs(parse_document(content, "a.pdf").page(0).pixels.shape[1] - width) <= 1


def test_posters_are_drawn_with_fewer_dots() -> None:
    """No page gets more than 20 million pixels, whatever its size."""
    for width, height in ((595, 842), (14400, 14400), (14400, 3)):
        scale = choose_pdf_scale(width, height)
        assert width * scale * height * scale <= 20_000_001


@pytest.mark.usefixtures("pdfium")
def test_a_broken_page_is_rejected_and_the_others_are_read(
    pages: Make, tmp_path: Path, job: ReadOptions
) -> None:
    """A page whose object is lost is named with its number; those around it are read."""
    content = pages("PDF", ["17", "1", "14"])
    second = [item.start() for item in re.finditer(rb"/Type /Page\b(?!s)", content)][1]
    path = tmp_path / "a.pdf"
    path.write_bytes(content[:second] + b"/Type /Bage" + content[second + 11 :])
    result = list(read_all([InputFile(path, "a.pdf", "a")], job, workers=1))
    assert [item.name for item in result] == [f"a.pdf page {index}" for index in (1, 2, 3)]
    assert [[line.text for line in item.lines] for item in result] == [["17"], [], ["14"]]
    assert str(result[1].error) == (
        "a.pdf, page 2 is damaged\n  seen    pdfium: Failed to load page"
    )


@pytest.mark.usefixtures("pdfium")
def test_a_page_whose_scan_is_damaged_is_no_bare_page(pages: Make) -> None:
    """A picture that pdfium cannot decode, and so leaves out, is told as damage."""
    content = pages("PDF", ["1"])
    start = content.index(b"\xff\xd8\xff")
    document = parse_document(content[:start] + bytes(300) + content[start + 300 :], "a.pdf")
    with pytest.raises(CorruptFileError, match="page 1 is damaged"):
        document.page(0)


@pytest.mark.usefixtures("pdfium")
def test_bare_pages_are_pages() -> None:
    """A page of white paper is read as such."""
    file = io.BytesIO()
    Image.new("L", (50, 50), 255).save(file, "PDF")
    pixels = parse_document(file.getvalue(), "a.pdf").page(0).pixels
    assert np.unique(pixels).tolist() == [255]


@pytest.mark.usefixtures("pdfium")
def test_what_only_begins_like_a_pdf_is_damaged(pages: Make) -> None:
    """A PDF that was cut off cannot be opened, and says so."""
    with pytest.raises(CorruptFileError, match=r"a\.pdf is a PDF that cannot be opened"):
        parse_document(pages("PDF", ["1"])[:500], "a.pdf")


@pytest.mark.usefixtures("pdfium")
def test_more_pages_than_bytes_are_told() -> None:
    """Of a PDF that says it has a million pages not one is tried."""
    content = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1000000>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n"
    )
    with pytest.raises(CorruptFileError, match=r"a\.pdf has too many pages") as caught:
        parse_document(content, "a.pdf")
    assert str(caught.value.seen).startswith("1,000,000 pages in")
