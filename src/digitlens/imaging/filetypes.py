"""What a file is, by its first bytes, and what to do with one that is no picture to us."""

from __future__ import annotations

from typing import NamedTuple


class FileType(NamedTuple):
    """What a file looks like, as a noun with its article, and what helps to use it, or ""."""

    what: str
    advice: str = ""
    is_document: bool = True  # a picture or pages, which no folder passes over in silence


EXPORT = "open it in a picture viewer and save it as PNG or JPEG"
DEVELOP = "develop it, that is, export it as JPEG or TIFF, in the camera's program"
LFS = "git lfs pull"
FETCH = "fetch or copy the file again"

# Brands of files that are made of boxes (ISO 14496-12), as they stand at byte 8.
HEIC_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
)
AVIF_BRANDS = frozenset((b"avif", b"avis"))
HEIC = FileType("an HEIC photo, as iPhones take them", 'pip install "digitlens[heif]"')
AVIF = FileType("an AVIF picture", "pip install --upgrade pillow, which opens it from 11.3 on")
JPEG_XL = FileType("a JPEG XL picture", f"pip install pillow-jxl-plugin; or {EXPORT}")
PDF = FileType("a PDF file", "digitlens read FILE reads the pages of a PDF")
FILM = FileType("a film or a live photo's film", "save one of its pictures as PNG or JPEG")

_SIGNATURES = (
    (b"\x89PNG", FileType("a PNG picture")),
    (b"\xff\xd8\xff", FileType("a JPEG picture")),
    (b"GIF8", FileType("a GIF picture")),
    (b"BM", FileType("a BMP picture")),
    (b"II*\0", FileType("a TIFF picture")),
    (b"MM\0*", FileType("a TIFF picture")),
    (b"II+\0", FileType("a BigTIFF picture")),
    (b"MM\0+", FileType("a BigTIFF picture")),
    (b"\0\0\0\x0cjP  ", FileType("a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", FileType("a JPEG 2000 picture")),
    (b"\xff\x0a", JPEG_XL),
    (b"\0\0\0\x0cJXL ", JPEG_XL),
    (b"8BPS", FileType("a Photoshop file", EXPORT)),
    (b"gimp xcf", FileType("a GIMP file", "export it as PNG")),
    (b"FUJIFILMCCD-RAW", FileType("a Fujifilm raw photo", DEVELOP)),
    (b"IIRO", FileType("an Olympus raw photo", DEVELOP)),
    (b"IIRS", FileType("an Olympus raw photo", DEVELOP)),
    (b"IIU\0", FileType("a Panasonic raw photo", DEVELOP)),
    (b"AT&TFORM", FileType("a DjVu document", "export its pages as PNG, or it as PDF")),
    (b"%!PS", FileType("a PostScript file", "ps2pdf FILE makes a PDF of it")),
    (b"\0\0\1\0", FileType("an icon", EXPORT)),
    (b"qoif", FileType("a QOI picture", EXPORT)),
    (b"\x76\x2f\x31\x01", FileType("an OpenEXR picture", EXPORT)),
    (b"#?RADIANCE", FileType("a Radiance picture", EXPORT)),
    (b"BPG\xfb", FileType("a BPG picture", EXPORT)),
    (
        b"version https://git-lfs",
        FileType("a pointer of Git LFS, not the file itself", "git lfs pull"),
    ),
    (b"PK\x03\x04", FileType("a zip or npz file", "unpack it", False)),
    (b"\x1f\x8b", FileType("a gzip file, still packed", "gunzip FILE", False)),
    (b"7z\xbc\xaf", FileType("a 7-Zip archive", "unpack it", False)),
    (b"Rar!", FileType("a RAR archive", "unpack it", False)),
    (
        b"\x93NUMPY",
        FileType("a numpy file", "", False),
    ),
    (b"\0\0\x08\x03", FileType("an IDX file of images", "", False)),
    (b"\0\0\x08\x01", FileType("an IDX file of labels", "", False)),
    (b"\x03\x08\0\0", FileType("an IDX file of images with its bytes swapped", "", False)),
    (b"\x01\x08\0\0", FileType("an IDX file of labels with its bytes swapped", "", False)),
    (b"\0\0\x08", FileType("an IDX file of bytes with another number of axes", "", False)),
    (b"SQLite format 3", FileType("a database", "", False)),
)
HEAD_BYTES = 1024  # so many tell what a file is; a PDF says it within them (ISO 32000-1, H.3)


def identify(head: bytes) -> FileType | None:
    r"""Return what a file is that begins with `head`, or None where nothing is recognized.

    >>> identify(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").what
    'an HEIC photo, as iPhones take them'
    >>> identify(b"<!DOCTYPE html><title>404").what
    'a web page, as a failed download leaves it'
    """
    if not head:
        return FileType("an empty file", FETCH)
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp":
        return _identify_boxes(head)
    if head[:4] == b"RIFF":
        return FileType("a WebP picture") if head[8:12] == b"WEBP" else FILM
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return FileType("a PBM, PGM or PPM picture")
    if b"%PDF-" in head[:HEAD_BYTES]:
        return PDF
    if head[128:132] == b"DICM":
        return FileType("a DICOM picture", EXPORT)
    text = head[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return FileType(
            "an SVG drawing", "open it in a browser or Inkscape and export it as PNG"
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<error")):
        return FileType("a web page, as a failed download leaves it", FETCH, False)
    return None


def _identify_boxes(head: bytes) -> FileType:
    size = int.from_bytes(head[:4], "big")
    brands = {head[8:12], *(head[index : index + 4] for index in range(16, min(size, 64), 4))}
    if brands & AVIF_BRANDS:
        return AVIF
    if brands & HEIC_BRANDS:
        return HEIC
    return FileType("a Canon raw photo", DEVELOP) if head[8:12] == b"crx " else FILM
