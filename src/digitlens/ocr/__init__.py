"""OCR of numbers: from pictures of one line, pages, PDFs and folders to numbers.

============  =======================================================================
`reader`      `Reader`: load, detect, recognize, select, orient, assemble
`recognize`   one line's pixels -> the line
`select`      which of a page's lines are numbers, and which is first
`page`        what is wanted of a page, and what is read on it
`signs`       numbers told from words, and cut out of lines
`network`     the line network's file, and that of signs
`files`       files, folders and patterns -> pages
`batch`       all pages of all files, on all cores
`output`      text, CSV, JSON, annotated pictures
============  =======================================================================

No torch: ONNX Runtime, numpy and OpenCV.
"""

from __future__ import annotations

from digitlens.ocr.network import LineRecognizer, load_line_recognizer
from digitlens.ocr.page import FormField, Page, Table
from digitlens.ocr.reader import Reader

__all__ = ["FormField", "LineRecognizer", "Page", "Reader", "Table", "load_line_recognizer"]
