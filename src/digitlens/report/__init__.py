"""The report: one HTML file that needs nothing beside it.

No request leaves the page: styles are inside, pictures are data, and its content security
policy forbids the rest. It needs no matplotlib.

==============  ==============================================================
`single`        `render`: one model
`comparison`    `render_comparison`: several models side by side
`tables`        tables and lists of facts
`pictures`      the mistakes as pictures
`diagram`       the reliability diagram as SVG
`page`          the page around them, and its style
==============  ==============================================================
"""

from __future__ import annotations

from digitlens.report.comparison import render_comparison
from digitlens.report.single import render

__all__ = ["render", "render_comparison"]
