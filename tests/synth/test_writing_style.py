"""Styles: names, checks, and the document that lists their shares."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from digitlens.errors import UsageError
from digitlens.synth import STYLES, Style, named_style
from digitlens.synth.style import SPACINGS

DOCUMENT = Path(__file__).parents[2] / "docs" / "writing.md"


def test_the_styles_are_these() -> None:
    """Training has everything, and is what a Style is unless told otherwise."""
    assert set(STYLES) == {
        *("training", "clean", "ruled", "boxes", "photo", "touching", "overlap", "cheque")
    }
    assert STYLES["training"] == Style()
    assert named_style("photo") is STYLES["photo"]
    assert named_style(STYLES["clean"]) is STYLES["clean"]


def test_an_unknown_style_is_refused() -> None:
    """The error lists the styles there are."""
    with pytest.raises(UsageError, match="one of training, clean"):
        named_style("tidy")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rules": 1.2}, "rules must be a share"),
        ({"jpeg": -0.1}, "jpeg must be a share"),
        ({"blur": float("nan")}, "blur must be a share"),
        ({"height": (30.0, 20.0)}, "height must rise"),
        ({"height": (2.0, 20.0)}, "from 8.0 at least"),
        ({"lengths": (0, 3)}, "lengths must rise, from 1"),
        ({"quality": (10, 200)}, "quality must rise"),
        ({"spacing": (("loose", 1.0),)}, "the kinds are wide, usual"),
        ({"spacing": ()}, "spacing must be pairs"),
        ({"spacing": (("wide", 0.0),)}, "spacing must be pairs"),
    ],
)
def test_a_style_is_checked(change: dict[str, object], error: str) -> None:
    """Shares outside 0..1, ranges that run backwards and unknown spacings are refused."""
    with pytest.raises(UsageError, match=error):
        replace(Style(), **change)  # type: ignore[arg-type]


def test_the_document_says_what_the_code_does() -> None:
    """docs/writing.md has every share of the training style, and no other number for it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = dict(re.findall(r"\| `(\w+)` \| ([\d.]+) \|$", text, re.MULTILINE))
    shares = {
        field.name: getattr(Style(), field.name)
        for field in fields(Style)
        if isinstance(getattr(Style(), field.name), float)
        and "jitter" not in field.name
        and field.name != "slope"
    }
    assert len(shares) > 20
    assert {name: float(share) for name, share in rows.items()} == shares
    gaps = dict(re.findall(r"^\| (\w+) \| .* \| ([\d.]+) \|$", text, re.MULTILINE))
    assert {kind: float(gaps[kind]) for kind in SPACINGS} == dict(Style().spacing)
    assert all(f"`{name}`" in text for name in STYLES)


def test_every_field_is_documented() -> None:
    """Each field of Style has a comment, at its end or above it and those it goes with."""
    said, bare = False, []
    for line in inspect.getsource(Style).split('"""')[-1].splitlines():
        is_field = re.match(r"    \w+:", line)
        if is_field and not (said or "#" in line):
            bare.append(line)
        said = line.lstrip().startswith("#") or (said and not (is_field and "  # " in line))
    assert bare == []
