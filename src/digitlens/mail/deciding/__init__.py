"""From a line that was read to a ZIP that is trusted, or to a person.

==========  ==============================================================
`choose`    which line of an envelope is the ZIP
`weigh`     the reading, the directory and the place together
`decide`    `decide`: a `Routing` with a ZIP, or a `Reason` to look
`readings`  what a reader made of strings whose truth is known, as a table
`simulate`  how many pieces are read, and how many go wrong
==========  ==============================================================
"""

from digitlens.mail.deciding.choose import choose_line
from digitlens.mail.deciding.decide import BAR, Guess, Reason, Routing, decide
from digitlens.mail.deciding.weigh import USUAL, Beliefs, weigh

__all__ = [
    "BAR",
    "USUAL",
    "Beliefs",
    "Guess",
    "Reason",
    "Routing",
    "choose_line",
    "decide",
    "weigh",
]
