"""Draw docs/images/packages.svg: the packages of digitlens and who imports whom.

The drawing is made from the imports alone, so that it cannot tell an old story: a test draws
it again and compares. An arrow that follows from others is left out (if `mail` imports `ocr`
and `ocr` imports `ctc`, no arrow from `mail` to `ctc` is drawn), or nothing could be seen.

    python tools/draw_architecture.py
"""

from __future__ import annotations

from pathlib import Path

from import_graph import FLOORS, SOURCE, find_imports, find_place, keep_own

TARGET = Path(__file__).parents[1] / "docs" / "images" / "packages.svg"
WIDTH, ROW, BOX_WIDTH, BOX_HEIGHT, MARGIN = 1000, 78, 132, 40, 16
HIDDEN = {"", "__main__"}
"""The public names and ``python -m digitlens``: doors to the rest, not rooms."""

FOUNDATION = [name for name, floor in FLOORS.items() if floor <= FLOORS["runs"]]
"""Single modules that every package may import: one row, without arrows."""


ABOUT = {
    "errors": "one tree of errors",
    "display": "notebooks and tables",
    "geometry": "boxes: x0, y0, x1, y1",
    "digits": "pictures with labels",
    "storage": "whole files or none",
    "workers": "processes, cores",
    "runs": "the run folder",
    "imaging": "any picture to pixels",
    "data": "sources of digits",
    "metrics": "counting and intervals",
    "layout": "a page to line crops",
    "synth": "lines to learn from",
    "models": "networks, their files",
    "ctc": "probabilities to strings",
    "explain": "why this answer",
    "ocr": "pages to numbers",
    "viz": "plots and reports",
    "batch": "millions of pictures",
    "mail": "ZIPs to trays",
    "training": "digits to a network",
    "api": "the public functions",
    "server": "HTTP and the lab",
    "cli": "the commands",
}
"""What stands in each box; at most 24 letters."""


def find_arrows() -> dict[str, set[str]]:
    """Return for each package those it imports, without what follows from other arrows."""
    leads: dict[str, set[str]] = {}
    for name, target, _ in keep_own(find_imports(SOURCE)):
        one, other = find_place(name), find_place(target)
        if one != other and not {*HIDDEN, *FOUNDATION} & {one, other}:
            leads.setdefault(one, set()).add(other)

    def reach(place: str) -> set[str]:
        direct = leads.get(place, set())
        return direct.union(*(reach(target) for target in direct))

    return {
        place: {
            target
            for target in targets
            if not any(target in reach(other) for other in targets - {target})
        }
        for place, targets in leads.items()
    }


def place_boxes() -> dict[str, tuple[float, float]]:
    """Return the upper left corner of each package's box: a row for each floor, lowest last."""
    rows: dict[int, list[str]] = {}
    for name, floor in FLOORS.items():
        if name not in HIDDEN:
            rows.setdefault(0 if name in FOUNDATION else floor, []).append(name)
    corners: dict[str, tuple[float, float]] = {}
    for row, floor in enumerate(sorted(rows, reverse=True)):
        gap = (WIDTH - 2 * MARGIN) / len(rows[floor])
        for column, name in enumerate(rows[floor]):
            left = MARGIN + gap * (column + 0.5) - BOX_WIDTH / 2
            corners[name] = (left, MARGIN + row * ROW)
    return corners


def draw() -> str:
    """Return the drawing as SVG that reads in light and in dark pages."""
    corners = place_boxes()
    height = max(top for _, top in corners.values()) + BOX_HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
        f'width="{WIDTH}" height="{height:g}" font-family="sans-serif">',
        "<title>The packages of digitlens: each imports only from rows below its own</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    # Arrows first, so that the boxes cover their ends.
    for place, targets in sorted(find_arrows().items()):
        for target in sorted(targets):
            (x0, y0), (x1, y1) = corners[place], corners[target]
            start, end = (x0 + BOX_WIDTH / 2, y0 + BOX_HEIGHT), (x1 + BOX_WIDTH / 2, y1)
            middle = (start[1] + end[1]) / 2
            parts.append(
                f'<path d="M{start[0]:.0f} {start[1]:.0f} C{start[0]:.0f} {middle:.0f} '
                f'{end[0]:.0f} {middle:.0f} {end[0]:.0f} {end[1]:.0f}" '
                'fill="none" stroke="#7a8aa0" stroke-width="1.2"/>'
            )
    for name, (left, top) in corners.items():
        center = left + BOX_WIDTH / 2
        parts += [
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
            'rx="6" fill="#eef3fa" stroke="#31568c"/>',
            f'<text x="{center:.0f}" y="{top + 17:.0f}" text-anchor="middle" '
            f'font-size="14" font-weight="bold" fill="#16263f">{name}</text>',
            f'<text x="{center:.0f}" y="{top + 33:.0f}" text-anchor="middle" '
            f'font-size="11" fill="#4a5b73">{ABOUT[name]}</text>',
        ]
    note = "below the line: single modules that every package may import"
    line = corners[FOUNDATION[0]][1] - (ROW - BOX_HEIGHT) / 2
    parts += [
        f'<path d="M{MARGIN} {line:.0f} H{WIDTH - MARGIN}" stroke="#7a8aa0" '
        'stroke-dasharray="4 4"/>',
        f'<text x="{WIDTH - MARGIN}" y="{line - 6:.0f}" text-anchor="end" font-size="11" '
        f'fill="#4a5b73">{note}</text>',
    ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
