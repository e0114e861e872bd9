"""From pictures to numbers: one line, or all that stands on a photo or scan.

============  =======================================================================
`network`     the line network's file: a line -> what each of its frames shows
`strips`      a strip of writing -> the line on it, with places in the picture
`single`      a picture of one line
`tables`      tables of boxes
`choose`      whole lines or their parts; what is a number; which is likeliest
`hints`       what is known before: how many digits, where, in boxes
`page`        the result for a whole picture
`reader`      all of it: `Reader`
============  =======================================================================

No torch: ONNX Runtime, numpy and OpenCV.
"""

from __future__ import annotations

from digitlens.ocr.network import LineRecognizer, load_line_recognizer
from digitlens.ocr.page import FormField, Page, Table
from digitlens.ocr.reader import Reader

__all__ = ["FormField", "LineRecognizer", "Page", "Reader", "Table", "load_line_recognizer"]
