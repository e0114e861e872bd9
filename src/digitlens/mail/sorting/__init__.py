"""From a folder of pictures of mail to trays, with nothing lost.

In reading order:

===============  =============================================================
`sort`           `sort_folder`: read, decide, put into trays
`rows`           what is written into the state, and read from it
`store`          `Store`: what keeps the state, one row for each piece, in SQL
`sqlite`         in one SQLite file, whole after a kill at any moment
`stores`         which store a folder of trays has
`trays`          from rows to files: each piece into one tray, and never into two
`summary`        the figures of a run; pieces.csv and pieces.json
`intake`         pieces that come one by one, from scanners
`review`         `Review`: the queue for people
`corrections`    what people said, saved as lines and digits to learn from
`repair`         the state made anew of trays and listing
`imports`        lines and addresses that come from files
===============  =============================================================
"""

from __future__ import annotations

from digitlens.mail.sorting.review import Correction, Review, ReviewTask
from digitlens.mail.sorting.rows import NotYoursError
from digitlens.mail.sorting.sort import Sorting, sort_folder
from digitlens.mail.sorting.summary import SortSummary

__all__ = [
    "Correction",
    "NotYoursError",
    "Review",
    "ReviewTask",
    "SortSummary",
    "Sorting",
    "sort_folder",
]
