"""A photo or scan -> crops of its lines of writing: `find_lines`. Read `detect` first.

The others in the order in which a page meets them: `analysis` (all that is known of a page
before lines: it calls `illumination`, `color`, `boxes`, `grids`, `rules`, `connected`),
`grouping` (components to lines, likelihood of a number), `line_crops` (lines cut out),
`page_layout` (the result), `debug` (the steps as pictures); `morphology` has OpenCV's calls on
masks.

Nothing is read here: words come out as lines too, ranked lower where they look less like
numbers. docs/layout.md says what is found and what is not.
"""

from __future__ import annotations

from digitlens.layout.detect import find_lines
from digitlens.layout.page_layout import Grid, GridCell, LineCrop, PageLayout

__all__ = ["Grid", "GridCell", "LineCrop", "PageLayout", "find_lines"]
