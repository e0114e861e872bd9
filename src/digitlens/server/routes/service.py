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
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from digitlens.server import prometheus
from digitlens.server.http_errors import BusyError, TokenError, UnknownError
from digitlens.server.middleware import COOKIE, is_same
from digitlens.server.routes import document_problems, get_state
from digitlens.server.schemas import Health

router = APIRouter(tags=["service"])


@router.get(
    "/healthz",
    response_model=Health,
    responses=document_problems(503),
    summary="Whether the lab answers",
)
async def healthz(request: Request) -> Any:
    """Say ok; 503 once the lab is ending."""
    if get_state(request).closing.is_set():
        raise BusyError("the lab is ending")
    return {"status": "ok"}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=document_problems(503),
    summary="Counts and times, as Prometheus reads them",
)
async def counts(request: Request) -> Any:
    """Return counts and times in Prometheus' text form."""
    return Response(get_state(request).metrics.as_text(), media_type=prometheus.CONTENT_TYPE)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Any:
    """Return the OpenAPI document as a page."""
    return HTMLResponse(format_docs(request.app.openapi()))


@router.get("/docs/style.css", include_in_schema=False)
async def docs_style(request: Request) -> Any:
    """Return the style sheet of that page."""
    return serve_file("css/docs.css", request)


@router.get("/", include_in_schema=False)
async def page(request: Request, token: str | None = None) -> Any:
    """Return the page; with the token in the address, keep it in a cookie first.

    The address without it is then opened, so that the token stays in no history.
    """
    wanted = get_state(request).settings.token
    if token is None or not wanted:
        return serve_file("index.html", request)
    if not is_same(token, wanted):
        raise TokenError("that is not the lab's token")
    answer = Response(status_code=303, headers={"location": "/"})
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
    return answer


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Any:
    """Return the page's icon."""
    return serve_file("favicon.ico", request)


@router.get("/static/{path:path}", include_in_schema=False)
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


def format_docs(document: dict[str, Any]) -> str:
    """Return an OpenAPI document as HTML; every text in it is escaped."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            group = operation.get("tags", ["other"])[0]
            groups.setdefault(group, []).append(_format_operation(method, path, operation))
    parts = [f"<h2>{escape(group)}</h2>" + "".join(items) for group, items in groups.items()]
    schemas = document.get("components", {}).get("schemas", {})
    parts.append(
        "<h2>shapes</h2>" + "".join(_format_schema(name, schemas[name]) for name in schemas)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])}</title>"
        '<link rel="stylesheet" href="/docs/style.css"></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"{_format_paragraphs(info.get('description', ''))}"
        '<p><a href="/openapi.json">The OpenAPI document</a></p>'
        + "".join(parts)
        + "</body></html>"
    )


def _format_operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(_format_parameter(item) for item in operation.get("parameters", []))
    head = "<tr><th>parameter</th><th>in</th><th>type</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else ""
    body = ""
    if "requestBody" in operation:
        kinds = operation["requestBody"]["content"].items()
        body = "<p>body: " + "; ".join(_format_content(*item) for item in kinds) + "</p>"
    answers = "".join(_format_answer(*item) for item in sorted(operation["responses"].items()))
    description = _format_paragraphs(operation.get("description", ""))
    return (
        f"<details><summary><code>{escape(method.upper())} {escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>{description}"
        f"{table}{body}<table><tr><th>status</th><th>means</th><th>body</th></tr>"
        f"{answers}</table></details>"
    )


def _format_parameter(parameter: dict[str, Any]) -> str:
    name = escape(parameter["name"]) + (" (needed)" if parameter.get("required") else "")
    return (
        f"<tr><td><code>{name}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td>{_describe_type(parameter.get('schema', {}))}</td></tr>"
    )


def _format_answer(status: str, answer: dict[str, Any]) -> str:
    bodies = "; ".join(_format_content(*item) for item in answer.get("content", {}).items())
    about = escape(answer.get("description", "").replace("Successful Response", "The answer."))
    return f"<tr><td>{escape(status)}</td><td>{about}</td><td>{bodies}</td></tr>"


def _format_content(kind: str, body: dict[str, Any]) -> str:
    return f"<code>{escape(kind)}</code> {_describe_type(body.get('schema', {}))}"


def _format_schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code>{'' if key in needed else ' (may be absent)'}</td>"
        f"<td>{_describe_type(value)}</td></tr>"
        for key, value in schema.get("properties", {}).items()
    )
    about = _format_paragraphs(schema.get("description", ""))
    link = f'<summary id="{escape(name)}"><code>{escape(name)}</code></summary>'
    return f"<details>{link}{about}<table>{rows}</table></details>"


def _describe_type(schema: dict[str, Any]) -> str:
    """Return a schema in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_describe_type(item) for item in schema["anyOf"])
    words = escape(str(schema.get("type", "any")))
    if schema.get("format") == "binary":
        words = "the bytes of a file"
    if "properties" in schema:
        inner = schema["properties"].items()
        words = "; ".join(
            f"<code>{escape(key)}</code>: {_describe_type(item)}" for key, item in inner
        )
    if schema.get("type") == "array" and "items" in schema:
        words = f"list of {_describe_type(schema['items'])}"
    if "default" in schema:
        words += f", else {escape(json.dumps(schema['default']))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        words += f", {'' if low is None else low}..{'' if high is None else high}"
    return words


def _format_paragraphs(text: str) -> str:
    marked = CODE.sub(r"<code>\1</code>", escape(text))
    return "".join(f"<p>{item}</p>" for item in marked.split("\n\n") if item.strip())
