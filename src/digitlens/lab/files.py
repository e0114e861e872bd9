"""The page's own files: read once, known by name, so that no path is made of a request."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from digitlens.lab.refusals import UnknownError

if TYPE_CHECKING:
    from starlette.requests import Request

STATIC = Path(__file__).with_name("static")

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


@cache
def known() -> dict[str, tuple[bytes, str, str]]:
    """Return each file of the page: its content, its kind, its hash for ETag."""
    found = {}
    for path in sorted(STATIC.rglob("*")):
        if path.is_file() and path.suffix in KINDS:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            found[path.relative_to(STATIC).as_posix()] = content, KINDS[path.suffix], tag
    return found


def page_file(name: str, request: Request) -> Response:
    """Return a file of the page; 304 to who has it already.

    Raises
    ------
    UnknownError
        The page has no such file.
    """
    if name not in known():
        raise UnknownError(
            "the page has no such file",
            seen="it is not part of this version" if name == "index.html" else None,
            try_="/docs lists every address of the service",
        )
    content, kind, tag = known()[name]
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
