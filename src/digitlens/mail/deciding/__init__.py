"""From lines that were read to a ZIP that is trusted, or to a person.

==========  ==============================================================
`choose`    which line of an envelope is the ZIP
`weigh`     the reading, the directory and the place together
`bars`      how likely a ZIP must be, by what is known of its address
`decide`    `decide`: a `Routing` with a ZIP, or a `Reason` to look
`readings`  what a reader made of strings whose truth is known, as a table
`simulate`  how many pieces are read, and how many go wrong
==========  ==============================================================
"""

from digitlens.mail.deciding.bars import Bars, Measured
from digitlens.mail.deciding.choose import Candidate, choose_line, weigh_lines
from digitlens.mail.deciding.decide import BAR, Guess, Reason, Routing, decide, line_with
from digitlens.mail.deciding.weigh import USUAL, Beliefs, weigh

__all__ = [
    "BAR",
    "USUAL",
    "Bars",
    "Beliefs",
    "Candidate",
    "Guess",
    "Measured",
    "Reason",
    "Routing",
    "choose_line",
    "decide",
    "line_with",
    "weigh",
    "weigh_lines",
]
