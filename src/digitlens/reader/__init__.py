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

from digitlens.reader.hints import Field
from digitlens.reader.network import LineNetwork, load_line_network
from digitlens.reader.page import Page, Table
from digitlens.reader.reader import Reader

__all__ = ["Field", "LineNetwork", "Page", "Reader", "Table", "load_line_network"]
