"""Pages of the documentation site that are made: the API, the HTTP service, the lessons.

``make site`` has them written into docs/reference and shown by Sphinx.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import course

ROOT = Path(__file__).parents[1]
GENERATED = {"python-api.md": "api_page", "http-api.md": "http_page"}
"""Files in docs/reference, and what makes them."""


def write_generated(docs: Path) -> None:
    """Write what is generated into docs/reference, where it differs from what is there."""
    for name, make in GENERATED.items():
        path, text = docs / "reference" / name, globals()[make]()
        path.parent.mkdir(exist_ok=True)  # a fresh clone has no such folder
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def api_page() -> str:
    """Return every name of ``digitlens`` with its signature and docstring, as Markdown."""
    import digitlens

    parts = ["# Python, name by name", "Made from the docstrings of `import digitlens as dl`."]
    for name in sorted(digitlens.__all__, key=str.lower):
        thing = getattr(digitlens, name)
        parts += list(_describe(f"dl.{name}", thing, "##"))
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if not member.startswith("_") and _is_documented(value):
                    parts += list(_describe(f"{name}.{member}", value, "###"))
    return "\n\n".join(parts) + "\n"


def _is_documented(value: object) -> bool:
    is_ours = inspect.isfunction(value) or isinstance(
        value, (property, classmethod, staticmethod)
    )
    return is_ours and bool(inspect.getdoc(value))


def _describe(name: str, thing: Any, level: str) -> Iterator[str]:
    yield f"{level} {name}"
    function = getattr(thing, "__func__", thing)
    if callable(function):
        yield f"```python\n{_signature(name, function)}\n```"
    yield docstring_as_markdown(inspect.getdoc(thing) or "")


def _signature(name: str, function: Any) -> str:
    """Return how it is called: on one line where that fits, else a line for each parameter."""
    signature = inspect.signature(function)
    rows, starred = [], False
    for row in signature.parameters.values():
        if row.kind is row.KEYWORD_ONLY and not starred:
            rows.append("*")
        starred |= row.kind in (row.KEYWORD_ONLY, row.VAR_POSITIONAL)
        # An annotation is a text here, which a parameter would put in quotes.
        kind = "" if row.annotation is row.empty else f": {row.annotation}"
        value = "" if row.default is row.empty else f" = {row.default!r}"
        rows.append(f"{row.replace(annotation=row.empty, default=row.empty)!s}{kind}{value}")
    result = signature.return_annotation
    after = "" if result is signature.empty else f" -> {result}"
    called = f"{name}({', '.join(rows)}){after}"
    if len(called) > 88:
        called = f"{name}(\n    " + ",\n    ".join(rows) + f",\n){after}"
    return re.sub(r"<class '([\w.]+)'>", r"\1", called)


def docstring_as_markdown(text: str) -> str:
    """Return a docstring as Markdown: its parameters as a list, its examples as code.

    >>> print(docstring_as_markdown("how: in one way\\n    or another\\n\\n>>> 1\\n1"))
    - `how`: in one way or another
    <BLANKLINE>
    ```python
    >>> 1
    1
    ```
    """
    parts = []
    text = re.sub(r"^Examples\n-+\n", "", text, flags=re.M)
    for block in re.split(r"\n\s*\n", text):
        if block.lstrip().startswith(">>>"):
            parts.append(f"```python\n{textwrap.dedent(block)}\n```")
        elif re.match(r"\w+(, \w+)*: ", block):
            joined = re.sub(r"\n\s+", " ", block)
            rows = re.sub(r"^(\w+(?:, \w+)*): ", r"- `\1`: ", joined, flags=re.M)
            parts.append(rows)
        else:
            parts.append(block)
    return "\n\n".join(parts)


def http_page() -> str:
    """Return every request of the service, as its OpenAPI document has it, as Markdown."""
    document = openapi()
    parts = [
        "# HTTP, request by request",
        "Made from the OpenAPI document that the service gives at `/openapi.json`. "
        "[What the requests mean, and who may ask](../api.md) is told in words.",
    ]
    for path, operations in document["paths"].items():
        for method, what in operations.items():
            parts += [f"## {method.upper()} {path}", what.get("description") or what["summary"]]
            rows = [
                (f"`{row['name']}`", row["in"], _schema(row.get("schema", {})))
                for row in what.get("parameters", [])
            ]
            if rows:
                parts.append(_table(("parameter", "in", "what"), rows))
            for status, answer in what.get("responses", {}).items():
                shapes = [
                    _schema(kind.get("schema", {}))
                    for kind in answer.get("content", {}).values()
                ]
                shown = "; ".join(filter(None, shapes))
                parts.append(
                    f"- {status}: {answer['description']}" + (f" ({shown})" if shown else "")
                )
    parts.append("## What is in the answers")
    for name, schema in document["components"]["schemas"].items():
        rows = [
            (f"`{key}`", _schema(value), value.get("description", ""))
            for key, value in schema.get("properties", {}).items()
        ]
        parts += [f"### {name}", schema.get("description", "")]
        if rows:
            parts.append(_table(("key", "type", "what"), rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of a service that has nothing in it."""
    from digitlens.server.app import build_api

    document: dict[str, Any] = build_api(None).openapi()  # type: ignore[arg-type]
    return document


def _schema(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{str(schema['$ref']).rpartition('/')[2]}`"
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        return " or ".join(filter(None, map(_schema, several)))
    if schema.get("type") == "array":
        return "list of " + (_schema(schema.get("items", {})) or "values")
    return str(schema.get("const", schema.get("type", "")))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    clean = ([" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in lines)
    return "\n".join(f"| {' | '.join(row)} |" for row in clean)


def root_page(name: str) -> str:
    """Return a page of the root, as ``project/security``, with the site's links."""
    text = (ROOT / f"{Path(name).stem.upper()}.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\((\w+)\.md", lambda link: f"]({link[1].lower()}.md", text)
    return text.replace("](docs/", "](../")


def show_lesson(text: str, path: Path) -> str:
    """Return a lesson for the site: its code, and what it printed and drew.

    The outputs are those of the notebook in the folder ``course``, where `make course` left it.
    A solution is folded away until it is asked for.
    """
    notebook = ROOT / "course" / f"{path.stem}.ipynb"
    outputs: list[list[dict[str, Any]]] = []
    if notebook.exists():
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        outputs = [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]
    number = iter(range(10_000))

    def show(block: re.Match[str]) -> str:
        index = next(number)
        folded = "solution" in block[1]
        parts = ["<details><summary>A solution</summary>"] if folded else []
        parts.append(f"```python\n{block[2].lstrip()}```")
        for output in outputs[index] if index < len(outputs) else []:
            if output["output_type"] == "stream":
                parts.append(f"```text\n{''.join(output['text']).rstrip()}\n```")
            else:
                address = f"data:image/png;base64,{output['data']['image/png']}"
                parts.append(f'<img alt="what this draws" src="{address}">')
        parts += ["</details>"] if folded else []
        return "\n\n".join(parts) + "\n"

    shown: str = course.BLOCK.sub(show, text)
    return shown
