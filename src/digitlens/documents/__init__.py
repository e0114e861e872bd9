"""From files to numbers: pictures, folders of them, PDFs, many pages, on all cores.

============  =======================================================================
`sources`     what was named -> the files that are read, in order
`document`    what every kind of file with pages can do
`opened`      one file -> its pages' pixels: a picture, a TIFF of many pages, a PDF
`pdf`         a PDF's pages, by pdfium
`job`         what is wanted of every page, and what is found on one
`desk`        one page after the other: opened, read, drawn
`folder`      all pages of all files, in order
`annotate`    a page with boxes, readings and confidence on it
`labels`      where a reading is written so that it hides no other
`stages`      the steps of a reading as PNG files
`written`     what was read as text, JSON and CSV
============  =======================================================================
"""

from digitlens.documents.folder import read_all
from digitlens.documents.job import Job, Result, Wanted
from digitlens.documents.sources import Source, expand

__all__ = ["Job", "Result", "Source", "Wanted", "expand", "read_all"]
