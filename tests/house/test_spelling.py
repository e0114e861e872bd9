"""The words of the documents are spelled as dictionaries have them, or are words of our own.

tests/house/words.txt has those that no dictionary knows: names, terms of the field, files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OWN = Path(__file__).with_name("words.txt")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference"),
]
# Code, addresses, options, and names that are written as code is.
NO_PROSE = [
    re.compile(r"^[ ]*```.*?^[ ]*```$", re.M | re.S),
    re.compile(r"`[^`]*`"),
    re.compile(r"\]\([^)]*\)|https?://\S+|<[^>]*>"),
    re.compile(r"\S*[_/\\@=]\S*|(?<!\S)-{1,2}[a-z]\S*"),
]


@cache
def dictionary() -> Any:
    """Return the dictionary; it comes with the package, nothing is fetched."""
    module = pytest.importorskip("spellchecker")
    known = module.SpellChecker(distance=1)
    known.word_frequency.load_words(OWN.read_text(encoding="utf-8").split())
    return known


def prose(text: str) -> str:
    """Return a page's text without what is no prose."""
    for pattern in NO_PROSE:
        text = pattern.sub(" ", text)
    return text


def misspelled(text: str) -> Iterator[str]:
    """Yield the words that are not in the dictionary, sorted."""
    words = {
        re.sub(r"['’]s$", "", word.lower())
        for word in re.findall(r"[A-Za-z]+(?:['’][a-z]+)?", text)
    }
    yield from sorted(dictionary().unknown(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_words_are_spelled_right(page: Path) -> None:
    """Each word of a page's prose is in the dictionary, or in words.txt."""
    unknown = list(misspelled(prose(page.read_text(encoding="utf-8"))))
    assert unknown == [], f"mend them, or add them to {OWN.name} in its order"


def test_help_texts_are_spelled_right() -> None:
    """So is each word of what commands and their options say of themselves."""
    from digitlens.cli.reference import commands

    texts = [
        text
        for _, command in commands()
        for text in (command.help, *(item.help for item in command.params))
    ]
    assert list(misspelled(prose("\n".join(texts)))) == []


def test_a_slip_of_the_pen_is_seen() -> None:
    """The check finds what people often write wrong."""
    slips = "accomodate definately occured recieve seperate teh thier netwrok"
    assert list(misspelled(slips)) == sorted(slips.split())


def test_the_list_of_our_own_words_is_in_order() -> None:
    """It is sorted, in small letters, and has no word that the dictionary knows."""
    words = OWN.read_text(encoding="utf-8").split()
    assert words == sorted({word.lower() for word in words})
    plain = pytest.importorskip("spellchecker").SpellChecker(distance=1)
    assert sorted(plain.known(words)) == []
