"""/healthz, /metrics, /docs and the page's own files.

* The OpenAPI document as a page that needs no network, no script and no framework.
* The page's own files: read once, known by name, so that no path is made of a request.
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
from digitlens.server.middleware import COOKIE, same
from digitlens.server.routes import problems, state_of
from digitlens.server.schemas import Health

if TYPE_CHECKING:
    from starlette.requests import Request


CODE = re.compile(r"`([^`]+)`")

STYLE = """\
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
code, pre { font: 0.9em/1.4 ui-monospace, monospace; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
details { border: 1px solid var(--line); border-radius: 0.5rem; margin: 0.5rem 0;
  padding: 0.4rem 0.8rem; }
summary { cursor: pointer; } summary code { font-weight: 600; }
table { border-collapse: collapse; margin: 0.5rem 0; }
td, th { border-bottom: 1px solid var(--line); padding: 0.2rem 0.8rem 0.2rem 0;
  text-align: left; vertical-align: top; }
pre { background: var(--soft); padding: 0.6rem; overflow-x: auto; border-radius: 0.4rem; }
"""


def docs_page(document: dict[str, Any]) -> str:
    """Return an OpenAPI document as HTML; every text in it is escaped."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, act in methods.items():
            group = act.get("tags", ["other"])[0]
            groups.setdefault(group, []).append(_act(method, path, act))
    parts = [f"<h2>{escape(group)}</h2>" + "".join(acts) for group, acts in groups.items()]
    schemas = document.get("components", {}).get("schemas", {})
    parts.append("<h2>shapes</h2>" + "".join(_schema(name, schemas[name]) for name in schemas))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])}</title>"
        '<link rel="stylesheet" href="/docs/style.css"></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"{_paragraphs(info.get('description', ''))}"
        '<p><a href="/openapi.json">The OpenAPI document</a></p>'
        + "".join(parts)
        + "</body></html>"
    )


def _act(method: str, path: str, act: dict[str, Any]) -> str:
    rows = "".join(_parameter(item) for item in act.get("parameters", []))
    head = "<tr><th>parameter</th><th>in</th><th>type</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else ""
    body = ""
    if "requestBody" in act:
        kinds = act["requestBody"]["content"].items()
        body = "<p>body: " + "; ".join(_content(*item) for item in kinds) + "</p>"
    answers = "".join(_answer(*item) for item in sorted(act["responses"].items()))
    return (
        f"<details><summary><code>{escape(method.upper())} {escape(path)}</code> "
        f"{escape(act.get('summary', ''))}</summary>{_paragraphs(act.get('description', ''))}"
        f"{table}{body}<table><tr><th>status</th><th>means</th><th>body</th></tr>"
        f"{answers}</table></details>"
    )


def _parameter(result: dict[str, Any]) -> str:
    name = escape(result["name"]) + (" (needed)" if result.get("required") else "")
    return (
        f"<tr><td><code>{name}</code></td><td>{escape(result['in'])}</td>"
        f"<td>{_type(result.get('schema', {}))}</td></tr>"
    )


def _answer(status: str, result: dict[str, Any]) -> str:
    bodies = "; ".join(_content(*item) for item in result.get("content", {}).items())
    about = escape(result.get("description", "").replace("Successful Response", "The answer."))
    return f"<tr><td>{escape(status)}</td><td>{about}</td><td>{bodies}</td></tr>"


def _content(kind: str, result: dict[str, Any]) -> str:
    return f"<code>{escape(kind)}</code> {_type(result.get('schema', {}))}"


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code>{'' if key in needed else ' (may be absent)'}</td>"
        f"<td>{_type(result)}</td></tr>"
        for key, result in schema.get("properties", {}).items()
    )
    about = _paragraphs(schema.get("description", ""))
    link = f'<summary id="{escape(name)}"><code>{escape(name)}</code></summary>'
    return f"<details>{link}{about}<table>{rows}</table></details>"


def _type(schema: dict[str, Any]) -> str:
    """Return a schema in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(item) for item in schema["anyOf"])
    words = escape(str(schema.get("type", "any")))
    if schema.get("format") == "binary":
        words = "the bytes of a file"
    if "properties" in schema:
        inner = schema["properties"].items()
        words = "; ".join(f"<code>{escape(key)}</code>: {_type(item)}" for key, item in inner)
    if schema.get("type") == "array" and "items" in schema:
        words = f"list of {_type(schema['items'])}"
    if "default" in schema:
        words += f", else {escape(json.dumps(schema['default']))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        words += f", {'' if low is None else low}..{'' if high is None else high}"
    return words


def _paragraphs(text: str) -> str:
    marked = CODE.sub(r"<code>\1</code>", escape(text))
    return "".join(f"<p>{item}</p>" for item in marked.split("\n\n") if item.strip())


STATIC = Path(__file__).parents[1] / "static"

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
    result = {}
    for path in sorted(STATIC.rglob("*")):
        if path.is_file() and path.suffix in KINDS:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            result[path.relative_to(STATIC).as_posix()] = content, KINDS[path.suffix], tag
    return result


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


router = APIRouter(tags=["service"])


@router.get(
    "/healthz",
    response_model=Health,
    responses=problems(503),
    summary="Whether the lab answers",
)
async def healthz(request: Request) -> Any:
    """Say ok; 503 once the lab is ending."""
    if state_of(request).closing.is_set():
        raise BusyError("the lab is ending")
    return {"status": "ok"}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=problems(503),
    summary="Counts and times, as Prometheus reads them",
)
async def counts(request: Request) -> Any:
    """Return counts and times in Prometheus' text form."""
    return Response(state_of(request).metrics.text(), media_type=prometheus.CONTENT_TYPE)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Any:
    """Return the OpenAPI document as a page."""
    return HTMLResponse(docs_page(request.app.openapi()))


@router.get("/docs/style.css", include_in_schema=False)
async def docs_style() -> Any:
    """Return the look of that page."""
    return Response(STYLE, media_type="text/css; charset=utf-8")


@router.get("/", include_in_schema=False)
async def page(request: Request, token: str | None = None) -> Any:
    """Return the page; with the token in the address, keep it in a cookie first.

    The address without it is then opened, so that the token stays in no history.
    """
    wanted = state_of(request).settings.token
    if token is None or not wanted:
        return page_file("index.html", request)
    if not same(token, wanted):
        raise TokenError("that is not the lab's token")
    answer = Response(status_code=303, headers={"location": "/"})
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
    return answer


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Any:
    """Return the page's icon."""
    return page_file("favicon.ico", request)


@router.get("/static/{path:path}", include_in_schema=False)
async def static(request: Request, path: str) -> Any:
    """Return one of the page's files."""
    return page_file(path, request)
