"""The OpenAPI document as a page that needs no network, no script and no framework."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

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
    rows = "".join(_parameter(each) for each in act.get("parameters", []))
    head = "<tr><th>parameter</th><th>in</th><th>type</th></tr>"
    table = f"<table>{head}{rows}</table>" if rows else ""
    body = ""
    if "requestBody" in act:
        kinds = act["requestBody"]["content"].items()
        body = "<p>body: " + "; ".join(_content(*each) for each in kinds) + "</p>"
    answers = "".join(_answer(*each) for each in sorted(act["responses"].items()))
    return (
        f"<details><summary><code>{escape(method.upper())} {escape(path)}</code> "
        f"{escape(act.get('summary', ''))}</summary>{_paragraphs(act.get('description', ''))}"
        f"{table}{body}<table><tr><th>status</th><th>means</th><th>body</th></tr>"
        f"{answers}</table></details>"
    )


def _parameter(found: dict[str, Any]) -> str:
    name = escape(found["name"]) + (" (needed)" if found.get("required") else "")
    return (
        f"<tr><td><code>{name}</code></td><td>{escape(found['in'])}</td>"
        f"<td>{_type(found.get('schema', {}))}</td></tr>"
    )


def _answer(status: str, found: dict[str, Any]) -> str:
    bodies = "; ".join(_content(*each) for each in found.get("content", {}).items())
    about = escape(found.get("description", "").replace("Successful Response", "The answer."))
    return f"<tr><td>{escape(status)}</td><td>{about}</td><td>{bodies}</td></tr>"


def _content(kind: str, found: dict[str, Any]) -> str:
    return f"<code>{escape(kind)}</code> {_type(found.get('schema', {}))}"


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code>{'' if key in needed else ' (may be absent)'}</td>"
        f"<td>{_type(found)}</td></tr>"
        for key, found in schema.get("properties", {}).items()
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
        return " or ".join(_type(each) for each in schema["anyOf"])
    words = escape(str(schema.get("type", "any")))
    if schema.get("format") == "binary":
        words = "the bytes of a file"
    if "properties" in schema:
        inner = schema["properties"].items()
        words = "; ".join(f"<code>{escape(key)}</code>: {_type(each)}" for key, each in inner)
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
    return "".join(f"<p>{each}</p>" for each in marked.split("\n\n") if each.strip())
