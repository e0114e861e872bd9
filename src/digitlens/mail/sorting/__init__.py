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
`lent`       `Task` and `Correction`, `NotYoursError`
`corrected`  what people said of pieces
`review`     `Review`: the queue for people
`taken_back` what a person said, taken back
`learn`      corrections as lines and digits: `save_corrections`
`given`      lines and addresses from files
============ ==================================================================
"""

from digitlens.mail.sorting.lent import Correction, NotYoursError, Task
from digitlens.mail.sorting.review import Review
from digitlens.mail.sorting.sort import Sorting, sort_folder
from digitlens.mail.sorting.summary import Summary

__all__ = [
    "Correction",
    "NotYoursError",
    "Review",
    "Sorting",
    "Summary",
    "Task",
    "sort_folder",
]
