"""Readers of digits measured side by side: digitlens, RapidOCR and Tesseract.

===============  ===========================================================================
`wire`           what a reader, in a process of its own, and the benchmark say to each other
`ours`           digitlens, as such a process
`rapid`          RapidOCR, as such a process, in an environment of its own
`tesseract`      Tesseract, as such a process
`places`         environments made, sizes and versions
`asking`         readers started, asked in turn, and closed
`keeping`        answers kept in .bench/reading, by what is in the picture
`pictures`       what is read: generated strips and the pictures of DIGITLENS_REAL
`score_lines`    exactly right, and read at 1 % error
`score_pages`    wanted string found, ranked first, all lines, cells of grids
`table`          figures as Markdown
===============  ===========================================================================

`rapid`, `tesseract` and `wire` run without digitlens: they import nothing of it.
"""
