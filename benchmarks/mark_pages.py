"""Numbers with marks about them, and marks, letters and ticks alone: composed, with truth.

Sheets of ten short lines of one kind (`KINDS`), and single lines as pictures of their own, in
printed faces, in hands' fonts, and with MNIST's test digits beside marks in a hand's font;
from 12 to 60 pixels high, dark on light and light on dark. Faces are those of families that no
network has seen; every other family of these is for judging alone (`halves`): no rule of
`digitlens.ocr.signs` was chosen with those in view.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.synth.random import Random
from text_pages import Sheet, TextPage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from text_pages import Supplies

SHARP, TICKS = "\N{MUSIC SHARP SIGN}", "\N{CHECK MARK}"

KINDS = {
    "slashes": (
        *("#/", "##/", "####/", "/#", "/##", "/###", "/ / /", "//", "/", "##//", "##/ /"),
        *("|##|", "| ## |", "||", "| | |", "##\\", "\\##", "\\ \\", "/##/", "#/#/"),
    ),
    "brackets": (
        *("(#)", "(##)", "[#]", "[##]", "{##}", "( )", "[ ]", "()", "[##", "##]", "(####)"),
        *("#)", "##)", "<##>", "(a)", "[x]"),
    ),
    "dashes": (
        *("##-", "-##", "- ## -", "- # -", "##.-", "##,-", "##.--", "-", "---", "- - -", "=##"),
        *("##=", "= = =", "=", "##\N{EN DASH}##", "#-#", "\N{EN DASH}##", "~##", "~", "~ ~"),
        *("+##", "+", "+ + +", "<##", ">##", "< >", "##+", "#=", "##\N{EM DASH}"),
    ),
    "signs": (
        *("##!", "##?", "##;", "##:", "##'", '##"', "#'", '#"', "##*", "**##**", "*#", "#*"),
        *("##x", "x##", "&", "& &", "&##", "##&", "@", "@##", "?", "??", "!", "!!!", "*"),
        *("* *", SHARP, ";", ":", "##%", "#%", "%", "% %", f"{SHARP}##", f"##{SHARP}"),
        *("\N{SECTION SIGN}##", "\N{SECTION SIGN}", "##\N{DEGREE SIGN}"),
    ),
    "currency": (
        *("$##", "$ ##", "$##.##", "##$", "## $", "\N{EURO SIGN}##", "\N{EURO SIGN} ##"),
        *("##\N{EURO SIGN}", "##,## \N{EURO SIGN}", "\N{POUND SIGN}##", "\N{POUND SIGN} ###"),
        *("\N{YEN SIGN}###", "\N{YEN SIGN} ##", "$", "\N{EURO SIGN}", "\N{POUND SIGN}"),
        *("\N{YEN SIGN}", "## EUR", "USD ##", "$ $ $"),
    ),
    "words beside": (
        *("No. ##", "No ##", "Nr. #", "p. ##", "Page ##", "pp. ##-##", "# of ##", "Vol. #"),
        *("A##", "##B", "AB## CD####", "XY-####", "B#", "#b", "O##", "##l", "Id ####", "S##"),
    ),
    "units": (
        *("# kg", "##kg", "## mm", "##mm", "#x#", "##x##", "## x ##"),
        "#\N{MULTIPLICATION SIGN}#",
        *("## %", "##\N{DEGREE SIGN}C", "## \N{DEGREE SIGN}C", "##m", "##l", "## oz", "## l"),
        *("#h", "## g", "##g", "#.# km", "## s", "## lb", "#'", "## cm"),
    ),
    "ordinals and lists": (
        *("#st", "#nd", "#rd", "#th", "##th", "##st", "#)", "#.", "a)", "b)", "o)", "i)"),
        *("#) Oil", "#. Bill", "a) Soil", "##)", "##.", "l)", "B.", "S."),
    ),
    "times and dates": (
        *("##:##", "#:##", "##:##:##", "##.##.####", "##/##/####", "##/##/##", "####-##-##"),
        *("## May ####", "May ##, ####", "#/#", "#.#.##", "##-##-####", "## h", "##:## Uhr"),
        *("+## (#)##/####-##", "(###) ###-####", "###-####", "###/####", "+##-###-####"),
    ),
    "letters alone": (
        *("O", "I", "l", "S", "B", "Z", "q", "g", "b", "o", "i", "s", "z", "G", "D", "T", "J"),
        *("O O", "I I", "l l l", "S S", "B B", "x x", "lo", "so", "gb", "IO", "SO", "OB"),
    ),
    "roman numerals": ("I", "II", "III", "IV", "V", "VI", "VII", "IX", "XI", "XIV", "XXI",
                       "ii", "iii", "iv", "vii", "MCMLI", "CLII", "LIII", "II.", "III.)"),
    "ticks": (TICKS, TICKS, f"{TICKS} {TICKS}", f"{TICKS} {TICKS} {TICKS} {TICKS}"),
}  # fmt: skip
"""Lines of each kind; # stands for a digit, and the sharp sign of music for #."""

HAND, PRINTED, MIXED = "by hand", "printed", "digits by hand"
LINES = 10
SIZES = (12.0, 60.0)
"""Heights of letters, in pixels, from which sizes are drawn, small ones more often."""

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def halves(supplies: Supplies) -> tuple[Supplies, Supplies]:
    """Return the faces to develop with, and those to judge by: every other family."""

    def half(paths: Sequence[Path], start: int) -> list[Path]:
        families = sorted({path.parent.name for path in paths})
        return [path for path in paths if path.parent.name in families[start::2]]

    develop, judge = (
        replace(
            supplies,
            printed=half(supplies.printed, start),
            hands=half(supplies.hands, start),
        )
        for start in (0, 1)
    )
    return develop, judge


def marks_sheet(supplies: Supplies, kind: str, index: int, *, alone: bool) -> TextPage:
    """Compose sheet `index` of lines of a kind, or, `alone`, one line as a picture."""
    rng = Random(np.random.default_rng([74, list(KINDS).index(kind), index, alone]))
    way = (PRINTED, HAND, PRINTED, MIXED)[index % 4]
    sheet = Sheet(rng, supplies, hand=way != PRINTED)
    low, high = SIZES
    size = low * (high / low) ** rng.uniform()
    farthest = lowest = 0.0
    base = 1.8 * size + 20
    for _ in range(1 if alone else LINES):
        text = rng.choice(KINDS[kind])
        text = "".join(str(rng.integers(10)) if char == "#" else char for char in text)
        text = text.replace(SHARP, "#")
        sheet.numbers += [re.sub("[.,]", "", number) for number in NUMBER.findall(text)]
        farthest = max(
            farthest, _write(sheet, text, 30 + size, base, size, by_hand=way == MIXED)
        )
        lowest = base
        base += 2.2 * size
    image = sheet.photograph()
    edges = round(lowest + 0.9 * size + 20), round(farthest + size + 20)
    image = np.ascontiguousarray(image[: edges[0], : edges[1]])
    if index % 8 >= 5:
        image = 255 - image
    return TextPage(f"{kind} {way}", image, sheet.numbers)


def _write(
    sheet: Sheet, text: str, x: float, base: float, size: float, *, by_hand: bool
) -> float:
    """Write a line; return where its ink ends."""
    # A digit is some 0.7 of a letter's size high.
    for part in re.findall(r"[0-9]+|\u2713|[^0-9\u2713]+", text):
        if part == TICKS:
            x = _tick(sheet, x, base, size)
        elif by_hand and part.isdigit():
            x = sheet.digits(part, x, base, 0.75 * size) + 0.05 * size
        else:
            x = sheet.word(part.rstrip(), x, base, round(size))
            x += 0.25 * size * (part != part.rstrip())
        x += 0.04 * size
    return x


def _tick(sheet: Sheet, x: float, base: float, size: float) -> float:
    """Draw a tick: a short stroke down, a long one up."""
    rng, pen = sheet.rng, max(1.0, size * sheet.rng.uniform(0.06, 0.14))
    low = x + size * rng.uniform(0.12, 0.28), base + size * rng.uniform(-0.05, 0.05)
    start = x, base - size * rng.uniform(0.2, 0.45)
    end = low[0] + size * rng.uniform(0.3, 0.6), base - size * rng.uniform(0.6, 1.0)
    sheet.rule(*start, *low, pen)
    sheet.rule(*low, *end, pen)
    return end[0] + 0.1 * size
