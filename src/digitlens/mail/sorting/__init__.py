"""From pictures of mail to trays, with nothing lost.

============ ==================================================================
`database`   the state: one SQLite file
`holder`     one run at a time
`trays`      files: linked, copied, moved
`pieces`     rows and files together, so that a kill leaves nothing in between
`marks`      where the digits of a piece stand
`sort`       `sort_folder`: a folder of pictures into trays
`listing`    pieces.csv and pieces.json
`summary`    what came of it, in words
`lent`       `ReviewTask` and `Correction`, `NotYoursError`
`corrected`  what people said of pieces
`review`     `Review`: the queue for people
`taken_back` what a person said, taken back
`learn`      corrections as lines and digits: `save_corrections`
`given`      lines and addresses from files
============ ==================================================================
"""

from __future__ import annotations

from digitlens.mail.sorting.lease import Correction, NotYoursError, ReviewTask
from digitlens.mail.sorting.review import Review
from digitlens.mail.sorting.sort import Sorting, SortSummary, sort_folder

__all__ = [
    "Correction",
    "NotYoursError",
    "Review",
    "ReviewTask",
    "SortSummary",
    "Sorting",
    "sort_folder",
]
