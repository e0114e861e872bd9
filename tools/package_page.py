"""What a package index shows: the README with addresses in full, and the package's links.

The build runs this (`[tool.hatch.metadata.hooks.custom]` of pyproject.toml). An index shows no
picture whose address is relative, and takes none into the page itself. So a release names the
repository in DIGITLENS_REPOSITORY, such as https://HOST/OWNER/NAME: pictures and links are
then those of the tag of this version. Without it the README stays as it is in the repository.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

REPOSITORY = "DIGITLENS_REPOSITORY"
TARGET = re.compile(r"(?P<image>!)?(?P<text>\[[^\]]*\])\((?P<path>(?!\w+:|#)[^)\s]+)\)")
"""A picture or a link of Markdown whose address is relative."""


class PackagePage(MetadataHookInterface):
    """Fills in the README and, where the repository is named, the links."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add to what pyproject.toml says of the project, in place."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        repository = os.environ.get(REPOSITORY, "").rstrip("/")
        metadata["urls"] = {}
        if repository:
            tag = f"v{metadata['version']}"
            text = resolve(text, repository, tag)
            metadata["urls"] = links(repository, tag)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def resolve(text: str, repository: str, tag: str) -> str:
    """Return Markdown whose relative addresses are those of the repository's files at a tag.

    >>> resolve("![a](b.png) [c](d.md#e) [f](https://g)", "https://host/o/n", "v1")
    '![a](https://host/o/n/raw/v1/b.png) [c](https://host/o/n/blob/v1/d.md#e) [f](https://g)'
    """
    return TARGET.sub(
        lambda match: "{}{}({}/{}/{}/{})".format(
            match["image"] or "",
            match["text"],
            repository,
            "raw" if match["image"] else "blob",
            tag,
            match["path"],
        ),
        text,
    )


def links(repository: str, tag: str) -> dict[str, str]:
    """Return the addresses that an index lists beside the package, by their names."""
    return {
        "Source": repository,
        "Documentation": f"{repository}/blob/{tag}/docs/index.md",
        "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
