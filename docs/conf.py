"""The documentation site: python -m sphinx -W docs site, or make site."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent / "src"), str(DOCS.parent / "tools")]

import site_pages  # noqa: E402

project = "digitlens"
author = copyright = "The digitlens authors"  # noqa: A001 - the name that Sphinx has for it
release = metadata.version("digitlens")
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header"]  # cli.md and lessons step over a level of heading
html_theme = "furo"
html_title = "digitlens"
html_show_sphinx = False
html_copy_source = False


def setup(app: Any) -> None:
    """Have the generated pages written first, and lessons shown with what they print."""
    site_pages.write_generated(DOCS)
    app.connect("source-read", _fill_lesson)


def _fill_lesson(_: Any, name: str, source: list[str]) -> None:
    if name.startswith("course/") and not name.endswith("README"):
        source[0] = site_pages.show_lesson(source[0], DOCS / f"{name}.md")
    elif name.startswith("project/"):
        source[0] = site_pages.root_page(name)
