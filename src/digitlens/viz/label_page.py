"""What is likely wrong with labelled digits, as one HTML page with their pictures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from digitlens.imaging.io import png_data_url
from digitlens.metrics.formatting import confidence, plural
from digitlens.viz.report import figures, page, paragraph, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.digits import Digits
    from digitlens.errors import DigitlensError
    from digitlens.metrics.label_check import LabelCheck, LabelIssue


MAX_SHOWN = 500  # of each kind
HEADS = {
    "label": "Likely another label",
    "inverted": "Light and dark the other way round",
    "on its head": "On its head",
    "turned left": "Turned to the left",
    "turned right": "Turned to the right",
    "mirrored": "Mirrored",
    "contradiction": "The same picture with two labels",
    "duplicate": "The same picture more than once",
    "no digit": "Likely no digit",
}


def render_check(
    check: LabelCheck, digits: Digits, names: Sequence[str], rejected: Sequence[DigitlensError]
) -> str:
    """Return the page. `names` are the files, one for each digit, or empty."""
    source = digits.source or "digits"
    items = [(HEADS[kind], f"{count:,}", "") for kind, count in check.kinds.items()]
    total = (plural(len(check.issues), "picture"), f"of {plural(check.count, 'digit')}")
    summary = [("to look at", f"{len(check.issues):,}", total[1]), *items]
    parts = [
        f"<header>\n<h1>Labels of {escape(source)}</h1>\n{figures(summary)}\n</header>",
        paragraph(
            f"{check.model} looked at them. It may be wrong, so look before you change "
            "anything; with labels that it has learnt from it agrees too easily."
        ),
    ]
    for kind, head in HEADS.items():
        issues = [issue for issue in check.issues if issue.kind == kind]
        shown = "".join(_figure(issue, digits, names) for issue in issues[:MAX_SHOWN])
        more = len(issues) - MAX_SHOWN
        rest = paragraph(f"And {more:,} more.", muted=True) if more > 0 else ""
        pictures = f'<div class="mistakes">{shown}</div>' if shown else ""
        parts.append(section(head, pictures, rest))
    lines = "".join(f"<li>{escape(str(error).splitlines()[0])}</li>" for error in rejected)
    parts.append(section("Cannot be used", f"<ul>{lines}</ul>" if lines else ""))
    return page(f"Labels of {source}", *parts)


def _figure(issue: LabelIssue, digits: Digits, names: Sequence[str]) -> str:
    source = png_data_url(255 - digits.images[issue.index], optimize=True)
    name = escape(names[issue.index] if names else f"no. {issue.index}")
    about, sure = issue.about, f"{confidence(issue.likely_probability)} sure<br>"
    if issue.other is not None:  # two pictures are the same, whatever the network says
        sure = ""
        about = about.replace(f"no. {issue.other}", names[issue.other]) if names else about
    return (
        f'<figure><img src="{source}" width="28" height="28" alt="labelled {issue.label}">'
        f"<figcaption>labelled {issue.label}: <b>{escape(about)}</b>"
        f"<small>{sure}{name}</small></figcaption></figure>"
    )
