"""Readers of digits measured side by side: digitlens, RapidOCR and Tesseract.

==================  ========================================================================
`protocol`          what a reader in a process of its own and the benchmark send each other
`digitlens_reader`  digitlens, as such a process
`rapid`             RapidOCR, as such a process, in an environment of its own
`tesseract`         Tesseract, as such a process
`installs`          environments, their sizes and versions
`processes`         readers started, asked in turn, and closed
`answer_cache`      answers in .bench/reading, by what is in the picture
`pictures`          what is read: generated strips and the pictures of DIGITLENS_REAL
`score_lines`       exactly right, and read at 1 % error
`score_pages`       wanted string found, ranked first, all lines, cells of grids
`results`           one reader's answers made into cells of a table
`table`             figures as Markdown
==================  ========================================================================

`rapid`, `tesseract` and `protocol` run without digitlens: they import nothing of it.
"""
