"""/healthz, /metrics, the web page and its files, and /docs.

The page at /docs is made here of the OpenAPI document: the usual ones load scripts from other
hosts.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from digitlens.server import prometheus
from digitlens.server.http_errors import BusyError, TokenError, UnknownError
from digitlens.server.middleware import is_same, make_cookie
from digitlens.server.routes import State, document, document_problems, get_state, json_response
from digitlens.server.schemas import Health

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter(tags=["service"])
FILES = ["GET", "HEAD"]  # what a file is asked for by


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", **document("Whether the lab answers", Health))
async def healthz(state: State) -> Any:
    """Say ok; 503 once the lab is ending."""
    if state.closing.is_set():
        raise BusyError("the lab is ending")
    return json_response(Health("ok"))


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=document_problems(503),
    summary="Counts and times, as Prometheus reads them",
)
async def counts(state: State) -> Any:
    """Return counts and times in Prometheus' text form."""
    return Response(state.metrics.as_text(), media_type=prometheus.CONTENT_TYPE)


@router.api_route("/docs", methods=FILES, include_in_schema=False)
async def docs(request: Request) -> Any:
    """Return the OpenAPI document as a page."""
    return HTMLResponse(format_docs(request.app.openapi()))


@router.api_route("/docs/style.css", methods=FILES, include_in_schema=False)
async def docs_style(request: Request) -> Any:
    """Return the style sheet of that page."""
    return serve_file("css/docs.css", request)


@router.api_route("/", methods=FILES, include_in_schema=False)
async def page(request: Request, token: str | None = None) -> Any:
    """Return the page; with the token in the address, keep it in a cookie first.

    The address without it is then opened, so that the token stays in no history.
    """
    settings = get_state(request).settings
    wanted = settings.token
    # With a token in the address: check it, keep it in a cookie, open the address without it.
    if token is None or not wanted:
        return serve_file("index.html", request)
    if not is_same(token, wanted):
        raise TokenError("that is not the lab's token")
    answer = Response(status_code=303, headers={"location": "/"})
    answer.set_cookie(*make_cookie(token, settings.port), httponly=True, samesite="strict")
    return answer


@router.api_route("/favicon.ico", methods=FILES, include_in_schema=False)
async def icon(request: Request) -> Any:
    """Return the page's icon."""
    return serve_file("favicon.ico", request)


@router.api_route("/static/{path:path}", methods=FILES, include_in_schema=False)
async def static(request: Request, path: str) -> Any:
    """Return one of the page's files."""
    return serve_file(path, request)


STATIC = Path(__file__).parents[1] / "static"

MEDIA_TYPES = {
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
def read_files() -> dict[str, tuple[bytes, str, str]]:
    """Return each file of the page: its content, its media type, its hash for ETag.

    They are known by name, so no path on the disk is ever made of what a request says.
    """
    files = {}
    for path in sorted(STATIC.rglob("*")):
        if path.is_file() and path.suffix in MEDIA_TYPES:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            name = path.relative_to(STATIC).as_posix()
            files[name] = content, MEDIA_TYPES[path.suffix], tag
    return files


def serve_file(name: str, request: Request) -> Response:
    """Return a file of the page; 304 to a browser that has it; UnknownError for other names."""
    # Browsers ask with If-None-Match each time: a new version of the page is seen at once.
    if name not in read_files():
        raise UnknownError(
            "the page has no such file",
            seen="it is not part of this version" if name == "index.html" else None,
            try_="/docs lists every address of the service",
        )
    content, media_type, tag = read_files()[name]
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


CODE = re.compile(r"`([^`]+)`")


def format_docs(openapi: dict[str, Any]) -> str:
    """Return an OpenAPI document as HTML; every text in it is escaped."""
    info = openapi["info"]
    # operations by their tag, in the order of the routers, then the shapes
    groups: dict[str, str] = {}
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            group = operation.get("tags", ["other"])[0]
            details = _format_operation(f"{method.upper()} {path}", operation)
            groups[group] = groups.get(group, "") + details
    schemas = openapi["components"]["schemas"].items()
    groups["shapes"] = "".join(_format_schema(*item) for item in schemas)
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f'<link rel="stylesheet" href="/docs/style.css"></head><body><h1>{title}</h1>'
        f"{_format_paragraphs(info.get('description', ''))}"
        '<p><a href="/openapi.json">The OpenAPI document</a></p>'
        + "".join(f"<h2>{escape(group)}</h2>{text}" for group, text in groups.items())
        + "</body></html>"
    )


def _format_operation(address: str, operation: dict[str, Any]) -> str:
    parameters = [
        (
            f"<code>{escape(item['name'])}</code>{' (needed)' if item.get('required') else ''}",
            escape(item["in"]),
            _describe_type(item.get("schema", {})),
        )
        for item in operation.get("parameters", [])
    ]
    answers = [
        (
            escape(status),
            escape(answer["description"].replace("Successful Response", "The answer.")),
            _describe_content(answer.get("content", {})),
        )
        for status, answer in sorted(operation["responses"].items())
    ]
    body = _describe_content(operation.get("requestBody", {}).get("content", {}))
    return (
        f"<details><summary><code>{escape(address)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>"
        f"{_format_paragraphs(operation.get('description', ''))}"
        f"{_format_table(('parameter', 'in', 'type'), parameters)}"
        f"{f'<p>body: {body}</p>' if body else ''}"
        f"{_format_table(('status', 'means', 'body'), answers)}</details>"
    )


def _format_schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"<code>{escape(key)}</code>{'' if key in required else ' (may be absent)'}",
            _describe_type(value),
        )
        for key, value in schema.get("properties", {}).items()
    ]
    return (
        f'<details><summary id="{escape(name)}"><code>{escape(name)}</code></summary>'
        f"{_format_paragraphs(schema.get('description', ''))}"
        f"{_format_table(('key', 'type'), rows)}</details>"
    )


def _format_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of HTML cells; nothing where it has no rows."""
    if not rows:
        return ""
    cells = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def _describe_content(content: dict[str, Any]) -> str:
    return "; ".join(
        f"<code>{escape(kind)}</code> {_describe_type(body.get('schema', {}))}"
        for kind, body in content.items()
    )


def _describe_type(schema: dict[str, Any]) -> str:
    """Return a schema in a few words, as HTML."""
    # a reference -> alternatives -> a plain type, and its limits
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_describe_type(item) for item in schema["anyOf"])
    words = escape(str(schema.get("type", "any")))
    if schema.get("format") == "binary":
        words = "the bytes of a file"
    if "properties" in schema:
        words = "; ".join(
            f"<code>{escape(key)}</code>: {_describe_type(item)}"
            for key, item in schema["properties"].items()
        )
    if schema.get("type") == "array" and "items" in schema:
        words = f"list of {_describe_type(schema['items'])}"
    if "default" in schema:
        words += f", else {escape(json.dumps(schema['default']))}"
    low, high = schema.get("minimum", ""), schema.get("maximum", "")
    return words + (f", {low}..{high}" if f"{low}{high}" else "")


def _format_paragraphs(text: str) -> str:
    marked = CODE.sub(r"<code>\1</code>", escape(text))
    return "".join(f"<p>{item}</p>" for item in marked.split("\n\n") if item.strip())
