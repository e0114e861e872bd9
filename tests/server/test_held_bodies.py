"""What a request held is free when it has ended, not when the garbage collector comes."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

LARGE = 100_000
"""Bytes, or things in a list, from which on nothing may be held in circles."""

BODIES = {
    "cut off": (b"x" * LARGE, "application/json", True),
    "no picture": (b"x" * LARGE, "image/png", False),
    "no form": (b"x" * LARGE, "multipart/form-data; boundary=a", False),
    "no JSON": (b'"' + b"x" * LARGE, "application/json", False),
    "a text": (json.dumps("x" * LARGE).encode(), "application/json", False),
    "a list": (json.dumps([7] * LARGE).encode(), "application/json", False),
    "names": (json.dumps({"digits": "x" * LARGE}).encode(), "application/json", False),
    "deep": (b"[" * LARGE, "application/json", False),
}


def make_scope(address: str, kind: str, length: int, method: str = "POST") -> dict[str, Any]:
    """Return ASGI's description of a request."""
    headers = {"host": "localhost", "content-length": str(length), "content-type": kind}
    return {
        "type": "http",
        "method": method,
        "path": address,
        "raw_path": address.encode(),
        "query_string": b"",
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
    }


async def ask(lab: Any, scope: dict[str, Any], parts: list[bytes], *, leaves: bool) -> int:
    """Send a body in parts, and perhaps leave then; return the answer's status."""
    bodies = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if not leaves:
        bodies[-1]["more_body"] = False
    status = 0

    async def receive() -> dict[str, Any]:
        return bodies.pop(0) if bodies else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await lab(scope, receive, send)
    return status


@contextmanager
def catch_garbage() -> Iterator[list[Any]]:
    """Give a list that holds at the end what only the garbage collector could free."""
    result: list[Any] = []
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield result
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        result += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.unfreeze()


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_refused_is_held_in_no_circle(still: Any, name: str) -> None:
    """Whatever comes to whatever address: a thousand of them would be a gigabyte."""
    body, kind, leaves = BODIES[name]
    addresses = [
        (method.upper(), re.sub("{[^}]*}", "7", template))
        for template, methods in still.lab.api.openapi()["paths"].items()
        for method in methods.keys() & {"post", "put", "delete"}
    ]
    assert len(addresses) > 10
    with catch_garbage() as garbage:
        for method, address in addresses:
            scope = make_scope(address, kind, len(body) + leaves, method)
            still.run(ask(still.lab, scope, [body], leaves=leaves))
    held = [
        f"{type(value).__name__} in {type(item).__name__}"
        for item in garbage
        for value in (item, *gc.get_referents(item))
        if isinstance(value, bytes | bytearray | str | list) and len(value) >= LARGE
    ]
    assert not held
