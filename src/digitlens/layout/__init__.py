"""Any photo or scan -> the lines of writing on it that may be numbers: `find_lines`.

===========  ================================================================
`find`       all of it: `find_lines`
`result`      the result: `PageLayout`, `LineCrop`, `Grid`, `GridCell`
`view`       the picture turned, and brought to a size at which lines are found
`level`      paper taken off: ink as even as if the light had been; marks
`color`     coloured print dropped out
`cells`      printed boxes; `boxed`: digits in a row of them
`grids`      tables of boxes; `thirds`: a sudoku's blocks parted into cells
`tables`     what stands in the cells of tables
`rules`      printed lines taken out; `sides`: the sides of joined boxes
`marks`      connected ink, and which of it may be digits
`rows`       from marks to lines; `order`: in which order they are read
`rank`       how much a line looks like a number
`turning`    which way the lines of a page run
`scene`      a view taken apart: the steps up to marks and boxes
`cut`        crops: levelled, cleaned, wide gaps shortened
`stages`     the steps as pictures
`masks`      OpenCV's calls on masks, typed
`middle`     medians of a few numbers, quickly
===========  ================================================================

What is written is not known here: words come out as lines too, ranked lower where they look
less like numbers. docs/layout.md says what is found and what is not.
"""

from __future__ import annotations

from digitlens.layout.detect import find_lines
from digitlens.layout.types import Grid, GridCell, LineCrop, PageLayout

__all__ = ["Grid", "GridCell", "LineCrop", "PageLayout", "find_lines"]
