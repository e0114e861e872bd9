"""Which number is written, and which marks stand in and around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.digits import CLASSES
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.writing.dice import Dice
    from digitlens.writing.style import Style

ZEROS = ((1, 0.15), (2, 0.35), (3, 0.4), (4, 0.07), (6, 0.03))
"""How many zeros a round number ends in."""

INSIDE = ((".", 0.5), (",", 0.3), (" ", 0.1), ("'", 0.04), ("-", 0.04), ("/", 0.02))
"""What parts the digits of a number."""

TAILS = (
    *(("-", 0.22), (".-", 0.2), ("=", 0.14), ("---", 0.08), ("#", 0.07), (".", 0.07)),
    *(("~", 0.06), ("*", 0.04), ("**", 0.03), ("/", 0.03), (",-", 0.03), ("+", 0.03)),
)
"""What is written after a number so that nobody adds a digit, and how often each."""

LEADS = (("$", 0.4), ("#", 0.15), ("*", 0.1), ("**", 0.1), ("E", 0.15), ("=", 0.1))
"""What is written before a number; E is the sign of the euro."""


def draw_number(dice: Dice, style: Style) -> str:
    """Draw a number: most have `style.usual` digits, and `style.zeros` of them end in zeros."""
    lengths = style.usual if dice.hit(style.usual_share) else style.lengths
    length = lengths[0] + dice.below(lengths[1] - lengths[0] + 1)
    tail = 0
    if length > 1 and dice.hit(style.zeros):
        tail = min(length - 1, dice.share(ZEROS))
    digits = [dice.below(CLASSES) for _ in range(length - tail)]
    if tail and digits[-1] == 0:
        digits[-1] = 1 + dice.below(CLASSES - 1)
    return "".join(map(str, digits)) + "0" * tail


def check_text(text: str) -> str:
    """Return `text` when it can be written.

    Raises
    ------
    UsageError
        Something else than the digits 0 to 9.
    """
    if not isinstance(text, str) or any(letter not in "0123456789" for letter in text):
        raise UsageError(
            "the text to write must be digits only, 0 to 9", seen=repr(text), try_='text="0123"'
        )
    return text


def parted(dice: Dice, text: str, share: float) -> dict[int, str]:
    """Return the marks within a number: index of the digit before it -> mark.

    Thousands are parted most often, then hundredths; a ZIP's add-on is parted by a dash.
    """
    if len(text) < 3 or not dice.hit(share):
        return {}
    mark = dice.share(INSIDE)
    if mark in "-/":
        return {1 + dice.below(len(text) - 2): mark}
    if len(text) > 3 and dice.hit(0.8):
        places = range(len(text) - 4, -1, -3)
    else:
        places = range(len(text) - 3, len(text) - 4, -1)
    return dict.fromkeys(places, mark)
