"""Write types/lab.d.ts: ``python tools/page_types.py``.

What the service answers, address by address, as its OpenAPI document has it, and the elements
of the page by their ids, as types of TypeScript: a key or an element that is renamed is then an
error of `tools/check_scripts.py`. Browsers get nothing of it.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "types" / "lab.d.ts"
PAGE = ROOT / "src" / "digitlens" / "server" / "static" / "index.html"
HEAD = """// Made by tools/page_types.py of the OpenAPI document and the page: change those.

"""
NAMES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def to_type(schema: dict[str, Any]) -> str:
    """Return a JSON schema as a type of TypeScript.

    >>> to_type({"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}})
    '(number | null)[]'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(to_type(item) for item in schema["anyOf"]))
    kind = schema.get("type")
    if kind == "array":
        item = to_type(schema.get("items", {}))
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return f"Record<string, {to_type(values) if isinstance(values, dict) else 'any'}>"
    return "null" if kind == "null" else NAMES.get(str(kind), "any")


def to_interface(name: str, schema: dict[str, Any]) -> str:
    """Return an object's schema as an interface.

    >>> to_interface("A", {"properties": {"b": {"type": "string"}}})
    '  interface A { b?: string }'
    """
    needed = schema.get("required", [])
    keys = [
        f"{key}{'' if key in needed else '?'}: {to_type(value)}"
        for key, value in schema["properties"].items()
    ]
    return f"  interface {name} {{ {'; '.join(keys)} }}"


def list_bodies(document: dict[str, Any], method: str, sent: bool) -> list[tuple[str, str]]:
    """Return addresses as patterns, the longest first, and the JSON they take or answer."""
    result = []
    for path, operations in document["paths"].items():
        what = operations.get(method, {})
        answers = [body for status, body in what.get("responses", {}).items() if status < "3"]
        for body in [what.get("requestBody", {})] if sent else answers:
            schema = body.get("content", {}).get("application/json", {}).get("schema")
            if schema:
                result.append((re.sub(r"\{\w+\}", "${string}", path), to_type(schema)))
    return sorted(result, key=lambda item: (-item[0].count("/"), item[0].count("$"), item[0]))


def to_choice(name: str, bodies: list[tuple[str, str]]) -> str:
    """Return a type that says for an address what its JSON is; never where there is none."""
    lines = [f"    P extends `{path}` ? {kind} :" for path, kind in bodies]
    return "\n".join([f"  type {name}<P extends string> =", *lines, "    never;"])


class Ids(HTMLParser):
    """The ids of a page, each with its element's tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that has an id."""
        name = dict(attrs).get("id")
        if name is not None:
            self.tags[name] = tag


def write_types(document: dict[str, Any], page: str) -> str:
    """Return the file of types of an OpenAPI document and a page."""
    schemas = document["components"]["schemas"]
    ids = Ids()
    ids.feed(page)
    parts = ["declare namespace Api {"]
    parts += [to_interface(name, schema) for name, schema in sorted(schemas.items())]
    choices = ("Get", "get", False), ("Post", "post", False), ("Remove", "delete", False)
    parts += [
        to_choice(name, list_bodies(document, method, sent))
        for name, method, sent in (*choices, ("Body", "post", True))
    ]
    parts += ["}", "", "/** The elements of the page. */", "interface PageIds {"]
    for name, tag in ids.tags.items():
        kind = "SVGElementTagNameMap" if tag == "svg" else "HTMLElementTagNameMap"
        parts.append(f'  "{name}": {kind}["{tag}"];')
    return HEAD + "\n".join([*parts, "}", ""])


def make() -> str:
    """Return what the file must hold."""
    from digitlens.server.app import build_api

    document = build_api(None).openapi()  # type: ignore[arg-type]
    return write_types(document, PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    TARGET.write_text(make(), encoding="utf-8")
