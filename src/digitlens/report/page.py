"""The page around a report: head, style, sections."""

from __future__ import annotations

from html import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What the browser may load: what is in the file, and nothing else."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #5b636d; --line: #dfe3e8;
  --paper: #ffffff; --card: #f5f7f9; --hot: 213 94 0; --cool: #0072b2; --band: #9cc7e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --muted: #a3abb5;
  --line: #343b44; --paper: #14171b; --card: #1d2127; --hot: 240 120 30; --cool: #56b4e9;
  --band: #2c5f7e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 3rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans",
  sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; }
p { margin: .5rem 0; max-width: 42rem; }
.muted, caption, figcaption small { color: var(--muted); }
.figures { display: grid; gap: 1rem; margin: 1.5rem 0 0; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); }
.figures div { background: var(--card); border-radius: .6rem; padding: .9rem 1.1rem; }
.figures dt { color: var(--muted); font-size: .9rem; }
.figures dd { margin: 0; }
.figures dd.large { font-size: 1.75rem; font-weight: 650; line-height: 1.3; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; }
caption { text-align: left; padding-bottom: .5rem; font-size: .9rem; width: max-content;
  max-width: min(42rem, 100vw - 2rem); }
th, td { padding: .3rem .75rem; text-align: right; font-weight: 400; white-space: nowrap; }
th { color: var(--muted); }
th[scope=row] { color: var(--ink); font-weight: 600; text-align: left; }
.lined td, .lined th { border-bottom: 1px solid var(--line); }
.lined tr > :first-child { padding-left: 0; text-align: left; }
.lined td.bar { min-width: 7rem; text-align: left; }
.bar i { display: block; height: .6rem; border-radius: .2rem; background: rgb(var(--hot)); }
.confusion { border-spacing: 3px; border-collapse: separate; }
.confusion th, .confusion td { padding: 0; min-width: 2.8rem; height: 2.4rem;
  text-align: center; border-radius: .25rem; }
.confusion td { background: rgb(var(--hot) / var(--depth, 0)); font-weight: 600; }
.confusion td.never { background: var(--card); }
.confusion td.right { background: var(--line); color: var(--muted); font-weight: 400; }
.confusion td.total { background: none; font-weight: 400; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr);
  gap: .25rem 1.25rem; margin: .75rem 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.mistakes { display: grid; gap: 1rem; margin: 1rem 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(6.2rem, 1fr)); }
.mistakes figure { margin: 0; break-inside: avoid; }
.mistakes img { display: block; width: 100%; height: auto; aspect-ratio: 1;
  border: 1px solid var(--line); border-radius: .25rem; image-rendering: pixelated; }
.mistakes figcaption { font-size: .9rem; line-height: 1.35; margin-top: .3rem; }
.mistakes b { color: rgb(var(--hot)); }
.mistakes small { display: block; }
svg { display: block; width: 100%; max-width: 30rem; height: auto; }
svg text { fill: var(--muted); font-size: 12px; }
svg .name { font-size: 15px; fill: var(--ink); }
svg .grid { stroke: var(--line); } svg .honest { stroke: var(--muted); stroke-dasharray: 4 4; }
svg .spread { stroke: var(--band); stroke-width: 2.5; stroke-linecap: round; }
svg .dot { fill: var(--cool); stroke: var(--cool); stroke-width: 2; }
svg .open { fill: var(--paper); }
svg .wide { stroke-width: 8; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem;
  color: var(--muted); font-size: .9rem; }
@media (max-width: 40rem) { body { padding: 1.25rem .9rem 2rem; } h1 { font-size: 1.5rem; }
  th, td { padding: .25rem .45rem; } .confusion { border-spacing: 2px; font-size: .72rem; }
  .confusion th, .confusion td { min-width: 1.55rem; height: 1.75rem; }
  .lined { font-size: .85rem; } .lined thead th { white-space: normal; }
  .lined td.bar { min-width: 2.5rem; } .figures dd.large { font-size: 1.4rem; }
  .figures { gap: .6rem; grid-template-columns: repeat(2, 1fr); }
  .figures div { padding: .75rem; }
  .mistakes { gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(4.9rem, 1fr)); }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; } .facts dd { margin-bottom: .5rem; }
}
@media (prefers-color-scheme: dark) { .mistakes img { filter: invert(1);
  border-color: transparent; } }
@media print { :root { --ink: #000; --muted: #444; --paper: #fff; --card: #f2f2f2;
    --line: #ccc; --hot: 213 94 0; --cool: #0072b2; --band: #9cc7e0; color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
  .mistakes { grid-template-columns: repeat(8, 1fr); gap: .6rem; }
  .mistakes img { filter: none; } h2, h2 + p { break-after: avoid; }
  table, svg, .figures { break-inside: avoid; } .scroll { overflow: visible; } }
"""


def page(title: str, *parts: str) -> str:
    """Return a whole HTML page; `title` is escaped, `parts` are HTML already.

    Examples
    --------
    >>> "<title>2 &lt; 3</title>" in page("2 < 3", "<p>so it is</p>")
    True
    """
    body = "\n".join(part for part in parts if part)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="digitlens">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def section(heading: str, *parts: str) -> str:
    """Return a section; `heading` is escaped, `parts` are HTML already, empty ones left out."""
    inside = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(heading)}</h2>\n{inside}\n</section>" if inside else ""


def paragraph(words: str, *, muted: bool = False) -> str:
    """Return a paragraph of plain words, escaped."""
    kind = ' class="muted"' if muted else ""
    return f"<p{kind}>{escape(words)}</p>"
